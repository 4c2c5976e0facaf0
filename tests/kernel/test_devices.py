"""Devices of VMs against closed forms: kicks, interrupts, serial disks, threads that saturate, a domain that all share, halt polling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.support import COMPILED, after, begun, replications, scenario, service
from helpers.vm_devices import DISK, NET, SPAN, costs, number, outcome, world

from simvirt.analysis.formulas import md1
from simvirt.scenario.spec.models import Scenario

READ = {"disk": {"read": "4KiB"}}
READ_S = 58.7e-6
"""What a read of 4 KiB takes on the catalogue's NVMe drive [s]."""


# --- threads and messages on their way ---------------------------------------------------------------------------------------


def test_a_thread_is_not_held_by_messages_on_their_way() -> None:
    """One thread that computes 10 us, a backend of 8 us for a request and an acknowledgement, a link: callers in line keep the thread busy, no wake-up is paid and hardly a kick.

    The backend is at work for a next call whenever an answer leaves.
    """
    slow = world(clients=8, steps=[{"cpu": "10us"}, {"net": {"out": "5KB"}}], net=kicking("4us"), idle={"latency": "50us"}, seconds=SPAN / 10)
    found = replications(slow.model_copy(update={"services": {"s0": slow.services["s0"].model_copy(update={"threads": 1})}}))[0]
    assert set(found.checks.values()) == {"ok"}, found.checks
    assert found.throughput_per_s == pytest.approx(1 / 10e-6, rel=0.01)
    assert found.devices["net"]["notifications"] < 0.01 * found.requests


def test_a_lone_caller_waits_for_every_part_of_the_way() -> None:
    """Backend, thread and link come one after the other, as nothing else is under way."""
    found = outcome(clients=1, steps=[{"cpu": "10us"}, {"net": {"out": "1400B"}}], net={"costs": costs(NET, packet_in={"host_cpu": "8us"})}, seconds=SPAN / 10)
    link = (1400 + 52 + 38) * 8 / 10e9
    assert found.latency_mean_s == pytest.approx(10e-6 + 8e-6 + link, rel=0.03)


def test_a_full_line_rejects_what_has_passed_the_device() -> None:
    """A call is rejected where it would join the line, after its way, and is not counted as under way any more."""
    busy = world(rate=5000, steps=[{"cpu": "1ms"}], net=kicking("8us"), seconds=SPAN / 10)
    found = replications(busy.model_copy(update={"services": {"s0": busy.services["s0"].model_copy(update={"threads": 1, "queue": 2})}}))[0]
    assert set(found.checks.values()) == {"ok"}, found.checks
    assert found.throughput_per_s == pytest.approx(1000, rel=0.05)
    assert found.latency_mean_s == pytest.approx(3e-3, rel=0.1)  # two in line before it, one served


# --- kicks and interrupts --------------------------------------------------------------------------------------------------


def kicking(host_cpu: str = "20us", **device: Any) -> dict[str, Any]:
    """A network path whose backend works for each packet that comes in, and is kicked for each that goes out."""
    return {"costs": costs(NET, packet_in={"host_cpu": host_cpu}, packet_out={"notify": "1us"})} | device


def test_kicks_per_packet_fall_with_load_as_the_backend_sleeps_less() -> None:
    """Poisson packets: a departure leaves the backend empty with probability 1 - rho, and then the answer needs a kick."""
    shares = []
    for rho in (0.1, 0.5, 0.9):
        found = outcome(rate=rho / 20e-6, net=kicking(), steps=[{"delay": "0us"}])
        shares.append(found.devices["net"]["notifications"] / (found.devices["net"]["operations"] / 2))
        error = 4 * np.sqrt(rho * (1 - rho) / found.requests) * (1 + rho) / (1 - rho)
        assert abs(shares[-1] - (1 - rho)) < error, (rho, shares)
    assert shares == sorted(shares, reverse=True)


def test_a_device_that_suppresses_nothing_interrupts_a_kernel_that_polls() -> None:
    """Poisson packets whose kernel handles each for long: spared are the interrupts of those that find the backend at work alone."""
    rate, parts = 30_000.0, costs(NET, packet_in={"host_cpu": "2us", "cpu": "15us", "interrupt": "1us"}, packet_out={"kick": "1us", "host_cpu": "2us"})
    each = {}
    for suppresses in (False, True):
        found = outcome(rate=rate, net={"suppresses": suppresses, "costs": parts}, steps=[{"delay": "0us"}], seconds=SPAN / 20)
        each[suppresses] = found.devices["net"]["interrupts"] / (found.devices["net"]["operations"] / 2)
    assert each[False] == pytest.approx(1 - rate * 4e-6, abs=0.03)
    assert each[True] < 0.6 * each[False]


def test_a_backend_that_polls_needs_no_kick_while_it_does() -> None:
    """One packet a millisecond with a window longer than that: the first kick only, and the host polls all the time."""
    found = outcome(clients=1, steps=[{"delay": "1ms"}], net=kicking(host_cpu="10us", poll=number("2ms")))
    slept = outcome(clients=1, steps=[{"delay": "1ms"}], net=kicking(host_cpu="10us", poll=number("0us")))
    assert (found.devices["net"]["notifications"], slept.devices["net"]["notifications"]) == (0, slept.devices["net"]["operations"] // 2)
    assert found.utilisation == pytest.approx(1 / 8, rel=0.02)
    assert slept.utilisation == pytest.approx(11 / 1011 / 8, rel=0.02)


def test_polling_is_paid_for_up_to_the_window() -> None:
    """One packet a millisecond, a window of 100 us."""
    found = outcome(clients=1, steps=[{"delay": "1ms"}], net=kicking(host_cpu="10us", poll=number("100us")))
    assert found.utilisation == pytest.approx((10 + 100 + 1) / 1011 / 8, rel=0.02)


def test_moderated_interrupts_come_at_the_rate_of_a_counter_with_dead_time() -> None:
    """Poisson packets at rate r, one interrupt in tau at most: r / (1 + r tau) interrupts a second."""
    rate, tau = 20_000.0, 100e-6
    found = outcome(rate=rate, steps=[{"delay": "0us"}], net={"moderation": number("100us"), "costs": costs(NET, packet_in={"interrupt": "1us"})})
    expected = rate / (1 + rate * tau)
    assert found.devices["net"]["interrupts"] / found.simulated_s == pytest.approx(expected, rel=4 / np.sqrt(expected * SPAN))
    assert found.devices["net"]["operations"] == pytest.approx(2 * found.requests, abs=4)


def test_what_the_last_step_sends_is_the_answer() -> None:
    """A request and its answer are two packets, whether the answer is empty or the last step sends it; what is sent before it is a packet more."""
    sent = {"net": {"out": "200B"}}
    packets = []
    for steps in ([{"delay": "10us"}], [{"delay": "10us"}, sent], [sent, {"delay": "10us"}]):
        found = outcome(rate=100.0, steps=steps, net={"costs": costs(NET, packet_in={"host_cpu": "1us"}, packet_out={"host_cpu": "1us"})})
        packets.append(found.devices["net"]["operations"] / found.requests)
    assert packets == [pytest.approx(n, rel=0.01) for n in (2, 2, 3)]


def test_segments_of_one_transfer_share_interrupts_as_moderation_says() -> None:
    """1 MB comes in 16 segments of 64 KiB during 0.8 ms at 10 Gbit/s: 16 interrupts, or one each 200 us and the first; one more for the request."""
    interrupts = {}
    for tau in ("0us", "200us"):
        given = {"moderation": number(tau), "costs": costs(NET, packet_in={"interrupt": "1us"})}
        found = outcome(clients=1, steps=[{"net": {"in": "1000000B"}}, {"delay": "10ms"}], net=given)
        interrupts[tau] = found.devices["net"]["interrupts"] / found.requests
    assert interrupts["0us"] == pytest.approx(17, rel=0.05)
    assert interrupts["200us"] == pytest.approx(6, rel=0.05)


def test_what_kicks_and_interrupts_cost_is_paid_once() -> None:
    """Overhead of the instance is kicks x their work + interrupts x theirs, whether or not the operation computes."""
    parts = {"disk_read": {"notify": "3us", "interrupt": "5us"}}
    for steps in ([READ], [{"cpu": "10us"}, READ], [READ, {"cpu": "10us"}]):
        clock, totals = after(world(5000, steps=steps, disk={"costs": costs(DISK, **parts)}), SPAN)
        plane = clock.plane
        kicks, interrupts = (int(plane.read("devices", name)[1]) for name in ("notifications", "interrupts"))
        overhead = float(totals.overhead_time[plane.instances_of("s0")].sum())
        assert kicks > 0.9 * interrupts > 1000
        assert overhead == pytest.approx(kicks * 3000 + interrupts * 5000, rel=1e-3)


def test_a_wake_up_is_waited_for_only_when_the_backend_sleeps() -> None:
    """At low load each request waits 30 us; a backend that polls lets none wait."""
    for poll, expected in (("0us", 90e-6), ("1s", 60e-6)):
        found = outcome(clients=1, steps=[{"delay": "50us"}], net={"poll": number(poll), "costs": costs(NET, packet_in={"host_cpu": "10us", "wake": "30us"})})
        assert found.latency_mean_s == pytest.approx(expected, rel=0.01)


# --- disks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clients", [1, 4, 32])
def test_a_serial_disk_passes_one_request_at_a_time_whatever_the_depth(clients: int) -> None:
    """The thread is held for its work and the drive's time; the latency of the path counts at depth 1 only."""
    disk = {"backend": "vmm", "serial": True, "costs": costs(DISK, disk_read={"host_cpu": "15us", "latency": "42us"})}
    found = outcome(clients=clients, steps=[READ], disk=disk)
    held = 15e-6 + READ_S
    assert found.throughput_per_s == pytest.approx(1 / (held + (42e-6 if clients == 1 else 0.0)), rel=0.01)


def test_an_emulated_disk_without_a_thread_can_be_serial_too() -> None:
    found = outcome(clients=8, steps=[READ], disk={"backend": "vcpu", "serial": True})
    assert found.throughput_per_s == pytest.approx(1 / READ_S, rel=0.01)
    assert found.resources["mine I/O thread"] == pytest.approx(1.0, rel=0.01)


def test_an_io_thread_saturates_before_the_disk() -> None:
    """At depth 64 the thread passes 1 / work; with Poisson reads it is an M/D/1 queue before the drive."""
    disk = {"costs": costs(DISK, disk_read={"host_cpu": "20us"})}
    full = outcome(clients=64, steps=[READ], disk=disk)
    assert full.throughput_per_s == pytest.approx(50_000, rel=0.01)
    assert max(full.resources, key=lambda name: full.resources[name]) == "mine I/O thread"
    for rho in (0.3, 0.7):
        found = outcome(rate=rho / 20e-6, steps=[READ], disk=disk)
        assert found.latency_mean_s == pytest.approx(md1(rho / 20e-6, 20e-6).response_s + READ_S, rel=0.03 if COMPILED else 0.1)


def test_emulated_disks_pass_less_than_paravirtual_ones() -> None:
    """Random reads at depth 32 through the catalogue's disks of KVM; IDE has one command under way at a time."""
    found = []
    for disk in ("ide", "ahci", "virtio-scsi", "virtio-blk", "virtio-blk-iothread", "virtio-blk-io-uring", "nvme-passthrough"):
        services = {"fio": service(READ, threads="unlimited", cpus=4)}
        spec = scenario(
            services, {"closed": {"clients": 32}, "local": True}, {"requests": 2000, "warmup": "0s"},
            platforms=[{"name": "x", "stack": ["kvm"], "disk": disk}], host={"cores": 8, "disk": "nvme"},
        )
        found.append(replications(spec)[0].throughput_per_s)
    assert found == sorted(found)
    assert found[0] < 1 / READ_S < found[1]


def test_a_write_back_takes_the_path_without_being_waited_for() -> None:
    disk = {"costs": costs(DISK, disk_write={"host_cpu": "50us", "latency": "1ms", "interrupt": "2us"})}
    found = outcome(clients=1, steps=[{"disk": {"write": "4KiB"}}, {"delay": "1ms"}], disk=disk)
    assert found.latency_mean_s == pytest.approx(1.002e-3, rel=0.001)  # the interrupt of the write before it
    assert found.devices["disk"]["operations"] == pytest.approx(found.requests, abs=2)
    assert found.resources["mine I/O thread"] == pytest.approx(0.05, rel=0.02)


# --- where the backend is --------------------------------------------------------------------------------------------------


def test_a_monitor_with_one_thread_serves_both_paths_with_it() -> None:
    """40 us for the packet and 40 us for the disk: 12 500 requests/s through one thread, 25 000 through two."""
    net, disk = {"costs": costs(NET, packet_in={"host_cpu": "40us"})}, {"costs": costs(DISK, disk_read={"host_cpu": "40us"})}
    two = outcome(clients=64, steps=[READ], net=net, disk=disk)
    one = outcome(clients=64, steps=[READ], net=net | {"backend": "vmm"}, disk=disk | {"backend": "vmm"})
    assert two.throughput_per_s == pytest.approx(25_000, rel=0.01)
    assert one.throughput_per_s == pytest.approx(12_500, rel=0.01)


@pytest.mark.parametrize("services", [2, 4])
def test_dom0_saturates_however_many_vms_share_it(services: int) -> None:
    """Two vCPUs pass 2 / 50 us requests a second of all VMs together."""
    net = {"backend": "dom0", "costs": costs(NET, packet_in={"host_cpu": "50us"})}
    found = outcome(clients=64, services=services, net=net, seconds=SPAN / 5, dom0={"vcpus": number(2), "memory": number("1GiB")})
    assert found.throughput_per_s == pytest.approx(40_000, rel=0.02)
    assert found.resources["dom0.cpu"] == pytest.approx(1.0, rel=0.02)
    assert found.memory["dom0"] == 2**30


def test_a_thread_of_its_own_for_each_vm_does_not_saturate_with_their_number() -> None:
    net = {"costs": costs(NET, packet_in={"host_cpu": "50us"})}
    found = [outcome(clients=64, services=n, net=net, seconds=SPAN / 5).throughput_per_s for n in (1, 3)]
    assert found == [pytest.approx(20_000, rel=0.02), pytest.approx(60_000, rel=0.02)]


def test_a_device_passed_through_has_no_backend() -> None:
    """It costs what the instance pays, and else is the bare machine."""
    bare: dict[str, Any] = {role: {"backend": "none"} for role in ("net", "disk")}
    steps = [{"cpu": "20us"}, READ]
    found = outcome(clients=1, steps=steps, **bare)
    spec = world(clients=1, steps=steps, **bare)
    metal = replications(spec.model_copy(update={"platforms": world_bare(spec)}))[0]
    assert "mine I/O thread" not in found.resources
    assert (found.latency_mean_s, found.events) == (metal.latency_mean_s, metal.events)
    paid = outcome(clients=1, steps=steps, net=bare["net"] | {"costs": costs(NET, packet_in={"interrupt": "10us"})}, disk=bare["disk"])
    assert paid.latency_mean_s - found.latency_mean_s == pytest.approx(10e-6, rel=0.01)  # both end with a reading of their own length


def world_bare(spec: Scenario) -> Any:
    """Bare metal as the only platform."""
    return tuple(platform.model_copy(update={"name": "bare-metal", "stack": None}) for platform in spec.platforms)


# --- the host --------------------------------------------------------------------------------------------------------------


def test_a_hosted_hypervisor_loads_the_host() -> None:
    load = {"threads": number(3), "duty": number(0.2), "period": number("10ms")}
    found, without = outcome(rate=100, host_load=load), outcome(rate=100)
    assert found.utilisation - without.utilisation == pytest.approx(0.6 / 8, rel=0.02)
    assert found.virtualization == pytest.approx(1.0)


def test_halt_polling_spares_the_wake_up_and_costs_the_host_the_wait() -> None:
    """A vCPU that is wanted each 50 us: the window grows to cover it, its thread is not woken, the polled time is the host's.

    The guest has left by HLT before the host polls: the exit (its CPU time) is paid all the same.
    """
    given: dict[str, Any] = {"clients": 1, "steps": [{"cpu": "10us"}, {"delay": "50us"}], "idle": {"cpu": "1us", "latency": "3us"}}
    woken, polled = outcome(**given), outcome(halt_poll=number("200us"), **given)
    assert woken.latency_mean_s == pytest.approx(64e-6, rel=0.001)
    assert polled.latency_mean_s == pytest.approx(61e-6, rel=0.001)
    assert woken.utilisation == pytest.approx(14 / 64 / 8, rel=0.01)
    assert polled.utilisation == pytest.approx(1 / 8, rel=0.01)


def test_a_guest_that_polls_spares_the_exit_too() -> None:
    """As halt polling by the host, from 50 us on; neither the exit nor the wake-up is paid, the vCPU computes all the time."""
    given: dict[str, Any] = {"clients": 1, "steps": [{"cpu": "10us"}, {"delay": "150us"}], "idle": {"cpu": "1us", "latency": "3us"}}
    found = outcome(guest_polls="200us", **given)
    assert found.latency_mean_s == pytest.approx(160e-6, rel=0.001)
    assert found.utilisation == pytest.approx(1 / 8, rel=0.01)


def test_the_window_of_a_guest_grows_and_shrinks_as_in_linux() -> None:
    """50 us, then doubled up to 200; halved by each sleep beyond that."""
    steps = [*[{"cpu": "10us"}, {"delay": "150us"}] * 4, *[{"cpu": "10us"}, {"delay": "300us"}] * 2]
    clock = begun(world(clients=1, steps=steps, guest_polls="200us", idle={"cpu": "0us"}))
    windows = []
    for at in range(10, 1400, 20):
        clock.run(until=at * 1000)
        windows.append(int(clock.plane.read("cpus", "poll_window")[8]))
    assert [window for n, window in enumerate(windows) if n == 0 or windows[n - 1] != window] == [0, 50_000, 100_000, 200_000, 100_000, 50_000]


def test_a_vcpu_that_sleeps_long_is_not_polled_for() -> None:
    """Beyond the longest window the host gives up at once."""
    given: dict[str, Any] = {"clients": 1, "steps": [{"cpu": "10us"}, {"delay": "500us"}], "idle": {"cpu": "4us"}}
    woken, polled = outcome(**given), outcome(halt_poll=number("200us"), **given)
    assert polled.latency_mean_s == woken.latency_mean_s
    assert polled.utilisation == woken.utilisation


def test_the_window_grows_as_in_linux() -> None:
    """10 us, then doubled until it covers a sleep of 50 us: 80 us; a longer sleep than the most closes it."""
    clock = begun(world(clients=1, steps=[{"cpu": "10us"}, {"delay": "50us"}], halt_poll=number("200us"), idle={"cpu": "4us"}))
    windows = []
    for at in range(1, 8):
        clock.run(until=at * 64_000)
        windows.append(int(clock.plane.read("cpus", "poll_window")[8]))
    assert list(dict.fromkeys(windows)) == [0, 10_000, 20_000, 40_000, 80_000]


@pytest.mark.parametrize("cores", [1, 2, 4])
@pytest.mark.parametrize("vms", [3, 9])
def test_polling_ends_when_another_takes_the_cpu(cores: int, vms: int) -> None:
    """Many vCPUs that halt and wake all the time poll on few CPUs: what tasks and polling take never exceeds the CPUs."""
    spec = world(services=vms, clients=vms, steps=[{"cpu": "20us"}, {"delay": "40us"}], halt_poll=number("200us"), idle={"cpu": "1us", "latency": "2us"}, seconds=SPAN / 10)
    found = replications(spec.model_copy(update={"host": spec.host.model_copy(update={"cores": cores})}))[0]
    assert found.utilisation <= 1.0 + 1e-9
    assert found.utilisation > min(0.99, 20 / 63 * vms / cores)


def test_pinned_vcpus_leave_other_cpus_to_the_threads_that_serve_them() -> None:
    """A thread that works 10 us for each packet beside one vCPU that always computes: pinning takes nothing from either."""
    spec = world(clients=4, steps=[{"cpu": "20us"}], net={"costs": costs(NET, packet_in={"host_cpu": "10us"})}, seconds=SPAN / 5)
    pinned = spec.model_copy(update={"platforms": (spec.platforms[0].model_copy(update={"pin": True}),)})
    free, bound = (replications(each)[0] for each in (spec, pinned))
    assert bound.latency_mean_s == pytest.approx(free.latency_mean_s, rel=0.01)
    assert bound.breakdown_s["steal"] == pytest.approx(0.0, abs=1e-7)


# --- inside one VM ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vms", "latency", "packets"), [(1, 1.011e-3, 2), (2, 1.091e-3, 6)])
def test_messages_between_replicas_in_one_vm_do_not_pass_its_device(vms: int, latency: float, packets: int) -> None:
    """A request and its answer pass the device; the call between two services only where they are in two VMs: twice its hop, three packets in."""
    spec = world(clients=1, net={"costs": costs(NET, packet_in={"host_cpu": "10us"}, call_hop={"latency": "30us"})})
    tree = {"front": service({"call": "back.job"}, {"delay": "1ms"}), "back": service({"delay": "1us"})}
    platform = {"name": "x", "stack": ["mine"], "vms": {"count": vms, "vcpus": 2, "memory": "1GiB"}}
    found = replications(
        scenario(
            tree, {"closed": {"clients": 1}, "mix": {"front.job": 1}}, {"duration": f"{SPAN}s", "warmup": "0s"}, platforms=[platform], catalog=spec.catalog,
            host={"cores": 8},
        )
    )[0]
    assert found.latency_mean_s == pytest.approx(latency, rel=0.002)
    assert found.devices["net"]["operations"] / found.requests == pytest.approx(packets, rel=0.01)
