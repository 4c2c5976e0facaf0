"""What practitioners saw of devices of VMs, restated: the direction is right, the size within a factor of 1.5 unless the test says what lacks."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import replications, scenario, service

FACTOR = 1.5


def rate(services: dict[str, Any], clients: int, host: dict[str, Any], platform: Any, **workload: Any) -> float:
    """Requests a second of closed clients on a platform."""
    spec = scenario(services, {"closed": {"clients": clients}} | workload, {"requests": 8000, "warmup": "0s"}, platforms=[platform], host=host)
    return replications(spec)[0].throughput_per_s


def within_factor(predicted: float, measured: float) -> bool:
    """Whether two rates differ by less than the factor."""
    return measured / FACTOR < predicted < measured * FACTOR


def on_kvm(**devices: str) -> dict[str, Any]:
    """KVM with devices of its own."""
    return {"name": "vm", "stack": ["kvm"], **devices}


def reads(platform: Any) -> float:
    """4 KiB random reads of one fio job at depth 64: an event loop that takes 4.9 us for each, which makes 200 000 a second on the host."""
    fio = {"cpus": 4, "event_loops": 1, "operations": {"job": [{"cpu": "4900ns"}, {"disk": {"read": "4KiB"}}]}}
    return rate({"fio": fio}, 64, {"model": "dell-r7525-epyc-7543", "clock": "4.2GHz", "disk": "nvme"}, platform, local=True)


def test_proxmox_iops() -> None:
    """Proxmox forum, thread 183695: host 200k, KVM 160k to 170k, VMware 200k, Proxmox 100k to 110k random reads a second.

    Plain KVM and VMware come out within a fifth. The virtual SCSI controller of Proxmox comes out slower than plain KVM, and half of what it
    lost there: its storage below QEMU is not known.
    """
    host, plain, scsi, vmware = reads("bare-metal"), reads(on_kvm(disk="virtio-blk")), reads(on_kvm(disk="virtio-scsi")), reads("esxi")
    assert host == pytest.approx(200e3, rel=0.05)
    assert host > plain > scsi
    assert within_factor(plain, 165e3)
    assert within_factor(vmware, 200e3)


def stream(platform: Any, direction: str) -> float:
    """Gbit/s of one TCP stream over 10 GbE: 15 us of CPU for 64 KiB."""
    iperf = service({"cpu": "15us", "ops": {"syscalls": 1}}, {"net": {direction: "64KiB"}}, cpus=2, threads=1)
    return rate({"iperf": iperf}, 8, {"model": "dell-r740-gold-6132", "nic": "10gbe"}, platform, local=True) * 65536 * 8 / 1e9


def test_emulated_adapters_are_slow_both_ways() -> None:
    """serverdevworker.com, xcp-ng/xcp#27, opnsense/core#5775: bare 9.41, KVM with virtio 8.12, Docker 9.38 Gbit/s, e1000 and rtl8139 far below."""
    for direction in ("out", "in"):
        bare, docker, virtio = (stream(platform, direction) for platform in ("bare-metal", "docker", "kvm"))
        e1000, rtl8139 = (stream(on_kvm(net=net), direction) for net in ("e1000", "rtl8139"))
        assert within_factor(bare, 9.41) and within_factor(docker, 9.38) and within_factor(virtio, 8.12)
        assert virtio > 1.5 * e1000 > 1.5 * rtl8139


def requests(platform: Any, clients: int) -> float:
    """Small requests a second over the network to a server of one CPU and one thread that takes 8 us for each."""
    server = service({"cpu": "8us"}, image="redis", cpus=1, threads=1)
    return rate({"server": server}, clients, {"model": "dell-r740-gold-6132"}, platform)


@pytest.mark.parametrize("clients", [1, 2, 4, 16, 64])
def test_small_requests_are_slower_in_a_vm_than_in_a_container(clients: int) -> None:
    """From one connection to saturation: a guest wakes up, is interrupted and kicks its backend, a bridge only hands over."""
    bare, docker, kvm = (requests(platform, clients) for platform in ("bare-metal", "docker", "kvm"))
    assert bare > docker > kvm
