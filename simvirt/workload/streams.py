"""Independent random streams, keyed by what they are for and never by names or by the order of events."""

from dataclasses import dataclass

import numpy as np

ARRIVALS, CLASSES, DRAWS, PHASES, RATES, TENANTS, LOADS, FAILURES = range(8)
START_UPS, THINKING = 1_000_000, 2_000_000
"""LOADS begins the keys of each workload but the first.

DRAWS of a request class are keyed by its number; from these numbers on they are of start-up work, by service, and of times to think.
"""


MESSAGES, TIMES = range(2)
"""What is drawn of failures: which messages get lost, and when what fails."""
TICKS, REFILLS, CYCLES, SYNCS, LOOKS = range(5)
"""Phases of a kernel's timer ticks, of periods of a group's quota, of background threads, of an autoscaler, of looks of hosts' agents."""
HOST, SHARED_VM, DEVICE_DOMAIN, OWN_VM, REPLICA = range(5)
"""What a key of a phase begins with: whose it is."""


@dataclass(frozen=True)
class Phases:
    """Offsets in a period, uniform on [0, 1), of one replication: each belongs to what it is for, so that nothing else shifts it."""

    seed: int
    replication: int

    def of(self, *key: int) -> float:
        """The offset of a thing."""
        sequence = np.random.SeedSequence(entropy=self.seed, spawn_key=(self.replication, PHASES, *key))
        return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(11)) * 2.0**-53


def stream(seed: int, replication: int, *key: int) -> np.random.Generator:
    """The generator of one variable of one replication.

    Streams of different keys are independent (O'Neill 2014, PCG; numpy SeedSequence spawn keys), and the same key gives
    the same numbers on every platform, in every cell of a sweep and on any number of workers.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=(replication, *key))))


@dataclass(frozen=True)
class Generators:
    """The generators of one workload in one replication; what other workloads draw shifts none of them."""

    seed: int
    replication: int
    load: int = 0  # number of the workload among those side by side

    def stream(self, *key: int) -> np.random.Generator:
        """The generator of one of its variables."""
        return stream(self.seed, self.replication, *((LOADS, self.load) if self.load else ()), *key)
