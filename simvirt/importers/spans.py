"""Spans of traces: OTLP's JSON, as the OpenTelemetry Collector writes it, and Jaeger's JSON, as its UI and API give it.

*Source*: opentelemetry-proto, trace/v1/trace.proto, docs/specification.md (JSON Protobuf encoding); jaeger model/json/model.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.reading.files import NoText, decoded
from simvirt.units import shown

MOST_BYTES: Final = 512 << 20
MOST_SPANS: Final = 2_000_000
LATEST: Final = 2**63
KINDS: Final = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
OUTSIDE: Final = ("db.system", "db.system.name", "db.type", "db.instance", "peer.service", "messaging.system")
"""Attributes of what talks to something that has no span of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """Work of a service on a request: begin and end [ns], what it is part of, and whether it waits for something outside."""

    trace: str
    id: str
    parent: str
    service: str
    operation: str
    start: int
    end: int
    waits: bool = False
    beside: bool = False  # nobody waits for it: it takes a message


def spans_of(files: Sequence[str], kind: str) -> list[Span]:
    """All spans in some files; ScenarioError where they are wrong."""
    found: list[Span] = []
    for file in files:
        for document in _documents(file):
            for span in READERS[kind](document, file):
                found.append(span)
                if len(found) > MOST_SPANS:
                    raise _wrong(file, "", f"expected at most {MOST_SPANS} spans")
    if not found:
        raise _wrong(files[0], "", f"expected spans, as {EXAMPLES[kind]}; got none")
    return found


def _wrong(file: str, path: str, message: str) -> ScenarioError:
    """A mistake in a file."""
    return ScenarioError([Issue(file, None, None, path, message)])


def _documents(file: str) -> Iterator[Any]:
    """The document in a file, or those on its lines."""
    try:
        size = Path(file).stat().st_size
        if size > MOST_BYTES:
            raise _wrong(file, "", f"expected at most {MOST_BYTES >> 20} MiB; this file is larger")
        text = decoded(Path(file).read_bytes()) if size else ""
    except OSError as error:
        raise _wrong(file, "", f"cannot be read: {error.strerror or error}") from None
    except NoText as error:
        raise ScenarioError([Issue(file, error.line, error.column, "", str(error))]) from None
    try:
        yield json.loads(text)
    except RecursionError:
        raise _wrong(file, "", "expected JSON of fewer levels") from None
    except ValueError as error:
        yield from _lines(file, text, error)


def _lines(file: str, text: str, whole: ValueError) -> Iterator[Any]:
    """The documents on the lines of a file; what is wrong with all of it where the first line is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            first = whole if number == 1 else error
            where = getattr(first, "lineno", 1) if number == 1 else number
            raise ScenarioError([Issue(file, where, getattr(first, "colno", None), "", f"expected JSON; {first}")]) from None


def _list(data: Any, key: str) -> list[Any]:
    """The mappings in the list at a key, none where there is no list."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _otlp(document: Any, file: str) -> Iterator[Span]:
    """The spans of an OTLP document."""
    for resource in _list(document, "resourceSpans"):
        said = _attributes(resource.get("resource") if isinstance(resource.get("resource"), Mapping) else {})
        service = str(said.get("service.name") or "unknown")
        for scope in (*_list(resource, "scopeSpans"), *_list(resource, "instrumentationLibrarySpans")):
            for span in _list(scope, "spans"):
                kind = str(KINDS.get(span.get("kind"), span.get("kind"))) if isinstance(span.get("kind"), (int, str)) else ""
                kind = kind.removeprefix("SPAN_KIND_").lower()
                start, end = (_time(span.get(key), file, key) for key in ("startTimeUnixNano", "endTimeUnixNano"))
                attributes = _attributes(span)
                ids = (span.get("traceId"), span.get("spanId"), span.get("parentSpanId"))
                yield _span(file, ids, (service, span.get("name")), (start, end), kind, attributes)


def _attributes(data: Any) -> dict[str, Any]:
    """Attributes, each by its one value."""
    found = {}
    for item in _list(data, "attributes"):
        value = item.get("value")
        found[str(item.get("key"))] = next(iter(value.values()), None) if isinstance(value, Mapping) else value
    return found


def _jaeger(document: Any, file: str) -> Iterator[Span]:
    """The spans of a Jaeger document: of all its traces, or of the one that it is."""
    traces = _list(document, "data") or ([document] if isinstance(document, Mapping) and "spans" in document else [])
    for trace in traces:
        processes = trace.get("processes") if isinstance(trace.get("processes"), Mapping) else {}
        for span in _list(trace, "spans"):
            process = processes.get(span.get("processID")) or span.get("process")
            service = process.get("serviceName") if isinstance(process, Mapping) else None
            tags = {str(tag.get("key")): tag.get("value") for tag in _list(span, "tags")}
            parent = next((one.get("spanID") for one in _list(span, "references")), None) or span.get("parentSpanID")
            start = _time(span.get("startTime"), file, "startTime") * 1000
            end = start + _time(span.get("duration"), file, "duration") * 1000
            ids, name = (span.get("traceID"), span.get("spanID"), parent), (str(service or "unknown"), span.get("operationName"))
            yield _span(file, ids, name, (start, end), str(tags.get("span.kind", "")).lower(), tags)


def _time(value: Any, file: str, key: str) -> int:
    """A time; JSON of OTLP has it as text."""
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(file, key, f"expected a time as a whole number; got {shown(value)}") from None
    if not 0 <= found < LATEST:
        raise _wrong(file, key, f"expected a time from 0 on; got {shown(value)}")
    return found


def _span(
    file: str, ids: tuple[Any, Any, Any], name: tuple[str, Any], times: tuple[int, int], kind: str, attributes: Mapping[str, Any]
) -> Span:
    """A span of a trace, an id and a parent; a mistake where it has none."""
    (trace, own, parent), (service, operation), (start, end) = ids, name, times
    if not trace or not own or end < start:
        got = f"{shown(str(own))} of trace {shown(str(trace))}"
        raise _wrong(file, "spans", f"expected a trace, an id, and an end behind the start; got {got}")
    waits = kind in ("client", "producer") or any(key in attributes for key in OUTSIDE)
    return Span(str(trace), str(own), str(parent or ""), service, str(operation or "request"), start, end, waits, kind == "consumer")


READERS: Final[dict[str, Callable[[Any, str], Iterator[Span]]]] = {"otel": _otlp, "jaeger": _jaeger}
EXAMPLES: Final = {"otel": "OTLP's JSON has them (resourceSpans)", "jaeger": "Jaeger's API gives them (data, spans, processes)"}
