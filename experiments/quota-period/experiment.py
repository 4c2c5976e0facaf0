"""p99 of a throttled container against the period of its quota, at the same ratio of the two."""

import sys
from pathlib import Path

import simvirt

SCENARIO = Path(__file__).resolve().parents[2] / "configs" / "throttling.yaml"
PERIODS_MS = (5, 10, 25, 50, 100, 250, 500, 1000)


def row(platform: str, sets: list[str]) -> str:
    """Mean, p99 with its interval, and how often the quota ran out, of one platform."""
    found = simvirt.run(simvirt.load(SCENARIO, sets=sets)).document()["platforms"][platform]
    mean, p99, server = found["latency_s"]["mean"], found["latency_s"]["p99"], found["services"]["server"]
    milliseconds = [1e3 * value for value in (mean["value"], p99["value"], p99["low"], p99["high"])]
    return ",".join([*(f"{value:.1f}" for value in milliseconds), f"{server['nr_throttled']['value']:.0f}"])


def table() -> str:
    """A line for each period, and one for the service without a quota."""
    lines = ["cpu_period_ms,mean_ms,p99_ms,p99_low_ms,p99_high_ms,nr_throttled"]
    for period in PERIODS_MS:
        sets = [f"services.server.{key}={period}ms" for key in ("cpu_quota", "cpu_period")]
        lines.append(f"{period}," + row("docker", sets))
    lines.append("none," + row("bare-metal", []))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
