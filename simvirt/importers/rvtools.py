"""Exports of RVTools as an inventory: a workbook, or its tabs as CSV files, of versions 3 (MB) and 4 (MiB).

*Model*: vInfo has the VMs that are on, vCPU and vMemory what bounds, guarantees and uses them, vHost the hosts. CPU limits and
reservations are in MHz of the host's clock; what was used is CPU time of the first host, as all demands are, at as much work per cycle.
Numbers of memory are MiB in all versions, whatever their headers say.
*Ignores*: what is switched off, templates; disks but for their size; hosts' load.
*Source*: column names of RVTools 3.11 and 4.x exports; vSphere API, VirtualMachineQuickStats and ResourceAllocationInfo.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers.application import Note
from simvirt.importers.inventory import Host, Inventory, Machine
from simvirt.scenario.reading.files import NoText, decoded
from simvirt.scenario.reading.tree import Place
from simvirt.units import shown

TABS: Final = ("vinfo", "vcpu", "vmemory", "vdisk", "vhost")
MOST_BYTES: Final = 256 << 20
MOST_ROWS: Final = 200_000
GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")
"""A whole number with its thousands apart."""
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "vm": ("vm", "vmname"),
    "power": ("powerstate",),
    "template": ("template",),
    "cpus": ("cpus",),
    "memory": ("memory", "sizemib", "sizemb"),
    "host": ("host",),
    "system": ("osaccordingtotheconfigurationfile", "osaccordingtothevmwaretools", "os"),
    "overall": ("overall",),
    "consumed": ("consumed", "consumedmib", "consumedmb"),
    "limit": ("limit",),
    "reservation": ("reservation",),
    "shares": ("shares",),
    "level": ("level",),
    "capacity": ("capacitymib", "capacitymb"),
    "speed": ("speed",),
    "sockets": ("cpu",),
    "cores": ("corespercpu",),
    "hyperthreads": ("htactive",),
    "host_memory": ("memory",),
    "model": ("model",),
    "processor": ("cpumodel",),
}
"""What is asked for -> the headers under which versions have it, letters and digits only."""


@dataclass(slots=True)
class Tab:
    """A tab: its headers, and its rows with their numbers in the file."""

    file: str
    headers: dict[str, int]
    rows: list[tuple[int, Sequence[Any]]] = field(default_factory=list)

    def at(self, row: Sequence[Any], key: str) -> str:
        """The text in a row under what is asked for, empty where there is none."""
        column = next((self.headers[name] for name in ALIASES[key] if name in self.headers), None)
        value = row[column] if column is not None and column < len(row) else None
        return "" if value is None else str(value).strip()


def load(files: Sequence[str]) -> Inventory:
    """The inventory of an export; ScenarioError where it is none."""
    tabs: dict[str, Tab] = {}
    for path in files:
        for name, tab in _tabs(path):
            tabs.setdefault(name, tab)
    if "vinfo" not in tabs:
        said = f"expected the tab vInfo, with a row for each VM; got {', '.join(tabs) or 'no tab'}"
        raise ScenarioError([Issue(files[0], None, None, "", said)])
    left_out: list[Note] = []
    hosts = dict(_hosts(tabs.get("vhost")))
    machines = list(_machines(tabs, hosts, left_out))
    if not machines:
        raise ScenarioError([Issue(tabs["vinfo"].file, 1, None, "vInfo", "expected VMs that are switched on; got none")])
    name = os.path.basename(os.path.abspath(files[0])).partition(".")[0]
    return Inventory(name, "RVTools", tuple(files), machines, hosts, "esxi", left_out)


def _tabs(path: str) -> Iterator[tuple[str, Tab]]:
    """The tabs in a workbook, a CSV file or a folder of those."""
    if os.path.isdir(path):
        root = os.path.realpath(path)
        for file in sorted(Path(path).glob("*.csv")):
            if os.path.commonpath([os.path.realpath(file), root]) == root and _tab_of(file.name):
                yield from _tabs(str(file))
        return
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise ScenarioError([Issue(path, None, None, "", f"expected at most {MOST_BYTES >> 20} MiB; this file is larger")])
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ScenarioError([Issue(path, None, None, "", f"cannot be read: {error.strerror or error}")]) from None
    yield from _workbook(path, raw) if raw[:2] == b"PK" else [(_tab_of(os.path.basename(path)) or "vinfo", _comma(path, raw))]


def _tab_of(name: str) -> str | None:
    """The tab that a file or sheet is, by its name."""
    return next((tab for tab in TABS if tab in name.lower()), None)


def _comma(path: str, raw: bytes) -> Tab:
    """A CSV file, with commas, semicolons or tabs between its fields."""
    try:
        text = decoded(raw)
    except NoText as error:
        raise ScenarioError([Issue(path, error.line, error.column, "", str(error))]) from None
    first = text.partition("\n")[0]
    try:
        return _tab(path, csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise ScenarioError([Issue(path, None, None, "", f"expected CSV; {error}")]) from None


def _workbook(path: str, raw: bytes) -> Iterator[tuple[str, Tab]]:
    """The tabs of a workbook that are looked at."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        said = "a workbook needs the package openpyxl: pip install 'simvirt[rvtools]'; or export the tabs as CSV files"
        raise ScenarioError([Issue(path, None, None, "", said)]) from None
    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        for sheet in book.worksheets:
            if name := _tab_of(sheet.title):
                yield name, _tab(path, sheet.iter_rows(values_only=True))
    except ScenarioError:
        raise
    except Exception as error:  # what a damaged archive raises has no common type
        raise ScenarioError([Issue(path, None, None, "", f"expected a workbook; {type(error).__name__}: {shown(str(error))}")]) from None


def _tab(path: str, rows: Iterable[Sequence[Any]]) -> Tab:
    """Rows under their headers: the first row that has some."""
    found = Tab(path, {})
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise ScenarioError([Issue(path, number, None, "", f"expected at most {MOST_ROWS} rows")])
        if not found.headers:
            found.headers = {_plain(str(cell)): column for column, cell in reversed(list(enumerate(row))) if cell not in (None, "")}
        elif any(cell not in (None, "") for cell in row):
            found.rows.append((number, row))
    return found


def _plain(header: str) -> str:
    """A header without what versions write differently: spaces, case, the name of the tab before it."""
    letters = re.sub(r"[^a-z0-9]", "", header.lower())
    return re.sub(rf"^(?:{'|'.join(TABS)})(?=.)", "", letters)


def _number(tab: Tab, number: int, row: Sequence[Any], key: str) -> float | None:
    """A number, None where there is none, or one below 0, which stands for no bound; a mistake where there is something else."""
    text = tab.at(row, key).replace("\u00a0", "").replace(" ", "")
    if not text:
        return None
    text = re.sub(r"[.,]", "", text) if GROUPED.fullmatch(text) else text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        raise ScenarioError([Issue(tab.file, number, None, key, f"expected a number; got {shown(tab.at(row, key))}")]) from None
    return value if 0 <= value < 1e15 else None


def _hosts(tab: Tab | None) -> Iterator[tuple[str, Host]]:
    """The hosts."""
    for number, row in tab.rows if tab else ():
        assert tab is not None
        sockets, cores = _number(tab, number, row, "sockets"), _number(tab, number, row, "cores")
        memory, speed = _number(tab, number, row, "host_memory"), _number(tab, number, row, "speed")
        if not (sockets and cores and memory and tab.at(row, "host")):
            said = "expected a host with sockets (# CPU), Cores per CPU and # Memory"
            raise ScenarioError([Issue(tab.file, number, None, "vHost", said)])
        smt = 2 if tab.at(row, "hyperthreads").lower() in ("true", "1", "yes") else 1
        title = ", ".join(filter(None, (tab.at(row, "model"), tab.at(row, "processor"))))
        yield tab.at(row, "host"), Host(int(sockets), int(cores), smt, int(memory) << 20, speed * 1e6 if speed else None, title)


def _machines(tabs: Mapping[str, Tab], hosts: Mapping[str, Host], left_out: list[Note]) -> Iterator[Machine]:
    """The VMs that are on."""
    tab = tabs["vinfo"]
    beside = {name: {one.at(row, "vm"): (one, number, row) for number, row in one.rows} for name, one in tabs.items()}
    for number, row in tab.rows:
        name, place = tab.at(row, "vm"), Place(tab.file, number)
        if not name:
            raise ScenarioError([Issue(tab.file, number, None, "vInfo", "expected the name of a VM in the column VM")])
        off = "it is a template" if tab.at(row, "template").lower() in ("true", "1") else "it is not switched on"
        if tab.at(row, "power").lower() not in ("poweredon", "on", "") or off == "it is a template":
            left_out.append(Note(place, name, off))
            continue
        cpus, memory = _number(tab, number, row, "cpus"), _number(tab, number, row, "memory")
        if not cpus or not memory:
            raise ScenarioError([Issue(tab.file, number, None, name, "expected CPUs and Memory of a VM that is on")])
        machine = Machine(name, place, int(cpus), int(memory) << 20, system=tab.at(row, "system"))
        host = hosts.get(tab.at(row, "host"))
        first = next((one.clock for one in hosts.values() if one.clock), None)
        clocks = (host.clock if host is not None else None) or first, first
        if "vcpu" in beside and name in beside["vcpu"]:
            _cpu(machine, clocks, *beside["vcpu"][name], left_out)
        if "vmemory" in beside and name in beside["vmemory"]:
            _memory(machine, *beside["vmemory"][name], left_out)
        if "vdisk" in beside and name in beside["vdisk"]:
            left_out.append(Note(place, name, "its disks are not filled: no file says what is read and written"))
        yield machine


def _cpu(
    machine: Machine, clocks: tuple[float | None, float | None], tab: Tab, number: int, row: Sequence[Any], left_out: list[Note]
) -> None:
    """What bounds and guarantees the CPUs of a VM, by the clock of its host, and uses them, by that of the first one, as demands are."""
    clock, first = clocks
    shares, level = _number(tab, number, row, "shares"), tab.at(row, "level").lower()
    if shares and level == "custom" and 2 <= shares <= 262_144:
        machine.keys["cpu_shares"] = int(shares)
    if clock is None or first is None:
        why = "they are in MHz, and no vHost says of what"
        left_out.append(Note(Place(tab.file, number), f"{machine.name}: CPU usage, limit and reservation", why))
        return
    each = {key: _number(tab, number, row, key) for key in ("overall", "limit", "reservation")}
    limit, reserved = (None if each[key] is None else (each[key] or 0) * 1e6 / clock for key in ("limit", "reservation"))
    used = None if each["overall"] is None else each["overall"] * 1e6 / first
    machine.cpu_used = min(used, machine.vcpus) if used is not None else None
    machine.cpu_limit = limit if limit and limit < machine.vcpus else None
    machine.cpu_reserved = min(reserved, machine.cpu_limit or machine.vcpus) if reserved else None


def _memory(machine: Machine, tab: Tab, number: int, row: Sequence[Any], left_out: list[Note]) -> None:
    """What guarantees and uses the memory of a VM."""
    limit, reserved, used = (_number(tab, number, row, key) for key in ("limit", "reservation", "consumed"))
    if limit and int(limit) << 20 < machine.memory:
        why = "a VM has the memory that it has; the host swaps none of it"
        left_out.append(Note(Place(tab.file, number), f"{machine.name}: memory limit", why))
    machine.memory_reserved = min(int(reserved) << 20, machine.memory) if reserved else None
    machine.memory_used = min(int(used) << 20, machine.memory) if used else None
