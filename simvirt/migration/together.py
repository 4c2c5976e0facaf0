"""Several migrations over one link: how many go at once, and when each of them ends.

*Model*: `limit` migrations are under way at most; those that are share the link evenly. Each is prepared before it sends, which one at a
    time is where `serial` is stated.
*Ignores*: what migrations do to each other beside the link.
*Source*: vSphere documentation, limits on simultaneous migrations; Hyper-V documentation, simultaneous live migrations.
"""

from __future__ import annotations

import math


def ends(sizes: list[float], bandwidth: float, limit: int, setup: float = 0.0, serial: float = 0.0) -> list[float]:
    """When migrations that are asked for at once have ended [s]; each waits for its turn, is prepared, and sends its bytes."""
    waiting, sending, found = list(range(len(sizes))), dict[int, float](), [math.nan] * len(sizes)
    now, prepared, begun = 0.0, 0.0, dict[int, float]()
    while waiting or begun or sending:
        while waiting and len(begun) + len(sending) < limit:
            one = waiting.pop(0)
            prepared = max(prepared, now) + serial
            begun[one] = prepared + setup
        share = bandwidth / len(sending) if sending else math.inf
        until = min([left / share + now for left in sending.values()] + list(begun.values()))
        sending = {one: left - share * (until - now) for one, left in sending.items()}
        now = until
        for one in [one for one, left in sending.items() if left <= 1e-6 * sizes[one]]:
            del sending[one]
            found[one] = now
        for one in [one for one, at in begun.items() if at <= now]:
            del begun[one]
            sending[one] = sizes[one]
    return found
