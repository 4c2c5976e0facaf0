"""Entries of the catalogue from what was measured: host, processor and disk, each number with its spread and how it was measured."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping
from typing import Any, Final

import yaml

from simvirt.calibrate.machine import Machine
from simvirt.calibrate.sample import Sample
from simvirt.catalog.records import HostEntry

DEPTHS: Final = (1, 4, 16)
"""Depths of the queue at which the disk is measured."""
MIB: Final = 1 << 20


def entries(name: str, found: Machine, samples: Mapping[str, Sample], like: HostEntry, date: str) -> dict[str, Any]:
    """The entries by kind and name; what is not in them is that of the host that it is like."""
    where = f"simvirt calibrate on {found.model}, Linux {found.kernel}{', inside a virtual machine' if found.virtual else ''}, {date}"
    family = _numbers({"memory_bandwidth": ("memory_all", "MB/s", 1e-6), "vm_exit": ("vm_exit", "cycles", found.clock_hz)}, samples, where)
    if found.virtual and "vm_exit" in family:
        family = {("nested_vm_exit" if key == "vm_exit" else key): value for key, value in family.items()}
    host = _numbers({"kernel_entry": ("kernel_entry", "ns", 1e9), "thread_switch": ("thread_switch", "ns", 1e9),
                     "connection": ("connection", "ns", 1e9)}, samples, where)
    title = f"this machine: {found.model}"
    disk = disk_entry(samples, title, where)
    said = f"resolution of the coarse clock; {where}"
    tick = {} if found.tick_s is None else {"tick": {"value": f"{found.tick_s * 1e3:g}ms", "source": said}}
    kinds: dict[str, Any] = {
        "families": {name: {"like": like.family.name, "title": title, "source": where, **family}},
        "cpus": {name: {"title": title, "family": name, "cores": found.cores, "smt": found.smt, "clock": f"{found.clock_hz / 1e6:.0f}MHz",
                        "source": f"/proc/cpuinfo; {where}"}},
        "hosts": {name: {"like": like.name, "title": title, "cpu": name, "sockets": found.sockets,
                         "memory": f"{found.memory_bytes // MIB}MiB", **({"disk": name} if disk else {}), **tick, **host, "source": where}},
    }
    return kinds | ({"disks": {name: disk}} if disk else {})


def _numbers(wanted: Mapping[str, tuple[str, str, float]], samples: Mapping[str, Sample], where: str) -> dict[str, Any]:
    """Sourced numbers of those that were measured."""
    return {key: number(samples[name], unit, factor, where) for key, (name, unit, factor) in wanted.items() if samples[name].values}


def number(sample: Sample, unit: str, factor: float, where: str) -> dict[str, Any]:
    """A number as the catalogue writes it."""
    gap = " " if unit == "cycles" else ""
    said = [f"{float(f'{value * factor:.4g}'):.10g}{gap}{unit}" for value in (sample.value, sample.low, sample.high)]
    return {"value": said[0], "spread": said[1:], "source": f"{sample.method}; {where}"}


def disk_entry(samples: Mapping[str, Sample], title: str, where: str) -> dict[str, Any]:
    """The disk; nothing where the page cache stands between."""
    if not samples["read_1"].values:
        return {}
    most = {way: max(DEPTHS, key=lambda depth: samples[f"{way}_iops_{depth}"].value) for way in ("read", "write")}
    busy = max(samples[f"{way}_iops_{most[way]}"].value * statistics.fmean(samples[f"{way}_1"].values) for way in ("read", "write"))
    channels = {"value": max(math.ceil(busy), 1), "source": f"requests at work where there are most in a second, by Little's law; {where}"}
    found: dict[str, Any] = {"title": title, "channels": channels}
    for way in ("read", "write"):
        times = samples[f"{way}_1"].values
        found[f"{way}_latency"] = number(_mean(samples[f"{way}_1"]), "us", 1e6, where)
        variation = statistics.pstdev(times) / statistics.fmean(times)
        found[f"{way}_cv"] = {"value": round(variation, 3), "source": f"4 KiB one after another; {where}"}
        found[f"{way}_iops"] = number(samples[f"{way}_iops_{most[way]}"], "/s", 1.0, where)
        found[f"{way}_throughput"] = number(samples[f"{way}_stream"], "MB/s", 1e-6, where)
    found["flush_latency"] = number(_mean(samples["flush"]), "us", 1e6, where)
    return found | {"source": where}


def _mean(sample: Sample) -> Sample:
    """The mean with the tenth and the ninetieth percentile as its spread."""
    ordered = sorted(sample.values)
    mean = statistics.fmean(ordered)
    low, high = ordered[len(ordered) // 10], ordered[-len(ordered) // 10 - 1]
    return Sample(sample.what, sample.unit, (min(low, mean), mean, max(high, mean)), method=sample.method)


def written(kinds: Mapping[str, Any], head: str) -> str:
    """The entries as a file to include, numbers on a line each."""
    lines = [f"# {line}" for line in head.splitlines()] + ["catalog:"]
    for kind, named in kinds.items():
        lines.append(f"  {kind}:")
        for name, entry in named.items():
            lines.append(f"    {name}:")
            lines += [f"      {key}: {_flow(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(yaml.safe_dump(value, default_flow_style=True, width=1 << 30, sort_keys=False)).strip().removesuffix("\n...")
