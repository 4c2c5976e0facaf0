"""Cases: entries of what serves volumes."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from field_cases_volumes import MEAN, NETWORK, stored
from helpers.fields import RISES, Case, patched


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def side(**cycles: float) -> dict[str, Any]:
    """What a side computes: little, but for what is said."""
    return {name: number(f"{value} cycles") for name, value in ({"read": 1000, "write": 1000, "byte": 0} | cycles).items()}


def case(field: str, like: str, value: Any, read: str, moves: str, *steps: dict[str, Any], **changes: Any) -> Case:
    """A case of one field of the entry `mine`, which serves a volume from one host."""
    base = patched(stored({"driver": "mine", "host": "nas[0]"}, *(steps or ({"disk": {"read": "16KiB"}},))), {"catalog": {"volume_drivers": {"mine": {"like": like}}}} | changes)
    return Case(f"volume_drivers.{field}", base, {}, {f"catalog/volume_drivers/mine/{field}": value}, read, moves)


USED: Final = "hosts/nas[0]/disk"
WRITE: Final = {"disk": {"write": "16KiB", "sync": True}}
CASES: Final = (
    case("client", "nfs", side(read=9e6), MEAN, RISES), case("client", "nfs", side(write=9e6), MEAN, RISES, WRITE), case("client", "nfs", side(byte=99), MEAN, RISES, WRITE),
    case("server", "nfs", side(read=9e6), MEAN, RISES), case("server", "iscsi", side(read=1000, flush=9e6), MEAN, RISES, WRITE),
    case("threads", "nfs", number(1), MEAN, RISES, {"parallel": [{"disk": {"read": "16KiB"}}] * 4}),
    case("request", "nfs", number("4KiB"), MEAN, RISES), case("headers", "nfs", number("60KiB"), NETWORK, RISES),
    case("durable", "nfs", "always", USED, RISES, {"disk": {"write": "1MiB"}}),
    case("caches", "nfs", False, USED, RISES, {"disk": {"write": "1MiB"}}),
    Case("volume_drivers.replicates", patched(stored({"driver": "mine", "host": "nas[0]"}, WRITE), {"catalog": {"volume_drivers": {"mine": {"like": "ceph", "replicates": False}}}}), {},
         {"catalog/volume_drivers/mine/replicates": True, "volumes/data/host": "nas"}, MEAN, RISES),
)
