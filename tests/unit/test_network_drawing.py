"""The network of a run on its page, and how full its links were."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from helpers.field_bases import BARE
from helpers.fields import ABSENT, patched

from simvirt import run
from simvirt.report.page import network_drawing
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
    assert drawn.description.startswith("On bare-metal, 3 switches and 8 hosts: tor-a switch; tor-b switch; spine switch; 7 hosts from node[0] NIC ")
    assert ("tor-a", "spine", "3.64 %") in drawn.rows and ("node[7]", "tor-b", "nobody waits") in drawn.rows


def test_a_full_link_is_the_bottleneck() -> None:
    platform = answer(**{"network/links/2/bandwidth": "1Mbps", "workload/open/rate": "1200/s"}).platforms["bare-metal"]
    assert platform.bottleneck is not None and platform.bottleneck.resource.startswith("link ") and platform.bottleneck.utilisation > 0.85
