"""The autoscaler of services: at its syncs it asks the rules how many replicas are wanted, and says so to what orchestrates them.

*Model*: each service with `autoscale:` has a sync of its own period; what it sees are the tasks of the service and the metrics of a
    metrics server (`control/metrics_server.py`). The rules are those of Kubernetes (`orchestration/hpa_reconcile.py`), whatever
    orchestrates. Each period begins at an instant drawn for it.
    What services are asked is a metric of the kind External, whose sum each replica has a share of (`by_average_value`). A service that may
    have none has a buffer (`control/zero.py`); autoscalers of Knative's kind are `control/concurrency.py`.
*Ignores*: the time that a decision takes.
*Source*: kubernetes/kubernetes pkg/controller/podautoscaler; constants by entry (data/autoscalers.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from simvirt.catalog.entries.autoscalers import AutoscalerEntry
from simvirt.control.concurrency import Concurrency
from simvirt.control.demand import OF_DEMAND, Demands, What
from simvirt.control.metrics_server import MILLI, SECOND, MetricsServer
from simvirt.control.orchestrate import Orchestration
from simvirt.control.orchestrators.interface import Task
from simvirt.control.periods import every
from simvirt.control.records import Measured
from simvirt.control.zero import Zero
from simvirt.gauges import cpu_time
from simvirt.memory.seen import working_sets
from simvirt.orchestration import hpa
from simvirt.orchestration.foresight import Span, foreseen, scheduled
from simvirt.orchestration.hpa_behaviour import DOWN, UP, Limits, Log, Policy, Rules
from simvirt.orchestration.hpa_reconcile import Decision, Metric, first_log, reconcile
from simvirt.scenario.spec.autoscale import AutoscaleSpec, PredictSpec, ScalePolicySpec, ScalingSpec
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.units import format_size
from simvirt.workload.streams import SYNCS, Phases

CPU: Final = "cpu"
MEMORY, MEMORY_AVERAGE = "memory", "memory_average"
"""The metrics that are of each replica."""
SAMPLES, SCRAPES, LOOKS = range(3)
"""What a period is of."""


@dataclass
class Autoscaling:
    """The autoscalers of some services, with their metrics server; `logs` is what each remembers, `used` what a trend is of."""

    orchestration: Orchestration
    entry: AutoscalerEntry
    services: Mapping[str, ServiceSpec]
    metrics: MetricsServer = field(default_factory=MetricsServer)
    logs: dict[str, Log] = field(default_factory=dict)
    used: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    zeros: dict[str, Zero] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.window_s = float(self.entry.resolution or 0.0) / SECOND
        self.demands = Demands(self.orchestration.cluster.plane, self.window_s)

    def begin(self, phases: Phases) -> None:
        """Let all periods begin."""
        clock, known = self.orchestration.cluster.clock, self.orchestration.cluster.plane.lowered.services
        clock.process(every(clock, self.entry.sampling, phases.of(SYNCS, SAMPLES), self._sample))
        clock.process(every(clock, float(self.entry.resolution or 0.0), phases.of(SYNCS, SCRAPES), self._scrape))
        for name, spec in self.services.items():
            if asked_of(spec).min == 0:
                self.zeros[name] = Zero(self.orchestration, name, int(self.entry.buffer or 0), self.entry.cooldown)
                self.zeros[name].begin()
            phase = phases.of(SYNCS, LOOKS, known.index(name))
            clock.process(every(clock, self.entry.sync, phase, partial(self._sync, name)))

    # --- what is measured ----------------------------------------------------------------------------------------------

    def _sample(self) -> None:
        """Hosts sample the counters of their instances."""
        now = self.orchestration.now
        self.metrics.sample(now, cpu_time(self.orchestration.cluster.plane, now), self._held())
        for name, spec in self.services.items():
            if asked_of(spec).target.by_demand:
                self.demands.sample(name)

    def _held(self) -> dict[int, float]:
        """Working sets of all instances, where somebody looks at them."""
        if not any(asked_of(spec).target.of_memory for spec in self.services.values()):
            return {}
        accounts = self.orchestration.cluster.plane.memories.values()
        return {row: held for account in accounts for row, held in working_sets(account.memory).items()}

    def _scrape(self) -> None:
        """The metrics server takes samples in."""
        self.metrics.scrape((task, row) for name in self.services for task, row in self._tasks(name))

    def _tasks(self, service: str) -> Iterator[tuple[Task, int]]:
        """The tasks of a service with their rows."""
        of = self.orchestration.ledger[service]
        return ((task, of.rows[task.number]) for task in of.tasks.values())

    # --- what is decided -----------------------------------------------------------------------------------------------

    def _sync(self, name: str) -> None:
        """Decide how many replicas of a service are wanted, and say so."""
        asked, now_s = asked_of(self.services[name]), self.orchestration.now / SECOND
        if name in self.zeros:
            self.zeros[name].look()
        current, pods = self.orchestration.ledger[name].wanted.replicas, self._pods(name, self.services[name])
        log = self.logs.setdefault(name, first_log(current, now_s))
        metrics = dict(self._metrics(name, asked, current, pods, now_s))
        found = reconcile(current, tuple(metrics.values()), limits_of(asked), log, now_s, behaves(asked))
        self.logs[name] = found.log
        if found.replicas != current:
            self.orchestration.scale(name, found.replicas, why(asked, metrics, found), self._saw(name, asked, metrics, found, pods))

    def _saw(
        self, name: str, asked: AutoscaleSpec, metrics: Mapping[str, Metric], found: Decision, pods: Sequence[hpa.Pod]
    ) -> Measured | None:
        """What a decision was based on; None where neither usage nor demand decided."""
        for usage in (CPU, MEMORY, MEMORY_AVERAGE):
            if usage in metrics and (seen := saw(metrics[usage], found, pods, asked.target.memory_average)) is not None:
                return seen
        which = next((what for what, _ in asked.target.by_demand if _asks(metrics[what]) == found.wanted), None)
        if which is None or found.wanted is None:
            return None
        limited = None if found.limited_by == "DesiredWithinRange" else found.limited_by
        ratio = (metrics[which]().average or 0) / MILLI / dict(asked.target.by_demand)[which]
        return Measured(ratio, self.window_s, self.demands.age_s(name), found.wanted, limited)

    def _metrics(
        self, name: str, asked: AutoscaleSpec, current: int, pods: Sequence[hpa.Pod], now_s: float
    ) -> Iterator[tuple[str, Metric]]:
        """What may ask for replicas, by its name: usage of CPU and memory, what is scheduled, what a trend foresees."""
        timing = hpa.Timing(float(self.entry.initialization or 0.0) / SECOND)
        if asked.target.cpu is not None:
            yield CPU, partial(hpa.by_utilisation, current, round(100 * asked.target.cpu), pods, self._tolerance(asked), timing)
        held = self._held_by_pods(name) if asked.target.of_memory else []
        if asked.target.memory is not None:
            share = round(100 * asked.target.memory)
            yield MEMORY, partial(hpa.by_utilisation, current, share, held, self._tolerance(asked), timing, of_cpu=False)
        if asked.target.memory_average is not None:
            yield MEMORY_AVERAGE, partial(hpa.by_average, current, asked.target.memory_average, held, self._tolerance(asked), timing)
        for what, each in asked.target.by_demand:
            yield what, partial(self._by_demand, name, what, each, current, self._tolerance(asked))
        spans = [Span(one.at / SECOND, one.for_ / SECOND, one.replicas, one.every and one.every / SECOND) for one in asked.schedule]
        if any(span.holds(now_s) for span in spans):
            yield "schedule", lambda: hpa.Proposal(scheduled(spans, now_s))
        if asked.predict is not None and asked.target.cpu is not None:
            seen, at_s = self._history(name, asked.predict, pods, now_s), now_s + asked.predict.ahead / SECOND
            each = (requested(self.services[name]) or 0) * asked.target.cpu
            yield "trend", lambda: hpa.Proposal(foreseen(seen, at_s, each))

    def _by_demand(self, name: str, what: What, each: float, current: int, tolerance: hpa.Tolerance) -> hpa.Proposal:
        """Replicas so that each has at most so much of what a service is asked; MetricError before that is known."""
        found = self.demands.mean(name, what, self.window_s)
        if found is None:
            raise hpa.MetricError("nothing was sampled yet")
        return hpa.by_average_value(current, round(MILLI * found), max(1, round(MILLI * each)), tolerance)

    def _history(self, name: str, predict: PredictSpec, pods: Sequence[hpa.Pod], now_s: float) -> Sequence[tuple[float, float]]:
        """What all replicas together used, sync by sync over the window of a trend."""
        used = float(sum(pod.sample.value for pod in pods if pod.sample is not None))
        kept = [(at, value) for at, value in self.used.get(name, ()) if at > now_s - predict.window / SECOND]
        self.used[name] = [*kept, (now_s, used)]
        return self.used[name]

    def _tolerance(self, asked: AutoscaleSpec) -> hpa.Tolerance:
        """How near to the target is near enough."""
        near = float(self.entry.tolerance or 0.0) if asked.tolerance is None else asked.tolerance
        return hpa.Tolerance(near, near)

    def _pods(self, name: str, spec: ServiceSpec) -> list[hpa.Pod]:
        """The tasks of a service as the autoscaler sees them."""
        request, now = requested(spec), self.orchestration.now
        return [pod_of(task, request, self.metrics.usage(task, now), now) for task, _ in self._tasks(name)]

    def _held_by_pods(self, name: str) -> list[hpa.Pod]:
        """The same with their working sets, and the memory that they request [bytes]."""
        request, now = self.services[name].requested_memory, self.orchestration.now
        return [pod_of(task, request, self.metrics.working_set(task, now), now) for task, _ in self._tasks(name)]


def autoscale(orchestration: Orchestration) -> None:
    """Let the autoscalers of a cluster's services begin, those of one entry of the catalogue together."""
    cluster, by = orchestration.cluster, dict[str, dict[str, ServiceSpec]]()
    for name, spec in cluster.scenario.services.items():
        if spec.autoscale is not None:
            by.setdefault(spec.autoscale.by, {})[name] = spec
    for name, services in by.items():
        entry = cluster.catalog.typed("autoscalers", name, AutoscalerEntry)
        kind = Concurrency if entry.acts == "kpa" else Autoscaling
        kind(orchestration, entry, services).begin(Phases(cluster.plane.seed, cluster.plane.replication))


def requested(spec: ServiceSpec) -> int | None:
    """What a replica requests, in milli-CPUs: what is reserved for it, else its limit."""
    cpus = spec.cpu_limit if spec.cpu_reservation is None else spec.cpu_reservation
    return None if cpus is None else round(MILLI * cpus)


def pod_of(task: Task, request: int | None, usage: hpa.Sample | None, now: int) -> hpa.Pod:
    """A task as a pod: pending until it is up, deleted once it is on its way out, unready while it fails."""
    changed = task.ready_at if task.phase == "ready" and task.ready_at is not None else task.since
    return hpa.Pod(
        request, usage, "Pending" if task.phase == "starting" else "Running", task.phase == "stopping", task.phase == "ready",
        (now - task.asked_at) / SECOND, (now - changed) / SECOND,
    )


def behaves(asked: AutoscaleSpec) -> bool:
    """Whether a scenario says how fast the number may change; if not, the limits of old hold."""
    return asked.scale_up is not None or asked.scale_down is not None


def limits_of(asked: AutoscaleSpec) -> Limits:
    """The bounds of an autoscaler, and how fast the number may change within them."""
    return Limits(max(asked.min, 1), asked.max, _rules(asked.scale_up, UP), _rules(asked.scale_down, DOWN))


def _rules(stated: ScalingSpec | None, default: Rules) -> Rules:
    """The rules of one direction: the default ones, with what is stated instead."""
    if stated is None:
        return default
    policies = default.policies if stated.policies is None else tuple(map(_policy, stated.policies))
    window = default.window_s if stated.stabilization is None else stated.stabilization / SECOND
    select: Final = {"max": "Max", "min": "Min", "disabled": "Disabled"}
    return Rules(policies, select[stated.select], window)  # type: ignore[arg-type]


def _policy(stated: ScalePolicySpec) -> Policy:
    """One policy."""
    if stated.replicas is not None:
        return Policy("Pods", stated.replicas, stated.period / SECOND)
    return Policy("Percent", round(100 * (stated.share or 0.0)), stated.period / SECOND)


def saw(metric: Metric, found: Decision, pods: Sequence[hpa.Pod], target: float | None = None) -> Measured | None:
    """What a decision was based on; None where it was not usage that decided."""
    samples = [pod.sample for pod in pods if pod.sample is not None]
    if found.wanted is None or not samples or _asks(metric) != found.wanted:
        return None
    age, window = (sum(values) / len(samples) for values in ([one.age_s for one in samples], [one.window_s for one in samples]))
    limited = None if found.limited_by == "DesiredWithinRange" else found.limited_by
    proposal = metric()
    used = (proposal.average or 0) / (target or 1.0) if proposal.utilisation_pct is None else proposal.utilisation_pct / 100
    return Measured(used, window, age, found.wanted, limited)


def why(asked: AutoscaleSpec, metrics: Mapping[str, Metric], found: Decision) -> str:
    """The reason of a change: what asked for it, what was measured and aimed at, and what limits the change."""
    if found.limited_by is None:
        return f"at least {asked.min} and at most {asked.max} wanted"
    limited = "" if found.limited_by == "DesiredWithinRange" else f", {found.wanted} asked for: {found.limited_by}"
    deciding = next((name for name, metric in metrics.items() if _asks(metric) == found.wanted), None)
    if deciding == CPU and asked.target.cpu is not None:
        return f"cpu at {metrics[CPU]().utilisation_pct} % of {100 * asked.target.cpu:g} %{limited}"
    if deciding == MEMORY and asked.target.memory is not None:
        return f"memory at {metrics[MEMORY]().utilisation_pct} % of {100 * asked.target.memory:g} %{limited}"
    if deciding == MEMORY_AVERAGE and asked.target.memory_average is not None:
        average = format_size(metrics[MEMORY_AVERAGE]().average or 0)
        return f"{average} of memory of {format_size(asked.target.memory_average)} each{limited}"
    each = dict(asked.target.by_demand)
    if deciding in each:
        return f"{(metrics[deciding]().average or 0) / MILLI:.4g} {OF_DEMAND[deciding]} of {each[deciding]:g} each{limited}"
    return f"{deciding or 'a metric failed'}{limited}"


def _asks(metric: Metric) -> int | None:
    """How many replicas a metric asks for; None where it cannot be had."""
    try:
        return metric().replicas
    except hpa.MetricError:
        return None


def asked_of(spec: ServiceSpec) -> AutoscaleSpec:
    """What is asked of the autoscaler of a service that has one."""
    assert spec.autoscale is not None
    return spec.autoscale
