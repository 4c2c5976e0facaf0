"""The steps of an operation: use a CPU, call another operation, use the disk or the network, wait, do things in parallel.

A step is a mapping with one verb: `{cpu: 1ms}`, `{call: db.select, times: 2}`, `{disk: {read: 8KiB}}`, `{net: {out: 24KiB}}`,
`{files: {open: 1, read: 1}}`, `{delay: 5ms}`, `{parallel: [...]}`, `{repeat: [...], times: 3}`, `{lock: log, hold: [...]}`,
`{publish: orders}`.
`times` repeats it, `probability` makes it happen sometimes.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Mapping

from pydantic import BeforeValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from simvirt.scenario.fields import MOST_STEPS, Bytes, Number, PositiveBytes, Ratio, Whole, Word, WorkNanoseconds
from simvirt.scenario.spec.base import Spec, refuse, unknown_key
from simvirt.scenario.spec.distributions import Distribution
from simvirt.scenario.spec.files import FilesSpec
from simvirt.scenario.spec.measured import MeasuredSpec
from simvirt.scenario.spec.resilience import GUARDS, Guarded
from simvirt.scenario.spec.teams import TeamSpec
from simvirt.units import UnitError, shown

STEP_EXAMPLE: Final = "{cpu: {exponential: 1ms}} or {call: db.select}"


def _operation_name(value: object) -> str:
    """`service.operation`: split at the first dot; the operation may hold any character."""
    service, dot, operation = str(value).partition(".") if isinstance(value, str) else ("", "", "")
    if not service.strip() or not dot or not operation.strip() or len(str(value)) > 500:
        raise UnitError(f"expected service.operation, for example db.select; got {shown(value)}")
    return str(value)


OperationName = Annotated[str, BeforeValidator(_operation_name)]


class _Step(Spec):
    """What all steps have in common."""

    times: Annotated[int, Whole(1, MOST_STEPS, 2)] = Field(default=1, description="how often the step is executed, in a row")
    probability: Ratio = Field(default=1.0, description="probability of each execution")


class CpuStep(_Step):
    """Computes: a demand in ns on a core of the host, or where it was measured, and operations that cost more on a platform."""

    example = "{cpu: {exponential: 1ms}}"
    cpu: Distribution = Field(description="CPU time on a core of the host, or of the machine where it was measured",
                              examples=["{exponential: 1ms}"])
    measured_on: MeasuredSpec | None = Field(
        default=None, description="where the demand was measured; as the service says by default", examples=[MeasuredSpec.example])
    ops: Mapping[str, Annotated[float, Number(0, 1e9, 20)]] = Field(
        default={}, description="operations per execution, by name; otherwise those of the profile",
        examples=["{syscalls: 40, page_faults: 2}"])
    team: TeamSpec | None = Field(
        default=None, description="threads that share its CPU time; it ends when the last of them is done", examples=[TeamSpec.example])


class CallStep(Guarded, _Step):
    """Calls an operation of another service and waits for its answer; the thread is held, its CPU is not."""

    example = "{call: db.select}"
    later = GUARDS
    call: OperationName = Field(description="the operation called, as service.operation", examples=["db.select"])

    @property
    def service(self) -> str:
        """The service called."""
        return self.call.partition(".")[0]

    @property
    def operation(self) -> str:
        """The operation called, without its service."""
        return self.call.partition(".")[2]

    @property
    def target(self) -> tuple[str, str]:
        """The service and the operation called."""
        return self.service, self.operation


class PublishStep(_Step):
    """Leaves a message for all that subscribe to a topic, and goes on without waiting for them."""

    example = "{publish: orders}"
    publish: Word = Field(description="the topic, by its name", examples=["orders"])


class DiskSpec(Spec):
    """A read (a ratio of it from a cache), or a write (which may bypass the cache, or wait until it is durable)."""

    example = "{read: 8KiB, hit: 0.98} or {write: 16KiB, sync: true}"
    later = ("volume",)
    read: PositiveBytes | None = Field(default=None, description="bytes to read", examples=["8KiB"])
    write: PositiveBytes | None = Field(default=None, description="bytes to write", examples=["16KiB"])
    hit: Ratio = Field(default=0.0, description="ratio of the reads that the page cache serves", examples=["0.98"])
    working_set: PositiveBytes | None = Field(default=None, description="data that it is read from, cached as far as memory allows",
                                              examples=["20GiB"])
    zipf: Annotated[float, Number(0, 5, 0.9)] = Field(default=0.9, description="skew of the popularity of its blocks", examples=["0.9"])
    sync: bool = Field(default=False, strict=True, description="whether the write waits until it is durable", examples=["true"])
    direct: bool = Field(default=False, strict=True, examples=["true"],
                         description="whether the write bypasses the page cache and waits for the device, unflushed")
    volume: Word | None = Field(
        default=None, description="the volume it is on, among those of the service; the first of them by default", examples=["data"])

    @model_validator(mode="after")
    def _consistent(self) -> DiskSpec:
        if (self.read is None) == (self.write is None):
            refuse(f"expected either read or write, for example {self.example}")
        if self.read is None and "hit" in self.model_fields_set:
            refuse("only reads can hit the page cache; expected it beside read, for example {read: 8KiB, hit: 0.98}", "hit")
        given = self.model_fields_set & {"working_set", "zipf"}
        if self.read is None and given:
            refuse("only reads have a working set; expected it beside read, for example {read: 8KiB, working_set: 20GiB}", min(given))
        if self.working_set is None and "zipf" in given:
            refuse("has no effect without a working set; expected working_set beside it, for example working_set: 20GiB", "zipf")
        if self.working_set is not None and "hit" in self.model_fields_set:
            refuse("follows from the working set and the memory that is left for it; expected either hit or working_set", "hit")
        if self.working_set is not None and self.read is not None and self.working_set < self.read:
            refuse(f"expected at least one read of {self.read} bytes", "working_set")
        if self.write is None and "sync" in self.model_fields_set:
            refuse("only writes can be synchronous; expected it beside write, for example {write: 16KiB, sync: true}", "sync")
        if self.write is None and "direct" in self.model_fields_set:
            refuse("only writes can be direct; expected it beside write, for example {write: 16KiB, direct: true}", "direct")
        if self.sync and self.direct:
            refuse("a synchronous write waits for the device anyway; expected one of sync and direct", "direct")
        return self

    @property
    def size(self) -> int:
        """Bytes read or written."""
        return self.read or self.write or 0


class DiskStep(_Step):
    """Uses the disk of the host."""

    example = "{disk: {read: 8KiB}}"
    disk: DiskSpec = Field(description="what is read or written", examples=["{read: 8KiB}"])


class FilesStep(_Step):
    """Opens, reads, makes files, one operation after another; what that takes depends on the file system of the platform's disk path."""

    example = "{files: {open: 1, read: 1, close: 1}}"
    files: FilesSpec = Field(description="how many operations of each kind", examples=[FilesSpec.example])


class NetSpec(Spec):
    """Bytes sent and received."""

    example = "{out: 24KiB}"
    out: Bytes = Field(default=0, description="bytes sent", examples=["24KiB"])
    in_: Bytes = Field(default=0, alias="in", description="bytes received", examples=["2KiB"])

    @model_validator(mode="after")
    def _something(self) -> NetSpec:
        if not self.model_fields_set:
            refuse("expected out, in or both, for example {out: 24KiB}")
        return self


class NetStep(_Step):
    """Sends and receives over the host's NIC."""

    example = "{net: {out: 24KiB}}"
    net: NetSpec = Field(description="what is sent and received", examples=["{out: 24KiB}"])


class DelayStep(_Step):
    """Waits for something outside the host, without a CPU."""

    example = "{delay: 5ms}"
    delay: Distribution = Field(description="how long", examples=["5ms"])


class ParallelStep(_Step):
    """Executes several branches at once and continues when all of them have ended."""

    example = "{parallel: [{call: a.x}, [{call: b.y}, {cpu: 1ms}]]}"
    parallel: tuple[Branch, ...] = Field(min_length=1, max_length=1000, description="branches; each a step or a list of steps",
                                         examples=["[{call: a.x}, {call: b.y}]"])


class RepeatStep(_Step):
    """Executes steps one after another, as a group that may be repeated or left out."""

    example = "{repeat: [{call: db.select}, {cpu: 1ms}], times: 3}"
    repeat: tuple[Step, ...] = Field(min_length=1, max_length=10_000, description="the steps of the group, in their order",
                                     examples=["[{call: db.select}, {cpu: 1ms}]"])


class LockStep(_Step):
    """Executes steps while it holds a lock, which one thread at a time can have; others wait for it, first come, first woken."""

    example = "{lock: log, hold: [{cpu: 20us}]}"
    lock: Word = Field(description="the name of the lock; the same name is the same lock", examples=["log"])
    hold: tuple[Step, ...] = Field(min_length=1, max_length=10_000, description="the steps during which it is held, in their order",
                                   examples=["[{cpu: 20us}, {disk: {write: 4KiB, sync: true}}]"])
    spin: WorkNanoseconds = Field(default=0.0, description="how long a thread computes while it waits, before it sleeps",
                                         examples=["20us"])
    scope: Literal["replica", "kernel"] = Field(
        default="replica", description="who has one: each replica; or each kernel, for all that runs on it (a host's containers share it, "
        "a VM has its own)", examples=["kernel"])


AnyStep = CpuStep | CallStep | DiskStep | FilesStep | NetStep | DelayStep | ParallelStep | RepeatStep | LockStep | PublishStep
VERBS: Final[Mapping[str, type[Spec]]] = {
    "cpu": CpuStep, "call": CallStep, "disk": DiskStep, "files": FilesStep, "net": NetStep, "delay": DelayStep,
    "parallel": ParallelStep, "repeat": RepeatStep, "lock": LockStep,
    "publish": PublishStep,
}
STARTUP_VERBS: Final = ("cpu", "disk", "files", "delay")
_COMMON: Final = ("times", "probability", "ops")


def _read(data: Any, handler: ValidatorFunctionWrapHandler) -> AnyStep:
    """A step by its verb."""
    if isinstance(data, AnyStep):
        return data
    result = VERBS[_verb(data, tuple(VERBS))].model_validate(data)
    assert isinstance(result, AnyStep)
    return result


def _read_startup(data: Any, handler: ValidatorFunctionWrapHandler) -> AnyStep:
    """A step of a start-up: nothing can be called yet."""
    if isinstance(data, (CpuStep, DiskStep, FilesStep, DelayStep)):
        return data
    result = VERBS[_verb(data, STARTUP_VERBS)].model_validate(data)
    assert isinstance(result, AnyStep)
    return result


def _verb(data: Any, verbs: tuple[str, ...]) -> str:
    """The verb of a step; a ValidationError where there is none, or several."""
    if not isinstance(data, Mapping):
        refuse(f"expected a step, for example {STEP_EXAMPLE}; got {shown(data)}")
    found = [verb for verb in verbs if verb in data]
    if len(found) > 1:
        refuse(f"expected one verb in a step, got {' and '.join(found)}; write two steps")
    if not found:
        _refuse_verbless(data, verbs)
    return found[0]


def _refuse_verbless(data: Mapping[str, Any], verbs: tuple[str, ...]) -> None:
    """Tells what is wrong with a step that has no verb."""
    for key in data:
        if key in VERBS:
            refuse(f"a start-up consists of the steps {', '.join(verbs)}", str(key))
        if key not in _COMMON:
            refuse(unknown_key(str(key), verbs).replace("unknown key", "unknown verb", 1), str(key))
    refuse(f"expected a step with one of {', '.join(verbs)}, for example {STEP_EXAMPLE}; got {shown(data)}")


def _branch(data: Any) -> Any:
    """A branch of one step is a list of one."""
    return data if isinstance(data, (list, tuple)) else (data,)


Step = Annotated[AnyStep, WrapValidator(_read)]
StartupStep = Annotated[CpuStep | DiskStep | FilesStep | DelayStep, WrapValidator(_read_startup)]
Branch = Annotated[tuple[Step, ...], Field(min_length=1), BeforeValidator(_branch, json_schema_input_type=Step | tuple[Step, ...])]
ParallelStep.model_rebuild()
RepeatStep.model_rebuild()
LockStep.model_rebuild()
