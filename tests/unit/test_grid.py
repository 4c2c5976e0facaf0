"""Tables: every cell in one piece, whatever the width."""

import pytest
from rich.text import Text

from simvirt.report import grid
from simvirt.report.as_text import laid_out, printed
from simvirt.report.blocks import Cell, Report, Table

HEAD = ("platform", "host", "CPU", "memory", "p99", "why")
ROWS = (("docker-host-network", "dell-r650-gold-6338", "12.5 %", "191.87 GiB", "52.0 ± 6.5 ms", "no room for one more"),
        ("kvm", "dell-t340-e-2224", "0", "3.5 GiB", "18.8 ± 0.7 ms", "the memory of the host is promised twice over"))


def shown(width: int, names: int = 2) -> str:
    cells = [[Text(cell) for cell in row] for row in ROWS]
    return printed(grid.table(HEAD, cells, width, names=names, left=(0, 1, 5), prose=5), width)


@pytest.mark.parametrize("width", [20, 44, 60, 80, 120])
def test_no_cell_is_broken_but_prose(width: int) -> None:
    text = shown(width)
    assert all(cell in text for row in (HEAD, *ROWS) for cell in row[:-1]), text
    assert all(word in text for row in ROWS for word in row[-1].split()) and "…" not in text, text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_stays_within_the_width(width: int) -> None:
    assert max(map(len, shown(width).splitlines())) <= width


def test_what_does_not_fit_stands_below_with_the_names_again() -> None:
    assert shown(80).count("docker-host-network") == 2
    assert shown(160).count("docker-host-network") == 1
    assert shown(60, names=1).count("dell-t340-e-2224") == 1


@pytest.mark.parametrize(("label", "lines"), [
    ("  virtualization", ["  virtualization"]), ("  web.POST /order", ["  web.POST", "    /order"]),
    ("    p99", ["    p99"]), ("  a-service-with-a-long-name.list", ["  a-service-", "    with-a-long-", "    name.list"]),
    ("  unbreakable_operation_name", ["  unbreakable_op", "    eration_name"]),
])
def test_a_long_label_goes_on_below(label: str, lines: list[str]) -> None:
    assert grid.hanging(label, 16).split("\n") == lines


def test_long_names_take_no_platform_its_place() -> None:
    """Four platforms in 80 columns, two in 50, as with short names; every name is there, and each cell in one piece."""
    names = ("", "bare-metal", "docker", "kvm", "docker-on-kvm")
    rows = [(Cell("Operations", "group"), *[Cell("")] * 4), (Cell("checkout-service.POST /v1/orders"), *[Cell("3.22 ± 0.05 ms")] * 4)]
    for width, each in ((80, 4), (50, 2)):
        text = printed(laid_out(Report(None, (Table(names, tuple(rows), folds=True),)), width), width)
        assert max(map(len, text.splitlines())) <= width
        assert next(line.split() for line in text.splitlines() if "3.22" in line).count("3.22") == each
        assert "checkout-" in text and "/v1/orders" in text


def test_empty_columns_take_no_room() -> None:
    assert list(grid.blocks([5, 0, 5], 12, 1)) == [[0, 2]]
