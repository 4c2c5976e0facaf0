"""What a platform charges: parts with spreads and sources, two platforms beside each other, where a CPU-second goes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from helpers.collecting import hold_all
from rich.console import Console

from simvirt.catalog import OPERATIONS, RATE_OPERATIONS, Catalog
from simvirt.catalog.cost_breakdown import charges, differences, spending
from simvirt.catalog.entries.costs import PARTS
from simvirt.report import charges as report
from simvirt.report.catalogue import platforms

CATALOG = Catalog.load()
HOST = CATALOG.host_model("dell-r740-gold-6132")
PLATFORMS = CATALOG.names("platforms")


def printed(renderable: object, width: int) -> list[str]:
    """The lines of something laid out on a terminal so wide."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def told(name: str, width: int) -> list[str]:
    """What `explain` prints of a platform."""
    platform = CATALOG.named_platform(name)
    listed, = (row for row in CATALOG.listing("platforms") if row.name == name)
    sizes = [row for row in CATALOG.explain(name) if row.ns is None and row.value is not None]
    return printed(report.platform(name, listed.title, listed.facts, charges(platform, HOST), sizes, "on a host", width), width)


def test_the_parts_of_all_layers_add_up_to_the_costs_that_are_simulated() -> None:
    hold_all(adds_up, PLATFORMS)


def adds_up(name: str) -> None:
    """The sum of what a platform's layers charge for a part of an operation is the cost that is simulated."""
    platform = CATALOG.named_platform(name)
    rows, costs = charges(platform, HOST), CATALOG.platform_costs(platform, HOST)
    for operation in OPERATIONS:
        for part in PARTS:
            found = sum(row.ns for row in rows if (row.operation, row.part) == (operation, part))
            assert found == pytest.approx(getattr(costs, f"{part}_ns")[operation])


def test_every_charge_lies_inside_its_spread_and_has_a_source() -> None:
    hold_all(is_sourced, PLATFORMS)


def is_sourced(name: str) -> None:
    """Each row has its spread around it and a source."""
    for row in charges(CATALOG.named_platform(name), HOST):
        low, high = row.spread_ns or (row.ns, row.ns)
        assert low * (1 - 1e-9) <= row.ns <= high * (1 + 1e-9)
        assert row.source


def test_a_cpu_second_is_spent_completely() -> None:
    hold_all(spends_all, PLATFORMS)


def spends_all(name: str) -> None:
    """The shares of a CPU-second sum to one, each being a rate times a cost."""
    rows = spending(CATALOG.named_platform(name), CATALOG.named_profile("mysql-oltp"), HOST)
    assert rows[0].operation == ""
    assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert all(row.operation in RATE_OPERATIONS and row.seconds == pytest.approx(row.rate_per_s * row.ns / 1e9) for row in rows[1:])


def test_the_difference_of_two_platforms_is_that_of_their_costs() -> None:
    one, two = CATALOG.named_platform("kvm"), CATALOG.named_platform("docker-on-kvm")
    rows = differences(one, two, HOST)
    syscall, = (row for row in rows if row.operation == "syscall")
    assert (syscall.ns, syscall.against_ns, syscall.document()["difference_ns"]) == (0.0, 29.0, 29.0)
    assert all(row.ns == row.against_ns for row in rows if row.operation == "tlb_miss")


def test_an_image_stands_for_its_profile() -> None:
    assert CATALOG.named_profile("mysql").name == "mysql-oltp"


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("name", ["kvm", "docker-on-kvm", "kata-clh", "docker-desktop", "xen-pv"])
def test_a_platform_fits_its_terminal_and_numbers_its_sources(name: str, width: int) -> None:
    lines = told(name, width)
    assert max(map(len, lines)) <= width
    for operation in {row.operation for row in charges(CATALOG.named_platform(name), HOST)}:
        assert operation in " ".join(lines)
    sources = {row.source for row in charges(CATALOG.named_platform(name), HOST)}
    marks = [line for line in lines[lines.index("sources"):] if line.strip().startswith("[")]
    assert len(marks) >= len(sources)


@pytest.mark.parametrize("width", [50, 80])
def test_no_figure_is_cut_where_two_platforms_stand_beside_each_other(width: int) -> None:
    rows = differences(CATALOG.named_platform("kvm"), CATALOG.named_platform("vmware-workstation-2003"), HOST)
    text = "".join("".join(printed(report.against(("kvm", "vmware-workstation-2003"), rows, "on a host", width), width)).split())
    for row in rows:
        assert row.operation in text


def test_a_layer_that_costs_nothing_says_so() -> None:
    assert "no layer, no costs" in told("bare-metal", 80)[1]


def test_the_list_of_platforms_tells_technique_devices_and_how_much_is_measured() -> None:
    rows = {row.name: row for row in CATALOG.listing("platforms")}
    facts = rows["docker-on-kvm"].document()
    assert (facts["stack"], facts["technique"], facts["type"], facts["net"]) == (["kvm", "docker"], ["nested-paging"], [1], ["vhost-net", "bridge-nat"])
    assert 0 < facts["estimated"] < facts["numbers"]
    assert "pinned, topology exposed, pages huge" in rows["kvm-tuned"].figures
    assert rows["docker-macvlan"].facts["net"] == ["macvlan"]


def test_platforms_are_listed_side_by_side_at_any_width() -> None:
    """Technique, type, isolation, devices and how much is estimated; each name once in every part, no word broken."""
    rows = CATALOG.listing("platforms")
    for width in (60, 80, 200):
        lines = printed(platforms(rows, width), width)
        shown = "\n".join(lines)
        assert all(word in shown for word in ("technique", "isolation", "network", "disk", "sourced", "estimated", "user-space-kernel-systrap"))
        assert {line.split()[0] for line in lines if line[:1].isalnum()} == {"platform", *(row.name for row in rows)}
    kvm = next(line.split() for line in printed(platforms(rows, 200), 200) if line.startswith("kvm "))
    assert kvm[1:6] == ["nested-paging", "1", "hardware", "vhost-net", "virtio-blk"]
    assert int(kvm[6]) > 0 < int(kvm[7])


def test_cpu_work_is_charged_for_its_operations_and_spared_at_most_itself() -> None:
    real = CATALOG.platform_costs(CATALOG.named_platform("kvm"), HOST)
    syscall = {"cpu_ns": 200.0, "latency_ns": 50.0, "spared_ns": 300.0}
    costs = replace(real, **{part: {**getattr(real, part), "syscall": ns} for part, ns in syscall.items()})
    assert (costs.charged([("syscall", 3.0)]), costs.charged([("syscall", 3.0)], own=1e3)) == (750.0, 0.75)
    assert [costs.spared([("syscall", count)], 1e3) for count in (0.0, 2.0, 9.0)] == [0.0, 0.6, 1.0]
    assert costs.spared([("syscall", 1.0)], 0.0) == 0.0
    assert costs.added([("syscall", 1e6)]) == pytest.approx(0.25 - 0.3)
    assert costs.added([("syscall", 1e8)]) == pytest.approx(25 - 1)
    assert costs.with_walks(40.0).charged([("tlb_miss", 2.0), ("syscall", 1.0)]) == pytest.approx(
        costs.charged([("tlb_miss", 2.0), ("syscall", 1.0)]) + 80.0)
