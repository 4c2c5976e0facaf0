"""Quantities: what is read, what is refused and how, and that formatting undoes reading."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvirt import units
from simvirt.errors import Issue, ScenarioError, SimulationError, SimvirtError, UsageError
from simvirt.units import UnitError


@pytest.mark.parametrize(("text", "ns"), [
    ("1.5ms", 1.5e6), ("10min", 6e11), ("0s", 0.0), ("1 s", 1e9), ("2h", 7.2e12), ("1e3us", 1e6), ("3µs", 3e3), ("1_000ns", 1e3), (".5s", 5e8),
    ("24h", 86400e9), ("1d", 86400e9),
])
def test_time(text: str, ns: float) -> None:
    assert units.parse_time(text) == pytest.approx(ns, rel=1e-12)


@pytest.mark.parametrize(("text", "size"), [("512MiB", 512 * 2**20), ("512MB", 512 * 10**6), ("8KiB", 8192), ("192GiB", 192 * 2**30), ("1B", 1)])
def test_size(text: str, size: int) -> None:
    assert units.parse_size(text) == size
    assert isinstance(units.parse_size(text), int)


def test_rate_frequency_bandwidth_ratio() -> None:
    assert units.parse_rate("800/s") == 800
    assert units.parse_rate("60/min") == pytest.approx(1)
    assert units.parse_rate("3600/h") == pytest.approx(1)
    assert units.parse_frequency("2.6GHz") == pytest.approx(2.6e9)
    assert units.parse_bandwidth("25Gbps") == 25e9
    assert units.parse_ratio("2%") == pytest.approx(0.02)
    assert units.parse_ratio(1) == 1


@pytest.mark.parametrize(("value", "words"), [
    (5, ["with a unit", "1.5ms", "bare number 5"]),
    ("5", ["with a unit", "1.5ms", "bare number 5"]),
    ("5sec", ['did you mean "5s"?', "ns, us, ms, s, min, h, d"]),
    ("5 MS", ['did you mean "5ms"?']),
    ("5m", ['did you mean "5min"?']),
    ("-5ms", ["not negative", '"-5ms"']),
    ("nan ms", ["finite"]),
    (math.nan, ["finite"]),
    ("inf", ["finite"]),
    ("1e300s", ["at most 36500d"]),
    ("9" * 5000 + "s", ["expected a time"]),
    ("fast", ["a number with a unit"]),
    (None, ["got nothing"]),
    (True, ["got true"]),
    ([1], ["got a list of 1"]),
    ("", ["expected a time"]),
])
def test_refused_times(value: object, words: list[str]) -> None:
    with pytest.raises(UnitError) as caught:
        units.parse_time(value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_zero_where_it_makes_no_sense() -> None:
    with pytest.raises(UnitError, match="above 0"):
        units.parse_time("0s", zero=False)
    with pytest.raises(UnitError, match="above 0"):
        units.parse_frequency("0Hz")


@pytest.mark.parametrize(("parse", "text", "guess"), [
    (units.parse_size, "512M", "512MiB"), (units.parse_size, "512mib", "512MiB"), (units.parse_rate, "800rps", "800/s"),
    (units.parse_rate, "800 req/s", "800/s"), (units.parse_bandwidth, "25Gb/s", "25Gbps"), (units.parse_frequency, "2.6ghz", "2.6GHz"),
])
def test_guesses(parse: object, text: str, guess: str) -> None:
    assert callable(parse)
    with pytest.raises(UnitError) as caught:
        parse(text)
    assert f'did you mean "{guess}"?' in str(caught.value)


@pytest.mark.parametrize("value", ["101%", -0.1, 1.1, "x", None, True, math.nan, math.inf, "1e400%", 10**400])
def test_refused_ratios(value: object) -> None:
    with pytest.raises(UnitError, match=r"0\.3 or 30%"):
        units.parse_ratio(value)


@pytest.mark.parametrize(("seconds", "text"), [(0.0015, "1.5 ms"), (600, "10 min"), (0, "0 s"), (1e-9, "1 ns"), (90, "1.5 min"), (0.99999, "1 s"), (12.0, "12 s")])
def test_format_time(seconds: float, text: str) -> None:
    assert units.format_time(seconds) == text


def test_format_size_and_rate() -> None:
    assert units.format_size(512 * 2**20) == "512 MiB"
    assert units.format_size(0) == "0 B"
    assert units.format_rate(800) == "800/s"
    assert units.format_rate(1234567) == "1.23 M/s"
    assert units.format_time(math.inf) == "inf s"


@given(st.floats(1e-9, 1e8))
def test_formatted_times_are_read_back(seconds: float) -> None:
    assert units.parse_time(units.format_time(seconds, digits=9)) == pytest.approx(seconds * 1e9, rel=1e-6)


@given(st.integers(0, 2**59))
def test_formatted_sizes_are_read_back(size: int) -> None:
    assert units.parse_size(units.format_size(size, digits=12)) == pytest.approx(size, rel=1e-6)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (units.parse_time, units.parse_size, units.parse_rate, units.parse_frequency, units.parse_bandwidth, units.parse_ratio):
        try:
            assert math.isfinite(parse(text))
        except UnitError as error:
            assert "for example" in str(error)


def test_exit_statuses() -> None:
    assert (UsageError.exit_status, ScenarioError.exit_status, SimulationError.exit_status) == (2, 2, 3)
    assert issubclass(UnitError, ValueError)
    assert issubclass(UnitError, SimvirtError)


def test_an_issue_as_text() -> None:
    issue = Issue("web.yaml", 14, 7, "services.web.thread", 'unknown key; did you mean "threads"?')
    assert str(issue) == 'web.yaml:14:7: services.web.thread: unknown key; did you mean "threads"?'
    assert str(Issue("--set run.sed", None, None, "run.sed", "unknown key")) == "--set run.sed: unknown key"
    assert str(Issue(None, None, None, "host", "missing")) == "host: missing"
