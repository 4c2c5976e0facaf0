"""A scenario from an application and what was guessed: YAML to read, each assumed value with its reason, at the end what was left out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simvirt.importers import values
from simvirt.importers.application import Application, Note, Service
from simvirt.importers.assumed import Guesses

WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
RESERVED: Final = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
WIDTH: Final = 44


def text(application: Application, found: Guesses, first: tuple[str, ...] = ()) -> str:
    """The scenario; `first` are the demands that are worth measuring first, as sentences."""
    return "\n".join([*_head(application, found, first), *_body(application, found), *_foot(application)]) + "\n"


def _head(application: Application, found: Guesses, first: tuple[str, ...]) -> Iterator[str]:
    """What it is, and what to do with it."""
    files = ", ".join(os.path.basename(file) for file in application.files)
    yield f"# Imported from {comment(files)} ({application.kind}): {len(found.demand)} services."
    yield "# What the files say is taken over; what they cannot say is assumed, and marked. Assumed demands are orders of"
    yield "# magnitude: they show where to look, they size nothing. Measure these first, by how much the mean latency depends on them:"
    for sentence in first or [f"{one.path}: {one.value}" for one in found.assumed if one.demand][:5]:
        yield f"#   {comment(sentence)}"
    yield "simvirt: 1"
    yield f"name: {quoted(_name(application.name))}"
    yield from _hosts(found)
    yield f"platforms: [{', '.join(application.platforms)}]"


def _hosts(found: Guesses) -> Iterator[str]:
    """The host, or the pools that services stand on."""
    size, reason = {"cores": found.cores, "memory": values.said_size(found.memory)}, "room for all services, each in a VM too"
    if not found.pools:
        yield commented(f"host: {flow(size)}", f"assumed: {reason}")
        return
    yield "hosts:"
    for pool in found.pools:
        zones = {"zone": list(pool.zones) if len(pool.zones) > 1 else pool.zones[0]} if pool.zones else {}
        labels = {"labels": pool.labels} if pool.labels else {}
        yield commented(f"  {pool.name}: {flow({'count': pool.count, **size, **zones, **labels})}", f"assumed: {reason}; {pool.reason}")


def _body(application: Application, found: Guesses) -> Iterator[str]:
    """Services and workload."""
    yield "services:"
    for service in application.lasting():
        yield from _service(service, found)
    yield "workload:"
    yield commented(f"  open: {{rate: {found.rate}}}", "assumed: no file says how many requests come")
    yield "  mix:"
    why = {one.path: one.reason for one in found.assumed}
    for name in found.entries:
        yield commented(f"    {quoted(f'{name}.request')}: 1", f"assumed: {why[f'workload.mix.{name}.request']}")
    yield commented(f"objective: {{latency_p99: {found.objective}}}", "assumed: no file says what users expect")
    yield "run: {duration: 2min, replications: 5, seed: 1}"


def _service(service: Service, found: Guesses) -> Iterator[str]:
    """One service."""
    demand, reasons = found.demand[service.name], {(one.path, one.value): one.reason for one in found.assumed}
    path = f"services.{service.name}.operations.request"
    yield commented(f"  {quoted(service.name)}:", f"{os.path.basename(service.place.file)}:{service.place.line or 1}")
    if service.image:
        yield f"    image: {quoted(service.image)}"
    if found.profile[service.name] != "generic":
        yield commented(f"    profile: {found.profile[service.name]}", "assumed by the image or name")
    elif service.image is None:
        yield commented("    profile: generic", "assumed: nothing says what software it is")
    for key, value in service.keys.items():
        yield f"    {key}: {flow(value)}"
    if demand.workers == "threads" and demand.threads is not None:
        yield commented(f"    threads: {int(demand.threads)}", f"assumed: the default of {demand.title}")
    elif demand.workers != "unlimited":
        loops = "1" if demand.workers == "event_loop" else "cores"
        yield commented(f"    event_loops: {loops}", f"assumed: as {demand.title} works")
    yield "    operations:"
    yield "      request:"
    cpu = values.said_time(float(demand.cpu) * 1e-9)
    yield commented(f"        - cpu: {{exponential: {cpu}}}", f"assumed: {reasons[path, cpu]}")
    if demand.read and demand.hit is not None:
        yield commented(
            f"        - disk: {{read: {values.said_size(int(demand.read))}, hit: {float(demand.hit):g}}}", f"assumed: {demand.title}"
        )
    for other in found.calls.get(service.name, ()):
        yield commented(f"        - call: {quoted(f'{other}.request')}", f"assumed: {reasons[path, f'call {other}']}")


def _foot(application: Application) -> Iterator[str]:
    """What was left out, by reason."""
    ending = [service for service in application.services.values() if service.ends]
    if application.left_out or ending or application.unset:
        yield ""
        yield "# Left out:"
    for service in ending:
        where = placed(service.place.file, service.place.line)
        yield f"#   {where} services.{comment(service.name)}: it is not there when requests come: it ends before, or has no replicas"
    for name, place in application.unset.items():
        yield f"#   {placed(place.file, place.line)} the variable {comment(name)} has no value and is taken as empty"
    yield from left_out(application.left_out)


def left_out(notes: list[Note]) -> Iterator[str]:
    """What was left out, by reason, as comments."""
    for reason, each in _by_reason(notes).items():
        yield f"#   {comment(reason)}:"
        for note in each:
            yield f"#     {placed(note.place.file, note.place.line)} {comment(note.path)}"


def _by_reason(notes: list[Note]) -> Mapping[str, list[Note]]:
    found: dict[str, list[Note]] = {}
    for note in notes:
        found.setdefault(note.reason, []).append(note)
    return found


def placed(file: str, line: int | None) -> str:
    """File and line, as comments have them."""
    return f"{comment(os.path.basename(file))}:{line or 1}"


def commented(line: str, said: str) -> str:
    """A line with a comment where others have theirs."""
    return f"{line:<{WIDTH}}  # {comment(said)}"


def comment(said: str) -> str:
    """A text that stays on its line."""
    return "".join(letter if letter.isprintable() else "?" for letter in said)


def _name(name: str) -> str:
    return comment(name)[:100] or "imported"


def quoted(word: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    return word if WORD.fullmatch(word) and word.lower() not in RESERVED else json.dumps(word)


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(str(key))}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int) else quoted(value) if not re.fullmatch(r"[\d.]+[A-Za-z]+", value) else value
