"""What a result says of each of several hosts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from simvirt import run
from simvirt.report import as_text, run_report
from simvirt.result.run_document import RunDocument
from simvirt.scenario import loads


def result(count: int, platform: str = "docker", **placement: Any) -> RunDocument:
    """Four replicas that keep some CPUs busy, and a second service on the hosts of zone b."""
    steps = [{"cpu": "2ms"}, {"disk": {"read": "64KiB"}, "probability": 0.5}, {"net": {"out": "64KiB"}}]
    return run(loads(yaml.safe_dump({
        "simvirt": 1, "name": "several", "platforms": [platform], "run": {"duration": "3s", "replications": 2, "warmup": "0s"},
        "hosts": {"node": {"count": count, "cores": 2, "memory": "8GiB", "zone": ["a", "b"], "nic": "1gbe", "disk": "sata-ssd"}},
        "services": {
            "web": {"deploy": {"replicas": 4}, "operations": {"get": steps}},
            "job": {"deploy": {"replicas": 1, "placement": placement}, "background": {"threads": 2, "duty": 0.9}},
        },
        "workload": {"open": {"rate": "200/s"}, "mix": {"web.get": 1}},
    })), maximum=False).typed()


@pytest.mark.parametrize("platform", ["docker", "kvm"])
def test_the_hosts_are_what_they_are_together(platform: str) -> None:
    """The utilisation of all is the mean of each; the fullest is the bottleneck, by its name; what stands where is said."""
    document = result(3, platform, constraints=["zone == b"])
    found = document.platforms[platform]
    assert list(found.hosts) == ["node[0]", "node[1]", "node[2]"] == [host.name for host in found.layout]
    assert [host.zone for host in found.layout] == ["a", "b", "a"]
    cpus = [host.cpu or 0.0 for host in found.hosts.values()]
    assert sum(cpus) / 3 == pytest.approx(found.cpu.utilisation.value, rel=1e-6)
    assert cpus[1] > 0.85 > 0.5 > max(cpus[0], cpus[2])
    assert found.bottleneck.resource == "node[1].cpu" and found.bottleneck.utilisation == pytest.approx(cpus[1])
    assert [name for name in found.bottleneck.resources if name.startswith("node")] == ["node[1].cpu", "node[0].disk", "node[0].nic"]
    assert all(0 < (host.memory or 0) < 1 and 0 < (host.disk or 0) < 1 and 0 < (host.nic or 0) < 1 for host in found.hosts.values())
    assert found.memory.ledger.capacity_bytes == 3 * 8 * 2**30 == found.memory.capacity_bytes
    ledger = found.memory.ledger
    assert 1 - ledger.free_bytes / ledger.capacity_bytes == pytest.approx(sum(host.memory or 0 for host in found.hosts.values()) / 3)


def test_one_host_has_no_part_of_its_own() -> None:
    document = result(1).document()["platforms"]["docker"]
    assert "hosts" not in document and "name" not in document["layout"][0] and "host.cpu" in document["bottleneck"]["resources"]


@pytest.mark.parametrize(("count", "rows"), [(3, ["node[0] CPU", "node[2] CPU", "fullest disk"]), (9, ["fullest CPU", "emptiest CPU", "fullest NIC"])])
def test_a_report_says_how_full_they_are(count: int, rows: list[str]) -> None:
    text = as_text.render(run_report.report(result(count)), 80)
    assert all(row in text for row in ["Hosts", *rows]) and ("node[8] CPU" in text) == (count == 8)
