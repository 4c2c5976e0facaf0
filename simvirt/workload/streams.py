"""Independent random streams, keyed by what they are for and never by names or by the order of events."""

import numpy as np

ARRIVALS, CLASSES, DRAWS, PHASES, RATES, TENANTS = range(6)
START_UPS, THINKING = 1_000_000, 2_000_000
"""DRAWS of a request class are keyed by its number; from these numbers on they are of start-up work, by service, and of times to think."""


def stream(seed: int, replication: int, *key: int) -> np.random.Generator:
    """The generator of one variable of one replication.

    Streams of different keys are independent (O'Neill 2014, PCG; numpy SeedSequence spawn keys), and the same key gives
    the same numbers on every platform, in every cell of a sweep and on any number of workers.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=(replication, *key))))
