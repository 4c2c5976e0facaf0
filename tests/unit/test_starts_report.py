"""What `explain --start` prints: every phase with its time and source, at any width; the same as data."""

from __future__ import annotations

import io
import json

import pytest
from helpers.collecting import hold_all
from rich.console import Console

from simvirt.catalog import Catalog
from simvirt.catalog.resolve.startups import alone_ns
from simvirt.cli.app import main
from simvirt.report.starts import start

CATALOG = Catalog.load()
HOST = CATALOG.host_model("dell-r740-gold-6132")


def printed(name: str, width: int, image: str | None = None) -> list[str]:
    """The lines of the start of a platform."""
    phases = CATALOG.phases_of(CATALOG.named_platform(name), HOST, image)
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(start(name, "a platform", phases, HOST, "on a host", width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_every_phase_stands_with_its_time_and_source_at_any_width() -> None:
    hold_all(is_whole, ["docker", "firecracker", "kata-clh", "docker-desktop", "xen-pv"])


def is_whole(name: str) -> None:
    for width in (50, 80, 140):
        lines = printed(name, width)
        text = "".join("".join(lines).split())
        assert all(len(line) <= width for line in lines)
        for phase in CATALOG.phases_of(CATALOG.named_platform(name), HOST):
            assert all(word in text for word in phase.name.split())
            assert all("".join(source.split()[:3]) in text for source in phase.sources)


def test_the_whole_is_the_sum_of_its_phases() -> None:
    phases = CATALOG.phases_of(CATALOG.named_platform("docker"), HOST)
    assert any(f"in all {round(sum(alone_ns(phase, HOST) for phase in phases) / 1e6)} ms" in line for line in printed("docker", 80))


def test_bare_metal_has_nothing_to_start_but_its_software() -> None:
    assert "no phases" in printed("bare-metal", 80)[-1]
    assert any("redis" in line for line in printed("bare-metal", 80, "redis:7"))


def test_it_is_data_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "firecracker", "--start", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["Firecracker", "probing of devices", "kernel", "init"]
    assert all(row["sources"] and row["alone_ns"] > 0 for row in rows)


@pytest.mark.parametrize(("arguments", "message"), [
    (["nope", "--start"], "unknown platform"), (["docker", "--start", "--image", "nobody/knows"], "does not know how its software starts"),
])
def test_a_name_that_is_not_known_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert message in capsys.readouterr().err
