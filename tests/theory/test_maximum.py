"""The maximum throughput that a run states, against what hand calculation gives, and the resource that it names."""

from __future__ import annotations

from typing import Final

import pytest

from simvirt import kernel, loads, run

pytestmark = pytest.mark.skipif(kernel.MODE == "plain", reason="a search takes some hundred thousand events")
HOST: Final = "host: {cores: 4, memory: 8GiB}"
BARE: Final = "platforms: [bare-metal]"
JOB: Final = "operations: {j: [{cpu: {exponential: 10ms}}]}"
OPEN: Final = "workload: {open: {rate: 20/s}, local: true}"
SHORTLY: Final = "run: {duration: 5s, replications: 1}"
CASES: Final = {
    "one thread": ("host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, {JOB}}}}}", OPEN, 100, "host.cpu"),
    "offered more than that": (
        "host: {cores: 1, memory: 8GiB}", BARE, "services: {s: {operations: {j: [{cpu: 10ms}]}}}",
        "workload: {open: {rate: 120/s}, local: true}", 100, "host.cpu"),
    "siblings": (
        "host: {cores: 2, smt: 2, memory: 8GiB}", BARE, f"services: {{s: {{threads: 8, {JOB}}}}}", OPEN, 2 * 1.25 * 100, "host.cpu"),
    "quota": (HOST, "platforms: [docker]", f"services: {{s: {{threads: 1, cpus: 0.5, {JOB}}}}}", OPEN, 50, "s.cpu"),
    "clients": (
        "host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, {JOB}}}}}",
        "workload: {closed: {clients: 5, think: {exponential: 1s}}, local: true}", 100, "host.cpu"),
    "threads held by a call": (
        HOST, BARE, "services: {a: {threads: 4, operations: {j: [{cpu: 1ms}, {call: b.k}]}}, b: {operations: {k: [{delay: {exponential: 39ms}}]}}}",
        "workload: {open: {rate: 20/s}, mix: {a.j: 1}, local: true}", 100, "a.threads"),
    "threads of the callee": (
        HOST, BARE, "services: {a: {threads: 64, operations: {j: [{cpu: 1ms}, {call: b.k}]}}, b: {threads: 2, operations: {k: [{delay: 20ms}]}}}",
        "workload: {open: {rate: 20/s}, mix: {a.j: 1}, local: true}", 100, "b.threads"),
    "the scarcer of two operations": (
        HOST, BARE, f"services: {{a: {{threads: 1, {JOB}}}, b: {{threads: 1, operations: {{j: [{{cpu: {{exponential: 1ms}}}}]}}}}}}",
        "workload: {open: {rate: 20/s}, mix: {a.j: 1, b.j: 3}, local: true}", 400, "a.threads"),
    "bursts": (
        "host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, {JOB}}}}}",
        "workload: {open: {mmpp: {rates: [10/s, 300/s], sojourn: [900ms, 100ms]}}, local: true}", 100, "host.cpu"),
    "answers of a megabyte": (
        "host: {cores: 4, memory: 8GiB, nic: 1Gbps}", BARE, "services: {s: {operations: {j: [{net: {out: 1MiB}}]}}}",
        "workload: {open: {rate: 20/s}}", 112.3, "host.nic"),
}
"""Host, platforms, services, workload; the maximum [per second] and what limits it.

1 MiB is 725 segments of 1,448 bytes with 90 bytes of headers and gaps each: 1,113,826 bytes, 112.2 a second through 1 Gbit/s.
"""


@pytest.mark.parametrize("name", CASES)
def test_the_maximum_is_what_a_hand_computes(name: str) -> None:
    *text, expected, resource = CASES[name]
    found = run(loads("\n".join(["simvirt: 1", f"name: {name}", *map(str, text), SHORTLY]), "maximum.yaml"))
    (platform,) = found.typed().platforms.values()
    assert platform.bottleneck.max_throughput_per_s == pytest.approx(expected, rel=0.025)
    assert platform.bottleneck.resource == resource
