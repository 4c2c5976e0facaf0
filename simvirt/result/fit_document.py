"""The document of `simvirt fit`: demands from measurements, how sure they are, and what the scenario then predicts."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number, Program, ScenarioName


class FittedDemand(Document):
    """The CPU demand of one execution of an operation."""

    cpu_s: Estimate = Field(description="the fitted demand, without what the platform adds [s]")
    stated_s: Number = Field(description="what the scenario stated [s]")
    measured_s: Estimate = Field(description="CPU time of an execution as measured, with what the platform adds [s]")
    platform: Number = Field(description="ratio of the measured CPU time that the platform adds, by simulation")
    together: tuple[str, ...] = Field(
        default=(), description="operations that the measurements do not tell apart from it: they keep the proportions of the scenario")


class HoldOut(Document):
    """How well points are predicted by the others."""

    points: int = Field(description="values that were left out, one at a time")
    median: Number = Field(description="median relative error of their CPU use")
    worst: Number = Field(description="largest relative error")


class UslResult(Document):
    """The Universal Scalability Law."""

    alone_per_s: Number = Field(description="throughput of a single client")
    contention: Estimate = Field(description="share of the work that clients do one after another (sigma)")
    coherence: Estimate = Field(description="cost of agreement between each two of them (kappa)")
    peak_clients: Number | None = Field(description="number of clients at which throughput is highest; `null` where it never falls")
    spread: Number = Field(description="standard deviation of relative errors")


class Compared(Document):
    """A measured value beside the predicted one."""

    point: str = Field(description="where it was measured: file and line")
    throughput_per_s: Number = Field(description="requests per second there")
    measure: str = Field(description="`latency_mean_s`, `latency_p95_s`, `web.cpu_cores`, `web.memory_bytes`, `host.cpu` ...")
    measured: Number = Field(description="as measured")
    predicted: Estimate = Field(description="as simulated with the fitted demands")
    error: Number | None = Field(description="relative error of the prediction")


class FitDocument(Document):
    """What `simvirt fit` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    answer: str = Field(default="", description="the answer in a sentence, computed from the numbers below")
    scenario: ScenarioName = Field(description="whose demands were fitted")
    seed: int = Field(description="seed of all random streams")
    platform: str = Field(description="on which platform it was measured, so what was taken off")
    points: int = Field(description="points that were measured")
    fitted: Mapping[str, FittedDemand] = Field(description="demands by operation; none where only predictions were asked for")
    idle_cores: Mapping[str, Estimate] = Field(
        default={}, description="CPUs that each service uses whatever the load, beyond what the platform explains; no part of the scenario")
    hold_out: HoldOut | None = Field(default=None, description="errors of left-out points; `null` where there are too few points")
    usl: UslResult | None = Field(default=None, description="where throughput at several numbers of clients shows contention")
    compared: tuple[Compared, ...] = Field(description="measured beside predicted")
    next: str = Field(description="what to measure next")
    simulations: int = Field(description="how many simulations were run")
    wall_s: Number = Field(description="wall-clock time of the command")
    failed: Mapping[str, str] = Field(default={}, description="services without an answer, and why")
    warnings: tuple[str, ...] = Field(description="messages that say what makes the numbers misleading")


