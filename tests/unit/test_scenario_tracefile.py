"""Traces, rates and empirical values: what is read, and the line of what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.effort import effort
from helpers.mistakes import MM1

from simvirt.errors import ScenarioError
from simvirt.scenario import Empirical, RatesSpec, TraceSpec, loads
from simvirt.scenario.reading.tracefile import read_rates, read_trace


def table(folder: Path, content: str | bytes) -> str:
    """A file with that content."""
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def refusal(folder: Path, spec: TraceSpec | RatesSpec | Empirical, operations: tuple[str, ...] | None = None) -> str:
    """The sentence with which a file is refused, without its folder."""
    with pytest.raises(ScenarioError) as caught:
        if isinstance(spec, TraceSpec):
            read_trace(spec, operations)
        elif isinstance(spec, RatesSpec):
            read_rates(spec)
        else:
            spec.values()
    return str(caught.value).replace(f"{folder}/", "")


def test_a_trace(tmp_path: Path) -> None:
    path = table(tmp_path, "op,arrives_s,x,demand_ms\nweb.a,0,?,1\nweb.b,0.5,?,2.5\n\nweb.a,2,?,0\n")
    trace = read_trace(TraceSpec(file=path, at="arrives_s", cpu="demand_ms", operation="op"))
    assert trace.at_ns.tolist() == [0, 500_000_000, 2_000_000_000] and trace.at_ns.dtype == np.int64
    assert trace.demand_ns is not None and trace.demand_ns.tolist() == [1e6, 2.5e6, 0]
    assert trace.operation is not None and trace.operation.tolist() == [0, 1, 0]
    assert trace.operations == ("web.a", "web.b")


def test_a_trace_of_instants_alone(tmp_path: Path) -> None:
    trace = read_trace(TraceSpec(file=table(tmp_path, b'\xef\xbb\xbf"at_us"\r\n"1"\r\n1\r\n'), at="at_us"))
    assert trace.at_ns.tolist() == [1000, 1000]
    assert trace.demand_ns is None and trace.operation is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path, f"at_s{delimiter}b\n1{delimiter}2\n")
    assert read_trace(TraceSpec(file=path, at="at_s")).at_ns.tolist() == [10**9]


@pytest.mark.parametrize(("content", "expected"), [
    ("at_s,d_ms\n1,1\n0.5,1\n", "t.csv:3: at_s: expected an instant that is not before that of the line above; got 0.5"),
    ("at_s,d_ms\n1,1\n\n0.5,1\n", "t.csv:4: at_s: expected an instant that is not before"),
    ("at_s,d_ms\n1,1\nx,1\n", 't.csv:3: at_s: expected a number, for example 1.5; got "x"'),
    ("at_s,d_ms\n1,1\n,1\n", 't.csv:3: at_s: expected a number, for example 1.5; got ""'),
    ("at_s,d_ms\n1,1\n2\n", "t.csv:3: expected 2 columns as in the first line; got 1"),
    ("at_s,d_ms\n-1,1\n", "t.csv:2: at_s: expected a finite number that is not negative; got -1"),
    ("at_s,d_ms\n1,nan\n", "t.csv:2: d_ms: expected a finite number that is not negative; got nan"),
    ("at_s,d_ms\n1,1\n2,inf\n", "t.csv:3: d_ms: expected a finite number"),
    ("at_s,d_ms\n1e300,1\n", "t.csv:2: at_s: expected a time within 100 years; got 1e300"),
    ("at_s,d_ms\n", "t.csv: expected at least one line of values"),
    ("at_s,x\n1,1\n", "t.csv:1: no column \"d_ms\" in t.csv (it has at_s, x)"),
    ("", "t.csv:1: expected a header"),
    (b"at_s,d_ms\n1,1\n\xff\xfe,1\n", "t.csv:3: expected text in UTF-8"),
    ("at_s,d_ms\n1,1\n\x00,1\n", "t.csv:3: at_s: expected a number"),
    ("at_s,d_ms\n" + "1,1\n" * 5000 + '"unfinished,1\n', "t.csv:5002: "),
])
def test_refused_traces(tmp_path: Path, content: str | bytes, expected: str) -> None:
    told = refusal(tmp_path, TraceSpec(file=table(tmp_path, content), at="at_s", cpu="d_ms"))
    assert told.startswith(expected)


def test_operations_of_a_trace(tmp_path: Path) -> None:
    spec = TraceSpec(file=table(tmp_path, "at_s,op\n1,web.a\n2,wbe.a\n"), at="at_s", operation="op")
    assert refusal(tmp_path, spec, ("web.a",)) == 't.csv:3: op: unknown operation "wbe.a"; did you mean "web.a"?'
    spec = TraceSpec(file=table(tmp_path, "at_s,op\n1,\n"), at="at_s", operation="op")
    assert refusal(tmp_path, spec) == "t.csv:2: op: expected an operation, for example web.GET /; got nothing"


def test_a_missing_trace(tmp_path: Path) -> None:
    table(tmp_path, "")
    assert refusal(tmp_path, TraceSpec(file=str(tmp_path / "u.csv"), at="at_s")) == 'u.csv: no such file; did you mean "t.csv"?'
    assert "directory" in refusal(tmp_path, TraceSpec(file=str(tmp_path), at="at_s"))


def test_rates(tmp_path: Path) -> None:
    named = read_rates(RatesSpec(file=table(tmp_path, "time_s,rate_per_min\n0,60\n10,120\n"), at="time_s", rate="rate_per_min"))
    assert (named.at_ns.tolist(), named.per_s.tolist()) == ([0, 10**10], [1, 2])
    numbered = read_rates(RatesSpec(file=table(tmp_path, "0.5,8\n1.5,16\n"), at=0, rate=1))
    assert (numbered.at_ns.tolist(), numbered.per_s.tolist()) == ([500_000_000, 1_500_000_000], [8, 16])
    minutes = read_rates(RatesSpec(file=table(tmp_path, "0,60\n1,0\n"), at=0, rate=1, unit="min"))
    assert (minutes.at_ns.tolist(), minutes.per_s.tolist()) == ([0, 60 * 10**9], [1, 0])


@pytest.mark.parametrize(("content", "expected"), [
    ("0,1\n0,2\n", "t.csv:2: 0: expected an instant after that of the line above; got 0"),
    ("0,1\n1,-2\n", "t.csv:2: 1: expected a finite number that is not negative; got -2"),
    ("0,0\n1,0\n", "t.csv: 1: expected a rate above 0 in some line"),
    ("0,1e300\n", "t.csv:1: 1: expected a rate of at most 1e12/s; got 1e300"),
    ("0\n1\n", "t.csv:1: no column 1; expected one from 0 to 0"),
    ("a,b\n1,2\n", 't.csv:1: 0: expected a number, for example 1.5'),
])
def test_refused_rates(tmp_path: Path, content: str, expected: str) -> None:
    assert refusal(tmp_path, RatesSpec(file=table(tmp_path, content), at=0, rate=1)) == expected


def test_empirical_values(tmp_path: Path) -> None:
    path = table(tmp_path, "name,demand_ms\na,3\nb,1\n")
    assert Empirical(file=path).values().tolist() == [3e6, 1e6]
    assert Empirical(file=path, column="demand_ms").values().tolist() == [3e6, 1e6]
    assert Empirical(file=path).mean == 2e6
    assert "t.csv:1: name: expected a column whose name ends in its unit" in refusal(tmp_path, Empirical(file=path, column="name"))
    assert "expected a value above 0" in refusal(tmp_path, Empirical(file=table(tmp_path, "a_s\n0\n")))
    assert "expected one column whose name ends in" in refusal(tmp_path, Empirical(file=table(tmp_path, "a_s,b_s\n0,1\n")))


def test_a_million_lines(tmp_path: Path) -> None:
    at = np.cumsum(np.random.default_rng(1).exponential(0.01, 1_000_000))
    text = "at_s,d_ms\n" + "\n".join(f"{a:.6f},1.25" for a in at) + "\n"
    spec = TraceSpec(file=table(tmp_path, text), at="at_s", cpu="d_ms")
    work, trace = effort(read_trace, spec)
    assert len(trace.at_ns) == 1_000_000
    assert work < 100_000, "lines are read by the block"
    assert refusal(tmp_path, TraceSpec(file=table(tmp_path, text + "0,0\n"), at="at_s", cpu="d_ms")).startswith("t.csv:1000002: at_s: ")


def test_the_demand_of_a_row_is_not_that_of_a_team(tmp_path: Path) -> None:
    """It would be ignored, or be that of a later step."""
    (tmp_path / "t.csv").write_text("x_s,d_ms\n0,8\n1,4\n", encoding="utf-8")
    text = MM1.replace("{exponential: 10ms}", "10ms, team: {threads: 4}").replace("open: {rate: 80/s}", "trace: {file: t.csv, at: x_s, cpu: d_ms}")
    with pytest.raises(ScenarioError, match=r"workload\.trace\.cpu: the demand of a row is one thread's; expected a first cpu step of server\.job"):
        loads(text, str(tmp_path / "x.yaml"))
