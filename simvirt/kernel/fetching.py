"""What a message will meet is asked of memory while the message is on its way, so that it is in the caches when it arrives.

On a thousand hosts an instance, its kernel and the CPU that its thread ran on are in no cache, and each of them says where
the next one is. They are fetched a step an event: the instance when the message sets out, what the instance says when a
link has carried it, the CPU when the last one has. Nothing but time depends on it.
"""

from simvirt.kernel.constants import BALANCE_ROUND_ROBIN, NONE, THERE
from simvirt.kernel.marks import ahead
from simvirt.kernel.tables import Plane

MANY = 64  # replicas of a service beyond which they are not in the caches anyway


def addressee(p: Plane, f: int) -> int:
    """Frame whose instance and thread a message is for: its own, or that of the caller."""
    return f if p.frames.way[f] == THERE else p.frames.parent[f]


def fetch_addressee(p: Plane, f: int) -> None:
    """The instance that a message sets out for."""
    g: int = addressee(p, f)
    if g != NONE:
        fetch_instance(p, p.frames.instance[g])


def fetch_further(p: Plane, f: int, left: int) -> None:
    """What that instance says, while links are left that have not carried the message; then the CPU that it names."""
    g: int = addressee(p, f)
    if g == NONE or p.frames.instance[g] == NONE:
        return
    i: int = p.frames.instance[g]
    t: int = p.instances.free_thread[i] if g == f else p.frames.thread[g]
    if left > 0:
        fetch_surroundings(p, i, t)
    else:
        fetch_cpu(p, i, t)


def fetch_instance(p: Plane, i: int) -> None:
    """All that a call reads of an instance."""
    ahead(p.instances.service[i])
    ahead(p.instances.threads[i])
    ahead(p.instances.cpu_time[i])


def fetch_surroundings(p: Plane, i: int, t: int) -> None:
    """What an instance says where it is, and a thread of it; fetching NONE does nothing."""
    ahead(p.machines.host[p.instances.machine[i]])
    ahead(p.groups.machine[p.instances.group[i]])
    ahead(p.devices.backend[p.instances.net_device[i]])
    ahead(p.entities.group[t])
    ahead(p.entities.machine[t])


def fetch_cpu(p: Plane, i: int, t: int) -> None:
    """The CPU that a thread ran on, where it is among the idle ones, and its queues."""
    g: int = p.instances.group[i]
    if t == NONE or g == NONE or p.instances.machine[i] == NONE:
        return
    c: int = p.entities.cpu[t]
    m: int = p.instances.machine[i]
    first: int = p.machines.first_cpu[m]
    ahead(p.cpus.current[c])
    ahead(p.cpus.charged_at[c])
    ahead(p.cpus.busy[c])
    ahead(p.cpus.ran_last[c])
    ahead(p.cpus.idle_slot[c])
    ahead(p.cpus.core_slot[c])
    ahead(p.stacks.cpus[first + p.machines.idle_cpus[m] - 1])
    ahead(p.stacks.cores[first + p.machines.idle_cores[m] - 1])
    ahead(p.queues.policy[c])
    ahead(p.queues.policy[p.groups.first_queue[g] + c - first])
    ahead(p.calendar.at[p.run.first_cpu_timer[0] + c])


def fetch_next(p: Plane, s: int) -> None:
    """The replicas of a service with many that get the workload's next requests in turn."""
    n: int = p.services.ready_count[s]
    if n < MANY or p.services.balance[s] != BALANCE_ROUND_ROBIN or p.services.per_home[s] > 0:
        return
    k: int = p.services.turns[p.services.first[s]]
    if k + 3 > n:
        return
    at: int = p.services.first[s] + k
    fetch_instance(p, p.services.ready[at + 2])
    i: int = p.services.ready[at + 1]
    fetch_surroundings(p, i, p.instances.free_thread[i])
    i = p.services.ready[at]
    fetch_cpu(p, i, p.instances.free_thread[i])
