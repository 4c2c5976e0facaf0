"""Rows of hosts, and of what each has for itself: idle states, a disk, both directions of a NIC."""

import numpy as np

from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement, Host
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.lowering.sharing import Sharing

DIRECTIONS = 2  # of a NIC, OUT and IN


def host_table(plan: Arrangement, shared: Sharing) -> Columns:
    """What each host has in other tables, and which mechanisms act on it."""
    hosts, n = plan.hosts, len(plan.hosts)
    states = [len(host.entry.cstates) for host in hosts]
    return fill(
        blank(t.Hosts, rows=n),
        machine=[host.machine for host in hosts],
        first_disk=np.arange(n),
        first_link=np.arange(n) * DIRECTIONS,
        first_cstate=np.cumsum([0, *(1 + count for count in states)])[:-1],
        cstates=states,
        interference=shared.acts,
        coscheduled=[_coscheduled(plan, host) for host in hosts],
        cores=[plan.machines[host.machine].scheduler.cores and host.entry.smt == 2 for host in hosts],
    )


def _coscheduled(plan: Arrangement, host: Host) -> bool:
    """Whether a host's scheduler holds back vCPUs that have got ahead of their siblings."""
    guests = (machine for machine in plan.machines if machine.host == host.row and machine.vm is not None)
    return plan.machines[host.machine].scheduler["costop"] > 0 and any(guest.cpus > 1 for guest in guests)


def cstate_table(plan: Arrangement) -> Columns:
    """Idle states of each host, after one in which a thread is awake."""
    residencies = [time for host in plan.hosts for time in (0, *(round(state.residency) for state in host.entry.cstates))]
    exits = [time for host in plan.hosts for time in (0, *(round(state.exit) for state in host.entry.cstates))]
    return fill(blank(t.Cstates, rows=len(exits)), residency=residencies, exit=exits)


def disk_table(plan: Arrangement) -> Columns:
    """The disk of each host."""
    return fill(blank(t.Disks, rows=len(plan.hosts)), channels=[host.entry.disk.channels for host in plan.hosts])


def link_table(plan: Arrangement, frames: int) -> Columns:
    """Both directions of each host's NIC."""
    rates = np.repeat([host.entry.nic.bandwidth / 8e9 for host in plan.hosts], DIRECTIONS)
    heaps = len(rates) * frames
    return fill(blank(t.Links, rows=len(rates), tags=heaps, frames=heaps, capacity=1), bytes_per_ns=rates, capacity=[frames])
