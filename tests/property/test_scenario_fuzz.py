"""Mutated scenarios either load or are refused with a place; nothing else happens, and it takes little work."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Callable, Final, Sequence

import pytest
from helpers.effort import calls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simvirt.errors import ScenarioError, UsageError
from simvirt.scenario import loads

FIXTURES: Final = Path(__file__).parent.parent / "fixtures" / "scenarios"
RICH: Final = """\
simvirt: 1
name: rich
include: []
host: {model: m, sockets: 2, cores: 8, smt: 2, memory: 64GiB, nic: 25Gbps, disk: nvme, scheduler: {policy: cfs, latency: 6ms}}
platforms: [bare-metal, {name: two, stack: [kvm, docker], vms: {count: 2, vcpus: 4, memory: 8GiB}}]
services:
  a: &a
    image: nginx
    deploy: {replicas: 2, resources: {limits: {cpus: 1.5, memory: 1GiB}}}
    cpuset: 0-3,8
    cpu_burst: 3ms
    balance: random
    operations:
      x: [{cpu: {gamma: {mean: 1ms, cv: 0.5}}, ops: {syscall: 20}}, {call: b.y, times: 2, probability: 30%}]
      z: [{parallel: [{delay: {pareto: {mean: 2ms, shape: 2}}}, [{disk: {read: 8KiB, hit: 0.5}}, {net: {in: 1KiB, out: 2KiB}}]]}]
    startup: [{cpu: 1s}, {disk: {write: 1MiB, sync: true}}]
  b: {threads: 3, queue: 9, cpu_shares: 512, background: {duty: 0.3}, operations: {y: [{cpu: {uniform: {low: 1ms, high: 2ms}}}]}}
  c: {<<: *a, cpu_weight: 50}
workload: {open: {mmpp: {rates: [1/s, 9/s], sojourn: [1s, 2s]}, arrivals: poisson}, mix: {a.x: 1, a.z: 2}}
objective: {latency_p99: 10ms, throughput: 5/s, rejected: 1%}
run: {duration: 1h, replications: 3, seed: 3, warmup: 1s, precision: 5%, observe: 1s}
timeline: [{at: 3s, crash: a, replica: 1, restart: 2s}]
catalog: {disks: {d: {read: 1ms}}}
"""
TEXTS: Final = (*(path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*.yaml"))), RICH)
NASTY: Final = (
    "", "null", "~", "-1", "0", "1e999", ".nan", "-.inf", "9" * 400, "true", "'", '"', "{}", "[]", "[[[[", "{{", "&a", "*a", "<<: *a", "!!python/name:os",
    "!x", "\t", "\0", "\x1b", "\ud800", "é", "😀", ": ", "- ", "#", "|", ">", "%", "@", "`", "? ", "---\n", "...\n", "\n", "  ", "5", "5ms", "-5ms", "1e300s",
    "12 parsecs", "0x10", "1:30", "a.b", ".", "..", "unlimited", "x" * 3000, "include: x.yaml\n", "{empirical: x.csv}", "{trace: {file: /, at: x_s}}",
)
PLACE: Final = re.compile(r"x\.yaml:\d+:\d+: |--set ")
Mutation = Callable[[random.Random, str], str]


def insert(luck: random.Random, text: str) -> str:
    """Something nasty somewhere."""
    at = luck.randrange(len(text) + 1)
    return text[:at] + luck.choice(NASTY) + text[at:]


def replace_value(luck: random.Random, text: str) -> str:
    """Something nasty in place of a word."""
    words = list(re.finditer(r"[\w./%-]+", text))
    word = luck.choice(words) if words else None
    return text if word is None else text[:word.start()] + luck.choice(NASTY) + text[word.end():]


def swap_words(luck: random.Random, text: str) -> str:
    """One word in place of another."""
    words = list(re.finditer(r"[\w./%-]+", text))
    if not words:
        return text
    word, other = luck.choice(words), luck.choice(words)
    return text[:word.start()] + other[0] + text[word.end():]


def drop(luck: random.Random, text: str) -> str:
    """Some characters less."""
    at = luck.randrange(len(text) + 1)
    return text[:at] + text[at + luck.randrange(1, 30):]


def drop_line(luck: random.Random, text: str) -> str:
    """A line less, or twice."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at = luck.randrange(len(lines))
    return "".join(lines[:at] + luck.choice([[], [lines[at]] * 2]) + lines[at + 1:])


def indent(luck: random.Random, text: str) -> str:
    """A line further in or out."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at = luck.randrange(len(lines))
    lines[at] = luck.choice(["  ", "\t", " "]) + lines[at] if luck.random() < 0.5 else lines[at].lstrip()
    return "".join(lines)


MUTATIONS: Final[Sequence[Mutation]] = (insert, replace_value, replace_value, swap_words, swap_words, drop, drop_line, indent)


def settle(text: str, sets: Sequence[str] = ()) -> None:
    """Loads a text, which may be refused, but only as it should be; what mutations repeat stays within ten times a long scenario's work."""
    assert calls(load_or_refuse, text, sets) < 200_000


def load_or_refuse(text: str, sets: Sequence[str]) -> None:
    """Loads a text, or is refused with a place."""
    try:
        loads(text, "x.yaml", sets)
    except ScenarioError as error:
        assert error.issues
        for issue in error.issues:
            assert PLACE.match(str(issue)) or "more mistakes" in issue.message, str(issue)
            assert "pydantic" not in issue.message
            assert issue.message.isprintable() or "\x1b" not in issue.message
    except UsageError:
        pass


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TEXTS), st.integers(0, 2**32), st.integers(1, 6))
def test_mutated_scenarios(text: str, seed: int, mutations: int) -> None:
    luck = random.Random(seed)
    for _ in range(mutations):
        text = luck.choice(MUTATIONS)(luck, text)
    settle(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    settle(text)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TEXTS), st.text(max_size=40))
def test_any_override(text: str, override: str) -> None:
    settle(text, [override, f"run.{override}", f"services.{override}"])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_nasty_overrides_of_real_paths(seed: int) -> None:
    luck = random.Random(seed)
    keys = ["services", "a", "b", "operations", "x", "0", "1", "cpu", "gamma", "mean", "workload", "open", "mix", "a.x", "run", "seed", "host", "platforms",
            "two", "vms", "timeline", "deploy", "parallel", "catalog", "name"]
    path = ".".join(luck.choices(keys, k=luck.randrange(1, 8)))
    settle(RICH, [f"{path}={luck.choice(NASTY)}"])


DATA: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["5ms", "a.x", "kvm", "b", "1/s", "unlimited", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["cpu", "call", "mean", "cv", "open", "rate", "a", "services", "deploy", "times", "parallel", "exponential", "file"]), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["host", "platforms", "services", "workload", "objective", "run", "timeline", "catalog"]), DATA, min_size=1))
def test_data_of_the_wrong_shape(parts: dict[str, object]) -> None:
    import json

    text = json.dumps({"simvirt": 1, "name": "x", **parts}).replace("NaN", ".nan").replace("-Infinity", "-.inf").replace("Infinity", ".inf")
    settle(text)


@pytest.mark.parametrize("text", TEXTS)
def test_the_unmutated_ones_load(text: str) -> None:
    assert loads(text).digest
