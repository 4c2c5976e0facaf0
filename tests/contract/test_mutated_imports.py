"""Inventories and traces, changed at random: each becomes a scenario, or is refused with a message that names its file; nothing else is opened."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from simvirt.errors import ScenarioError
from simvirt.importers import libvirt, rvtools
from simvirt.importers.estates import estate
from simvirt.importers.traced import traced
from simvirt.runs.admission import catalog_of
from simvirt.scenario import loads

DOMAIN = """<domain type='kvm'><name>web</name><memory unit='KiB'>8388608</memory><currentMemory unit='KiB'>4194304</currentMemory>
<memoryBacking><hugepages/></memoryBacking><vcpu placement='static' cpuset='0-3' current='2'>4</vcpu><iothreads>1</iothreads>
<cputune><shares>2048</shares><period>100000</period><quota>75000</quota><vcpupin vcpu='0' cpuset='1'/></cputune>
<numatune><memory mode='strict' nodeset='0'/></numatune><devices><disk device='disk'><driver cache='none' io='native'/><target bus='virtio'/></disk>
<interface type='bridge'><model type='virtio'/></interface></devices></domain>
"""
TAB = """VM,Powerstate,Template,CPUs,Memory,Host,OS
web,poweredOn,False,4,8192,esx1,Ubuntu
db,poweredOn,False,8,"32,768",esx1,Windows
old,poweredOff,True,1,1024,esx1,Other
"""
JAEGER = """{"data": [{"traceID": "t", "spans": [
{"traceID": "t", "spanID": "1", "operationName": "get", "startTime": 1000, "duration": 900, "processID": "p1", "references": [], "tags": []},
{"traceID": "t", "spanID": "2", "operationName": "ask", "startTime": 1100, "duration": 500, "processID": "p1",
 "references": [{"refType": "CHILD_OF", "traceID": "t", "spanID": "1"}], "tags": [{"key": "span.kind", "value": "client"}]},
{"traceID": "t", "spanID": "3", "operationName": "do", "startTime": 1200, "duration": 300, "processID": "p2", "references": [{"spanID": "2"}]}],
"processes": {"p1": {"serviceName": "web"}, "p2": {"serviceName": "api"}}}]}
"""
OTLP = """{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]}, "scopeSpans": [{"spans": [
{"traceId": "t", "spanId": "1", "name": "get", "kind": 2, "startTimeUnixNano": "1000", "endTimeUnixNano": "9000"},
{"traceId": "t", "spanId": "2", "parentSpanId": "1", "name": "ask", "kind": "SPAN_KIND_CLIENT", "startTimeUnixNano": "2000", "endTimeUnixNano": "5000"}]}]}]}
"""
SOURCES = {"a.xml": DOMAIN, "vInfo.csv": TAB, "jaeger.json": JAEGER, "otel.json": OTLP}
WORDS = (
    "", "0", "-1", "1e999", "nan", "99999999999999999999", "null", "true", "[]", "{}", '"', "<", ">", "</domain>", "<!DOCTYPE a SYSTEM '/etc/passwd'>",
    "&x;", "&#0;", "<!ENTITY a 'b'>", "/etc/shadow", "../../secret", ",", ";", "\n", "\x00", "é漢\u202e", '{"a": ', "1.5", "web", "=cmd|' /C calc'!A0", "\ufeff",
)


def mutated(text: str, seed: int) -> str:
    """A text with one to four changes: something put in, taken out, doubled or put elsewhere; a number or word by another."""
    draw = random.Random(seed)
    for _ in range(draw.randint(1, 4)):
        at, length = draw.randrange(len(text) + 1), draw.choice((0, 1, 3, 10, 60))
        kind = draw.randrange(4)
        piece = text[at:at + length]
        if kind == 0:
            text = text[:at] + draw.choice(WORDS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + length:]
        elif kind == 2:
            where = draw.randrange(len(text) + 1)
            text = text[:where] + piece + text[where:]
        else:
            words = [at for at in range(1, len(text)) if text[at - 1] in " \"'>:," and text[at].isalnum()]
            start = draw.choice(words) if words else 0
            end = start
            while end < len(text) and text[end].isalnum():
                end += 1
            text = text[:start] + draw.choice(WORDS) + text[end:]
    return text


def text_of(path: str) -> str:
    """The scenario of a file, by its name."""
    if path.endswith(".xml"):
        return estate(libvirt.load([path])).text
    if path.endswith(".csv"):
        return estate(rvtools.load([path])).text
    return traced(os.path.basename(path).partition(".")[0], [path], None).text


def wrong(folder: Path, seeds: range) -> Iterator[tuple[int, str]]:
    """What is wrong with how changed files are taken."""
    for seed in seeds:
        name, source = list(SOURCES.items())[seed % len(SOURCES)]
        path = folder / name
        path.write_text(mutated(source, seed), encoding="utf-8", errors="replace")
        try:
            catalog_of(loads(text_of(str(path))))
        except ScenarioError as error:
            if not all(issue.file and os.path.basename(issue.file) == name for issue in error.issues):
                yield seed, f"{name}: {error}"
        except Exception as error:
            yield seed, f"{name}: {type(error).__name__}: {error}"


def test_changed_files_end_with_a_scenario_or_a_message(tmp_path: Path) -> None:
    assert not list(wrong(tmp_path, range(200)))


@pytest.mark.slow
@pytest.mark.verification
def test_many_changed_files_do(tmp_path: Path) -> None:
    assert not list(wrong(tmp_path, range(1000, 11_000)))


@pytest.mark.slow
def test_changed_workbooks_do(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="needs the package that reads workbooks")
    book = openpyxl.Workbook()
    book.active.title = "vInfo"
    for line in TAB.replace('"32,768"', "32768").splitlines():
        book.active.append(line.split(","))
    held = io.BytesIO()
    book.save(held)
    path = tmp_path / "a.xlsx"
    for seed in range(150):
        draw, raw = random.Random(seed), bytearray(held.getvalue())
        for _ in range(draw.randint(1, 6)):
            raw[draw.randrange(2, len(raw))] = draw.randrange(256)
        path.write_bytes(bytes(raw[:draw.choice((len(raw), len(raw), draw.randrange(2, len(raw))))]))
        try:
            loads(text_of_book(str(path)))
        except ScenarioError as error:
            assert all(issue.file and issue.file.endswith("a.xlsx") for issue in error.issues)


def text_of_book(path: str) -> str:
    return estate(rvtools.load([path])).text


def test_nothing_else_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what XML names nor what links lead to outside a folder."""
    opened: list[str] = []
    real = open

    def noted(file: object, *args: object, **more: object) -> object:
        opened.append(os.path.realpath(str(file)))
        return real(file, *args, **more)  # type: ignore[call-overload]

    (tmp_path / "secret.csv").write_text(TAB, encoding="utf-8")
    inner = tmp_path / "export"
    inner.mkdir()
    (inner / "vInfo.csv").write_text(TAB, encoding="utf-8")
    (inner / "vHost.csv").symlink_to(tmp_path / "secret.csv")
    (inner / "a.xml").write_text(DOMAIN.replace("<name>", "<include href='/etc/hostname'/><name>"), encoding="utf-8")
    monkeypatch.setattr("builtins.open", noted)
    monkeypatch.setattr("io.open", noted)
    rvtools.load([str(inner)])
    libvirt.load([str(inner)])
    assert opened and all(path.startswith(str(inner)) for path in opened)
