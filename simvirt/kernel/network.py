"""Links: each direction shares its bandwidth equally among the transfers under way.

Model: processor sharing in virtual time: every transfer receives the same volume per ns, so a transfer of b bytes that
    begins when the shared volume is V ends when it is V + b; one timer a link, O(log n) a transfer. A message to
    another host is on all links of its way at once, has arrived when the last of them has passed it, and takes the
    way's latency beside. Large transfers, which the control plane follows, leave the messages of a link what they do
    not take, and an equal share with each of them at least.
Ignores: TCP's ramp-up and loss, packet headers; that a message which waits for one link uses the others less.
Source: Kleinrock, "Time-shared systems", JACM 14(2), 1967 (processor sharing); max-min fairness on one link is equal
    shares.
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import LONGEST, NEVER, NONE, HEAP_PAGE, HEAP_PAGE_LOG2
from simvirt.kernel.tables import Links, Plane


def link_rate(lin: Links, k: int) -> float:
    """What the messages on a link have together [bytes/ns]."""
    whole: float = lin.bytes_per_ns[k]
    if lin.bulk_flows[k] <= 0.0:
        return whole
    return max(whole - lin.bulk[k], whole * lin.transfers[k] / (lin.transfers[k] + lin.bulk_flows[k]))


def link_settle(lin: Links, k: int, now: int) -> None:
    """Bring the shared volume of a link up to date."""
    elapsed: int = now - lin.settled_at[k]
    lin.settled_at[k] = now
    if elapsed > 0 and lin.transfers[k] > 0:
        carried: float = elapsed * link_rate(lin, k)
        lin.volume[k] += carried / lin.transfers[k]
        lin.passed[k] += carried
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
        left: float = p.links.next_tag[k] - p.links.volume[k]
        exact: float = min(max(left, 0.0) * n / link_rate(p.links, k), LONGEST)
        whole: int = int(exact)
        if whole < exact:
            whole += 1
        at = now + whole
    set_timer(p.calendar, p.run.first_link_timer[0] + k, at)


def link_end(p: Plane, k: int, now: int) -> int:
    """The transfer that ends now, taken off the link; NONE when rounding makes it a nanosecond early."""
    link_settle(p.links, k, now)
    f: int = NONE
    if p.links.transfers[k] > 0 and p.links.next_tag[k] <= p.links.volume[k] + 1e-3:
        f = p.links.next_frame[k]
        link_pop(p.links, k)
    link_arm(p, k, now)
    return f


def share_link(p: Plane, k: int, bulk: float, flows: float, now: int) -> int:
    """Large transfers take so much of a link from now on, so many of them; how many messages are on it."""
    link_settle(p.links, k, now)
    p.links.bulk[k] = bulk
    p.links.bulk_flows[k] = flows
    link_arm(p, k, now)
    return p.links.transfers[k]


def heap_row(lin: Links, k: int, slot: int) -> int:
    """Row of a slot of a link's heap, but for the first one."""
    return lin.page[k * lin.width[0] + (slot >> HEAP_PAGE_LOG2)] * HEAP_PAGE + (slot & (HEAP_PAGE - 1))


def begins_page(slot: int) -> bool:
    """Whether a slot is the first one of a page that is used: that of slot 0 is the link's own row."""
    return slot == 1 or (slot > 0 and (slot & (HEAP_PAGE - 1)) == 0)


def take_page(lin: Links, k: int, slot: int) -> None:
    """Give a link a page for a slot and those after it."""
    lin.free_pages[0] -= 1
    lin.page[k * lin.width[0] + (slot >> HEAP_PAGE_LOG2)] = lin.free_page[lin.free_pages[0]]


def drop_page(lin: Links, k: int, slot: int) -> None:
    """Take the page of a slot from a link."""
    lin.free_page[lin.free_pages[0]] = lin.page[k * lin.width[0] + (slot >> HEAP_PAGE_LOG2)]
    lin.free_pages[0] += 1


def link_push(lin: Links, k: int, tag: float, f: int) -> None:
    """Put a transfer into the link's heap."""
    slot: int = lin.transfers[k]
    if begins_page(slot):
        take_page(lin, k, slot)
    lin.transfers[k] = slot + 1
    while slot > 0:
        above: int = (slot - 1) >> 1
        if tag_at(lin, k, above) <= tag:
            break
        heap_put(lin, k, slot, tag_at(lin, k, above), frame_at(lin, k, above))
        slot = above
    heap_put(lin, k, slot, tag, f)


def tag_at(lin: Links, k: int, slot: int) -> float:
    """Volume at which the transfer in a slot ends."""
    return lin.next_tag[k] if slot == 0 else lin.tags[heap_row(lin, k, slot)]


def frame_at(lin: Links, k: int, slot: int) -> int:
    """Frame whose transfer is in a slot."""
    return lin.next_frame[k] if slot == 0 else lin.frames[heap_row(lin, k, slot)]


def heap_put(lin: Links, k: int, slot: int, tag: float, f: int) -> None:
    """Write a slot of a heap."""
    if slot == 0:
        lin.next_tag[k] = tag
        lin.next_frame[k] = f
    else:
        row: int = heap_row(lin, k, slot)
        lin.tags[row] = tag
        lin.frames[row] = f


def link_pop(lin: Links, k: int) -> None:
    """Take the nearest transfer off the link's heap."""
    n: int = lin.transfers[k] - 1
    lin.transfers[k] = n
    if n == 0:
        return
    tag: float = tag_at(lin, k, n)
    f: int = frame_at(lin, k, n)
    slot: int = 0
    below: int = 1
    while below < n:
        if below + 1 < n and tag_at(lin, k, below + 1) < tag_at(lin, k, below):
            below += 1
        if tag <= tag_at(lin, k, below):
            break
        heap_put(lin, k, slot, tag_at(lin, k, below), frame_at(lin, k, below))
        slot = below
        below = 2 * slot + 1
    heap_put(lin, k, slot, tag, f)
    if begins_page(n):
        drop_page(lin, k, n)
