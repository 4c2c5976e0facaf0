"""Probes of a pod as the health check of a service.

*Model*: the first readiness probe, else the first liveness probe. A startup probe is asked until it succeeds, and the others wait for it:
its period is the interval at start, and as long as it may fail in a row is the time that a start may take.
*Ignores*: what probes ask.
*Source*: kubernetes/kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Probe; Kubernetes documentation, Pod Lifecycle, Container
probes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.importers.manifests import Object, at
from simvirt.units import shown

USUAL: Final = {"periodSeconds": (10, 1), "timeoutSeconds": (1, 1), "failureThreshold": (3, 1), "initialDelaySeconds": (0, 0)}
"""Key of a probe -> its default, and the least that it may be."""


def health_of(one: Object, containers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The health check of a pod's service; nothing where no container has a probe."""
    startup, asked = _first(containers, "startupProbe"), _first(containers, "readinessProbe") or _first(containers, "livenessProbe")
    probe, kind = (asked or startup), "readinessProbe" if asked else "startupProbe"
    if probe is None:
        return
    yield "interval", f"{_whole(one, kind, probe, 'periodSeconds')}s"
    yield "timeout", f"{_whole(one, kind, probe, 'timeoutSeconds')}s"
    yield "retries", _whole(one, kind, probe, "failureThreshold")
    delay = _whole(one, kind, probe, "initialDelaySeconds")
    if startup is not None:
        period = _whole(one, "startupProbe", startup, "periodSeconds")
        allowed = period * _whole(one, "startupProbe", startup, "failureThreshold")
        delay = _whole(one, "startupProbe", startup, "initialDelaySeconds") + allowed
        yield "start_interval", f"{period}s"
    if delay:
        yield "start_period", f"{delay}s"


def _first(containers: Sequence[Mapping[str, Any]], kind: str) -> Any:
    """The first probe of a kind."""
    return next((probe for inner in containers for probe in [at(inner, kind)] if probe), None)


def _whole(one: Object, kind: str, probe: Any, key: str) -> int:
    """A whole number at a key of a probe, the usual one where there is none or 0."""
    usual, least = USUAL[key]
    if not isinstance(probe, Mapping):
        raise one.wrong(f"expected a probe, for example {{periodSeconds: 10}}; got {shown(str(probe))}", kind)
    value = probe.get(key) or usual
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        said = f"expected a whole number of at least {least}, for example {max(usual, 1)}; got {shown(str(value))}"
        raise one.wrong(said, kind, key)
    return value
