"""The catalogue: resolving hosts, platforms, costs and images; a user's own entries; explaining itself."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from simvirt.catalog import OPERATIONS, RATE_OPERATIONS, Catalog
from simvirt.catalog.images import short_name
from simvirt.errors import ScenarioError
from simvirt.scenario.spec.models import PlatformSpec, Scenario

CATALOG = Catalog.load()


def host_spec(**given: Any) -> Any:
    """A scenario's host with everything left out that is not given."""
    fields = (
        "model", "sockets", "cores", "smt", "clock", "memory", "disk", "nic", "max_cstate", "mitigations", "switching", "kernel_entry", "offloads",
        "receive_queues",
    )
    return SimpleNamespace(**{**dict.fromkeys(fields), **given})


def platform_spec(name: str, stack: list[str] | None = None) -> PlatformSpec:
    """A scenario's platform."""
    return PlatformSpec(name=name, stack=None if stack is None else tuple(stack))


def cost_entry(**cost: str) -> dict[str, Any]:
    """A cost as written in YAML."""
    return {part: {"value": value, "source": "a test, made up"} for part, value in cost.items()}


# hosts


def test_a_named_host_is_its_model() -> None:
    host = CATALOG.resolve_host(host_spec(model="dell-r740-gold-6132"))
    assert (host.name, host.sockets, host.cores, host.smt, host.pcpus) == ("dell-r740-gold-6132", 2, 14, 2, 56)
    assert host.clock_hz == 2.6e9
    assert host.memory == 192 * 2**30
    assert (host.disk.name, host.nic.bandwidth) == ("nvme", 25e9)
    assert host.smt_yield == 1.25
    assert host.tick_ns == 4e6


def test_inline_fields_override_those_of_the_model() -> None:
    host = CATALOG.resolve_host(host_spec(model="ibm-x3650-m4", sockets=1, clock=3e9, memory=2**33, disk="hdd", nic="100gbe"))
    assert (host.sockets, host.cores, host.clock_hz, host.memory) == (1, 8, 3e9, 2**33)
    assert (host.disk.name, host.nic.name) == ("hdd", "100gbe")


def test_an_inline_host_takes_the_rest_from_the_generic_one() -> None:
    host = CATALOG.resolve_host(host_spec(cores=1, memory=4 * 2**30))
    assert (host.name, host.pcpus, host.memory, host.clock_hz) == ("inline", 1, 4 * 2**30, 2.6e9)
    assert host.disk.name == "nvme"


def test_an_entry_of_the_kernel_is_that_of_the_processor_and_its_mitigations() -> None:
    mitigated, plain = (CATALOG.resolve_host(host_spec(model="dell-r740-gold-6132", mitigations=word)) for word in (None, "off"))
    assert mitigated.kernel_entry_ns == pytest.approx(1350 / 2.6)
    assert plain.kernel_entry_ns == pytest.approx(200 / 2.6)
    assert CATALOG.resolve_host(host_spec(model="dell-r740-gold-6132", clock=5.2e9)).kernel_entry_ns == pytest.approx(1350 / 5.2)


def test_an_entry_that_was_measured_on_a_machine_wins_and_falls_without_mitigations() -> None:
    mitigated, plain = (CATALOG.resolve_host(host_spec(model="gce-n1-standard-4", mitigations=word)) for word in ("auto", "off"))
    assert mitigated.kernel_entry_ns == 1330.0
    assert plain.kernel_entry_ns == pytest.approx(1330.0 * 200 / 1794)
    assert CATALOG.resolve_host(host_spec(model="gce-n1-standard-4", kernel_entry=1910.0)).kernel_entry_ns == 1910.0


def test_a_stepping_has_its_own_mitigations() -> None:
    """A Core i7-9700K needs no page-table isolation, its family may: with and without mitigations it enters alike."""
    hosts = [CATALOG.resolve_host(host_spec(model="desktop-i7-9700k", mitigations=word)) for word in ("auto", "off")]
    assert [host.kernel_entry_ns for host in hosts] == pytest.approx([175 / 3.6, 175 / 3.6])


def test_a_lone_thread_has_no_sibling_to_yield_to() -> None:
    assert CATALOG.resolve_host(host_spec(cores=4, smt=1)).smt_yield == 1.0
    assert CATALOG.resolve_host(host_spec(cores=4, smt=2)).smt_yield > 1.0


@pytest.mark.parametrize(("nic", "name", "bits_per_s"), [("40Gbps", "40Gbps", 40e9), (4e10, "40Gbps", 40e9), ("10gbe", "10gbe", 10e9)])
def test_a_bare_bandwidth_is_an_anonymous_nic(nic: str | float, name: str, bits_per_s: float) -> None:
    entry = CATALOG.resolve_host(host_spec(cores=1, nic=nic)).nic
    assert (entry.name, entry.bandwidth, entry.mtu, entry.segment) == (name, bits_per_s, 1500, 65536)


@pytest.mark.parametrize(("spec", "path", "guess"), [
    (host_spec(model="dell-r740-gold-6123"), "host.model", '"dell-r740-gold-6132"'),
    (host_spec(cores=1, disk="nvem"), "host.disk", '"nvme"'),
    (host_spec(cores=1, nic="10gb"), "host.nic", '"10gbe"'),
])
def test_an_unknown_host_disk_or_nic_is_told_with_a_guess(spec: Any, path: str, guess: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        CATALOG.resolve_host(spec)
    issue, = raised.value.issues
    assert issue.path == path
    assert f"did you mean {guess}?" in issue.message


# platforms and their costs


def test_the_platforms_of_the_catalogue_stack_their_layers() -> None:
    stacks = {name: [layer.name for layer in CATALOG.platform(platform_spec(name)).layers] for name in CATALOG.names("platforms")}
    assert stacks["bare-metal"] == []
    assert stacks["docker"] == ["docker"]
    assert stacks["kvm"] == ["kvm"]
    assert stacks["docker-on-kvm"] == ["kvm", "docker"]


def test_a_stated_stack_needs_no_entry() -> None:
    platform = CATALOG.platform(platform_spec("mine", ["kvm", "docker"]))
    assert [layer.kind for layer in platform.layers] == ["hypervisor", "runtime"]
    assert platform.hypervisors[0].guest is not None
    assert platform.hypervisors[0].guest.name == "linux"
    assert platform.runtimes[0].guest is None


def test_an_unknown_platform_or_layer_is_told_with_a_guess() -> None:
    with pytest.raises(ScenarioError, match='did you mean "docker-on-kvm"'):
        CATALOG.platform(platform_spec("docker-on-kwm"))
    with pytest.raises(ScenarioError, match='unknown layer "kvn"; did you mean "kvm"'):
        CATALOG.platform(platform_spec("mine", ["kvn"]))


def service(image: str | None = None, profile: str | None = None) -> Any:
    """A service as far as its profile goes."""
    return SimpleNamespace(image=image, profile=profile)


def test_the_terms_of_a_part_add_up() -> None:
    """Each in its own unit: time, exits and entries of the host."""
    terms = [{"value": value, "source": "a test, made up"} for value in ("1us", "2 exits", "3 entries")]
    catalog = Catalog.load({"runtimes": {"mine": {"like": "docker", "costs": {"syscall": {"cpu": terms, "spared": terms[2]}}}}})
    host = catalog.host_model()
    costs = catalog.platform_costs(catalog.platform(platform_spec("x", ["mine"]), ()), host)
    assert costs.cpu_ns["syscall"] == pytest.approx(1000 + 2 * host.family.vm_exit / host.clock_hz * 1e9 + 3 * host.kernel_entry_ns)
    assert costs.work_ns("syscall") == pytest.approx(costs.cpu_ns["syscall"] - 3 * host.kernel_entry_ns)


def test_a_part_without_terms_is_refused() -> None:
    with pytest.raises(ScenarioError, match="at least one term"):
        Catalog.load({"runtimes": {"mine": {"like": "docker", "costs": {"syscall": {"cpu": []}}}}})


def test_mitigations_that_make_an_entry_cheaper_are_refused() -> None:
    with pytest.raises(ScenarioError, match="at least kernel_entry"):
        Catalog.load({"families": {"mine": {"like": "generic-x86", "mitigated_entry": {"value": "90 cycles", "source": "a test, made up"}}}})


def test_bare_metal_costs_nothing() -> None:
    costs = CATALOG.platform_costs(CATALOG.platform(platform_spec("bare-metal")), CATALOG.host_model())
    assert set(costs.cpu_ns.values()) == set(costs.latency_ns.values()) == set(costs.host_cpu_ns.values()) == {0.0}


def test_costs_of_layers_add_up() -> None:
    host = CATALOG.host_model("dell-r740-gold-6132")
    both, outer, inner = (
        CATALOG.platform_costs(CATALOG.platform(platform_spec(name)), host) for name in ("docker-on-kvm", "kvm", "docker")
    )
    for operation in OPERATIONS:
        assert both.cpu_ns[operation] == pytest.approx(outer.cpu_ns[operation] + inner.cpu_ns[operation])
        assert both.latency_ns[operation] == pytest.approx(outer.latency_ns[operation] + inner.latency_ns[operation])


def test_cycles_exits_and_walks_depend_on_host_and_family() -> None:
    host = CATALOG.host_model("dell-r740-gold-6132")
    costs = CATALOG.platform_costs(CATALOG.platform(platform_spec("kvm")), host)
    assert costs.cpu_ns["timer"] == pytest.approx(2 * 1529 / 2.6)
    assert costs.cpu_ns["tlb_miss"] == pytest.approx((16.6 - 5.6) / 2.6)
    older = CATALOG.platform_costs(CATALOG.platform(platform_spec("kvm")), CATALOG.host_model("ibm-x3650-m4"))
    assert older.cpu_ns["timer"] == pytest.approx(2 * 1500 / 2.4)


def test_an_exit_of_an_inner_hypervisor_is_a_reflected_one() -> None:
    host = CATALOG.host_model("dell-r740-gold-6132")
    nested = CATALOG.platform(platform_spec("vm-in-vm", ["kvm", "kvm"]))
    assert [layer.depth for layer in nested.layers] == [0, 1]
    assert CATALOG.platform_costs(nested, host).cpu_ns["timer"] == pytest.approx(2 * (1529 + 15300) / 2.6)


def test_host_networking_takes_away_the_cost_of_packets_only() -> None:
    host = CATALOG.host_model()
    plain, bridged = (
        CATALOG.platform_costs(CATALOG.platform(platform_spec(name)), host) for name in ("docker-host-network", "docker")
    )
    assert plain.cpu_ns["packet_in"] == plain.latency_ns["call_hop"] == 0 < bridged.cpu_ns["packet_in"]
    assert plain.cpu_ns["syscall"] == bridged.cpu_ns["syscall"] > 0


# images


@pytest.mark.parametrize(("reference", "name"), [
    ("nginx", "nginx"), ("nginx:1.27", "nginx"), ("registry.example/library/nginx:1.27", "nginx"), ("redis:alpine", "redis"),
    ("registry.example:5000/team/postgres:17@sha256:0123", "postgres"), ("mariadb:11", "mysql"), ("Postgres", "postgres"),
    ("dockersamples/examplevotingapp_vote", "generic"), ("", "generic"), ("eclipse-temurin:21-jre", "openjdk"),
])
def test_an_image_reference_finds_its_entry(reference: str, name: str) -> None:
    assert CATALOG.image_name(reference) == name
    assert set(CATALOG.profile(service(image=reference)).rates) == set(RATE_OPERATIONS)


def test_the_short_name_drops_registry_port_tag_and_digest() -> None:
    assert short_name("registry.example:5000/a/b/nginx:1.27@sha256:ab") == "nginx"


def test_no_image_and_no_profile_mean_pure_cpu_work() -> None:
    assert list(CATALOG.profile(service()).rates) == ["instruction"]


def test_a_profile_wins_over_that_of_the_image() -> None:
    assert CATALOG.profile(service(image="nginx", profile="redis")).name == "redis"


# a user's own entries


def test_a_new_hypervisor_is_one_entry() -> None:
    mine = {"hypervisors": {"my-vmm": {"like": "kvm", "costs": {"timer": cost_entry(cpu="1us"), "syscall": cost_entry(cpu="100ns")}}}}
    catalog = Catalog.load(mine)
    costs = catalog.platform_costs(catalog.platform(platform_spec("x", ["my-vmm"])), catalog.host_model())
    kvm = catalog.platform_costs(catalog.platform(platform_spec("kvm")), catalog.host_model())
    assert (costs.cpu_ns["timer"], costs.cpu_ns["syscall"]) == (1000.0, 100.0)
    assert costs.cpu_ns["ipi"] == kvm.cpu_ns["ipi"]


def test_an_added_entry_wins_over_a_shipped_one_of_its_name() -> None:
    mine = {"cpus": {"xeon-e-2224": {"title": "half of it", "source": "a test, made up", "family": "client-core", "cores": 2,
                                     "smt": 1, "clock": "1GHz"}}}
    assert Catalog.load(mine).host_model("dell-t340-e-2224").cores == 2
    assert CATALOG.host_model("dell-t340-e-2224").cores == 4


def test_an_added_host_may_start_from_a_shipped_one() -> None:
    catalog = Catalog.load({"hosts": {"mine": {"like": "dell-r740-gold-6132", "memory": "768GiB"}}})
    assert catalog.resolve_host(host_spec(model="mine")).memory == 768 * 2**30


def test_all_mistakes_of_added_entries_are_told_at_once() -> None:
    mine = {
        "hostz": {},
        "disks": ["fast"],
        "cpus": {"c": {"title": "c", "source": "a test, made up", "family": "skylake", "cores": 0, "smt": 1, "clock": "fast"}},
        "hosts": {"h": {"like": "generic", "cpu": "xeon-gold-6123"}},
        "hypervisors": {"v": {"like": "kwm"}, "w": {"like": "kvm", "costs": {"syscal": cost_entry(cpu="1ns")}}, "x": 3},
        "platforms": {"p": {"title": "p", "source": "a test, made up", "stack": ["kvm", "dokcer"]}},
    }
    with pytest.raises(ScenarioError) as raised:
        Catalog.load(mine)
    told = {issue.path: issue.message for issue in raised.value.issues}
    assert 'did you mean "hosts"' in told["catalog.hostz"]
    assert "a mapping" in told["catalog.disks"]
    assert {"catalog.cpus.c.cores", "catalog.cpus.c.clock"} <= set(told)
    assert 'did you mean "xeon-gold-6132"' in told["catalog.hosts.h.cpu"]
    assert '"kwm"' in told["catalog.hypervisors.v"]
    assert "syscal" in told["catalog.hypervisors.w.costs"]
    assert "catalog.hypervisors.x" in told
    assert 'did you mean "docker"' in told["catalog.platforms.p.stack"]


def test_a_circle_of_likes_is_told() -> None:
    with pytest.raises(ScenarioError, match="a -> b -> a is a circle"):
        Catalog.load({"disks": {"a": {"like": "b"}, "b": {"like": "a"}}})


def test_a_mistake_is_told_where_it_was_written() -> None:
    with pytest.raises(ScenarioError) as raised:
        Catalog.load({"cpus": {"c": 1}}, locate=lambda path: ("web.yaml", len(path), 7))
    assert str(raised.value).startswith("web.yaml:3:7: catalog.cpus.c: ")


# scenarios


def scenario(**changed: Any) -> Scenario:
    """A small scenario with some of its parts replaced."""
    parts: dict[str, Any] = {
        "simvirt": 1, "name": "test", "host": {"cores": 4, "memory": "4GiB"}, "platforms": ["bare-metal"],
        "services": {"web": {"operations": {"job": [{"cpu": "1ms"}]}}}, "workload": {"open": {"rate": "10/s"}},
    }
    return Scenario.model_validate({**parts, **changed})


def test_a_scenario_that_fits_gets_its_catalogue() -> None:
    catalog = Catalog.of(scenario(host={"model": "mine"}, catalog={"hosts": {"mine": {"like": "generic", "sockets": 2}}}))
    assert catalog.host_model("mine").sockets == 2


def test_all_names_that_do_not_exist_are_told_at_once() -> None:
    steps = [
        {"cpu": "1ms", "ops": {"syscal": 3}},
        {"parallel": [{"cpu": "1ms", "ops": {"sys": 1}}, [{"delay": "1ms"}, {"cpu": "1ms", "ops": {"ipiz": 1}}]]},
    ]
    wrong = scenario(
        host={"model": "laptop", "disk": "nvem", "nic": "10gb"},
        platforms=["dokcer", {"name": "mine", "stack": ["kvn", "docker", "rcun"]}],
        services={"web": {"operations": {"job": steps}, "startup": [{"cpu": "1ms", "ops": {"timerz": 1}}]}},
    )
    with pytest.raises(ScenarioError) as raised:
        Catalog.of(wrong)
    assert [issue.path for issue in raised.value.issues] == [
        "host.model", "host.disk", "host.nic", "platforms.0", "platforms.1.stack.0", "platforms.1.stack.2",
        "services.web.startup.0.ops.timerz", "services.web.operations.job.0.ops.syscal",
        "services.web.operations.job.1.parallel.0.0.ops.sys", "services.web.operations.job.1.parallel.1.1.ops.ipiz",
    ]
    assert 'unknown operation "syscal"; did you mean "syscall"' in str(raised.value)


@pytest.mark.parametrize(("service", "said"), [
    ({"cpus": 57}, "57 CPUs on a host of 56"),
    ({"mem_limit": "193GiB"}, "193 GiB on a host of 192 GiB"),
    ({"cpuset": "0,56"}, "up to 55; got 56"),
])
def test_a_limit_beyond_the_model_of_the_host_is_told(service: dict[str, Any], said: str) -> None:
    web = {"operations": {"job": [{"cpu": "1ms"}]}, **service}
    with pytest.raises(ScenarioError, match=said):
        Catalog.of(scenario(host={"model": "dell-r740-gold-6132"}, services={"web": web}))


# listing and explaining


@pytest.mark.parametrize("kind", ["hosts", "cpus", "disks", "nics", "platforms", "hypervisors", "runtimes", "guests", "images", "families", "techniques", "devices", "profiles"])
def test_a_kind_is_listed(kind: str) -> None:
    rows = CATALOG.listing(kind)
    assert [row.name for row in rows] == CATALOG.names(kind)
    assert all(row.title and row.source for row in rows)


def test_an_unknown_kind_is_told_with_a_guess() -> None:
    with pytest.raises(ScenarioError, match='unknown kind "host"; did you mean "hosts"'):
        CATALOG.listing("host")


def test_a_platform_explains_every_operation_of_its_layers() -> None:
    rows = CATALOG.explain("docker-on-kvm")
    for layer in ("kvm", "docker"):
        assert set(OPERATIONS) <= {row.name for row in rows if row.layer == layer}
    timer, = (row for row in rows if (row.layer, row.name, row.part) == ("kvm", "timer", "cpu"))
    assert (timer.value, timer.unit, timer.spread, timer.estimated) == (2.0, "exits", (1.0, 3.0), True)
    assert timer.ns == pytest.approx(2 * 1400 / 2.6)
    assert timer.source
    assert timer.document()["meaning"].startswith(OPERATIONS["timer"])


def test_frames_take_more_than_their_payload_on_the_wire() -> None:
    nic = CATALOG.host_model("dell-r740-gold-6132").nic
    assert nic.wire_bytes(0) == 0
    assert nic.wire_bytes(1) == 1 + 52 + 38
    assert nic.wire_bytes(1448) == 1538
    assert nic.wire_bytes(1449) == 1449 + 2 * 90
    assert 1448000 / nic.wire_bytes(1448000) == pytest.approx(0.9415, abs=1e-4)  # TCP over Ethernet


def test_a_host_explains_its_processor_and_devices() -> None:
    kinds = {row.kind for row in CATALOG.explain("dell-r740-gold-6132")}
    assert kinds == {"hosts", "cpus", "families", "disks", "nics", "power", "prices"}


def test_bare_metal_has_nothing_to_explain() -> None:
    assert CATALOG.explain("bare-metal") == []


def test_the_kind_says_which_entry_of_a_shared_name_is_meant() -> None:
    assert {row.kind for row in CATALOG.explain("generic", "images")} == {"images", "profiles"}


def test_an_unknown_name_is_told_with_a_guess() -> None:
    with pytest.raises(ScenarioError, match='did you mean "firecracker"'):
        CATALOG.explain("firecraker")


def test_a_word_of_a_name_is_told_with_all_names_that_have_it() -> None:
    """Who asks for xen hears of every Xen, platforms before their devices; letters of another case are no other name."""
    with pytest.raises(ScenarioError, match='unknown entry "xen"; did you mean "xen-pv" or "xen-hvm" or "xen-pvh" or "xen-2003"'):
        CATALOG.explain("xen")
    with pytest.raises(ScenarioError, match='did you mean "nginx-static"'):
        CATALOG.named_profile("ngnix")
    with pytest.raises(ScenarioError, match=r'did you mean "docker"\? \(there are \d+: simvirt list\)'):
        CATALOG.explain("Docker")


def test_only_the_files_that_are_needed_are_read() -> None:
    code = (
        "from simvirt.catalog import Catalog; from simvirt.catalog import loader; c = Catalog.load(); c.image_name('nginx');"
        "print(loader._document.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
