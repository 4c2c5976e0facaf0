"""Writes docs/device-costs.svg: what a packet and a block cost from idle to saturation. `python docs/generate_device_costs.py`.

Left, the CPU time that five network paths add to a packet, all threads of the host together, over the rate of packets. Right, the
time of a random read of 4 KiB over the rate of reads, at depths from 1 to 128. Lines are predicted, dots measured; their sources are below.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

from simvirt.runs.run import run
from simvirt.scenario import loads

FIGURE: Final = Path(__file__).with_name("device-costs.svg")
Point = tuple[float, float]


class Way(NamedTuple):
    """A path: its name, a platform, its colour, and what was measured of it."""

    name: str
    platform: Any
    colour: str
    measured: Sequence[Point] = ()
    host: str = "aws-m5d-metal"


CLOCK: Final = 2.6  # GHz, of the host of the packets
QUIET: Final = {"quiet": {"like": "kvm", "halt_poll": {"value": "0us", "source": "so that no CPU is counted that only polls"}}}
PACKETS: Final = (
    Way("Docker: bridge and NAT", "docker", "#0b69a3"),
    Way("KVM: vhost-net", {"name": "x", "stack": ["quiet"]}, "#b44d12", ((1.652e6, 2180 / CLOCK / 1e3),)),
    Way("KVM: vhost-user", {"name": "x", "stack": ["quiet"], "net": "vhost-user"}, "#2f8132", ((14.156e6, 254 / CLOCK / 1e3),)),
    Way("Firecracker", {"name": "x", "stack": ["quiet"], "net": "firecracker-net"}, "#7b2d8b"),
    Way("Xen: netfront", "xen-hvm", "#8a6d00"),
)
"""Measured: Unikraft artifact (EuroSys 2021), Fig. 19, packets of 64 bytes: the backend alone, at its peak, in cycles."""
RATES: Final = (1e3, 3e3, 1e4, 3e4, 6e4, 1e5, 1.5e5, 2e5, 3e5)
"""Requests a second, each with a packet in and a packet out."""
BLOCKS: Final = (
    Way("bare metal", "bare-metal", "#616e7c", ((16473, 1), (301182, 32))),
    Way("QEMU 4.2: virtio-blk", "kvm", "#b44d12", ((7513, 1), (135109, 32))),
    Way("Firecracker 0.20", "firecracker-2020", "#7b2d8b", ((8444, 1), (12880, 32))),
    Way("Cloud Hypervisor of 2019", "cloud-hypervisor-2019", "#2f8132", ((9385, 1), (13024, 32))),
    Way("QEMU 1.5, Fibre Channel", "kvm-2013", "#0b69a3", ((46173, 128),), "ibm-x3650-m4"),
)
"""Measured: nsdi2020-data on m5d.metal at depths 1 and 32; Felter et al., RC25482, raw data, at depth 128: reads a second, depth."""
DEPTHS: Final = (1, 2, 4, 8, 16, 32, 64, 128)


def simulated(text: Mapping[str, Any]) -> Any:
    """A scenario's one platform."""
    (platform,) = run(loads(json.dumps({"simvirt": 1, "name": "costs", **text})), maximum=False).typed().platforms.values()
    return platform


def packets(path: Way) -> Iterator[Point]:
    """Packets a second and the CPU time that the path adds to each [us], up to where its threads are full."""
    for rate in RATES:
        server = {"threads": 64, "cpus": 2, "mem_limit": "1GiB", "operations": {"get": [{"cpu": {"exponential": "1us"}}]}}
        found = simulated({
            "host": {"model": "dell-r740-gold-6132"}, "platforms": [path.platform], "catalog": {"hypervisors": QUIET},
            "services": {"server": server}, "workload": {"open": {"rate": f"{rate}/s"}}, "run": {"requests": 20000, "warmup": "0s"},
        })
        if found.bottleneck.utilisation is not None and found.bottleneck.utilisation > 0.98:
            return
        used = found.cpu.utilisation.value * 56 / found.throughput_per_s.value * 1e6
        yield 2 * rate, (used - 1.0) / 2


def blocks(path: Way) -> Iterator[Point]:
    """Reads a second and the time of one [us], deeper and deeper."""
    for depth in DEPTHS:
        fio = {"cpus": 2, "mem_limit": "512MiB", "operations": {"io": [{"cpu": "1us", "ops": {"syscalls": 2}}, {"disk": {"read": "4KiB"}}]}}
        found = simulated({
            "host": {"model": path.host}, "platforms": [path.platform], "services": {"fio": fio},
            "workload": {"closed": {"clients": depth}, "local": True}, "run": {"requests": 10000, "warmup": "0s"},
        })
        yield found.throughput_per_s.value, found.latency_s.mean.value * 1e6


# --- the picture -------------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, TOP, BOTTOM = 1080, 540, 62, 408
INK, FAINT = "#1f2933", "#e4e7eb"
STYLE = f"text{{font:13px system-ui,sans-serif;fill:{INK}}} .q{{font-size:12px;fill:#616e7c}} .t{{font-size:16px;font-weight:600}}"


class Panel(NamedTuple):
    """A picture with two logarithmic axes."""

    title: str
    left: float
    right: float
    x: Point
    y: Point
    words: tuple[str, str]

    def place(self, point: Point) -> Point:
        """Where a point is."""
        across, up = ((math.log(value / low) / math.log(high / low)) for value, (low, high) in zip(point, (self.x, self.y), strict=True))
        return self.left + across * (self.right - self.left), BOTTOM - up * (BOTTOM - TOP)


LEFT: Final = Panel("CPU time for a packet", 60, 520, (2e3, 2e7), (0.05, 50), ("packets a second", "us"))
RIGHT: Final = Panel("Time of a read of 4 KiB", 600, 1060, (2e3, 5e5), (40, 20000), ("reads a second", "us"))


def grid(panel: Panel) -> Iterator[str]:
    """Axes with their decades."""
    yield f'<text x="{panel.left}" y="30" class="t">{panel.title}</text>'
    for tick in decades(panel.x):
        x, _ = panel.place((tick, panel.y[0]))
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{BOTTOM}" stroke="{FAINT}"/>'
        yield f'<text x="{x:.1f}" y="{BOTTOM + 18}" class="q" text-anchor="middle">{tick:,.0f}</text>'
    for tick in decades(panel.y):
        _, y = panel.place((panel.x[0], tick))
        yield f'<line x1="{panel.left}" y1="{y:.1f}" x2="{panel.right}" y2="{y:.1f}" stroke="{FAINT}"/>'
        yield f'<text x="{panel.left - 6}" y="{y + 4:.1f}" class="q" text-anchor="end">{tick:,g}</text>'
    yield f'<text x="{panel.right}" y="{BOTTOM + 36}" class="q" text-anchor="end">{panel.words[0]}</text>'
    yield f'<text x="{panel.left}" y="{TOP - 8}" class="q">{panel.words[1]}</text>'


def decades(axis: Point) -> list[float]:
    """Powers of ten on an axis."""
    return [10.0**n for n in range(math.ceil(math.log10(axis[0])), math.floor(math.log10(axis[1])) + 1)]


def curve(panel: Panel, path: Way, predicted: Sequence[Point], measured: Sequence[Point], row: int) -> Iterator[str]:
    """A path: its curve, its dots and its name."""
    inside = [point for point in predicted if panel.y[0] <= point[1] <= panel.y[1]]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(panel.place, inside))
    yield f'<polyline points="{line}" fill="none" stroke="{path.colour}" stroke-width="2"/>'
    for x, y in map(panel.place, measured):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{path.colour}"><title>{escape(path.name)}, measured</title></circle>'
    x, y = panel.left + 230 * (row % 2), BOTTOM + 64 + 18 * (row // 2)
    yield f'<text x="{x}" y="{y}" style="fill:{path.colour}">{escape(path.name)}</text>'


def picture() -> Iterator[str]:
    """The whole of it."""
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    yield f'<style>{STYLE}</style><title>What a packet and a block cost, by load</title>'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    yield from grid(LEFT)
    for row, path in enumerate(PACKETS):
        yield from curve(LEFT, path, list(packets(path)), path.measured, row)
    yield from grid(RIGHT)
    for row, path in enumerate(BLOCKS):
        yield from curve(RIGHT, path, list(blocks(path)), [(rate, depth / rate * 1e6) for rate, depth in path.measured], row)
    yield f'<text x="60" y="{HEIGHT - 10}" class="q">lines: predicted; dots: measured (left: the backend alone, at its peak)</text></svg>'


if __name__ == "__main__":
    FIGURE.write_text("\n".join(picture()) + "\n", encoding="utf-8")
