"""The network of a run on its page, and how full its links were."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from helpers.field_bases import BARE
from helpers.fields import ABSENT, patched

from simvirt import run
from simvirt.report.page import drawings, network_drawing
from simvirt.result.run_document import RunDocument
from simvirt.scenario import loads

RACKS: dict[str, Any] = {"switches": {"tor-a": {}, "tor-b": {}, "spine": {}}, "links": [
    {"from": "node[0-6]", "to": "tor-a"}, {"from": "node[7]", "to": "tor-b"}, {"from": ["tor-a", "tor-b"], "to": "spine", "bandwidth": "10Mbps"}]}


TREE: dict[str, Any] = patched(BARE, {
    "host": ABSENT, "hosts": {"node": {"count": 8, "cores": 2, "memory": "16GiB", "nic": "10Gbps"}}, "network": RACKS,
    "services": {
        "front": {"threads": "unlimited", "deploy": {"placement": {"constraints": ["host == node[0]"]}}, "operations": {"get": [{"call": "back.take"}]}},
        "back": {"threads": "unlimited", "deploy": {"placement": {"constraints": ["host == node[7]"]}}, "operations": {"take": [{"cpu": "100us"}]}},
    },
    "workload": {"open": {"rate": "500/s", "arrivals": "deterministic"}, "mix": {"front.get": 1}}, "run": {"duration": "2s", "replications": 1, "warmup": "0s"},
})
"""Eight hosts in two racks; a front in one of them calls what runs in the other."""


def answer(**changes: Any) -> RunDocument:
    """The result with some changes."""
    found = run(loads(yaml.safe_dump(patched(TREE, changes), sort_keys=False)), maximum=False).typed()
    assert isinstance(found, RunDocument)
    return found


@pytest.fixture(scope="module")
def document() -> RunDocument:
    return answer()


def test_links_say_what_they_carried(document: RunDocument) -> None:
    """A frame of 91 bytes for each call, and one for each answer, over 10 Mbit/s."""
    links = document.platforms["bare-metal"].links
    used = 500 * 91 * 8 / 10e6
    assert links == {name: pytest.approx(used, rel=0.02) for name in ("tor-a > spine", "spine > tor-a", "tor-b > spine", "spine > tor-b")}


def test_it_is_drawn(document: RunDocument) -> None:
    (drawn,) = network_drawing.of(document)
    assert drawn.title == "bare-metal: the network"
    assert "7 hosts from node[0]" in drawn.svg and "node[7]" in drawn.svg and "3.64 %" in drawn.svg
    assert drawn.description == ("On bare-metal, 3 switches and 8 hosts. Of links the fuller direction: tor-a to spine 3.64 %, tor-b to spine 3.64 %. "
                                 "The fullest NIC is that of node[0], < 0.01 %.")
    assert ("tor-a", "spine", "3.64 %") in drawn.rows and ("node[7]", "tor-b", "< 0.01 %") in drawn.rows


def test_a_full_link_is_the_bottleneck() -> None:
    platform = answer(**{"network/links/2/bandwidth": "1Mbps", "workload/open/rate": "1200/s"}).platforms["bare-metal"]
    assert platform.bottleneck is not None and platform.bottleneck.resource.startswith("link ") and platform.bottleneck.utilisation > 0.85


def test_hosts_of_which_nothing_is_said_are_at_one_switch_and_kinds_of_them_are_drawn() -> None:
    """Hosts that carry the same are one frame with how full they are; the NIC of a host is the link to its switch."""
    hosts = {"big": {"count": 2, "cores": 4, "memory": "16GiB", "zone": "a"}, "small": {"cores": 2, "memory": "8GiB"}}
    found = answer(network=ABSENT, hosts=hosts, **{
        "services/front/deploy": {"replicas": 3}, "services/back/deploy": {"replicas": 1, "placement": {"constraints": ["pool == small"]}}})
    (network,) = network_drawing.of(found)
    assert network.description.startswith("On bare-metal, 1 switch and 3 hosts. The fullest NIC is that of small[0], ")
    *_, where = drawings.of(found)
    assert "2 hosts: big[0] in a, big[1] in a (1 x 4 cores) hold 1 x front each; small[0] (1 x 2 cores) holds" in where.description
    assert where.svg.count('class="frame"') == 2 and "CPU" in where.svg and ("small[0], 2", "1 x back") in where.rows
