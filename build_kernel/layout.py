"""How a row of a table lies in memory: what a usual event touches comes first, and each row begins with a cache line.

On few hosts all rows are in the caches, and nothing of this matters. On a thousand hosts every call meets rows that are
not, and costs what its cache lines cost: `NEAR` puts the columns that a call to a service in a container touches into as
few of them as hold them. Results do not depend on it.
"""

from collections.abc import Iterable

LINE = 8  # 64-bit words of a cache line

NEAR: dict[str, tuple[str, ...]] = {
    "machines": ("host", "first_cpu", "fluid", "idle_cores", "idle_cpus", "overloaded", "crowded", "cpus"),
    "cpus": (
        "current", "machine", "host", "vcpu", "sibling", "lone", "deciding", "speed",
        "charged_at", "ran", "rest", "review_at", "portion", "spin", "busy_since", "ready_at",
        "busy", "halted_at", "io_idle", "io_waiters", "polls_for", "since", "switches", "smt_share",
        "ran_last", "holder", "turn_at", "coasting",
    ),
    "queues": ("policy", "entities", "tasks", "current", "parent", "group", "cpu", "tree"),
    "entities": (
        "group", "instance", "carries", "cpu", "queue", "state", "frame", "next_free",
        "machine", "pin", "delayed", "lag", "waits_since", "weight", "vruntime", "deadline",
    ),
    "groups": ("machine", "first_queue", "quota", "tasks", "mask_cpus", "first_mask", "coasting", "first_throttled"),
    "instances": (
        "service", "life", "machine", "in_flight", "busy_threads", "thread_time", "thread_time_at", "free_thread",
        "threads", "loops", "queue_length", "softirq", "softirqs", "net_device", "debt", "poll",
        "cpu_time", "overhead_time", "first_turn", "group", "profile",
    ),
    "devices": ("backend", "moderation", "receive", "interrupted_at", "polls_until", "operations", "batch", "sends_until"),
    "hosts": ("first_link", "spot", "island", "loss", "kind", "interference", "cores", "switches", "coscheduled", "cstates", "reloads"),
    "links": ("transfers", "settled_at", "volume", "next_tag", "next_frame", "bytes_per_ns", "bulk_flows", "bytes", "passed", "busy"),
}
"""Columns by table in the order of what is touched together; the others follow as they are declared."""


def in_order(table: str, columns: Iterable[str]) -> list[str]:
    """Columns of a table as they lie in its rows."""
    names = list(columns)
    first = [name for name in NEAR.get(table, ()) if name in names]
    return first + [name for name in names if name not in first]


def padding(columns: int) -> int:
    """Words left free behind a row's columns, so that the next row begins with a cache line; none where rows are shorter."""
    return -columns % LINE if columns > LINE else 0
