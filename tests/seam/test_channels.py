"""Products and what they offer: several channels, compression, differences; where each helps and where it does not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from simvirt import run
from simvirt.result.migrations import MigrationResult
from simvirt.scenario import loads

TEXT = """
simvirt: 1
name: channels
hosts: {{node: {{count: 2, cores: 16, memory: 64GiB, nic: {nic}}}}}
platforms: [{{name: x, stack: [kvm], migrator: mine}}]
services:
  db: {{mem_limit: 2GiB, cpus: 2, threads: unlimited, memory: {{base: 1GiB, touch: 0B, dirty: {dirty}}}, operations: {{get: [{{cpu: 1ms}}]}}}}
workload: {{open: {{rate: 200/s}}, mix: {{db.get: 1}}}}
run: {{duration: {duration}, warmup: 0s, replications: 1, seed: 1}}
timeline: [{{at: 1s, migrate: db}}]
catalog: {{migrators: {{mine: {{like: {like}, {constants}}}}}}}
"""


@dataclass(frozen=True)
class Moved:
    """A VM moved by a product, with other constants than its own."""

    like: str
    constants: str = "title: mine"
    nic: str = "100gbe"
    dirty: str = "50KiB"
    duration: str = "8s"

    def __call__(self) -> MigrationResult:
        """The migration."""
        text = TEXT.format(like=self.like, constants=self.constants, nic=self.nic, dirty=self.dirty, duration=self.duration)
        (platform,) = run(loads(text), maximum=False).typed().platforms.values()
        (move,) = platform.migrations
        assert move.ended == 1
        return move


def first(move: MigrationResult) -> float:
    """How long the first round took [s]."""
    return move.copied[0].took_s


def test_one_thread_does_not_fill_a_fast_network_and_several_do() -> None:
    one, two, eight = (first(Moved(like, constants)()) for like, constants in (
        ("libvirt", "title: mine"), ("qemu-multifd", "title: mine"), ("qemu-multifd", "channels: {value: 8, source: made up for a test}")))
    assert two == pytest.approx(0.5 * one, rel=0.1)
    assert eight < 0.3 * one


def test_compression_helps_where_the_network_is_slow_and_not_where_it_is_fast() -> None:
    """As XenServer and KubeVirt found: nothing is gained from 10 Gbit/s on."""
    slow, packed = Moved("qemu-multifd", nic="1gbe", duration="20s")(), Moved("qemu-zstd", nic="1gbe", duration="20s")()
    assert packed.sent_bytes < 0.6 * slow.sent_bytes and first(packed) < 0.6 * first(slow)
    assert first(Moved("qemu-zstd")()) > 1.5 * first(Moved("qemu-multifd")())


def test_differences_make_later_rounds_small_and_the_first_none_smaller() -> None:
    plain, kept = (Moved(like, "downtime: {value: 1ms, source: made up for a test}", "1gbe", "200KiB", "25s")() for like in ("libvirt", "qemu-xbzrle"))
    assert kept.copied[0].sent_bytes == pytest.approx(plain.copied[0].sent_bytes, rel=1e-9)
    assert plain.copied[1].sent_bytes - kept.copied[1].sent_bytes == pytest.approx(0.75 * 64 * 2**20)
    assert kept.copied[1].dirtied_bytes < plain.copied[1].dirtied_bytes
