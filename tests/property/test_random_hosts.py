"""Random scenarios on several hosts, like and unlike: the laws hold on each platform, and the hosts are together what the result says of all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.random_draws import Draws, Tree
from helpers.random_hosts import growing, moving, pools
from helpers.random_scenarios import Size, random_scenario, write_files
from helpers.random_volumes import with_volumes
from helpers.random_worker import loaded

from simvirt import kernel, run
from simvirt.errors import ScenarioError
from simvirt.result.run_document import PlatformResult

SIZE = Size(services=3, replicas=4, platforms=2, events=3_000.0 if kernel.MODE == "compiled" else 200.0)


def lawful(tree: Tree, folder: Path) -> list[PlatformResult]:
    """The results of a scenario run once, on each of whose platforms the laws hold; none of one that is no valid scenario."""
    write_files(folder)
    try:
        document = run(loaded(tree | {"run": tree["run"] | {"replications": 1}}, folder), maximum=False).typed()
    except ScenarioError:
        return []
    assert not document.failed
    assert all(set(dict(found.checks).values()) - {None} == {"ok"} for found in document.platforms.values())
    return list(document.platforms.values())


@pytest.mark.parametrize("seed", range(12))
def test_laws_hold_over_all_hosts(seed: int, tmp_path: Path) -> None:
    tree = pools(Draws(seed, "pools"), random_scenario(seed, SIZE))
    volumes = Draws(seed, "volumes")
    tree = with_volumes(volumes, tree) if volumes.yes(0.5) else tree
    for found in lawful(tree, tmp_path):
        names = [host.name for host in found.layout]
        assert list(found.hosts) == (names if len(names) > 1 else [])
        threads = [host.sockets * host.cores * host.smt for host in found.layout]
        busy = sum((host.cpu or 0.0) * count for host, count in zip(found.hosts.values(), threads, strict=False))
        if found.hosts and found.cpu.utilisation.value is not None:
            assert busy == pytest.approx(found.cpu.utilisation.value * sum(threads), rel=1e-6, abs=1e-9)
        assert found.memory.ledger.capacity_bytes == sum(host.memory_bytes for host in found.layout)


@pytest.mark.parametrize("seed", range(4))
def test_laws_hold_while_vms_move(seed: int, tmp_path: Path) -> None:
    """Nothing is lost by a move: what was asked for is answered, lost with what was stopped, or under way."""
    tree = moving(Draws(seed, "moves"), pools(Draws(seed, "pools"), random_scenario(seed, SIZE)))
    for found in lawful(tree, tmp_path):
        assert all(0 < move.memory_bytes <= 1.01 * move.sent_bytes for move in found.migrations if move.ended)


def hired(seed: int, folder: Path) -> None:
    """What holds of hosts that come and go, and of what stands on them."""
    tree = growing(Draws(seed, "machines"), pools(Draws(seed, "pools"), random_scenario(seed, replace(SIZE, events=SIZE.events / 3))))
    for found in lawful(tree, folder):
        assert found.machines is not None and found.happened is not None
        for name, pool in found.machines.pools.items():
            bounds = tree["hosts"][name]["autoscale"]
            assert all(bounds["min"] <= level.asked <= bounds["max"] and 0 <= level.up <= level.asked for level in pool.course)
            assert pool.course[-1].asked == tree["hosts"][name]["count"] + (pool.added.value or 0) - (pool.removed.value or 0)
        ended = sum(cause.value or 0.0 for cause in found.happened.ended.values())
        assert found.happened.started.value == (found.happened.running.value or 0.0) + ended


@pytest.mark.parametrize("seed", range(3))
def test_laws_hold_while_hosts_come_and_go(seed: int, tmp_path: Path) -> None:
    hired(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 30))
def test_laws_hold_while_many_hosts_come_and_go(seed: int, tmp_path: Path) -> None:
    hired(seed, tmp_path)
