"""What is said of volumes that cannot be."""

# ruff: noqa: E501  (a case stays on its line)

from typing import Any

import pytest
import yaml
from helpers.field_bases import BARE
from helpers.fields import ABSENT, patched

from simvirt.catalog import Catalog
from simvirt.errors import ScenarioError
from simvirt.plan import plan
from simvirt.scenario import loads

HOSTS = patched(BARE, {
    "host": ABSENT, "hosts": {"node": {"cores": 2, "memory": "16GiB"}, "nas": {"count": 3, "cores": 2, "memory": "16GiB"}},
    "volumes": {"data": {"driver": "nfs", "host": "nas[0]"}}, "services/server/volumes": ["data:/var/lib/data:ro"], "services/server/operations/job": [{"disk": {"read": "4KiB"}}],
})
DATA = "volumes/data"


def issues(patch: dict[str, Any]) -> list[str]:
    """What is found, place and message."""
    try:
        Catalog.of(loads(yaml.safe_dump(patched(HOSTS, patch))))
    except ScenarioError as error:
        return [f"{issue.path}: {issue.message}" for issue in error.issues]
    return []


@pytest.mark.parametrize("patch", [
    {}, {DATA: {"driver": "ceph", "host": ["nas[0-1]", "node"], "replicas": 2}}, {DATA: {}}, {DATA: {"driver": "local"}},
    {"services/server/operations/job": [{"disk": {"read": "4KiB", "volume": "data"}}]},
])
def test_what_is_right(patch: dict[str, Any]) -> None:
    assert issues(patch) == []


@pytest.mark.parametrize(("patch", "said"), [
    ({f"{DATA}/driver": "nsf"}, 'volumes.data.driver: unknown volume_driver "nsf"; did you mean "nfs"?'),
    ({f"{DATA}/host": "nas[3]"}, 'volumes.data.host: expected a host, for example "nas[0-2]", which is all of nas; got nas[3]'),
    ({f"{DATA}/host": "nas"}, 'volumes.data.host: nfs serves a volume from one host; expected one, for example "nas[0]"; got 3'),
    ({DATA: {"driver": "nfs"}}, 'volumes.data.host: missing (the host that serves it), for example host: "nas[0]"'),
    ({f"{DATA}/driver": "local"}, "volumes.data.host: a local volume lies on the host that uses it; expected another driver, for example driver: nfs"),
    ({f"{DATA}/replicas": 1}, "volumes.data.replicas: has no effect, for nfs does not replicate; expected a driver that does: ceph"),
    ({DATA: {"driver": "ceph", "host": "nas", "replicas": 4}}, "volumes.data.replicas: expected at most as many as the 3 hosts that it lies on; got 4"),
    ({DATA: {"driver": "ceph", "host": ["nas", "nas[1]"]}}, "volumes.data.host: expected each host once; nas[1] is named twice"),
    ({"services/server/volumes": ["dta"]}, 'services.server.volumes.0: unknown volume "dta"; did you mean "data"?'),
    ({"services/server/volumes": ["data", "data"]}, "services.server.volumes.1: data is already there; expected each volume once"),
    ({"services/server/volumes": ["./data:/data"]}, 'services.server.volumes.0: expected the name of a volume, for example data or "data:/var/lib/data"; got "./data:/data"'),
    ({"services/server/volumes": ABSENT}, "volumes.data: no service has it; expected it among the volumes of one, for example server: {volumes: [data]}"),
    ({"services/server/operations/job": [{"disk": {"read": "4KiB", "volume": "date"}}]}, 'services.server.operations.job.0.disk.volume: unknown volume "date"; did you mean "data"?'),
    ({"hosts": ABSENT, "host": {"cores": 2, "memory": "16GiB"}, f"{DATA}/host": "host"}, "volumes.data.host: there is one host, on which a volume is local; expected several"),
])
def test_what_is_wrong(patch: dict[str, Any], said: str) -> None:
    found = issues(patch)
    assert any(issue.startswith(said) for issue in found), found


def test_what_no_host_has_room_for_names_the_pool_that_comes_nearest() -> None:
    unlike = {"hosts": {"small": {"cores": 2, "memory": "4GiB"}, "large": {"cores": 8, "memory": "64GiB"}}, "volumes": ABSENT, "services/server/volumes": ABSENT}
    assert issues(unlike | {"services/server/cpus": 4, "services/server/mem_limit": "16GiB"}) == []
    assert issues(unlike | {"services/server/cpus": 16, "services/server/mem_limit": "16GiB"}) == [
        "services.server.cpus: expected at most the 8 CPUs of the host; got 16; those are hosts.large, and no other hosts will do"]


def test_a_plan_has_other_hosts_than_those_that_serve_a_volume() -> None:
    planned = loads(yaml.safe_dump(patched(HOSTS, {"objective": {"latency_p99": "1s"}, "plan": {"years": 1}})))
    with pytest.raises(ScenarioError, match=r"volumes\.data: a plan puts other hosts in place of those that serve it; expected a local volume"):
        plan(planned)
