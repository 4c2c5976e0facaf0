"""What a scenario may add to the catalogue: chains of `like`, bounds of numbers, names and texts that a terminal can show."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from simvirt.catalog import Catalog, CpuFamily, DiskEntry
from simvirt.catalog.loader import MOST_LIKES, expand
from simvirt.errors import ScenarioError
from simvirt.scenario import loads
from simvirt.scenario.spec.models import PlatformSpec

MINIMAL = """simvirt: 1
name: added
host: {{cores: 1, memory: 1GiB, nic: {nic}}}
platforms: [bare-metal]
services: {{a: {{operations: {{x: [{{cpu: 1ms}}]}}}}}}
workload: {{open: {{rate: 10/s}}}}
run: {{duration: 1s, replications: 1}}
"""


def number(value: Any) -> dict[str, Any]:
    """A sourced number of a test."""
    return {"value": value, "source": "made up for a test"}


def mistakes(kind: str, name: str, entry: Any) -> dict[str, str]:
    """The mistakes found in one added entry, by path."""
    with pytest.raises(ScenarioError) as raised:
        Catalog.load({kind: {name: entry}})
    return {issue.path: issue.message for issue in raised.value.issues}


def chain(length: int) -> dict[str, Any]:
    """So many disks, each like the one before, the first like a shipped one."""
    return {f"d{i}": {"like": f"d{i - 1}" if i else "nvme"} for i in range(length)}


def test_a_chain_of_likes_reaches_its_end() -> None:
    catalog = Catalog.load({"disks": chain(MOST_LIKES - 1)})
    assert catalog.entry("disks", f"d{MOST_LIKES - 2}").title == catalog.entry("disks", "nvme").title


def test_a_chain_of_likes_that_is_too_long_is_refused() -> None:
    with pytest.raises(ScenarioError, match=f"expected a chain of at most {MOST_LIKES} entries") as raised:
        Catalog.load({"disks": chain(1000)})
    assert raised.value.issues[0].path == f"catalog.disks.d{MOST_LIKES - 1}"


def test_like_the_shipped_entry_of_its_own_name_is_that_one_changed() -> None:
    shipped = Catalog.load().entry("limits", "bridge-ports")
    added = {"limits": {"bridge-ports": {"like": "bridge-ports", "capacity": number(7)}}}
    assert Catalog.load(added).entry("limits", "bridge-ports") == shipped.model_copy(update={"capacity": 7})


def test_an_entry_like_a_changed_one_has_its_changes() -> None:
    added = {"limits": {"bridge-ports": {"like": "bridge-ports", "capacity": number(7)}, "mine": {"like": "bridge-ports"}}}
    assert Catalog.load(added).typed("limits", "mine", type(Catalog.load().limits()[0])).capacity == 7


def test_like_itself_where_nothing_is_shipped_is_a_circle() -> None:
    assert "a -> a is a circle" in mistakes("disks", "a", {"like": "a"})["catalog.disks.a"]


@pytest.mark.parametrize("base", [3, ["nvme"], {"nvme": 1}])
def test_like_takes_a_name(base: Any) -> None:
    assert "no such entry" in mistakes("disks", "a", {"like": base})["catalog.disks.a"]


def test_rows_of_costs_are_taken_over_along_a_chain() -> None:
    entries = {"a": {"costs": {"x": 1, "y": 1}}, "b": {"like": "a", "costs": {"y": 2}}, "c": {"like": "b", "costs": {"z": 3}}}
    assert expand("c", entries, {}) == {"costs": {"x": 1, "y": 2, "z": 3}}


@pytest.mark.parametrize(("kind", "like", "field", "value", "said"), [
    ("disks", "nvme", "channels", number(0), "expected 1 to 65536; got 0"),
    ("disks", "nvme", "channels", number(1.5), "expected a whole number"),
    ("disks", "nvme", "read_throughput", number("0B/s"), "got 0 MB/s"),
    ("disks", "nvme", "read_iops", number("0/s"), "expected 1/s"),
    ("disks", "nvme", "read_latency", number("9000h"), "expected 0 s"),
    ("nics", "10gbe", "mtu", number("52B"), "expected 68 B"),
    ("guests", "linux", "background_period", number("0ns"), "expected 1 us"),
    ("guests", "linux", "tick", number("0ns"), "expected 1 us"),
    ("guests", "linux", "page_structs", number(1), "expected 0 to 0.5"),
    ("guests", "linux", "background_duty", number(3), "expected 0 to 1"),
    ("profiles", "generic", "stall", number(2), "expected 0 to 1"),
    ("reclaim", "generic", "idle_tax", number(1), "expected 0 to 0.99"),
    ("reclaim", "generic", "compression", number(0), "expected 1 to 1000"),
    ("families", "generic-x86", "mitigated_entry", number("0 cycles"), "expected 1 cycles"),
    ("sites", "average", "pue", number(0.5), "expected 1 to 100"),
    ("limits", "bridge-ports", "capacity", number(0), "expected 1 to"),
])
def test_a_number_without_sense_is_refused_where_it_stands(kind: str, like: str, field: str, value: Any, said: str) -> None:
    assert said in mistakes(kind, "mine", {"like": like, field: value})[f"catalog.{kind}.mine.{field}"]


@pytest.mark.parametrize(("part", "field", "entry"), [
    ("dom0", "vcpus", {"vcpus": number(0), "memory": number("1GiB")}),
    ("dom0", "vcpus", {"vcpus": number(10**9), "memory": number("1GiB")}),
    ("host_load", "threads", {"threads": number(10**9), "duty": number(0.1), "period": number("10ms")}),
    ("host_load", "period", {"threads": number(1), "duty": number(0.1), "period": number("0ns")}),
])
def test_what_a_hypervisor_keeps_beside_its_vms_is_bounded(part: str, field: str, entry: Any) -> None:
    assert "expected 1 " in mistakes("hypervisors", "mine", {"like": "kvm", part: entry})[f"catalog.hypervisors.mine.{part}.{field}"]


def test_names_of_entries_are_printable() -> None:
    (path, message), = mistakes("hosts", "\x1b]0;PWNED\a", {"like": "generic"}).items()
    assert "expected a name" in message
    assert (path + message).isprintable()


@pytest.mark.parametrize("field", ["title", "source"])
def test_texts_of_entries_are_printable(field: str) -> None:
    message = mistakes("disks", "mine", {"like": "nvme", field: "\x1b[31mall of it is red"})[f"catalog.disks.mine.{field}"]
    assert "expected printable text" in message
    assert message.isprintable()


def test_sources_of_numbers_are_printable() -> None:
    entry = {"like": "nvme", "channels": {"value": 4, "source": "\x1b[31mall of it is red"}}
    assert "expected printable text" in mistakes("disks", "mine", entry)["catalog.disks.mine.channels.source"]


@pytest.mark.parametrize(("written", "name"), [("1gbe-2003", "1gbe-2003"), ("10gbe", "10gbe"), ("25Gbps", "25Gbps"), ("100 Mbps", "0.1Gbps")])
def test_a_nic_whose_name_begins_like_a_bandwidth_can_be_named(written: str, name: str) -> None:
    scenario = loads(MINIMAL.format(nic=written))
    assert Catalog.of(scenario).resolve_host(scenario.host).nic.name == name


@pytest.mark.parametrize("written", ["25", "1e9", "5XBps"])
def test_a_bandwidth_with_a_wrong_unit_is_no_name(written: str) -> None:
    with pytest.raises(ScenarioError, match="bandwidth"):
        loads(MINIMAL.format(nic=written))


def test_a_number_of_zero_is_a_number() -> None:
    """Numbers of the catalogue are floats: nothing may take 0 for one that is not given."""
    catalog = Catalog.load({"hosts": {"mine": {"like": "generic", "system_memory": number("0B")}}})
    assert catalog.host_model("mine").system_memory == 0 < catalog.host_model().system_memory
    catalog = Catalog.load({"hypervisors": {"mine": {"like": "kvm", "spin_wait": number(0)}}})
    assert catalog.platform(PlatformSpec(name="x", stack=("mine",))).layers[0].spin_wait == 0


def test_numbers_of_the_catalogue_survive_a_pickle() -> None:
    """Replications run in other processes."""
    disk = Catalog.load().typed("disks", "nvme", DiskEntry)
    again = pickle.loads(pickle.dumps(disk))
    assert (again, again.name, again.read_latency.source) == (disk, disk.name, disk.read_latency.source)


def test_the_times_of_idle_states_are_explained_one_by_one() -> None:
    catalog = Catalog.load()
    rows = {row.name: row for row in catalog.explain("generic-x86", "families") if row.name.startswith("cstates.")}
    states = catalog.typed("families", "generic-x86", CpuFamily).cstates
    assert {name: row.value for name, row in rows.items()} == {
        f"cstates.{name}.{field}": getattr(state, field) for name, state in states.items() for field in ("residency", "exit")
    }
    assert all(row.source for row in rows.values())
    assert "(" not in next(row.figures for row in catalog.listing("families") if row.name == "generic-x86")


def test_lists_show_what_a_hypervisor_keeps_beside_its_vms() -> None:
    assert any("dom0 vcpus 4 memory 2 GiB" in row.figures for row in Catalog.load().listing("hypervisors"))


def test_of_a_very_long_chain_a_hundred_mistakes_are_told_and_the_others_counted() -> None:
    chain = {"d0": {"like": "nvme"}} | {f"d{n}": {"like": f"d{n - 1}"} for n in range(1, 300)}
    with pytest.raises(ScenarioError, match="chain of at most 50 entries") as raised:
        Catalog.load({"disks": chain})
    assert [str(issue) for issue in raised.value.issues[100:]] == ["and 151 more mistakes"]
