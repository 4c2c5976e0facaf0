"""A first scenario from a few answers: text with comments that says what each number is and what to put in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simvirt.errors import UsageError

KINDS: Final = ("web", "database", "event-loop", "batch")
"""What kinds of load there are texts for."""

SERVICES: Final = {
    "web": """\
  web:
    threads: 32                             # worker threads of a replica: so many requests at a time, the others queue
    deploy: {replicas: 2, resources: {limits: {cpus: 2, memory: 512MiB}}}  # as in a Compose file
    operations:
      get:                                  # what a request does, step after step
        - cpu: {lognormal: {mean: 2ms, cv: 1}}  # CPU time: measure your own, for example with perf or a profiler
        - call: db.query                    # waits for an answer of the other service
        - net: {out: 20KiB}                 # the answer
  db:
    threads: 100                            # connections
    deploy: {resources: {limits: {cpus: 4, memory: 4GiB}}}
    operations:
      query:
        - cpu: {exponential: 0.5ms}
        - disk: {read: 16KiB, hit: 0.95}    # 95 % of the reads are found in memory
""",
    "database": """\
  db:
    threads: 100                            # connections
    deploy: {resources: {limits: {cpus: 4, memory: 8GiB}}}  # as in a Compose file
    operations:
      read:
        - cpu: {exponential: 0.8ms}         # CPU time: measure your own
        - disk: {read: 16KiB, hit: 0.95}    # 95 % of the reads are found in memory
      write:
        - cpu: {exponential: 1ms}
        - disk: {write: 16KiB, sync: true}  # waits until the drive has it
""",
    "event-loop": """\
  api:
    event_loops: 1                          # one thread with many requests in flight, as Node.js has it
    deploy: {replicas: 2, resources: {limits: {cpus: 1, memory: 256MiB}}}  # as in a Compose file
    operations:
      get:
        - cpu: {gamma: {mean: 1ms, cv: 0.5}}  # CPU time on the loop: nothing else runs meanwhile
        - delay: {exponential: 20ms}        # waits for somebody else; the loop serves other requests meanwhile
        - net: {out: 8KiB}                  # the answer
""",
    "batch": """\
  worker:
    threads: 4                              # jobs at a time in a replica, the others queue
    deploy: {resources: {limits: {cpus: 4, memory: 2GiB}}}  # as in a Compose file
    operations:
      job:
        - disk: {read: 4MiB, hit: 0}        # reads its input
        - cpu: {lognormal: {mean: 400ms, cv: 1}}  # CPU time: measure your own
        - disk: {write: 1MiB}               # writes its output, which reaches the drive later
""",
}
MIXES: Final = {"web": "{web.get: 1}", "database": "{db.read: 4, db.write: 1}", "event-loop": "{api.get: 1}", "batch": "{worker.job: 1}"}
RATES: Final = {"web": "300/s", "database": "500/s", "event-loop": "400/s", "batch": "5/s"}
LIMITS: Final = {"web": "100ms", "database": "50ms", "event-loop": "100ms", "batch": "5s"}
PLATFORMS: Final = ("bare-metal", "docker", "kvm")
COLUMN: Final = 43
"""Where comments begin."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answers: kind of load, name, rate or clients that wait, model of the host or its cores and memory, platforms, limit."""

    kind: str = "web"
    name: str = "first"
    rate: str | None = None
    clients: int | None = None
    think: str = "1s"
    model: str | None = None
    cores: int = 8
    memory: str = "32GiB"
    platforms: tuple[str, ...] = PLATFORMS
    p99: str | None = None


def text(wanted: Wanted) -> str:
    """The scenario as a commented file; UsageError for a kind that there is not, or two kinds of load at once. It is not checked."""
    if wanted.kind not in KINDS:
        raise UsageError(f"--kind {wanted.kind}: expected one of {', '.join(KINDS)}, for example --kind web")
    if wanted.rate is not None and wanted.clients is not None:
        raise UsageError("--rate and --clients: expected one of them: requests that come whatever happens, or clients that wait")
    host = f"{{model: {wanted.model}}}" if wanted.model else f"{{cores: {wanted.cores}, memory: {wanted.memory}}}"
    limit = wanted.p99 or LIMITS[wanted.kind]
    return (
        f"# {wanted.name}: a first scenario. `simvirt check` finds mistakes, `simvirt run` answers, `simvirt lab` has sliders.\n"
        + _said("simvirt: 1", "version of the language")
        + _said(f"name: {wanted.name}", "results are kept under it")
        + _said(f"host: {host}", "`simvirt list hosts` has others")
        + _said(f"platforms: [{', '.join(wanted.platforms)}]", "side by side; `simvirt list platforms` has others")
        + f"services:\n{SERVICES[wanted.kind]}workload:\n{_load(wanted)}"
        + _said(f"  mix: {MIXES[wanted.kind]}", "where requests enter, and how often")
        + _said(f"objective: {{latency_p99: {limit}}}", "what has to hold: met, missed or undecided")
        + _said("run: {replications: 5, seed: 1}", "as long as the intervals need; duration: 10min would state it")
    )


def _load(wanted: Wanted) -> str:
    """How requests come."""
    if wanted.clients is None:
        return _said(f"  open: {{rate: {wanted.rate or RATES[wanted.kind]}}}", "at random, whether there is an answer or not")
    return _said(f"  closed: {{clients: {wanted.clients}, think: {{exponential: {wanted.think}}}}}", "clients that wait, then think")


def _said(line: str, comment: str) -> str:
    """A line with its comment in the column of comments."""
    return f"{line:<{COLUMN}} # {comment}\n"
