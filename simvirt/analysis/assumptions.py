"""What of a scenario no closed form knows: the assumptions under which theory is printed beside a simulation.

*Model*: fields are allowed by name; one that is set and not among those that cannot act on a service without contention ends the
    prediction, so that a new field of a scenario has none until its effect is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from simvirt.scenario.spec.steps import CallStep, CpuStep, DelayStep

SERVICE: Final = frozenset({
    "threads", "event_loops", "operations", "deploy", "cpus", "cpu_quota", "cpu_period", "cpu_burst", "scale", "queue", "balance",
    "mem_limit", "mem_reservation", "mem_high", "memswap_limit", "oom_score_adj", "restart", "cpu_shares", "cpu_weight",
})
"""Fields of a service that formulas know, or that act only under contention or pressure, which is excluded otherwise."""
HOST: Final = frozenset({
    "model", "sockets", "cores", "smt", "clock", "memory", "disk", "nic", "max_cstate", "mitigations", "switching",
    "kernel_entry", "scheduler", "zswap",
})
STEP: Final = frozenset({"cpu", "call", "delay", "times", "probability"})
WORKLOAD: Final = frozenset({"open", "closed", "mix", "local", "connection"})
WORDS: Final = {
    "image": "the image's use of caches and memory bandwidth", "profile": "the profile's use of caches and memory bandwidth",
    "memory": "memory that may run short", "background": "background threads", "startup": "work at the start", "cpuset": "a cpuset",
    "cpuset_mems": "bound memory",
    "swap": "swapping", "ksm": "merging of pages", "ops": "operations of a step",
}
"""What fields bring, in words; others by their name."""


def broken(scenario: Any, host: Any) -> Iterator[str]:
    """What acts in a scenario, on the resolved host, that no closed form knows; nothing where all assumptions hold."""
    if scenario.timeline:
        yield "a timeline changes what runs"
    if getattr(scenario, "fails", False):
        yield "hosts, processes or connections fail"
    if scenario.state is not None and scenario.state.instances == "none":
        yield "instances start during the run"
    if getattr(scenario, "tenants", None) is not None:
        yield "tenants divide replicas and load"
    yield from _host(scenario, host)
    for name, service in scenario.services.items():
        yield from _service(name, service)
    if getattr(scenario.workload, "connection", "kept") != "kept":
        yield "connections that are opened and closed"
    yield from (f"the workload: {_word(field)}" for field in _unknown(scenario.workload, WORKLOAD))


def _host(scenario: Any, host: Any) -> Iterator[str]:
    """What the host does by itself."""
    if getattr(host, "cstates", ()):
        yield "idle states: a sleeping CPU takes time to wake (`max_cstate: none` keeps them awake)"
    if (host.smt or 1) > 1 and _computing(scenario) > 1:
        yield "SMT: threads that run side by side on a core slow each other"
    yield from (f"the host: {_word(field)}" for field in _unknown(scenario.host, HOST))


def _computing(scenario: Any) -> float:
    """Threads that may compute at a time."""
    threads = [getattr(service, "workers", service.threads) for service in scenario.services.values()]
    return sum(count if isinstance(count, int) else 2 for count in threads)


def _service(name: str, service: Any) -> Iterator[str]:
    """What a service has that is more than one queue before threads of its own."""
    if service.replicas != 1:
        yield f"{name}: {service.replicas} replicas with a queue each"
    if service.queue != "unlimited":
        yield f"{name}: a queue with a bound"
    if service.cpu_limit is not None and not _free(service):
        yield f"{name}: threads that can exceed its limit of {service.cpu_limit:g} CPU{'' if service.cpu_limit == 1 else 's'}"
    reservations = getattr(getattr(getattr(service, "deploy", None), "resources", None), "reservations", None)
    if reservations is not None and reservations.cpus is not None:
        yield f"{name}: a reservation"
    unset = (field for field in ("background", "startup", "cpuset", "cpuset_mems") if getattr(service, field, None))
    yield from (f"{name}: {_word(field)}" for field in dict.fromkeys([*_unknown(service, SERVICE), *unset]))
    for steps in service.operations.values():
        yield from (f"{name}: {what}" for step in steps for what in _step(step))


def _free(service: Any) -> bool:
    """Whether the threads of a service cannot exceed its limit."""
    workers = getattr(service, "workers", service.threads)
    return isinstance(workers, int) and service.cpu_limit is not None and workers <= service.cpu_limit


def _step(step: Any) -> Iterator[str]:
    """What a step does beside computing, calling and waiting."""
    if not isinstance(step, CpuStep | CallStep | DelayStep):
        yield f"a {_verb(step)} step"
    else:
        yield from (_word(field) for field in _unknown(step, STEP))


def _verb(step: Any) -> str:
    """The verb of a step, by its class."""
    return type(step).__name__.removesuffix("Step").lower()


def _unknown(spec: Any, known: frozenset[str]) -> list[str]:
    """Fields that are set to something, and are not among the known ones."""
    return [field for field in sorted(getattr(spec, "model_fields_set", ())) if field not in known and getattr(spec, field)]


def _word(field: str) -> str:
    return WORDS.get(field, f"`{field}`")
