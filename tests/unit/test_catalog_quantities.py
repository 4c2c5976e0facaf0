"""Sourced numbers: units, spreads, and the words in which they are refused."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from simvirt.catalog.sourced import (
    Sourced,
    SourcedCount,
    SourcedCycles,
    SourcedRate,
    SourcedRatio,
    SourcedSize,
    SourcedThroughput,
    SourcedTime,
    SourcedWork,
)

SOURCE = "author, title, year"


@pytest.mark.parametrize(("model", "raw", "value", "unit"), [
    (SourcedTime, "1.2us", 1200.0, "ns"),
    (SourcedSize, "4KiB", 4096.0, "bytes"),
    (SourcedRate, "800/s", 800.0, "per s"),
    (SourcedThroughput, "500MB/s", 5e8, "bytes/s"),
    (SourcedRatio, 1.25, 1.25, "ratio"),
    (SourcedCount, 18, 18.0, "count"),
    (SourcedCycles, "1500 cycles", 1500.0, "cycles"),
    (SourcedWork, "2.5 exits", 2.5, "exits"),
    (SourcedWork, "1 nested_walk", 1.0, "nested_walks"),
    (SourcedWork, "1 cycle", 1.0, "cycles"),
    (SourcedWork, "1 entry", 1.0, "entries"),
    (SourcedWork, "15.8 entries", 15.8, "entries"),
    (SourcedWork, "2us", 2000.0, "ns"),
])
def test_a_value_is_read_into_its_canonical_unit(model: type[Sourced], raw: object, value: float, unit: str) -> None:
    number = TypeAdapter(model).validate_python({"value": raw, "source": SOURCE})
    assert (number.value, number.unit) == (value, unit)
    assert number.spread is None
    assert not number.estimated


def test_a_spread_is_read_in_the_unit_of_the_value() -> None:
    number = TypeAdapter(SourcedTime).validate_python({"value": "2us", "spread": ["500ns", "3us"], "source": SOURCE, "estimated": True})
    assert number.spread == (500.0, 3000.0)
    assert number.estimated


def test_what_a_fitted_number_would_be_otherwise_is_read_in_its_unit() -> None:
    raw = {"value": "2us", "source": SOURCE, "fitted": ["table/row/column"], "otherwise": {"value": "500ns", "why": "as its sibling"}}
    number = TypeAdapter(SourcedTime).validate_python(raw)
    assert number.otherwise is not None
    assert number.otherwise.value == 500.0
    assert number.scaled(2).otherwise is None


@pytest.mark.parametrize(("model", "data", "said"), [
    (SourcedTime, "2us", "expected a sourced number"),
    (SourcedTime, {"source": SOURCE}, "expected a sourced number"),
    (SourcedTime, {"value": 2, "source": SOURCE}, "1.5ms"),
    (SourcedTime, {"value": "2us"}, "source"),
    (SourcedTime, {"value": "2us", "source": "me"}, "at least 8 characters"),
    (SourcedTime, {"value": "2us", "unit": "us", "source": SOURCE}, "the unit belongs to the value"),
    (SourcedTime, {"value": "5us", "spread": ["1us", "2us"], "source": SOURCE}, "outside its spread"),
    (SourcedTime, {"value": "5us", "spread": ["1us"], "source": SOURCE}, "expected [low, high]"),
    (SourcedWork, {"value": "2 exits", "spread": ["1us", "2us"], "source": SOURCE}, "the unit of the value (exits)"),
    (SourcedCycles, {"value": "2us", "source": SOURCE}, "expected cycles"),
    (SourcedRatio, {"value": "a third", "source": SOURCE}, "expected a number"),
    (SourcedRatio, {"value": -1, "source": SOURCE}, "expected a number"),
    (SourcedRatio, {"value": True, "source": SOURCE}, "expected a number"),
    (SourcedThroughput, {"value": "500MB", "source": SOURCE}, "expected a size per second"),
    (SourcedTime, {"value": "2us", "source": SOURCE, "sprad": []}, "sprad"),
    (SourcedTime, {"value": "2us", "source": SOURCE, "fitted": ["a/b/c"], "otherwise": "3us"}, "otherwise: expected {value: 1.2us, why: ...}"),
    (SourcedTime, {"value": "2us", "source": SOURCE, "fitted": ["a/b/c"], "otherwise": {"value": "3us"}}, "why"),
    (SourcedTime, {"value": "2us", "source": SOURCE, "otherwise": {"value": "3us", "why": SOURCE}}, "expected fitted beside it"),
    (SourcedWork, {"value": "2 exits", "source": SOURCE, "fitted": ["a/b/c"], "otherwise": {"value": "3us", "why": SOURCE}}, "the unit of the value (exits)"),
])
def test_a_malformed_number_is_refused_in_words(model: type[Sourced], data: object, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(model).validate_python(data)
    assert said in str(raised.value)
