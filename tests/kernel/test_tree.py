"""The ordered tree of a run queue against a sorted list."""

import random

import pytest
from helpers.twins import table

from simvirt.kernel import tables as t
from simvirt.kernel import tree as tr
from simvirt.kernel.constants import NONE


def in_order(ent: t.Entities, node: int) -> list[int]:
    """Entities of a subtree from left to right."""
    return [] if node == NONE else [*in_order(ent, ent.left[node]), node, *in_order(ent, ent.right[node])]


def depth(ent: t.Entities, node: int) -> int:
    """Levels of a subtree."""
    return 0 if node == NONE else 1 + max(depth(ent, ent.left[node]), depth(ent, ent.right[node]))


def check_subtree(ent: t.Entities, node: int) -> None:
    """The heap order of priorities holds and `least` is the least vruntime."""
    if node == NONE:
        return
    below = in_order(ent, node)
    assert ent.least[node] == min(ent.vruntime[e] for e in below)
    for child in (ent.left[node], ent.right[node]):
        if child != NONE:
            assert tr.priority(child) < tr.priority(node)
        check_subtree(ent, child)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("keys", [4, 10_000])  # few keys: equals stand in the order of their rows
def test_tree_against_a_sorted_list(seed: int, keys: int) -> None:
    rng = random.Random(seed)
    n = rng.choice([2, 9, 80])
    ent = table(t.Entities, n)
    root, twin = NONE, set[int]()
    for _ in range(250):
        e = rng.randrange(n)
        if e in twin:
            root = tr.tree_remove(ent, root, e)
            twin.remove(e)
        else:
            ent.key[e], ent.vruntime[e] = float(rng.randrange(keys)), float(rng.randrange(keys))
            root = tr.tree_insert(ent, root, e)
            twin.add(e)
        order = sorted(twin, key=lambda other: (ent.key[other], other))
        assert in_order(ent, root) == order
        assert tr.leftmost(ent, root) == (order[0] if order else NONE)
        v = rng.uniform(-1, keys)
        eligible = [other for other in order if ent.vruntime[other] <= v]
        assert tr.earliest_eligible(ent, root, v) == (eligible[0] if eligible else NONE)
        check_subtree(ent, root)


def test_tree_of_rising_keys_stays_shallow() -> None:
    """Keys that come in order would make a list of a plain search tree."""
    n = 2000
    ent = table(t.Entities, n, key=[float(i) for i in range(n)])
    root = NONE
    for e in range(n):
        root = tr.tree_insert(ent, root, e)
    assert in_order(ent, root) == list(range(n))
    assert depth(ent, root) < 4 * n.bit_length()
