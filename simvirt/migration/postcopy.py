"""A running guest whose memory follows it.

*Model*: post-copy sends a guest's registers and devices, and lets it run at the other side, to which its memory follows; a page that it
    touches before it has come is fetched over the network at once, while the touching vCPU waits.
*Ignores*: neighbours of a page that are fetched with it; pages that come by themselves in the order in which they are needed.
*Source*: M. Hines, K. Gopalan, Post-copy based live virtual machine migration using adaptive pre-paging and dynamic self-ballooning,
    VEE 2009; QEMU docs/devel/migration/postcopy.
"""

from __future__ import annotations

from simvirt.migration.writes import PAGE


def missing(sent: float, size: float) -> float:
    """The share of a memory that has not come yet."""
    return max(1.0 - sent / size, 0.0) if size > 0 else 0.0


def fault_time(round_trip: float, bandwidth: float, handling: float) -> float:
    """How long a vCPU waits for a page from the other side [s]: the request, the page, what both kernels do about it."""
    return round_trip + PAGE / bandwidth + handling
