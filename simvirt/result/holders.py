"""Who holds memory, in words."""

from collections.abc import Callable, Mapping
from typing import Final

from simvirt.result.document import MemoryLedger

PARTS: Final[Mapping[str, Callable[[MemoryLedger], int]]] = {
    "host": lambda ledger: ledger.kernel_bytes,
    "application": lambda ledger: ledger.application_bytes,
    "guest OS": lambda ledger: ledger.guest_os_bytes,
    "held idle": lambda ledger: ledger.held_bytes,
    "page cache": lambda ledger: ledger.page_cache_bytes,
    "VMM": lambda ledger: ledger.vmm_bytes,
    "runtime": lambda ledger: ledger.runtime_bytes,
}
"""What needs memory; the parts add up to the demand."""
REST: Final[Mapping[str, Callable[[MemoryLedger], int]]] = {
    "swapped out": lambda ledger: ledger.swapped_bytes - ledger.missing_bytes,
    "does not fit": lambda ledger: ledger.missing_bytes,
    "free": lambda ledger: ledger.free_bytes,
    "shared (saved)": lambda ledger: ledger.shared_bytes,
}
"""What becomes of the difference to what there is."""
