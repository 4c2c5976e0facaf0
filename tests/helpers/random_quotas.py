"""Quotas are kept: the CPU time that a service may have used under the limits of its replicas and of their VMs.

*Model*: what the periods bring that a window touches; what is in the pool when it begins, saved up or not, and on the CPUs, of slices that
    they have taken; and a tick on each CPU when it ends, as Linux accounts use at ticks: who runs beyond the quota repays it later.
*Ignores*: windows of unequal length in replications that end with a number of requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simvirt.catalog import Catalog
from simvirt.plane import DataPlane
from simvirt.runs.replicate import make_plane
from simvirt.scenario.spec.models import Scenario

ROUNDING = 1.0005


def quotas_are_kept(document: Mapping[str, Any], scenario: Scenario) -> Iterator[str]:
    """A service uses no more CPU time than its vCPUs have, than its replicas may use, and than their VMs may."""
    catalog = Catalog.of(scenario)
    for spec in scenario.platforms:
        platform = catalog.platform(spec)
        if platform.name in document.get("failed", {}):  # on which no time passes any more
            continue
        found, plane = document["platforms"][platform.name], make_plane(scenario, catalog, platform, scenario.run.seed, 0)
        window = (found["simulated_s"] - found["warmup_s"]) * 1e9
        for service in scenario.services:
            used = (found["services"][service]["cpu_cores"]["value"] or 0.0) * window  # no value where nothing was measured
            for limit, most in _limits(plane, service, window, found["warmup_s"] > 0):
                if used > most * ROUNDING:
                    yield f"{platform.name}/{service}: {used:.0f} ns in {window:.0f} ns, {limit} allow {most:.0f} ns"


def _limits(plane: DataPlane, service: str, window: float, later: bool) -> Iterator[tuple[str, float]]:
    """What bounds a service's CPU time, and by how much [ns]; `later`: the window begins after the run does."""
    plan = plane.lowered.arrangement
    mine = [plan.instances[row] for row in plane.instances_of(service)]
    machines = [plan.machines[row] for row in {i.machine for i in mine}]
    yield "CPUs", sum(m.cpus for m in machines) * window
    of_replicas = {i.group.row for i in mine if i.group is not None}
    of_vms = {m.vm.row for m in machines if m.vm is not None}
    for limit, groups in (("quotas", of_replicas), ("VMs", of_vms)):
        if groups and len(groups) >= len(mine if limit == "quotas" else machines) and (plane.read("groups", "quota")[list(groups)] > 0).all():
            yield limit, sum(_most(plane, group, window, later) for group in groups)


def _most(plane: DataPlane, group: int, window: float, later: bool) -> float:
    """What a group may use in a window [ns]."""
    quota, period, burst, pool, held = (float(plane.read("groups", name)[group]) for name in ("quota", "period", "burst", "pool", "slice"))
    machine = int(plane.read("groups", "machine")[group])
    cpus = int(plane.read("groups", "mask_cpus")[group]) or int(plane.read("machines", "cpus")[machine])
    saved = max(pool, quota + burst) + quota
    return window / period * quota + saved + cpus * (float(plane.read("machines", "tick")[machine]) + held * later)
