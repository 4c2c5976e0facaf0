"""Teams of threads that compute a step together, as runtimes with parallel regions have them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from simvirt.scenario.fields import Ratio, Whole, WorkNanoseconds, whole_or
from simvirt.scenario.spec.base import Spec

MOST_THREADS: Final = 4096
MOST_REGIONS: Final = 1_000_000

TeamThreads = Annotated[
    int | Literal["visible", "limit"], BeforeValidator(whole_or(1, "visible", "limit", most=MOST_THREADS)),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_THREADS}, {"enum": ["visible", "limit"]}]}),
]


class TeamSpec(Spec):
    """Threads that share the CPU time of a step and meet at a barrier, as in OpenMP, TensorFlow, parallel garbage collectors."""

    example = "{threads: visible, regions: 20, spin: 200ms}"
    shorthand = "threads"
    threads: TeamThreads = Field(
        default="visible", examples=["visible"],
        description="how many: `visible`, one for each CPU that its kernel shows (all of a host whatever the quota, those of a cpuset, "
                    "vCPUs); `limit`, no more than the quota rounded up (runtimes that know containers); or a number")
    regions: Annotated[int, Whole(1, MOST_REGIONS, 20)] = Field(
        default=1, description="parallel regions that the step's CPU time is divided among, a barrier at the end of each", examples=["20"])
    spin: WorkNanoseconds = Field(
        default=0.0, description="how long a thread computes at a barrier before it sleeps", examples=["200ms"])
    serial: Ratio = Field(
        default=0.0, description="ratio of the CPU time that one thread computes alone while the others wait for it", examples=["0.1"])
