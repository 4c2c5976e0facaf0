"""What is said of a network that cannot be one."""

from typing import Any

import pytest
import yaml
from helpers.field_bases import BARE
from helpers.fields import ABSENT, patched

from simvirt.errors import ScenarioError
from simvirt.scenario import loads

HOSTS = patched(BARE, {"host": ABSENT, "hosts": {"node": {"count": 3, "cores": 2, "memory": "16GiB"}, "gpu": {"cores": 2, "memory": "16GiB"}}})
ALL = {"from": ["node", "gpu[0]"], "to": "tor"}


def issues(network: Any) -> list[str]:
    """What is found, place and message."""
    try:
        loads(yaml.safe_dump(patched(HOSTS, {"network": network})))
    except ScenarioError as error:
        return [f"{issue.path}: {issue.message}" for issue in error.issues]
    return []


@pytest.mark.parametrize("network", [
    {"switches": ["tor"], "links": [ALL]},
    {"switches": {"tor": {"latency": "0ns"}, "spine": {}}, "links": [{"from": "node[0-2]", "to": "tor"}, {"from": "gpu", "to": "spine"}, {"from": "tor", "to": "spine"}]},
])
def test_what_is_right(network: Any) -> None:
    assert issues(network) == []


@pytest.mark.parametrize(("network", "said"), [
    ({"switches": ["tor"], "links": [{"from": "node[0-3]", "to": "tor"}]}, 'network.links.0.from: expected a switch or hosts, for example "node[0-2]", which is all of node; got node[0-3]'),
    ({"switches": ["tor"], "links": [{"from": "node", "to": "tr"}]}, 'network.links.0.to: expected a switch or hosts, did you mean "tor"?; got tr'),
    ({"switches": ["tor"], "links": [{"from": ["nod[0-2]", "gpu"], "to": "tor"}]}, 'network.links.0.from: expected a switch or hosts, did you mean "node[0-2]"?; got nod[0-2]'),
    ({"switches": ["tor"], "links": [{"from": "node[2-0]", "to": "tor"}]}, 'network.links.0.from: expected a switch or hosts, for example "node[0-2]", which is all of node; got node[2-0]'),
    ({"switches": ["tor"], "links": [ALL, {"from": "gpu[1]", "to": "tor"}]}, 'network.links.1.from: expected a switch or hosts, for example "gpu[0]", which is all of gpu; got gpu[1]'),
    ({"switches": ["tor", "b"], "links": [ALL, {"from": ["tor", "b"], "to": "b"}]}, "network.links.1.to: a link from b to itself; expected ends that differ"),
    ({"switches": ["tor", "b"], "links": [ALL, {"from": "tor", "to": "b"}, {"from": "b", "to": "tor"}]}, "network.links.2: b and tor are linked already; expected one link for several, with the bandwidth of all of them"),
    ({"switches": ["tor"], "links": [ALL, {"from": "node[0-1]", "to": "tor"}]}, "network.links.1: node[0] and tor are linked already"),
    ({"switches": ["tor", "spare"], "links": [ALL]}, "network.switches.spare: nothing is linked to it; expected a link, for example {from: spare, to: tor}"),
    ({"switches": ["tor"], "links": [{"from": "node", "to": "tor"}]},
     'network.links: no way leads from gpu[0] to node[0]; expected links between all hosts, for example {from: "node[0]", to: tor}'),
    ({"switches": ["tor"], "links": [ALL | {"bandwidth": "10G"}]}, "network.links.0.bandwidth: "),
    ({"switches": ["tor"], "links": [ALL | {"speed": "10Gbps"}]}, "network.links.0.speed: unknown key"),
    ({"switches": {"tor": {"latency": "fast"}}, "links": [ALL]}, "network.switches.tor.latency: "),
    ({"switches": {}, "links": [ALL]}, "network.switches: "),
    ({"switches": ["tor"], "links": [{"from": "node[0", "to": "tor"}]}, 'network.links.0.from: expected a switch, a host as "node[0]", hosts as "node[0-1]" or a list of these; got "node[0"'),
    ({"switches": ["tor"]}, "network.links: missing"),
    ({"switches": ["tor", "tor-b"], "links": [{"from": ["node", "gpu"], "to": "tor"}, {"from": 3, "to": "tor"}]}, "network.links.1.from: expected a switch"),
    ("tor", "network: expected a mapping"),
])
def test_what_is_wrong(network: Any, said: str) -> None:
    found = issues(network)
    assert any(issue.startswith(said) for issue in found), found


def test_hosts_do_not_forward() -> None:
    links = [{"from": "node[0-1]", "to": "a"}, {"from": "node[1-2]", "to": "b"}, {"from": "gpu", "to": ["a", "b"]}]
    assert issues({"switches": ["a", "b"], "links": links}) == [
        'network.links: no way leads from node[0] to node[2]; expected links between all hosts, for example {from: "node[2]", to: a}']
