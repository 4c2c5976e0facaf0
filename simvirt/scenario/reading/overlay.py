"""One tree laid over another: mappings are joined key by key, everything else is replaced.

Keys that exclude one another (`duration` and `requests`, the kinds of a distribution, ...) replace one another, so that what is laid
over a base can choose another alternative.
"""

from __future__ import annotations

from typing import Final

from simvirt.scenario.reading.tree import Entry, Node, Path, Scalar, Table

_RATES: Final = frozenset({"rate", "piecewise", "diurnal", "mmpp"})
_DISTRIBUTIONS: Final = frozenset({"exponential", "lognormal", "gamma", "pareto", "hyperexponential", "uniform", "empirical"})
_ALTERNATIVES: Final[dict[Path, tuple[frozenset[str], ...]]] = {
    (): (frozenset({"workload", "workloads"}), frozenset({"host", "hosts"})),
    ("run",): (frozenset({"duration", "requests"}),),
    ("workload",): (frozenset({"open", "closed", "trace", "rates"}),),
    ("workload", "open"): (_RATES,),
    ("workload", "closed", "think"): (_DISTRIBUTIONS,),
}
_OF_A_SERVICE: Final = (
    frozenset({"cpu_quota", "cpus"}), frozenset({"cpu_shares", "cpu_weight"}),
)
_DEMANDS: Final = ("cpu", "delay")
SHORTHANDS: Final[dict[Path, str]] = {("host",): "model", ("host", "scheduler"): "policy"}
"""Where a bare text stands for a mapping of one key."""


_LIMITS: Final = ("deploy", "resources", "limits")
LONG: Final[dict[str, tuple[str, ...]]] = {
    "cpus": (*_LIMITS, "cpus"), "cpu_quota": (*_LIMITS, "cpus"), "mem_limit": (*_LIMITS, "memory"), "scale": ("deploy", "replicas"),
}
"""Key of a service -> where Compose's deploy says the same."""


def said_otherwise(service: Node, top: Table) -> Node:
    """A service without what `top`, laid over it, says in the other form."""
    for short, long in LONG.items():
        if isinstance(service, Table) and short in top.entries:
            service = _removed(service, long)
        elif isinstance(service, Table) and _holds(top, long):
            service = service.without(short)
    return service


def _holds(node: Node, path: tuple[str, ...]) -> bool:
    """Whether there is something at a path of keys."""
    if not path:
        return True
    return isinstance(node, Table) and path[0] in node.entries and _holds(node.entries[path[0]].node, path[1:])


def _removed(table: Table, path: tuple[str, ...]) -> Table:
    """A mapping without what is at a path of keys."""
    if not _holds(table, path):
        return table
    if len(path) == 1:
        return table.without(path[0])
    entry = table.entries[path[0]]
    below = entry.node
    assert isinstance(below, Table)
    return table.with_entry(path[0], Entry(entry.place, _removed(below, path[1:])))


def alternatives(path: Path, key: str) -> frozenset[str]:
    """The keys of the mapping at `path` that `key` replaces."""
    return frozenset(other for group in _groups(path) if key in group for other in group if other != key)


def _groups(path: Path) -> tuple[frozenset[str], ...]:
    """Groups of keys of the mapping at `path` of which only one can be given."""
    if path[:1] == ("services",) and len(path) == 2:
        return _OF_A_SERVICE
    if path[:1] == ("services",) and path[-1] in _DEMANDS and any(isinstance(part, int) for part in path):
        return (_DISTRIBUTIONS,)
    return _ALTERNATIVES.get(("workload", *path[2:]) if path[:1] == ("workloads",) and len(path) > 1 else path, ())


def shorthand(path: Path, node: Node) -> Node:
    """A node with its shorthand spelled out: `host: big` is `host: {model: big}`."""
    as_one = ("host", *path[2:]) if path[:1] == ("hosts",) and len(path) > 1 else path
    key = "name" if len(path) == 2 and path[0] == "platforms" else SHORTHANDS.get(as_one)
    if key is None or not isinstance(node, Scalar) or not isinstance(node.value, str):
        return node
    return Table(node.place, {key: Entry(node.place, node)})


def overlay(base: Node, top: Node, path: Path = ()) -> Node:
    """`top` laid over `base`."""
    if isinstance(top, Table):
        base = shorthand(path, base)
    if not isinstance(base, Table) or not isinstance(top, Table):
        return top
    if path[:1] == ("services",) and len(path) == 2:
        base = said_otherwise(base, top)
        assert isinstance(base, Table)
    result = base
    for key, entry in top.entries.items():
        result = result.without(*alternatives(path, key))
        below = result.entries.get(key)
        node = entry.node if below is None else overlay(below.node, entry.node, (*path, key))
        result = result.with_entry(key, Entry(entry.place, node))
    return Table(top.place, result.entries)
