"""What a service may not say beside its mode."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from simvirt.scenario.spec.base import refuse
from simvirt.scenario.spec.deploy import GLOBAL, JOB, STATEFUL, DeploySpec

LOOKED_AT: Final = ("scale", "autoscale", "startup", "operations", "healthcheck")
"""Keys of a service that go with some modes only."""


def refuse_beside_mode(deploy: DeploySpec, said: Collection[str]) -> None:
    """A ValidationError where something that a service says has no effect, or makes no sense, beside its mode."""
    if deploy.mode == JOB:
        _refuse_beside_job(said)
    elif deploy.job is not None:
        refuse("has no effect without mode: replicated-job", "deploy", "job")
    if deploy.pod_management is not None and deploy.mode != STATEFUL:
        refuse("has no effect without mode: stateful", "deploy", "pod_management")
    if deploy.mode in (GLOBAL, JOB):
        if "scale" in said or "replicas" in deploy.model_fields_set:
            where = ("scale",) if "scale" in said else ("deploy", "replicas")
            refuse(f"expected no number of replicas beside mode: {deploy.mode}", *where)
        if "autoscale" in said:
            refuse(f"has nothing to scale beside mode: {deploy.mode}", "autoscale")


def _refuse_beside_job(said: Collection[str]) -> None:
    """A job does its start-up work, and takes no requests."""
    if "startup" not in said:
        refuse("expected the work of a job, after which it ends, for example startup: [{cpu: 20s}]", "startup")
    if "operations" in said:
        refuse("a job takes no requests; expected its work as startup, for example startup: [{cpu: 20s}]", "operations")
    if "healthcheck" in said:
        refuse("a job ends when its work is done; expected no health checks beside mode: replicated-job", "healthcheck")
