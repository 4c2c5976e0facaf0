"""Domains of libvirt as an inventory: `virsh dumpxml` of each, and `virsh capabilities` of the host.

*Model*: vCPUs, memory, weights, CPU sets and NUMA nodes are those of the service; quotas of vCPUs bound its CPUs; pinning, page size,
cache modes, paths of disks and network cards are those of the platform, as most domains have them.
*Ignores*: what a domain does (nothing in it says so), I/O threads, bandwidths; each is listed.
*Source*: libvirt.org/formatdomain.html, formatcaps.html.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers.application import Note
from simvirt.importers.inventory import Host, Inventory, Machine
from simvirt.importers.xml import Element, read_xml
from simvirt.units import shown

HYPERVISORS: Final = {"kvm": "kvm", "qemu": "qemu-tcg", "xen": "xen-hvm", "hvf": "kvm", "vmware": "esxi", "hyperv": "hyperv"}
"""Type of a domain -> the platform of the catalogue."""
UNITS: Final = {"b": 1, "bytes": 1, "kb": 1000, "k": 1 << 10, "kib": 1 << 10, "mb": 10**6, "m": 1 << 20, "mib": 1 << 20, "gb": 10**9,
                "g": 1 << 30, "gib": 1 << 30, "tb": 10**12, "t": 1 << 40, "tib": 1 << 40}
CACHES: Final = {"none": "none", "directsync": "none", "writeback": "writeback", "writethrough": "writethrough", "unsafe": "unsafe"}
DISKS: Final = {"scsi": "virtio-scsi", "sata": "ahci", "ide": "ide"}
"""Bus of a disk -> its path in the catalogue; virtio is the usual one."""
CARDS: Final = {"e1000": "e1000", "e1000e": "e1000", "rtl8139": "rtl8139"}
"""Model of a network card -> its path in the catalogue; virtio is the usual one."""
LEFT_OUT: Final = {
    ("iothreads",): "I/O threads work as the platform's disk path has it",
    ("cputune", "emulatorpin"): "threads of the hypervisor run where there is room",
    ("cputune", "iothreadpin"): "threads of the hypervisor run where there is room",
    ("cputune", "emulator_quota"): "threads of the hypervisor are not bounded",
    ("blkiotune",): "disks are shared without weights",
    ("memtune",): "the host bounds no memory of its own for a VM",
    ("devices", "hostdev"): "devices that are passed through are those of the platform",
}
"""What is in a domain and not in a scenario -> why."""
MOST_FILES: Final = 10_000


def load(files: Sequence[str]) -> Inventory:
    """The inventory in some files and folders; ScenarioError where they are wrong."""
    roots = [read_xml(file) for path in files for file in _files_of(path)]
    domains = [one for root in roots for one in ([root] if root.tag == "domain" else list(root.each("domain")))]
    if not domains:
        raise roots[0].wrong(f"expected domains, as virsh dumpxml prints them; got <{shown(roots[0].tag)[1:-1]}>")
    left_out: list[Note] = []
    machines = [_machine(one, left_out) for one in domains]
    hosts = {name: host for root in roots if root.tag == "capabilities" for name, host in [_host(root)]}
    kinds = Counter(HYPERVISORS.get(one.attributes.get("type", ""), "kvm") for one in domains)
    name = os.path.basename(os.path.abspath(files[0])).partition(".")[0]
    return Inventory(name, "libvirt", tuple(files), machines, hosts, max(kinds, key=lambda kind: kinds[kind]), left_out)


def _files_of(path: str) -> list[str]:
    """A file, or the XML files in a folder; links that lead out of it are passed over."""
    if not os.path.isdir(path):
        return [path]
    root = os.path.realpath(path)
    found = sorted(str(file) for file in Path(path).rglob("*.xml") if file.is_file())
    inside = [file for file in found if os.path.commonpath([os.path.realpath(file), root]) == root]
    if not inside or len(inside) > MOST_FILES:
        raise ScenarioError([Issue(path, None, None, "", f"expected 1 to {MOST_FILES} files *.xml; got {len(inside)}")])
    return inside


def _machine(domain: Element, left_out: list[Note]) -> Machine:
    """A domain."""
    name = domain.said("name")
    if not name:
        raise domain.wrong("expected a name, for example <name>web</name>")
    vcpus = _whole(domain, "vcpu") if domain.first("vcpu") is not None else 1
    online = domain.said("vcpu", of="current")
    memory = _size(domain, "memory")
    current = _size(domain, "currentMemory") if domain.first("currentMemory") is not None else memory
    machine = Machine(name, domain.place, int(online) if online.isdigit() and 0 < int(online) <= vcpus else vcpus, min(current, memory))
    machine.cpu_limit = _limit(domain, machine.vcpus)
    machine.keys = dict(_keys(domain))
    machine.setting = dict(_setting(domain, machine.vcpus))
    for path, why in LEFT_OUT.items():
        left_out += [Note(one.place, f"{name}: {'.'.join(path)}", why) for one in domain.each(*path)]
    return machine


def _whole(domain: Element, *path: str) -> int:
    """A whole number above 0 at a path."""
    text, place = domain.said(*path), domain.first(*path) or domain
    if not re.fullmatch(r"\d{1,6}", text) or int(text) < 1:
        raise place.wrong(f"expected a whole number above 0, for example <{path[-1]}>2</{path[-1]}>; got {shown(text)}")
    return int(text)


def _size(domain: Element, key: str) -> int:
    """A size at a key [bytes]; KiB where no unit says otherwise."""
    found = domain.first(key)
    text, unit = domain.said(key), domain.said(key, of="unit").lower() or "kib"
    if found is None or not re.fullmatch(r"\d{1,15}", text) or unit not in UNITS or not int(text):
        raise (found or domain).wrong(f'expected a size, for example <{key} unit="GiB">4</{key}>; got {shown(text)}')
    return int(text) * UNITS[unit]


def _limit(domain: Element, vcpus: int) -> float | None:
    """CPUs that a quota leaves to all vCPUs together, or one of the whole domain; None where nothing bounds them."""
    for quota, period, of in (("quota", "period", vcpus), ("global_quota", "global_period", 1)):
        if re.fullmatch(r"\d{1,12}", text := domain.said("cputune", quota)) and int(text):
            usual = domain.said("cputune", period)
            return of * int(text) / (int(usual) if re.fullmatch(r"\d{1,9}", usual) and int(usual) else 100_000)
    return None


def _keys(domain: Element) -> Iterator[tuple[str, Any]]:
    """Weights, CPU sets and NUMA nodes."""
    shares = domain.said("cputune", "shares")
    if re.fullmatch(r"\d{1,6}", shares) and 2 <= int(shares) <= 262_144:
        yield "cpu_shares", int(shares)
    pins = list(domain.each("cputune", "vcpupin"))
    cpuset = domain.said("vcpu", of="cpuset") or ",".join(pin.attributes.get("cpuset", "") for pin in pins)
    if re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", cpuset):
        yield "cpuset", cpuset
    nodes = domain.said("numatune", "memory", of="nodeset")
    if domain.said("numatune", "memory", of="mode") in ("", "strict") and re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", nodes):
        yield "cpuset_mems", nodes


def _setting(domain: Element, vcpus: int) -> Iterator[tuple[str, Any]]:
    """What is the platform's: pinning, pages, cache modes, paths."""
    alone = [pin for pin in domain.each("cputune", "vcpupin") if pin.attributes.get("cpuset", "").isdigit()]
    if len(alone) >= vcpus:
        yield "pin", True
    if domain.first("memoryBacking", "hugepages") is not None:
        yield "pages", "huge"
    if domain.first("cpu", "topology") is not None and domain.said("cpu", of="mode") == "host-passthrough":
        yield "topology", "exposed"
    caches = [CACHES[word] for disk in domain.each("devices", "disk") if (word := disk.said("driver", of="cache")) in CACHES]
    if caches and len(set(caches)) == 1:
        yield "disk_cache", caches[0]
    paths = {path for disk in domain.each("devices", "disk") if disk.attributes.get("device", "disk") == "disk" and (path := _disk(disk))}
    cards = {path for card in domain.each("devices", "interface") if (path := _card(card))}
    if len(paths) == 1:
        yield "disk", paths.pop()
    if len(cards) == 1:
        yield "net", cards.pop()


def _disk(disk: Element) -> str | None:
    """The path of a disk in the catalogue; None of the usual one."""
    if disk.said("driver", of="io") == "io_uring":
        return "virtio-blk-io-uring"
    if disk.said("driver", of="iothread"):
        return "virtio-blk-iothread"
    return DISKS.get(disk.said("target", of="bus"))


def _card(card: Element) -> str | None:
    """The path of a network card in the catalogue; None of the usual one."""
    kind, model = card.attributes.get("type", ""), card.said("model", of="type")
    user = "virtio-net-user" if model.startswith("virtio") and card.said("driver", of="name") == "qemu" else None
    return {"vhostuser": "vhost-user", "hostdev": "sr-iov"}.get(kind) or CARDS.get(model) or user


def _host(root: Element) -> tuple[str, Host]:
    """The host that capabilities describe: sockets, cores, threads, memory of all its nodes."""
    topology = root.first("host", "cpu", "topology")
    memory = sum(_size(cell, "memory") for cell in root.each("host", "topology", "cells", "cell"))
    if topology is None or not memory:
        raise root.wrong("expected a host with a topology, as virsh capabilities prints it")
    nodes = max(sum(1 for _ in root.each("host", "topology", "cells", "cell")), 1)
    sockets, cores, threads = (int(text) if (text := topology.attributes.get(key, "1")).isdigit() and int(text) else 1
                               for key in ("sockets", "cores", "threads"))
    title = " ".join(filter(None, (root.said("host", "cpu", "vendor"), root.said("host", "cpu", "model"))))
    clock = root.said("host", "cpu", "counter", of="frequency")
    hertz = float(clock) if re.fullmatch(r"\d{8,11}", clock) else None
    name = root.said("host", "uuid")[:8] or os.path.basename(root.place.file)
    return name, Host(max(sockets, nodes if sockets == 1 else sockets), cores, threads, memory, hertz, title)
