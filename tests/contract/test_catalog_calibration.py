"""The published tables that constants were taken from come out of the catalogue again, through families, techniques and devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simvirt.catalog import Catalog, PlatformCosts
from simvirt.catalog.entries.hardware import CpuFamily, DiskEntry
from simvirt.catalog.resolve.layers import walk_miss_ns
from simvirt.scenario.spec.models import PlatformSpec

CATALOG = Catalog.load()


def costs(platform: str, host: str) -> PlatformCosts:
    """The costs of a platform on a host model."""
    return CATALOG.platform_costs(CATALOG.named_platform(platform), CATALOG.host_model(host))


@pytest.mark.parametrize(("platform", "operation", "measured_us", "tolerance"), [
    ("xen-2003", "page_fault", 0.34, 0.02), ("xen-2003", "context_switch", 1.2, 0.02),
    ("vmware-workstation-2003", "syscall", 0.28, 0.02), ("vmware-workstation-2003", "page_fault", 6.47, 0.01),
    ("vmware-workstation-2003", "context_switch", 17.33, 0.01), ("uml", "syscall", 24.25, 0.01), ("uml", "page_fault", 20.74, 0.01),
    ("uml", "context_switch", 14.73, 0.01),
])
def test_lmbench_on_the_machine_of_the_xen_paper(platform: str, operation: str, measured_us: float, tolerance: float) -> None:
    """Barham et al., SOSP 2003, Tables 3 to 5: time over native Linux."""
    assert costs(platform, "dell-2650-2003").cpu_ns[operation] / 1e3 == pytest.approx(measured_us, rel=tolerance)


@pytest.mark.parametrize(("platform", "fork_us", "mmap_us"), [("xen-2003", 88, 71), ("vmware-workstation-2003", 764, 552)])
def test_one_count_of_page_table_entries_explains_fork_and_mmap_of_both_systems(platform: str, fork_us: float, mmap_us: float) -> None:
    """The same table: 135 entries, two switches and twenty faults for fork, 122 entries for mmap."""
    cpu = costs(platform, "dell-2650-2003").cpu_ns
    fork = 135 * cpu["page_table_update"] + 2 * cpu["context_switch"] + 20 * cpu["page_fault"]
    assert fork / 1e3 == pytest.approx(fork_us, rel=0.1)
    assert 122 * cpu["page_table_update"] / 1e3 == pytest.approx(mmap_us, rel=0.1)


def test_a_hypercall_and_an_ipi_of_xen_on_nehalem() -> None:
    """Cheng, Rao and Lau, vScale, EuroSys 2016, Table 1: 0.22 us and 0.98 us."""
    cpu = costs("xen-pv", "dell-m1000e-e5540").cpu_ns
    assert cpu["privileged"] / 1e3 == pytest.approx(0.22, rel=0.02)
    assert cpu["ipi"] / 1e3 == pytest.approx(0.98, rel=0.02)


def test_a_nested_exit_on_nehalem() -> None:
    """Ben-Yehuda et al., Turtles, OSDI 2010: cpuid of a nested guest 58000 cycles; the outer hypervisor's own exit stands beside it."""
    host = CATALOG.host_model("ibm-x3550-m2")
    nested = costs("nested-kvm", "ibm-x3550-m2").cpu_ns["privileged"] * host.clock_hz / 1e9
    assert nested == pytest.approx(58000, rel=0.05)


def test_nested_paging_stays_two_dimensional_inside_a_vm() -> None:
    for operation in ("tlb_miss", "page_fault"):
        assert costs("nested-kvm", "generic").cpu_ns[operation] == costs("kvm", "generic").cpu_ns[operation] > 0
    host = CATALOG.host_model()
    assert walk_miss_ns(CATALOG.named_platform("nested-kvm"), host) == walk_miss_ns(CATALOG.named_platform("kvm"), host)


@pytest.mark.parametrize(("platform", "measured_us"), [("gvisor-ptrace", 10.337), ("gvisor-kvm", 0.697)])
def test_a_system_call_of_gvisor(platform: str, measured_us: float) -> None:
    """Young et al., HotCloud 2019, getuid over bare."""
    assert costs(platform, "generic").work_ns("syscall") / 1e3 == pytest.approx(measured_us, rel=0.01)


def test_a_system_call_of_gvisor_where_entries_are_dear() -> None:
    """gVisor's performance guide, 2020: a call in runc, of which 29 ns are its filter, under ptrace, and on the KVM platform, which spares the entry."""
    host = replace(CATALOG.host_model("gce-n1-standard-4"), measured_entry_ns=1910.0)
    runc, ptrace, kvm = (
        CATALOG.platform_costs(CATALOG.named_platform(name), host).work_ns("syscall") + 1910 for name in ("docker", "gvisor-ptrace", "gvisor-kvm")
    )
    assert runc == pytest.approx(1939)
    assert ptrace == pytest.approx(38219, rel=0.01)
    assert kvm == pytest.approx(763, rel=0.3)
    assert kvm < runc


def test_a_random_access_of_gvisor_to_memory() -> None:
    """gVisor's performance guide, 2020: a seek and a read of 4 KiB, 59.4 us under ptrace and 3.35 in runc; nothing of gVisor was fitted to it."""
    found = costs("gvisor-ptrace", "gce-n1-standard-4")
    assert (2 * found.work_ns("syscall") + found.cpu_ns["disk_read"]) / 1e3 == pytest.approx(59.4 - 3.35, rel=0.1)


def test_a_read_of_gvisor_leaves_the_guest_of_its_kvm_platform() -> None:
    """Young et al., HotCloud 2019, 4 KiB over bare, which nothing was fitted to."""
    found = costs("gvisor-kvm", "generic")
    assert (found.work_ns("syscall") + found.cpu_ns["disk_read"]) / 1e3 == pytest.approx(11.76, rel=0.05)


@pytest.mark.parametrize(("family", "mitigated", "measured"), [
    ("haswell", True, 1794), ("zen2", True, 206), ("generic-x86", False, 200),
])
def test_an_entry_of_the_kernel_is_that_of_its_processor(family: str, mitigated: bool, measured: float) -> None:
    """mode-switch-stat, issue 1, 2021."""
    host = replace(CATALOG.host_model(), family=CATALOG.typed("families", family, CpuFamily), mitigated=mitigated)
    assert host.kernel_entry_ns * host.clock_hz / 1e9 == pytest.approx(measured)


@pytest.mark.parametrize(("device", "operation", "measured_us"), [
    ("firecracker-blk", "disk_read", 2.41), ("firecracker-blk", "disk_write", 3.28), ("firecracker-blk-async", "disk_read", 4.37),
])
def test_a_request_for_data_in_memory_costs_the_vmm_little(device: str, operation: str, measured_us: float) -> None:
    """Firecracker CI baselines of 2023: CPU use of the VMM's thread over requests a second, one vCPU; with a drive the same plus what waiting takes."""
    drive = CATALOG.host_model("aws-m5d-metal-8259cl")
    platform = CATALOG.platform(PlatformSpec(name="firecracker", disk=device))
    in_memory, on_drive = (CATALOG.platform_costs(platform, host) for host in (replace(drive, disk=CATALOG.typed("disks", "memory", DiskEntry)), drive))
    payload = "kib_read" if operation == "disk_read" else "kib_written"
    each = in_memory.backend_ns(operation) + 4 * in_memory.backend_ns(payload) + in_memory.host_interrupt_ns[operation]
    assert each / 1e3 == pytest.approx(measured_us, rel=0.02)
    assert on_drive.backend_ns(operation) - in_memory.backend_ns(operation) == pytest.approx(on_drive.drive_ns[operation])
    assert on_drive.host_cpu_ns == in_memory.host_cpu_ns


def through_the_page_cache(platform: str) -> PlatformCosts:
    """Costs of a platform on the machine of nsdi2020-data, where QEMU too ran with the page cache of the host."""
    return CATALOG.platform_costs(CATALOG.platform(PlatformSpec(name=platform, disk_cache="writeback")), CATALOG.host_model("aws-m5d-metal"))


@pytest.mark.parametrize(("platform", "operation", "serial", "measured"), [
    ("firecracker-2020", "disk_read", True, 12880), ("cloud-hypervisor-2019", "disk_read", True, 13024), ("kvm", "disk_read", False, 135109),
])
def test_a_disk_that_never_rests_passes_as_many_requests_as_its_backend(platform: str, operation: str, serial: bool, measured: float) -> None:
    """nsdi2020-data, m5d.metal, 4 kB at depth 32; a serial device holds its backend for the drive's time, too; nobody sleeps, each interrupts."""
    host, found = CATALOG.host_model("aws-m5d-metal"), through_the_page_cache(platform)
    payload = 4 * found.backend_ns("kib_read" if operation == "disk_read" else "kib_written")
    each = found.backend_ns(operation) + found.host_interrupt_ns[operation] + payload + (host.disk.read_latency + 4096 / host.disk.read_throughput * 1e9 if serial else 0.0)
    assert 1e9 / each == pytest.approx(measured, rel=0.07)


@pytest.mark.parametrize(("platform", "operation", "metal", "measured"), [
    ("firecracker-2020", "disk_read", 16473, 8444), ("cloud-hypervisor-2019", "disk_read", 16473, 9385), ("kvm", "disk_read", 16473, 7513),
    ("kvm", "disk_write", 1 / 10e-6, 1 / 56.2e-6), ("firecracker-2020", "disk_write", 1 / 10e-6, 17717),
])
def test_a_lone_request_to_a_disk_meets_every_wake_up(platform: str, operation: str, metal: float, measured: float) -> None:
    """nsdi2020-data, m5d.metal, 4 kB at depth 1: kick, wake-up, backend, drive, interrupt, the vCPU's own wake-up; for cached writes no drive, and the exit from C1E alone."""
    found = through_the_page_cache(platform)
    names = ("kick", "notify", "wake", "host_cpu", "drive", "latency", "interrupt", "host_wake", "host_interrupt")
    parts = [getattr(found, f"{name}_ns") for name in names]
    guest = found.cpu_ns["idle_wakeup"] + found.latency_ns["idle_wakeup"]
    added = sum(part[operation] for part in parts) + guest + 4 * found.backend_ns("kib_read" if operation == "disk_read" else "kib_written")
    assert 1e9 / (1e9 / metal + added) == pytest.approx(measured, rel=0.1)


@pytest.mark.parametrize(("device", "operation", "measured"), [("vhost-net", "packet_in", 1.652e6), ("vhost-user", "packet_in", 14.156e6)])
def test_packets_of_a_backend_that_never_rests(device: str, operation: str, measured: float) -> None:
    """Kuenzer et al., Unikraft, EuroSys 2021 artifact: packets of 64 bytes a second at 3.6 GHz."""
    stack = Catalog.load({"platforms": {"mine": {"like": "kvm", "net": device}}})
    found = stack.platform_costs(stack.named_platform("mine"), stack.host_model("desktop-i7-9700k"))
    assert 1e9 / found.host_cpu_ns[operation] == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize(("platform", "out", "in_"), [("kvm-2013", 0.14, 0.96), ("docker-2013", 0.45, 0.45)])
def test_cycles_a_byte_of_bulk_transfer_on_the_ibm_server(platform: str, out: float, in_: float) -> None:
    """Felter et al., RC25482, Fig. 2: cycles a byte over native on the whole system, segments of 64 KiB, each acknowledged by a packet.

    What comes in wakes a CPU of a guest and a backend for each segment. How often what goes out wakes the backend is left open, between
    never and always; the prediction of that cell is a run of its table, `ibm-nuttcp-cycles`.
    """
    host, found = CATALOG.host_model("ibm-x3650-m4"), costs(platform, "ibm-x3650-m4")
    for kib, packet, answer, measured in (("kib_out", "packet_out", "packet_in", out), ("kib_in", "packet_in", "packet_out", in_)):
        parts, waking = (found.cpu_ns, found.host_cpu_ns, found.interrupt_ns, found.host_interrupt_ns), (found.kick_ns, found.notify_ns, found.host_wake_ns)
        woken = (found.cpu_ns["idle_wakeup"] + found.latency_ns["idle_wakeup"]) * (packet == "packet_in")
        told = (found.cpu_ns[answer] + found.host_cpu_ns[answer]) / 64
        least = sum(part[kib] + part[packet] / 64 for part in parts) + told + woken / 64
        most = least + sum(part[packet] / 64 for part in waking)
        cycles = host.clock_hz / 1e9 / 1024
        if (platform, kib) == ("kvm-2013", "kib_out"):
            assert least * cycles < measured < most * cycles
        else:
            assert most * cycles == pytest.approx(measured, rel=0.1)


def test_the_vm_of_the_ibm_server_compresses_as_much_slower_as_measured() -> None:
    """Felter et al., RC25482, Table I: PXZ 62.2 MB/s in a pinned VM with its topology, native 76.2."""
    platform, host, profile = CATALOG.named_platform("kvm-2013-tuned"), CATALOG.host_model("ibm-x3650-m4"), CATALOG.named_profile("compression")
    found = CATALOG.platform_costs(platform, host)
    walk = walk_miss_ns(platform, host) * (profile.walk_miss or 0.0)
    added = sum(rate * (found.cpu_ns[name] + (walk if name == "tlb_miss" else 0.0)) for name, rate in profile.rates.items()) / 1e9
    assert 1 / (1 + added) == pytest.approx(62.2 / 76.2, rel=0.03)


ORDERED = [
    ("redis", ["bare-metal", "docker", "kvm", "gvisor-kvm", "gvisor", "gvisor-ptrace"]), ("compile", ["bare-metal", "xen-pvh", "kvm-2007", "uml", "qemu-tcg"]),
    ("postgres-oltp", ["bare-metal", "openvz", "docker", "kvm", "nested-kvm", "gvisor-ptrace"]), ("linpack", ["bare-metal", "docker", "kvm", "qemu-tcg"]),
]


@pytest.mark.parametrize(("profile", "platforms"), ORDERED)
def test_platforms_are_in_the_order_that_everyone_finds(profile: str, platforms: list[str]) -> None:
    """CPU work added by the rates of a workload, from the cheapest to the dearest."""
    rates, host = CATALOG.named_profile(profile).rates, CATALOG.host_model("dell-r740-gold-6132")
    added = [
        sum(found.cpu_ns[name] * rate for name, rate in rates.items())
        for found in (CATALOG.platform_costs(CATALOG.named_platform(platform), host) for platform in platforms)
    ]
    assert added == sorted(added)
    assert len(set(added)) == len(added)
