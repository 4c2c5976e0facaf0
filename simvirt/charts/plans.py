"""Charts of `simvirt plan`: what the alternatives cost, how full hosts are, what is risked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.plan_document import AlternativeResult, PlacementResult, PlanDocument, Regret

MOST: Final = 12
"""Alternatives, choices and hosts that are shown."""


def name_of(found: AlternativeResult) -> str:
    """`kvm, 5 x dell-r740`."""
    return f"{found.platform}, {found.hosts} x {found.host}"


def _feasible(document: PlanDocument) -> list[AlternativeResult]:
    return [found for found in document.alternatives if found.feasible and found.cost is not None][:MOST]


def alternatives(document: PlanDocument) -> Chart | None:
    """What a year of each alternative costs, by what it goes to, the cheapest first; None where none suffices."""
    found = _feasible(document)
    parts = {name_of(one): {key: float(getattr(one.cost, key)) for key in theme.COSTS if getattr(one.cost, key)} for one in found}
    dearest = max((sum(costs.values()) for costs in parts.values()), default=0.0)
    if not dearest:
        return None
    rows = [row for name, costs in parts.items() for row in marks.stack_rows(
        name, [(theme.COSTS[key][0], cost, f"${cost:,.0f} a year") for key, cost in costs.items()], dearest)]
    colours = {name: colour for key, (name, colour) in theme.COSTS.items() if any(key in costs for costs in parts.values())}
    sums = {name: f"${sum(costs.values()):,.0f}" for name, costs in parts.items()}
    table = ([name, *(f"${costs.get(key, 0.0):,.0f}" for key in theme.COSTS), sums[name]] for name, costs in parts.items())
    first = name_of(found[0])
    return chart(
        "alternatives", "What a year of each alternative costs", f"The cheapest is {first} at {sums[first]} a year.",
        rows, ("alternative", *(name for name, _ in theme.COSTS.values()), "in all"), table, height=40 + marks.BAR * len(parts),
        layer=marks.stacked(list(parts), "a year [US dollars]", colours),
    )


def placement(document: PlanDocument) -> Chart | None:
    """How full the hosts of the cheapest alternative are, a row for each distinct load; None where there is none."""
    found = _feasible(document)
    if not found or not found[0].placement:
        return None
    rows = [row for load in found[0].placement[:MOST] for row in _fills(load)]
    names = list(dict.fromkeys(row["host"] for row in rows))
    fullest = max(rows, key=lambda row: row["used"])
    table = ([name, *(row["said"] for row in rows if row["host"] == name)] for name in names)
    said = f"The fullest: {fullest['resource']} of {fullest['host']}, to {fullest['said']}."
    return chart(
        "placement", f"What runs where: {name_of(found[0])}", said, rows, ("hosts", "CPU", "disk", "NIC"), table,
        height=30 + 30 * len(names), layer=marks.heat(rows, ("resource", "host"), "used"),
    )


def _fills(load: PlacementResult) -> Iterator[dict[str, Any]]:
    """How full a host with this load is."""
    replicas = ", ".join(f"{count} {service}" for service, count in load.replicas.items() if count)
    for resource, used in (("CPU", load.cpu), ("disk", load.disk), ("NIC", load.nic)):
        yield {"host": f"{load.hosts} x {replicas or 'nothing'}", "resource": resource, "used": used, "said": figures.percent(used)}


def regret(document: PlanDocument) -> Chart | None:
    """What each choice costs beyond the best in hindsight, for each level of the load; None where the load is certain."""
    found = document.regret
    if found is None:
        return None
    names, table = list[str](), list[list[str]]()
    for choice in found.choices[:MOST]:
        names.append(f"{choice.platform}, {choice.hosts} x {choice.host}")
        table.append([names[-1], *(f"${value:,.0f}" for value in choice.regrets_usd)])
    least, rows = found.minimax, list(_regrets(found, names))
    return chart(
        "regret", "What each choice costs beyond the best",
        f"The largest regret is smallest with {least.platform}, {least.hosts} x {least.host}: ${least.max_regret_usd:,.0f} a year.",
        rows, ("choice", *(f"load x {level:g}" for level in found.levels)), table, height=30 + 30 * len(names),
        layer=marks.heat(rows, ("level", "choice"), "regret"),
    )


def _regrets(found: Regret, names: list[str]) -> Iterator[dict[str, Any]]:
    for name, choice in zip(names, found.choices, strict=False):
        for level, value in zip(found.levels, choice.regrets_usd, strict=True):
            yield {"choice": name, "level": f"load x {level:g}", "regret": value, "said": f"${value:,.0f}"}
