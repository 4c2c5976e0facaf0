"""Links: each direction of a NIC shares its bandwidth equally among the transfers under way.

Model: processor sharing in virtual time: every transfer receives the same volume per ns, so a transfer of b bytes that
    begins when the shared volume is V ends when it is V + b; one timer a link, O(log n) a transfer.
Ignores: TCP's ramp-up and loss, packet headers; latency is stated in hops.
Source: Kleinrock, "Time-shared systems", JACM 14(2), 1967 (processor sharing); max-min fairness on one link is equal
    shares.
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import LONGEST, NEVER, NONE
from simvirt.kernel.tables import Links, Plane


def link_settle(lin: Links, k: int, now: int) -> None:
    """Bring the shared volume of a link up to date."""
    elapsed: int = now - lin.settled_at[k]
    lin.settled_at[k] = now
    if elapsed > 0 and lin.transfers[k] > 0:
        lin.volume[k] += elapsed * lin.bytes_per_ns[k] / lin.transfers[k]
        lin.busy[k] += elapsed


def link_begin(p: Plane, f: int, k: int, amount: float, now: int) -> None:
    """A transfer of so many bytes begins."""
    link_settle(p.links, k, now)
    p.links.bytes[k] += amount
    link_push(p.links, k, p.links.volume[k] + amount, f)
    link_arm(p, k, now)


def link_arm(p: Plane, k: int, now: int) -> None:
    """Set the link's timer to the end of the transfer that is nearest to it."""
    at: int = NEVER
    n: int = p.links.transfers[k]
    if n > 0:
        left: float = p.links.tags[k * p.links.capacity[0]] - p.links.volume[k]
        exact: float = min(max(left, 0.0) * n / p.links.bytes_per_ns[k], LONGEST)
        whole: int = int(exact)
        if whole < exact:
            whole += 1
        at = now + whole
    set_timer(p.calendar, p.run.first_link_timer[0] + k, at)


def link_end(p: Plane, k: int, now: int) -> int:
    """The transfer that ends now, taken off the link; NONE when rounding makes it a nanosecond early."""
    link_settle(p.links, k, now)
    base: int = k * p.links.capacity[0]
    f: int = NONE
    if p.links.transfers[k] > 0 and p.links.tags[base] <= p.links.volume[k] + 1e-3:
        f = p.links.frames[base]
        link_pop(p.links, k)
    link_arm(p, k, now)
    return f


def link_push(lin: Links, k: int, tag: float, f: int) -> None:
    """Put a transfer into the link's heap."""
    base: int = k * lin.capacity[0]
    slot: int = lin.transfers[k]
    lin.transfers[k] = slot + 1
    while slot > 0:
        above: int = (slot - 1) >> 1
        if lin.tags[base + above] <= tag:
            break
        lin.tags[base + slot] = lin.tags[base + above]
        lin.frames[base + slot] = lin.frames[base + above]
        slot = above
    lin.tags[base + slot] = tag
    lin.frames[base + slot] = f


def link_pop(lin: Links, k: int) -> None:
    """Take the nearest transfer off the link's heap."""
    base: int = k * lin.capacity[0]
    n: int = lin.transfers[k] - 1
    lin.transfers[k] = n
    tag: float = lin.tags[base + n]
    f: int = lin.frames[base + n]
    slot: int = 0
    below: int = 1
    while below < n:
        if below + 1 < n and lin.tags[base + below + 1] < lin.tags[base + below]:
            below += 1
        if tag <= lin.tags[base + below]:
            break
        lin.tags[base + slot] = lin.tags[base + below]
        lin.frames[base + slot] = lin.frames[base + below]
        slot = below
        below = 2 * slot + 1
    lin.tags[base + slot] = tag
    lin.frames[base + slot] = f
