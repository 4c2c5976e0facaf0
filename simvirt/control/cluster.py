"""What a story of starts needs: clock, what manages instances on hosts and in guests, their locks, what is done once, records of phases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import simpy

from simvirt.catalog import Catalog
from simvirt.catalog.resolve.startups import Phase
from simvirt.clock import Clock
from simvirt.control.contact import Contact
from simvirt.control.levels import Course, Steps
from simvirt.control.lifecycle import up_at_first
from simvirt.control.lives import Lives
from simvirt.control.outages import Awaited, Outage, Outages
from simvirt.control.protocols import Acting, Fetch, Moving
from simvirt.control.records import Hired, Life, Move, Scaled, Story, Told, Waits
from simvirt.control.transfers import Transfers
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, Instance
from simvirt.plane import DataPlane
from simvirt.scenario.slots import is_first
from simvirt.scenario.spec.models import Scenario, ServiceSpec
from simvirt.workload.streams import OWN_VM

Owner = tuple[str, int]
"""What something is done once for: a `host` or a `vm`, by the row of the host or of the guest's kernel."""


CLONED = ("image", "clone")
"""The phase in which a VM gets a disk of its own, which outlives it."""
STARTED, HEALTHY = "service_started", "service_healthy"
"""How far an instance is when its process is there, and when it is ready, in the words of Compose."""


@dataclass
class Cluster:
    """The hosts of a scenario on one platform, as the control plane acts on them.

    Hosts, kernels (machines) and instances are named by their rows. `lives` are the starts of instances, in the order in which they
    began; `fetch` brings images, where they are not on the hosts; `there` are hosts and VMs that were up before; `deployed` happens when
    all that was started at 0 s is ready; `story` is what happened, `steps` what that makes of services; `orchestration` says what is to
    be there, where something does; `moves` are those of VMs and containers to other hosts, which `migrations` carries out, once something
    is to; `scaled` changes of what is wanted, `waits` of how many replicas have no host, `hired` machines of pools that autoscale;
    `network` carries what is large, once something is; `watchers` take in that a host is gone; `closed` are hosts that take nothing new,
    as they are drained.
    """

    clock: Clock
    catalog: Catalog
    lives: Lives = field(default_factory=Lives)
    fetch: Fetch | None = None
    deployed: simpy.Event | None = None
    moves: list[Move] = field(default_factory=list)
    scaled: list[Scaled] = field(default_factory=list)
    waits: list[Waits] = field(default_factory=list)
    hired: list[Hired] = field(default_factory=list)
    network: Transfers | None = None
    migrations: Moving | None = None
    watchers: list[Callable[[int], None]] = field(default_factory=list)
    orchestration: Acting | None = None
    story: Story = field(init=False)
    steps: Steps = field(init=False)
    specs: dict[int, ServiceSpec] = field(default_factory=dict)  # of instances that are of another version than the first
    outages: Outages = field(default_factory=Outages)
    _awaited: Awaited = field(default_factory=Awaited)
    closed: set[int] = field(default_factory=set)
    contact: Contact = field(init=False)
    _down: set[int] = field(default_factory=set)  # hosts
    _boots: Counter[int] = field(default_factory=Counter)
    _locks: dict[tuple[int, str], simpy.Resource] = field(default_factory=dict)
    there: set[Owner] = field(default_factory=set)
    _done: dict[Owner, dict[tuple[str, str], simpy.Event]] = field(default_factory=dict)
    _milestones: dict[tuple[int, str], simpy.Event] = field(default_factory=dict)
    _guests: set[int] = field(default_factory=set)
    _made: dict[int, set[int]] = field(default_factory=dict)  # host: replicas that are there
    _phases: dict[tuple[str, str | None, int], tuple[Phase, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = Steps(self._first_courses, self.scaled, lambda: self.plane.over)
        self.story, self.contact = Story(self.clock, told=self._told), Contact(self.clock)

    def keep_all(self) -> None:
        """Takes in that all records are to stay whole, however many there will be."""
        self.lives.kept = self.steps.kept = self.story.events.kept = self.outages.kept = math.inf

    def _told(self, told: Told) -> None:
        """Takes in what is told of an instance."""
        if told.row is not None:
            self.steps.told(told.at, self.instance(told.row).service, told.row, told.what)

    def _first_courses(self) -> dict[str, Course]:
        """The courses of services before anything happens."""
        found = {name: Course(spec.replicas, set()) for name, spec in self.scenario.services.items()}
        if self.scenario.beginning.instances == "up":
            for one in map(self.instance, up_at_first(self.clock, self.scenario)):
                if one.service in found:
                    found[one.service].up.add(one.row)
                    found[one.service].serving.add(one.row)
        for course in found.values():
            course.note(0)
        return found

    @property
    def plane(self) -> DataPlane:
        """The data plane that it acts on."""
        return self.clock.plane

    @property
    def scenario(self) -> Scenario:
        """What is asked for."""
        return self.plane.lowered.scenario

    @cached_property
    def replicas(self) -> list[Instance]:
        """The instances of services that are wanted at first, by service and number."""
        found = [i for i in self.plane.lowered.arrangement.instances if is_first(self.scenario, i.service, i.replica)]
        return sorted(found, key=lambda i: (self.plane.lowered.services.index(i.service), i.replica))

    def instance(self, row: int) -> Instance:
        """The instance of a row."""
        return self.plane.lowered.arrangement.instances[row]

    def host_of(self, row: int) -> int:
        """The host that an instance stands on."""
        return self._hosts[row]

    @cached_property
    def _hosts(self) -> list[int]:
        """The host of each instance."""
        plan = self.plane.lowered.arrangement
        return [plan.machines[one.machine].host for one in plan.instances]

    def stands(self, row: int, host: int) -> None:
        """Takes in that an instance that is down stands on a host from now on, and so does what is in its VM."""
        machine = self.instance(row).machine
        own = self.plane.lowered.arrangement.machines[machine].key[0] == OWN_VM
        for of in [row, *(one.row for one in (self.internal_of(machine) if own else ()))]:
            self._made.get(self._hosts[of], set()).discard(of)
            self._hosts[of] = host

    def is_made(self, row: int) -> bool:
        """Whether a replica is up, or made so far that what it adds to starts of others is there."""
        return row in self._made.get(self._hosts[row], ())

    def internal_of(self, machine: int) -> Sequence[Instance]:
        """What runs in a kernel beside services."""
        return self._internal.get(machine, ())

    @cached_property
    def _internal(self) -> dict[int, list[Instance]]:
        """What runs in each kernel beside services."""
        found: dict[int, list[Instance]] = {}
        for one in self.plane.lowered.arrangement.instances:
            if one.service in INTERNAL:
                found.setdefault(one.machine, []).append(one)
        return found

    def moved(self, machine: int, host: int) -> None:
        """Takes in that a VM stands on another host, with what is in it and the threads of its devices."""
        guest = self.plane.lowered.arrangement.machines[machine]
        beside = {one.backend.row for one in (guest.net, guest.disk) if one is not None and one.backend is not None}
        for one in self.plane.lowered.arrangement.instances:
            if one.machine == machine or one.row in beside:
                there = one.row in self._made.get(self._hosts[one.row], set())
                self._made.get(self._hosts[one.row], set()).discard(one.row)
                self._hosts[one.row] = host
                if there:
                    self.make(one.row)
                if self.orchestration is not None:
                    self.orchestration.moved(one.row, host)

    def host_hands(self, host: int) -> int:
        """The instance that does management work on a host's own kernel: daemons, monitors of VMs, what unpacks images."""
        plan = self.plane.lowered.arrangement
        return plan.hands[plan.hosts[host].machine].row

    def guest_hands(self, machine: int) -> int:
        """The instance that does the work of a guest's kernel and system."""
        return self.plane.lowered.arrangement.hands[machine].row

    def lock(self, host: int, name: str) -> simpy.Resource:
        """A lock of a host's own kernel, or of what manages instances there, which one at a time holds."""
        return self.kernel_lock(self.plane.lowered.arrangement.hosts[host].machine, name)

    def kernel_lock(self, machine: int, name: str) -> simpy.Resource:
        """The same of any kernel, a guest's too."""
        if (machine, name) not in self._locks:
            self._locks[machine, name] = simpy.Resource(self.clock)
        return self._locks[machine, name]

    def once(self, owner: Owner, name: tuple[str, str], begin: Callable[[], Generator[simpy.Event, Any, Any]]) -> simpy.Event:
        """The end of what is done once for a host or VM: who asks first begins it, all wait for the same end."""
        mine = self._done.setdefault(owner, {})
        if name not in mine:
            mine[name] = self.clock.process(begin())
        return mine[name]

    def reach(self, row: int, how: str) -> None:
        """Takes in that an instance is so far."""
        if not (event := self._milestone(row, how)).triggered:
            event.succeed()
        if self.orchestration is not None:
            self.orchestration.reach(row, how)

    def reached(self, service: str, how: str) -> simpy.Event:
        """The event at which all instances of a service are so far."""
        if self.orchestration is not None:
            return self.orchestration.reached(service, how)
        return simpy.AllOf(self.clock, [self._milestone(one.row, how) for one in self.replicas if one.service == service])

    def _milestone(self, row: int, how: str) -> simpy.Event:
        if (row, how) not in self._milestones:
            self._milestones[row, how] = self.clock.event()
        return self._milestones[row, how]

    def is_up(self, row: int) -> None:
        """Takes in that an instance is up at the beginning, and so are its host and VM."""
        machine = self.instance(row).machine
        self.there |= {("host", self.host_of(row)), ("vm", machine)}
        self.make(row)
        self.begin_guest(machine)
        self.reach(row, STARTED)
        self.reach(row, HEALTHY)

    def unmake(self, row: int) -> None:
        """An instance is none of those that are there any more."""
        self._made.get(self.host_of(row), set()).discard(row)

    def shut_down(self, row: int) -> None:
        """Takes in that an instance is gone, and so is a VM that was there for it alone."""
        self.unmake(row)
        if self.migrations is not None:
            self.migrations.forget(row)
        machine = self.plane.lowered.arrangement.machines[self.instance(row).machine]
        if machine.vm is not None and machine.key[0] == OWN_VM:
            self.there.discard(("vm", machine.row))
            self._done.pop(("vm", machine.row), None)

    def record(self, outage: Outage) -> Outage:
        """Takes in that something has failed, and what went with it."""
        outage.names = tuple(map(self.called, outage.rows))
        self.outages.append(outage)
        self._awaited.begins(outage)
        for row in outage.rows:
            self.steps.ends(outage.at, self.instance(row).service, row)
        took = ", ".join(outage.names)
        self.story.tell(outage.how, outage.where, None, f"it took {took} and {outage.requests} requests" if took else None)
        return outage

    def is_back(self, life: Life) -> None:
        """Takes in that an instance is ready now: what took the one in whose place it stands is over for it."""
        self._awaited.back(life.name, int(self.clock.now))

    def name_of(self, host: int) -> str:
        """The name of a host."""
        return self.plane.lowered.arrangement.hosts[host].site.named.name

    def called(self, row: int) -> str:
        """What an instance is called now: its service, and its number there."""
        return f"{self.instance(row).service}-{self.number_of(row)}"

    def number_of(self, row: int) -> int:
        """The number of an instance in its service: which of those that are wanted it is, else that of its row."""
        slot = None if self.orchestration is None else self.orchestration.slot_of(row)
        return self.instance(row).replica if slot is None else slot

    def take_in(self, row: int) -> None:
        """Let load balancing send requests to an instance that is up, where it reaches its host."""
        self.plane.admit(row)
        if self.contact.left_out[self.host_of(row)] > 0:
            self.plane.withdraw(row)

    def move(self, row: int, host: int) -> None:
        """Let the VM of an instance move to a host while it runs, where something moves VMs."""
        if self.migrations is not None:
            self.clock.process(self.migrations.migrate(self.instance(row).machine, host))

    def close(self, host: int) -> None:
        """Takes in that a host takes nothing new from now on."""
        self.closed.add(host)
        self.story.tell("drain", self.name_of(host))
        if self.orchestration is not None:
            self.orchestration.host_changed(host, not self.is_down(host))

    def is_down(self, host: int) -> bool:
        """Whether nothing can start on a host."""
        return host in self._down

    def lose_host(self, host: int) -> None:
        """Takes in that a host is gone, with all that its daemon and its VMs were at."""
        machines = {one.row for one in self.plane.lowered.arrangement.machines if self.plane.host_of_machine(one.row) == host}
        self._down.add(host)
        self._made.pop(host, None)
        self.there.discard(("host", host))
        self._done.pop(("host", host), None)
        self.lose_kernels(machines, self.name_of(host))
        for takes_in in self.watchers:
            takes_in(host)

    def forget_host(self, host: int) -> None:
        """Takes in that a host is gone with its disks: one that takes its place has none of its images, nor disks of VMs."""
        machines = {one.row for one in self.plane.lowered.arrangement.machines if self.plane.host_of_machine(one.row) == host}
        for machine in machines:
            self._done.pop(("vm", machine), None)
        if self.fetch is not None:
            self.fetch.forget(machines)

    def lose_kernels(self, machines: set[int], host: str | None = None) -> None:
        """Takes in that kernels are gone: their locks, what they were fetching, their own load; disks of VMs stay."""
        self._locks = {key: lock for key, lock in self._locks.items() if key[0] not in machines}
        self._guests -= machines
        self.there -= {("vm", machine) for machine in machines}
        for machine in machines & {of for kind, of in self._done if kind == "vm"}:
            done = self._done[("vm", machine)]
            self._done[("vm", machine)] = {name: end for name, end in done.items() if name == CLONED and end.processed}
        if self.fetch is not None:
            self.fetch.lose(machines, host)

    def host_is_up(self, host: int) -> None:
        """Takes in that a host has booted."""
        self._down.discard(host)
        self.story.tell("up", self.name_of(host), None, "it has booted")
        self._boots[host] += 1
        if self.network is not None:
            self.network.regain(self.name_of(host))
        self.contact.boots(host)

    def boots(self, host: int) -> int:
        """How often a host has booted."""
        return self._boots[host]

    def phases(self, row: int) -> tuple[Phase, ...]:
        """The phases in which an instance starts where it stands."""
        spec, host = self.spec_of(row), self.host_of(row)
        key = self.instance(row).service, spec.image, host
        if key not in self._phases:
            lowered = self.plane.lowered
            self._phases[key] = self.catalog.start_up(lowered.platform, lowered.hosts[host], spec)
        return self._phases[key]

    def spec_of(self, row: int) -> ServiceSpec:
        """What is said of the version of its service that an instance is of."""
        return self.specs.get(row) or self.scenario.services[self.instance(row).service]

    def others(self, row: int) -> int:
        """How many other replicas there are on the host of one: up, or made so far that what each of them adds to a start is there."""
        return len(self._made.get(self.host_of(row), ())) - (row in self._made.get(self.host_of(row), ()))

    def make(self, row: int) -> None:
        """From now on a replica is one of those that are there."""
        self._made.setdefault(self.host_of(row), set()).add(row)

    def begin_guest(self, machine: int) -> None:
        """Let the own load of a guest begin, unless it has."""
        if machine not in self._guests:
            self._guests.add(machine)
            for one in self.internal_of(machine):
                if one.service == GUEST_SERVICE:
                    self.plane.start_background(one.row)
