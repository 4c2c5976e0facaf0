"""Topics for random scenarios: messages that requests leave, and operations that are carried out for them."""

from __future__ import annotations

from helpers.random_draws import Draws, Tree, time
from helpers.random_services import FRONT


def with_topics(draws: Draws, tree: Tree) -> None:
    """Lets some operations of the front publish to topics that other services subscribe to, and one of its own that nobody else asks."""
    services = tree["services"]
    known = [f"{name}.{operation}" for name, spec in services.items() if name != FRONT for operation in spec.get("operations", {})]
    if not known or "operations" not in services.get(FRONT, {}) or "tenants" in tree:
        return
    for topic in ("orders", "mail")[:draws.whole(1, 2)]:
        steps = draws.choice(list(services[FRONT]["operations"].values()))
        steps.append({"publish": topic} | draws.sometimes({"times": (0.2, lambda: 2), "probability": (0.3, lambda: 0.5)}))
        names = draws.some(known, 2) or known[:1]
        short = draws.yes(0.15)
        tree.setdefault("topics", {})[topic] = {"subscribers": names if short else {name: subscriber(draws) for name in names}}


def subscriber(draws: Draws) -> Tree:
    """How messages are taken."""
    concurrency = draws.choice([1, 1, 2, 16])
    found: Tree = draws.sometimes({
        "prefetch": (0.4, lambda: concurrency * draws.choice([1, 2, 50])), "delivery": (0.5, lambda: draws.choice(["at-least-once", "at-most-once"])),
        "length": (0.4, lambda: draws.choice([1, 5, 1000])),
    })
    if found.get("delivery") != "at-most-once":
        found |= draws.sometimes({
            "visibility": (0.4, lambda: time(draws.choice([1e5, 5e6, 1e9]))), "max_deliveries": (0.4, lambda: draws.choice([1, 2, 5])),
        })
    if "length" in found:
        found |= draws.sometimes({"full": (0.8, lambda: draws.choice(["block", "drop-newest", "drop-oldest"]))})
    return found | ({"concurrency": concurrency} if concurrency > 1 else {})
