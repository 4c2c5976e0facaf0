"""No function of the kernel calls itself as often as there are entities: what recurs, and what bounds its depth."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Final

from helpers.twins import table

from simvirt.kernel import tables as t
from simvirt.kernel import tree as tr
from simvirt.kernel.constants import NONE

TREE: Final = "the levels of a treap"
LEVELS: Final = "the levels of machines: a guest's CPU that falls idle or wakes does so on the machine below"
TWICE: Final = "two: a rejected call costs its receiver work, which is only handed over where it has room"
CALLS: Final = "the levels of guarded calls: what stops with a try are the tries that it waits for, and so on"
BOUNDED: Final = {
    "tree_insert": TREE, "tree_merge": TREE, "tree_remove": TREE, "spread_in_tree": TREE, "fluid_state": TREE,
    "movable": f"{TREE} of each group, one in another", "movable_in_tree": TREE, "set_speed": LEVELS,
} | dict.fromkeys((
    "activate_task", "block_task", "costart_siblings", "cpuidle_enter", "cpuidle_exit", "deactivate_task", "empty_core", "fill_thread",
    "requeue_delayed_task", "resched", "resched_core", "run_alone", "run_picked", "switch_to", "take_from_crowded", "try_to_wake_up",
    "vcpu_exits_hlt", "wakeup_preempt",
), LEVELS) | dict.fromkeys(("admit", "assign_thread", "reach", "receive_in_vain", "turn_away"), TWICE) | dict.fromkeys(("abandon", "abandon_both", "cancel"), CALLS)


def recursive(build: ModuleType) -> set[str]:
    """Functions of the kernel that reach themselves by calls."""
    functions = build.read_source().functions
    calls = {
        name: {c.func.id for c in ast.walk(f.node) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name) and c.func.id in functions}
        for name, f in functions.items()
    }

    def reached(name: str) -> set[str]:
        seen: set[str] = set()
        left_over = list(calls[name])
        while left_over:
            one = left_over.pop()
            if one not in seen:
                seen.add(one)
                left_over += calls[one]
        return seen

    return {name for name in calls if name in reached(name)}


def test_what_recurs_has_a_bound(build: ModuleType) -> None:
    assert recursive(build) == set(BOUNDED)


def test_a_line_of_many_is_a_shallow_tree() -> None:
    """Rows that join one after another, as threads of a pool do, first come, first served."""
    n = 20_000
    ent, root = table(t.Entities, n), NONE
    for row in range(n):
        ent.key[row] = float(row)
        root = tr.tree_insert(ent, root, row)
    deepest, level = 0, [root]
    while level:
        deepest += 1
        level = [child for node in level for child in (ent.left[node], ent.right[node]) if child != NONE]
    assert deepest <= 40
