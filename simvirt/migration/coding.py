"""What crosses the network of memory that is sent: as it is, compressed, or as what has changed of pages that were sent before.

*Model*: compression makes each page as large as a ratio says. XBZRLE keeps pages that it has sent in a cache; from the second round on
    those of a round that are in it, as many of them as the cache has room for, go as their difference to what was sent before.
    What a page costs is CPU time of its sender and receiver. Pages that were never written are nearly nothing in either case.
*Ignores*: that pages differ in how well they can be packed, and that a difference may be larger than its page.
*Source*: QEMU docs/devel/migration (multifd, XBZRLE); migration/ram.c, migration/xbzrle.c.
"""

from __future__ import annotations

from dataclasses import dataclass

from simvirt.migration.writes import PAGE


@dataclass(frozen=True)
class Coding:
    """How pages are sent: `ratio` of a compressed page, or a `cache` [bytes] and the `delta` of a page in it, as shares of a page.

    `pack` and `unpack` are what that takes for each page [ns]: those that are compressed, or looked up and encoded.
    """

    ratio: float | None = None
    cache: float | None = None
    delta: float = 1.0
    pack: float = 0.0
    unpack: float = 0.0

    def found(self, size: float, again: bool) -> float:
        """Which share of a round of so many bytes is in the cache; none of a first one."""
        return min(1.0, self.cache / size) if again and self.cache is not None and size > 0 else 0.0

    def crosses(self, size: float, again: bool) -> float:
        """Bytes on the network of so many bytes of memory; `again`: they were sent before."""
        if self.ratio is not None:
            return size * self.ratio
        return size * (1.0 - self.found(size, again) * (1.0 - self.delta))

    def work(self, size: float, again: bool) -> tuple[float, float]:
        """CPU time of sender and receiver for that [ns]: all pages are compressed; all are looked up again, those found are decoded."""
        pages = size / PAGE
        if self.ratio is not None:
            return pages * self.pack, pages * self.unpack
        return (pages * self.pack if again and self.cache is not None else 0.0), pages * self.found(size, again) * self.unpack
