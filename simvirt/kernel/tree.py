"""The ordered tree of a run queue: a treap over entities by (key, row) that knows the least vruntime of each subtree.

Links and keys live in the entity table, so a queue of any length costs no memory of its own; insert, remove and the
search for the earliest eligible entity take O(log n) steps. Priorities are hashes of the row: no random state.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Entities

GOLDEN = 2654435761  # 2^32 divided by the golden ratio, a prime
LOW_WORD = 4294967295


def comes_before(ent: Entities, a: int, b: int) -> bool:
    """Whether entity a stands left of entity b."""
    return ent.key[a] < ent.key[b] or (ent.key[a] == ent.key[b] and a < b)


def priority(row: int) -> int:
    """Place in the treap's heap order: a multiplicative hash (Knuth 1998, 6.4)."""
    return (row * GOLDEN) & LOW_WORD


def refresh_least(ent: Entities, node: int) -> None:
    """Recompute the least vruntime of a subtree from its children."""
    least: float = ent.vruntime[node]
    child: int = ent.left[node]
    if child != NONE and ent.least[child] < least:
        least = ent.least[child]
    child = ent.right[node]
    if child != NONE and ent.least[child] < least:
        least = ent.least[child]
    ent.least[node] = least


def rotate_right(ent: Entities, node: int) -> int:
    """Lift the left child over a node; the new root of the subtree."""
    child: int = ent.left[node]
    ent.left[node] = ent.right[child]
    ent.right[child] = node
    refresh_least(ent, node)
    refresh_least(ent, child)
    return child


def rotate_left(ent: Entities, node: int) -> int:
    """Lift the right child over a node; the new root of the subtree."""
    child: int = ent.right[node]
    ent.right[node] = ent.left[child]
    ent.left[child] = node
    refresh_least(ent, node)
    refresh_least(ent, child)
    return child


def tree_insert(ent: Entities, node: int, new: int) -> int:
    """Put an entity into the subtree of `node`; the subtree's new root."""
    if node == NONE:
        ent.left[new] = NONE
        ent.right[new] = NONE
        ent.least[new] = ent.vruntime[new]
        return new
    child: int
    if comes_before(ent, new, node):
        child = tree_insert(ent, ent.left[node], new)
        ent.left[node] = child
        if priority(child) > priority(node):
            return rotate_right(ent, node)
    else:
        child = tree_insert(ent, ent.right[node], new)
        ent.right[node] = child
        if priority(child) > priority(node):
            return rotate_left(ent, node)
    refresh_least(ent, node)
    return node


def tree_merge(ent: Entities, a: int, b: int) -> int:
    """Join two subtrees, all of a before all of b; the new root."""
    if a == NONE:
        return b
    if b == NONE:
        return a
    if priority(a) > priority(b):
        ent.right[a] = tree_merge(ent, ent.right[a], b)
        refresh_least(ent, a)
        return a
    ent.left[b] = tree_merge(ent, a, ent.left[b])
    refresh_least(ent, b)
    return b


def tree_remove(ent: Entities, node: int, old: int) -> int:
    """Take an entity out of the subtree of `node`; the subtree's new root."""
    if node == old:
        return tree_merge(ent, ent.left[node], ent.right[node])
    if comes_before(ent, old, node):
        ent.left[node] = tree_remove(ent, ent.left[node], old)
    else:
        ent.right[node] = tree_remove(ent, ent.right[node], old)
    refresh_least(ent, node)
    return node


def leftmost(ent: Entities, node: int) -> int:
    """Entity with the smallest key, NONE in an empty tree."""
    if node == NONE:
        return NONE
    while ent.left[node] != NONE:
        node = ent.left[node]
    return node


def earliest_eligible(ent: Entities, node: int, virtual_time: float) -> int:
    """Entity with the smallest key among those whose vruntime has been reached, NONE when there is none."""
    while node != NONE:
        child: int = ent.left[node]
        if child != NONE and ent.least[child] <= virtual_time:
            node = child
        elif ent.vruntime[node] <= virtual_time:
            return node
        else:
            node = ent.right[node]
    return NONE
