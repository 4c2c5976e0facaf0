"""What a service may not say beside its mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simvirt.scenario.spec.base import refuse

if TYPE_CHECKING:
    from simvirt.scenario.spec.services import ServiceSpec


def refuse_beside_mode(service: ServiceSpec) -> None:
    """A ValidationError where something has no effect, or makes no sense, beside a service's mode."""
    deploy = service.deploy
    if service.is_job:
        _refuse_beside_job(service)
    elif deploy.job is not None:
        refuse("has no effect without mode: replicated-job", "deploy", "job")
    if deploy.pod_management is not None and not service.is_stateful:
        refuse("has no effect without mode: stateful", "deploy", "pod_management")
    if service.is_global or service.is_job:
        if service.scale is not None or "replicas" in deploy.model_fields_set:
            where = ("deploy", "replicas") if service.scale is None else ("scale",)
            refuse(f"expected no number of replicas beside mode: {deploy.mode}", *where)
        if service.autoscale is not None:
            refuse(f"has nothing to scale beside mode: {deploy.mode}", "autoscale")


def _refuse_beside_job(service: ServiceSpec) -> None:
    """A job does its start-up work, and takes no requests."""
    if not service.startup:
        refuse("expected the work of a job, after which it ends, for example startup: [{cpu: 20s}]", "startup")
    if service.operations:
        refuse("a job takes no requests; expected its work as startup, for example startup: [{cpu: 20s}]", "operations")
    if service.healthcheck is not None:
        refuse("a job ends when its work is done; expected no health checks beside mode: replicated-job", "healthcheck")
