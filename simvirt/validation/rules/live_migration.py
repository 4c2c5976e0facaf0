"""Cases of the kind `live-migration`: rounds, downtime and time of migrations, and what products do by default.

*Model*: rounds are those of `simvirt.migration.precopy`, several migrations those of `simvirt.migration.together`; what a product does is
    its entry of the catalogue. A network of n Gbit/s carries a n / 8 GB/s.
*Ignores*: what a case measured of devices that connect anew, and of workloads whose writes it does not state: that is not known.
*Source*: QEMU migration/migration.c and migration/ram.c; cloud-hypervisor vmm/src/migration.rs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.moves import rules_of
from simvirt.migration.precopy import pre_copy
from simvirt.migration.rules import Rules, Throttle, estimated_downtime
from simvirt.migration.together import ends
from simvirt.migration.writes import PAGE, Writes
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, Near, NotKnown, Open
from simvirt.validation.rules.rule import Rules as Cases

MIB: Final = 2.0**20
GIB: Final = 2.0**30
MS: Final = 1e6  # ns
S: Final = 1e9  # ns
SLOW: Final = 1.25e8
"""A network that one stream fills: 1 Gbit/s [bytes/s]."""
FAST: Final = 1.25e9
"""10 Gbit/s [bytes/s]."""


def _entry(name: str) -> MigratorEntry:
    """A migrator of the catalogue."""
    return Catalog.load().typed("migrators", name, MigratorEntry)


def rounds(given: Given) -> Answer:
    """A pre-copy migration of a memory over a link, of a guest that dirties pages at a rate."""
    throttle = Throttle() if given.get("auto_converge", False) else None
    rules = Rules(downtime=given["downtime_limit_ms"] / 1e3, throttle=throttle)
    course = pre_copy(given["memory_MiB"] * MIB, Writes(given["dirty_MiB_s"] * MIB), given["bandwidth_MiB_s"] * MIB, rules)
    return {
        "converges": course.converges, "rounds_before_stop": len(course.rounds), "total_s": round(course.total, 2),
        "downtime_ms": round(course.downtime * 1e3, 1), "sent_MiB": round(course.sent / MIB),
    }


def throttling(given: Given) -> Answer:
    """The steps in which a guest that writes too fast is slowed."""
    if not given["auto_converge"]:
        raise NotKnown("nothing is throttled without auto_converge")
    rule = rules_of(_entry("qemu-auto-converge")).throttle
    assert rule is not None
    return {
        "vcpu_throttle_pct_sequence": [round(100 * share) for share in rule.steps()],
        "trigger": f"bytes dirtied in a period exceed {round(100 * rule.trigger)} % of bytes sent in it",
    }


def estimates(given: Given) -> Answer:
    """The downtime that is expected of what is left at the bandwidth seen before."""
    pairs = zip(given["dirty_MiB"], given["previous_average_bandwidth_MiB_s"], strict=True)
    return {"estimated_downtime_ms": [round(1e3 * estimated_downtime(left, bandwidth)) for left, bandwidth in pairs]}


def defaults(given: Given) -> Answer:
    """What a product does unless it is told otherwise, by what a case calls it."""
    kind = given["kind"]
    if kind not in KINDS:
        raise NotKnown(f"no entry of the catalogue has {kind}")
    return KINDS[kind](given)


def _qemu(given: Given) -> Answer:
    """QEMU by itself, and with each of its options that has an entry."""
    plain, before, slowing = _entry("qemu"), _entry("qemu-5.1"), rules_of(_entry("qemu-auto-converge")).throttle
    differences, channels = _entry("qemu-xbzrle").cache, _entry("qemu-multifd").channels
    assert plain.bandwidth and before.bandwidth and plain.downtime and slowing is not None and differences
    return _those_of(given, {
        "xbzrle_cache_MiB": round(differences / MIB), "multifd_channels": channels,
        "max_bandwidth_MiB_s_old": round(before.bandwidth / MIB),
        "rate_limit_slices_per_s": Open("a round is sent at its mean rate, not in slices"),
        "max_downtime_s": Open("downtimes that are asked for have no bound of their own"),
        "max_bandwidth_MiB_s": round(plain.bandwidth / MIB), "downtime_limit_ms": round(plain.downtime / MS),
        "throttle_trigger_threshold_pct": round(100 * slowing.trigger), "cpu_throttle_initial_pct": round(100 * slowing.first),
        "cpu_throttle_increment_pct": round(100 * slowing.step), "cpu_throttle_max_pct": round(100 * slowing.most),
    })


def _kubevirt(given: Given) -> Answer:
    """KubeVirt as it is; what is proposed for it is no part of the model."""
    entry = _entry("kubevirt")
    assert entry.progress is not None and entry.downtime is not None
    return _those_of(given, {"legacy_progress_timeout_s": round(entry.progress / S), "static_default_ms": round(entry.downtime / MS)},
                     "proposed for KubeVirt, and no part of its entry")


def vmotion(given: Given) -> Answer:
    """Machines that leave a host by vMotion: how many at once."""
    if (bandwidth := _bandwidth(given["network"])) != FAST:
        raise NotKnown(f"vMotion over {bandwidth / 1e9:g} GB/s: the entry is for 10 Gbit/s")
    given.get("vms"), given.get("workload"), given.get("compared")
    return _those_of(given, {"concurrent_vmotions_max_10g": _entry("vmotion").at_once}, "sizes and writes of the machines are not given")


def concurrent(given: Given) -> Answer:
    """Migrations by Hyper-V that are asked for at once: when the last has ended, by their number."""
    entry, bandwidth = _entry("hyperv"), _bandwidth(given["network"])
    size, most = given["vm_memory_MB"] * MIB, int(given["concurrent_limit"])
    form = given.form or {}
    setup, serial = entry.setup / S, (entry.serial or 0.0) / S
    total = {n: Near(max(ends([size] * int(n), bandwidth, most, setup, serial))) for n in form.get("total_s", {})}
    peak = {"peak_MB_s": [Near(bandwidth / 1e6)] * len(form.get("peak_MB_s", ()))} if bandwidth <= SLOW else {}
    return _those_of(given, {"total_s": total, **peak}, "what one stream reaches of a link that is faster than it")


def local(given: Given) -> Answer:
    """A migration by cloud-hypervisor on one host: threads copy pages, or pass the memory itself."""
    _needs(given, path="same host")
    given.get("guest")
    entry = _entry("cloud-hypervisor")
    beside = (entry.setup + entry.handover) / MS
    copied = given["memory_GiB"] * GIB / PAGE * max(entry.send, entry.receive) / MS
    return {"total_ms": {"copy": Near(beside + copied), "file_descriptor_passing": Near(beside)}}


def end_of_logging(given: Given) -> Answer:
    """How long it takes to stop the log of dirty pages of a memory."""
    given.get("vcpus")
    return {"stop_dirty_log_ms": Near(_entry("cloud-hypervisor").unlog / MS * given["memory_GB"] * 1e9 / GIB)}


def _bandwidth(network: str) -> float:
    """What a network carries [bytes/s]: `1 x 10 GbE`."""
    found = re.fullmatch(r"(?:(\d+) x |one )(\d+) (?:GbE|Gbit link)", network)
    if found is None:
        raise NotKnown(f"a network {network}")
    return float(found[1] or 1) * float(found[2]) * 1e9 / 8


def _those_of(given: Given, answer: Answer, why: str = "no such number") -> Answer:
    """An answer to all that is asked for; what is missing in it is open, for a reason."""
    return {key: answer.get(key, Open(why)) for key in given.form or answer}


def _needs(given: Given, **values: str) -> None:
    """Inputs that have to be what is known."""
    for key, value in values.items():
        if given.get(key) != value:
            raise NotKnown(f"{key}: {given.get(key)}")


def _function(given: Given) -> str:
    """What a case is about, by what it gives."""
    for name, keys in SIGNS.items():
        if set(keys) <= set(given.keys()):
            return name
    raise NotKnown(f"not given: {', '.join(given.lacking(NEEDED))}")


NEEDED: Final = {
    ("memory_MiB", "memory_MB", "memory_GiB", "memory_GB", "vm_memory_MB"): "the size of the memory",
    ("bandwidth_MiB_s", "network"): "the bandwidth of the network", ("dirty_MiB_s",): "how fast the guest writes",
}
"""What a migration cannot be told without, by the keys that say it."""


SIGNS: Final = {
    "rounds": ("memory_MiB", "dirty_MiB_s", "bandwidth_MiB_s", "downtime_limit_ms"), "throttling": ("auto_converge",),
    "estimates": ("dirty_MiB", "previous_average_bandwidth_MiB_s"), "concurrent": ("vm_memory_MB", "network", "concurrent_limit"),
    "local": ("memory_GiB", "path"), "end_of_logging": ("vcpus", "memory_GB"), "vmotion": ("vms", "network"), "defaults": ("kind",),
}
"""What a case is about, and the inputs by which that is known; the first that fits."""
KINDS: Final[Mapping[str, Callable[[Given], Answer]]] = {
    "QEMU migration defaults": _qemu, "dynamic downtime limit": _kubevirt, "stall detection proposal": _kubevirt,
}
"""Products' defaults, by what a case calls them."""
RULES: Final = Cases(
    "live-migration",
    {
        "rounds": rounds, "throttling": throttling, "estimates": estimates, "concurrent": concurrent, "local": local,
        "end_of_logging": end_of_logging, "vmotion": vmotion, "defaults": defaults,
    },
    by=_function, factor=1.25,
)
