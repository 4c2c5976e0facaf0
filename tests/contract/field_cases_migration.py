"""Cases: what moves to other hosts, and what moves it."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from helpers.fields import ABSENT, FALLS, RISES, Case, patched

FIRST: Final = "migrations/0/"
TOTAL, DOWN, SENT = f"{FIRST}total_s", f"{FIRST}downtime_s", f"{FIRST}sent_bytes"
ROUNDS, TAKEN = f"{FIRST}rounds", f"{FIRST}throttled_s"
MOVED: Final = patched(BARE, {
    "host": ABSENT, "hosts": {"node": {"count": 3, "cores": 4, "memory": "16GiB", "nic": "10gbe"}}, "platforms": [{"name": "x", "stack": ["mine"]}],
    "services/server": {"threads": "unlimited", "cpus": 2, "mem_limit": "256MiB", "memory": {"base": "150MiB", "dirty": "100KiB", "touch": "100KiB"}, "operations": {"job": [{"cpu": "1ms"}]}},
    "workload/open/rate": "200/s", "run": {"duration": "12s", "warmup": "0s", "replications": 1, "seed": 1},
    "timeline": [{"at": "500ms", "migrate": "server"}], "catalog": {"hypervisors": {"mine": {"like": "kvm", "migrator": "mine"}}, "migrators": {"mine": {"like": "libvirt"}}},
})
"""A VM that moves after half a second."""
SEVERAL: Final = patched(MOVED, {"services/server/scale": 3, "timeline/0/to": "node[2]"})
CASES: Final = (
    Case("TimelineEvent.migrate", MOVED, {"timeline": ABSENT}, {}, "hosts/node[1]/cpu", RISES),
    Case("TimelineEvent.to", MOVED, {}, {"timeline/0/to": "node[2]"}, "hosts/node[2]/cpu", RISES),
    Case("TimelineEvent.drain", MOVED, {"timeline": ABSENT}, {"timeline": [{"at": "1s", "drain": "node[0]"}]}, "hosts/node[1]/cpu", RISES),
    Case("TimelineEvent.how", MOVED, {}, {"timeline/0/how": "stop-and-copy"}, DOWN, RISES),
    Case("TimelineEvent.storage", MOVED, {}, {"timeline/0/storage": "copy"}, TOTAL, RISES),
    Case("PlatformSpec.migrator", MOVED, {}, {"platforms": [{"name": "x", "stack": ["mine"], "migrator": "qemu"}]}, TOTAL, RISES),
    Case("MemorySpec.dirty", MOVED, {}, {"services/server/memory/dirty": "1MiB"}, DOWN, RISES),
)


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def entry(field: str, value: Any, output: str, moves: str = RISES, base: Any = MOVED) -> Case:
    """A case of a number of what moves VMs."""
    return Case(f"migrators.{field}", base, {}, {f"catalog/migrators/mine/{field}": number(value)}, output, moves)


def of(**fields: Any) -> Any:
    """The VM moved by something else."""
    stated = {key: value if isinstance(value, str) else number(value[0]) for key, value in fields.items()}
    return patched(MOVED, {"catalog/migrators/mine": {"like": "libvirt", **stated}})


XEN: Final = of(like="xl")
SLOWED: Final = patched(of(like="qemu-auto-converge", bandwidth=("150MB/s",), downtime=("50ms",), strikes=(1,)), {"services/server/memory/dirty": "900KiB"})
PACED: Final = patched(of(like="xen-2005", pace=("200MB/s",)), {"run/duration": "30s"})
LATER: Final = patched(MOVED, {"timeline/0/how": "post-copy", "services/server/memory/touch": "4MiB"})
FROZEN: Final = patched(MOVED, {"catalog": {"runtimes": {"mine": {"like": "docker", "migrator": "mine"}}, "migrators": {"mine": {"like": "criu"}}}})
"""A container that is frozen and restored."""
GROWING: Final = patched(FROZEN, {"services/server/memory/dirty": "8MiB", "catalog/migrators/mine/grows": number(1)})
NEVER: Final = patched(of(like="kubevirt", downtime=("0s",), rounds=(6,), bandwidth=("150MB/s",)), {"services/server/memory/dirty": "900KiB", "run/duration": "25s"})
"""A VM that moves in the sixth round at the latest."""
WIDE: Final = patched(of(like="qemu-multifd"), {"hosts/node/nic": "100gbe"})
AGAIN: Final = patched(of(like="qemu-xbzrle", downtime=("1ms",)), {"services/server/memory/dirty": "300KiB"})
"""Pages that are sent again."""
ENTRIES: Final = (
    Case("hypervisors.migrator", MOVED, {}, {"catalog/hypervisors/mine/migrator": "qemu"}, TOTAL, RISES),
    entry("bandwidth", "100MB/s", TOTAL), entry("downtime", "1ms", ROUNDS), entry("least", "100MB", ROUNDS, FALLS, XEN), entry("rounds", 1, ROUNDS, FALLS, XEN),
    entry("grows", 0.01, ROUNDS, FALLS, GROWING), Case("runtimes.migrator", FROZEN, {}, {"catalog/migrators/mine/handover": number("3s")}, DOWN, RISES),
    entry("factor", 1, ROUNDS, FALLS, XEN), entry("patience", "1ms", ROUNDS, FALLS, XEN),
    entry("trigger", 0.99, SENT, RISES, SLOWED), entry("strikes", 9, TAKEN, FALLS, SLOWED), entry("first", 0.9, SENT, FALLS, SLOWED), entry("step", 0.5, SENT, FALLS, SLOWED),
    entry("most", 0.21, TAKEN, FALLS, SLOWED), entry("stun", 0.05, TAKEN, RISES, of(like="qemu", bandwidth=("200MB/s",), downtime=("20ms",))),
    entry("pace", "100MB/s", TOTAL, RISES, PACED), entry("above", "60MB/s", TOTAL, FALLS, PACED), entry("fastest", "15MB/s", ROUNDS, FALLS, PACED),
    entry("progress", "1ms", f"{FIRST}ended", FALLS, NEVER), Case("migrators.cancels", NEVER, {}, {"catalog/migrators/mine/cancels": False, "catalog/migrators/mine/patience": number("1ms")}, DOWN, RISES),
    entry("channels", 4, TOTAL, FALLS, WIDE), entry("ratio", 0.1, SENT, FALLS, of(like="qemu-zstd")), entry("pack", "40us", TOTAL, RISES, of(like="qemu-zstd")),
    entry("unpack", "40us", TOTAL, RISES, of(like="qemu-zstd")), entry("cache", "1MiB", SENT, RISES, AGAIN), entry("delta", 1, SENT, RISES, AGAIN),
    entry("at_once", 1, "migrations/1/waited_s", RISES, SEVERAL), entry("setup", "2s", TOTAL), entry("serial", "1s", TOTAL), entry("handover", "200ms", DOWN), entry("unlog", "1s", DOWN),
    entry("state", "500MB", DOWN), entry("scan", "20us", TOTAL), entry("send", "20us", TOTAL), entry("receive", "20us", TOTAL), entry("log", "90us", f"{FIRST}logging_s"),
    entry("fault", "10ms", "latency_s/mean", RISES, LATER), entry("empty", "4KiB", SENT, RISES, patched(MOVED, {"services/server/mem_limit": "1GiB"})), entry("idle", "400MB/s", SENT),
)
