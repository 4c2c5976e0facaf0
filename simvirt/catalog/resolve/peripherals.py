"""Disks and NICs in internal units: how long a request keeps them, how many bytes a payload takes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

TCP_HEADERS: Final = 52
FRAME: Final = 38
LEAST_FRAME: Final = 84
"""Bytes of the headers of IP and TCP in a frame, around it on the wire, and of the least frame."""
SMALL_BYTES: Final = 4096
"""Size of the requests whose latency a disk's entry tells."""


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """A block device; times in ns, throughput in bytes per second, size in bytes; 0 where nothing bounds, None where it is not known.

    `medium` is where the data lie: on a drive, or in the memory of the host (tmpfs, or files that its page cache holds).
    """

    name: str
    channels: int
    read_latency_ns: float
    write_latency_ns: float
    flush_latency_ns: float
    read_bytes_per_s: float
    write_bytes_per_s: float
    size: int | None = None
    read_iops: float = 0.0
    write_iops: float = 0.0
    read_stream: float = 0.0
    write_stream: float = 0.0
    read_cv: float = 0.0
    write_cv: float = 0.0
    medium: Literal["drive", "memory"] = "drive"

    def latency_ns(self, write: bool) -> float:
        """Mean time of a request of 4 KiB alone on the device."""
        return self.write_latency_ns if write else self.read_latency_ns

    def cv(self, write: bool) -> float:
        """Coefficient of variation of that time."""
        return self.write_cv if write else self.read_cv

    def longer_ns(self, size: int, write: bool) -> float:
        """How much longer a request of so many bytes takes than one of 4 KiB, alone on the device."""
        stream = (self.write_stream or self.write_bytes_per_s) if write else (self.read_stream or self.read_bytes_per_s)
        return max(size - SMALL_BYTES, 0) / stream * 1e9

    def passage_ns(self, size: int, write: bool) -> float:
        """Time for which a request keeps the device's path from all others."""
        iops, rate = (self.write_iops, self.write_bytes_per_s) if write else (self.read_iops, self.read_bytes_per_s)
        return max(size / rate * 1e9, 1e9 / iops if iops > 0 else 0.0)


@dataclass(frozen=True, slots=True)
class NicEntry:
    """A network interface; sizes in bytes. `segment_bytes` is what one packet_in or packet_out carries at most."""

    name: str
    bits_per_s: float
    mtu: int
    segment_bytes: int

    def wire_bytes(self, payload: float) -> float:
        """Bytes that a payload takes on the wire: each frame has headers, checksum, preamble and gap, and 84 bytes at least.

        Source: IEEE 802.3 (18 bytes of header and checksum, 20 of preamble and gap, no frame below 64), RFC 791, 9293 and 7323
        (20 + 20 + 12 bytes of headers, with timestamps).
        """
        frames = ceil(payload / (self.mtu - TCP_HEADERS))
        return max(payload + frames * (TCP_HEADERS + FRAME), frames * LEAST_FRAME)
