"""Whether a backlog grows for good, how sure a share lost is, and the rate at which as many are lost as may be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simvirt.runs.course import Course
from simvirt.runs.losses import fitted

LOOKS = np.arange(1, 65)


def course(under_way: np.ndarray, lost: np.ndarray | None = None) -> Course:
    """A course with a hundred arrivals between two looks."""
    lost = np.zeros(len(under_way)) if lost is None else lost
    return Course(list(LOOKS * 10), [int(n) for n in under_way], list(LOOKS * 100), [int(n) for n in np.cumsum(lost)])


def test_a_steady_growth_rises_and_a_wave_does_not() -> None:
    waves = 50 * (1 + np.sin(LOOKS / 4.0))
    assert course(2 * LOOKS).rises
    assert not course(waves).rises
    assert not course(np.where(LOOKS < 32, 10, 40) + waves).rises
    assert course(waves + 6 * LOOKS).rises


def test_a_random_walk_seldom_rises() -> None:
    """Of walks without drift, as queues at their limit are, an eighth; of those with one of three standard deviations nearly all."""
    draws = np.random.default_rng(3)
    steps = draws.normal(0, 10, (400, len(LOOKS)))
    walks, drifting = np.cumsum(steps, axis=1), np.cumsum(steps + 10 * 3 / math.sqrt(len(LOOKS)), axis=1)
    assert np.mean([course(1000 + one).rises for one in walks]) < 0.3
    assert np.mean([course(1000 + one).rises for one in drifting]) > 0.7


def test_the_error_of_a_share_lost_is_that_of_independent_losses() -> None:
    """One of a hundred lost of 4,800: sqrt(0.01 / 4800), on average over 200 runs."""
    draws = np.random.default_rng(5)
    errors = [course(LOOKS, draws.poisson(1.0, len(LOOKS))).error_of_lost for _ in range(200)]
    assert np.mean(errors) == pytest.approx(math.sqrt(0.01 / 4800), rel=0.1)


def test_too_few_looks_say_nothing_of_an_error() -> None:
    assert math.isinf(Course([1, 2, 3], [0, 0, 0], [10, 20, 30], [0, 0, 0]).error_of_lost)


def test_the_rate_of_a_loss_has_the_error_of_its_draws() -> None:
    """Shares that grow with the fifth power, each 5 % off: the rate is off by what is said."""
    draws, rates = np.random.default_rng(7), (96.0, 100.0, 104.0)
    found = [fitted(0.01, [(r, 0.01 * (r / 100) ** 5 * math.exp(draws.normal(0, 0.05)), 0.0005 * (r / 100) ** 5) for r in rates]) for _ in range(300)]
    kept = [one for one in found if one is not None]
    assert len(kept) > 290
    assert np.median([rate for rate, _ in kept]) == pytest.approx(100, rel=0.002)
    spread = float(np.diff(np.quantile([math.log(rate) for rate, _ in kept], [0.1587, 0.8413]))[0]) / 2
    assert spread == pytest.approx(float(np.median([error for _, error in kept])), rel=0.3)


def test_losses_that_do_not_grow_have_no_limit() -> None:
    assert fitted(0.01, [(90.0, 0.012, 0.001), (100.0, 0.009, 0.001)]) is None
    assert fitted(0.01, [(100.0, 0.009, 0.001)]) is None
