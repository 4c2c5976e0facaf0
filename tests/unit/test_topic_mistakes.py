"""What is refused of topics, in words that say where, what was expected, and what came."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import scenario

from simvirt.errors import ScenarioError

SERVICES: dict[str, Any] = {
    "web": {"operations": {"buy": [{"publish": "orders"}]}}, "work": {"operations": {"do": [{"cpu": "1ms"}]}, "scale": 2},
}
LOAD = {"open": {"rate": "10/s"}, "mix": {"web.buy": 1}}


def refused(of: Any, services: dict[str, Any] | None = None, **fields: Any) -> str:
    """The first mistake of a topic."""
    with pytest.raises(ScenarioError) as found:
        scenario(services or SERVICES, LOAD, {"duration": "1s"}, topics={"orders": {"subscribers": of}}, **fields)
    first = found.value.issues[0]
    return f"{first.path}: {first.message}"


@pytest.mark.parametrize(("of", "words"), [
    ({"work.do": {"concurrency": 4, "prefetch": 2}}, "topics.orders.subscribers.work.do.prefetch: expected at least the 4 messages"),
    ({"work.do": {"delivery": "at-most-once", "visibility": "1s"}}, "visibility: has no effect on messages that are delivered once"),
    ({"work.do": {"full": "drop-oldest"}}, "full: has no effect on a line without a bound; expected length: 1000 beside it"),
    ({"work.od": {}}, 'service "work" has no operation "od"; it has do'),
    ([], "topics.orders.subscribers"),
])
def test_words_that_do_not_go_together(of: Any, words: str) -> None:
    assert words in refused(of)


def test_topics_that_lead_nowhere() -> None:
    assert 'unknown topic "mail"; there is orders' in refused(["work.do"], SERVICES | {"web": {"operations": {"buy": [{"publish": "mail"}]}}})
    assert "topics.orders: nobody publishes to it" in refused(["work.do"], SERVICES | {"web": {"operations": {"buy": [{"cpu": "1ms"}]}}})
    circle = {"web": {"operations": {"buy": [{"publish": "orders"}]}}, "work": {"operations": {"do": [{"call": "web.buy"}]}}}
    assert "operations call one another in a cycle" in refused(["work.do"], circle)
    assert "a line of messages is one for all" in refused(["work.do"], tenants={"count": 2, "own": ["work"]})
