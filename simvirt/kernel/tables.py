"""The tables of the data plane, one class a table, one row a thing.

Each column has one owner: `lowering` writes it once, the `kernel` keeps it up, the `control` plane sets it through the verbs of
`simvirt.plane`. Times are integer nanoseconds, work is nanoseconds at the host's clock (float). Compiled, a row is a record.
"""

from collections.abc import Mapping
from typing import Any

from simvirt.kernel.guards import Callers, Guards
from simvirt.kernel.hardware import Caches, Classes, Cstates, Devices, Disks, Hosts, IdleStacks, Links, Locks, Misses, Routes, Sockets
from simvirt.kernel.limiters import Limiters
from simvirt.kernel.program import Program
from simvirt.kernel.traffic import Frames, Ranks, Services, Source, Tallies, Trace
from simvirt.kernel.table import FloatArray, Floats, IntArray, Ints, Table
from simvirt.kernel.topics import Consumers, Subscriptions

__all__ = [
    "Caches", "Calendar", "Callers", "Classes", "Consumers", "Cpus", "Cstates", "Devices", "Disks", "Entities", "FloatArray", "Floats",
    "Frames", "Groups", "Guards", "Hosts", "IdleStacks", "Instances", "IntArray", "Ints", "Limiters", "Links", "Locks", "Machines",
    "Misses", "Plane", "Program", "Queues", "Ranks", "Run", "Routes", "Services", "Sockets", "Source", "Subscriptions", "Table",
    "Tallies", "Trace",
]


class Calendar(Table):
    """One row a timer: the future of a thing that has at most one next event."""

    # kernel
    at: Ints  # instant it rings, NEVER when off [ns]
    slot: Ints  # place in the heap, NONE when off
    heap: IntArray  # timers, earliest first
    size: IntArray  # number of timers in the heap (one row)


class Run(Table):
    """One row: where the run stands, and why advance() came back."""

    # lowering
    first_cpu_timer: Ints
    first_machine_timer: Ints
    first_link_timer: Ints
    first_frame_timer: Ints
    first_vcpu: Ints  # entity row of the first vCPU
    first_thread: Ints  # entity row of the first thread
    limited: Ints  # 1 when some group has a quota
    loops: Ints  # 1 when some instance has event loops
    subscriptions: Ints  # lines of messages
    ranks: Ints  # priorities of requests that differ, 0 where all are alike
    flush: Ints  # first instruction of a disk's flusher
    receive: Ints  # first instruction of what receiving a rejected request takes
    drain: Ints  # first instruction of what works off the debt of a softirq
    spare: Ints  # frames and entity rows that must be free before a frame may go on
    notice: Ints  # time after which a caller gives up on a kernel that is gone [ns]
    frames: Ints  # frame rows
    entities: Ints  # entity rows
    # control
    shut: Ints  # 1 when clients do not reach some hosts
    # kernel
    now: Ints  # [ns]
    events: Ints
    timer: Ints  # the one that rang last at this instant; NONE before all, NEVER after all of them
    repeats: Ints  # events since time has passed, or a request of an open workload has come
    signals: IntArray  # pairs (signal, row)
    pending: Ints  # pairs in `signals`
    todo_head: Ints  # frames that go on at this instant
    todo_tail: Ints
    decider: Ints  # CPU whose task has just left, NONE otherwise
    free_frame: Ints  # head of the list of free frames
    free_frames: Ints
    fresh_entity: Ints  # first entity row never used


class Machines(Table):
    """One row a kernel that schedules: the host, or a guest."""

    # lowering
    host: Ints
    first_cpu: Ints
    cpus: Ints
    first_lock: Ints  # its first row in `locks`
    fluid: Ints  # 1 where all tasks progress at once, without run queues
    tick: Ints  # scheduler tick, 0 for exact timers [ns]
    turn: Ints  # how long what competes runs at a time, whatever its scheduler calls that [ns]
    base_slice: Ints  # eevdf [ns]
    latency: Ints  # cfs: targeted latency [ns]
    min_granularity: Ints  # cfs: shortest slice [ns]
    wakeup_granularity: Ints  # cfs: lead that a waking task needs to preempt [ns]
    timeslice: Ints  # credit: longest turn [ns]
    ratelimit: Ints  # credit, credit2: shortest turn [ns]
    reset_credits: Ints  # credit2: credits that all get at once [ns]
    migrate_resist: Ints  # credit2: lead in credits that a vCPU from another CPU needs to preempt [ns]
    quantum: Ints  # esxi, hyperv, round robin, also inside domains of Xen: length of a turn [ns]
    bound_lag: Ints  # esxi: most that a VM may lag behind [ns]
    heaviest: Floats  # credit2: the largest weight, which burns one credit per ns
    costop: Ints  # esxi: lead over the slowest sibling at which a vCPU is held back [ns]
    costart: Ints  # esxi: lead at which it goes on [ns]
    reserved: Ints  # esxi, hyperv: 1 when some group has a reservation
    halt_poll: Ints  # guest: longest time that its host, or its own idle loop, polls for work of an idle vCPU, 0 for never [ns]
    poll_start: Ints  # guest: first window of that [ns]
    poll_shrink: Ints  # guest: what a window is divided by after a longer sleep, 0 where it closes
    spin_wait: Floats  # guest: share of a wait for a preempted vCPU that is left where spinning vCPUs yield to it
    most_kernel: Floats  # largest kernel share of what may run here, 0 when nothing waits for kernel locks
    most_shootdowns: Floats  # largest rate of TLB shootdowns of what may run here [per ns]
    # kernel
    idle_cores: Ints  # idle CPUs whose SMT sibling is idle too
    idle_cpus: Ints  # all idle CPUs
    overloaded: Ints  # CPUs with waiting tasks
    crowded: Ints  # cores with more than one hardware thread busy
    rotor: Ints  # last CPU tried for a task that found no idle one
    credit_clock: Floats  # credit scheduler: CPU time owed to one unit of weight since the start [ns]
    credit_at: Ints  # instant of credit_clock [ns]
    active_weight: Floats  # credit scheduler: weight of runnable entities
    root_group: Ints  # gps: group of the threads that are in no cgroup
    fluid_at: Ints  # gps: instant up to which fluid work is settled [ns]
    fluid_speed: Floats  # gps: work per CPU time, which SMT makes less than one
    sequence: Ints  # order of arrival at FIFO queues
    running: Ints  # tasks that have a hardware thread
    kernel_load: Floats  # sum of their kernel shares
    kernel_tasks: Ints  # how many of them have one
    waited: Floats  # time in which vCPUs were preempted, over all its stretches that have ended [ns]
    waited_squares: Floats  # sum of the squares of those stretches [ns^2]
    lock_wait: Floats  # wait for a serial section that is in force, over its length
    shootdown_wait: Floats  # wait of a TLB shootdown that is in force [ns]
    paused: Ints  # guest: 1 while its vCPUs get no time


class Cpus(Table):
    """One row a CPU of some kernel: the pCPUs of a host first, then the vCPUs of each of its guests."""

    # lowering
    machine: Ints
    host: Ints
    sibling: Ints  # next hardware thread of the core, whose threads form a ring; NONE without SMT
    vcpu: Ints  # entity that carries this CPU in the machine below, NONE for a pCPU
    smt_share: Floats  # speed of a pCPU while one sibling is busy, as a share of its lone speed
    wake_work: Floats  # work that leaving HLT adds to the task that wakes this CPU, the wake-up of its thread included [ns]
    exit_work: Floats  # the part of it that leaving and entering the guest takes, even while the host polls [ns]
    phase: Ints  # offset of the scheduler tick [ns]
    socket: Ints  # processor that a pCPU is in, NONE for a vCPU
    # kernel
    current: Ints  # entity that has the CPU
    speed: Floats  # work per ns now; 0 while a vCPU waits for its pCPU
    portion: Floats  # share of a pCPU that a vCPU gets; below 1 only under the fluid scheduler
    rest: Floats  # part of a ns of CPU time that its tasks have used and that is not booked yet
    charged_at: Ints  # instant up to which the current entity is charged [ns]
    review_at: Ints  # instant at which what it runs is up for review, which a burst that ends then does not cancel [ns]
    lone: Ints  # 1 while one task has the CPU to itself and the run queues do not know of it
    ran: Ints  # how long it has run since [ns]
    deciding: Ints  # 1 while the kernel is between two tasks
    coasting: Ints  # limited queue that runs here and whose slices are booked together, NONE otherwise
    idle_slot: IntArray  # place in the idle stack of its machine
    core_slot: IntArray  # place in the idle-core stack
    overloaded_slot: IntArray
    crowded_slot: IntArray
    next_balance: Ints  # earliest instant of the next periodic balancing [ns]
    balance_failures: Ints  # attempts at balancing in a row that found no task light enough
    profile: Ints  # pCPU: class of what computes on it, NONE when idle; kept only where classes matter
    running_machine: Ints  # pCPU: machine of what computes on it, NONE when idle
    process: Ints  # pCPU: instance of what computes on it, NONE when idle; kept as far as instances of its class have a cache content
    counted: Floats  # pCPU: speed by SMT alone that the loads of its socket count
    spin: Floats  # share of the time that the current task spins for preempted vCPUs
    since: Ints  # instant the current entity was put on the CPU [ns]
    ran_last: Ints  # pCPU: entity that it ran last, NONE before the first; kept only where switches cost something, as the next two
    holder: Ints  # pCPU: instance that computed on it last
    turn_at: Ints  # pCPU: instant from which that has had it [ns]
    busy: Ints  # time not idle [ns]
    busy_since: Ints  # instant from which it is; in the future while it leaves its idle state [ns]
    idle_exits: Ints  # times a vCPU left HLT
    halted_at: Ints  # instant it fell idle last [ns]
    io_waiters: Ints  # threads that wait for the disk since they ran here
    io_idle: Ints  # pCPU: how many those were when it fell idle
    ready_at: Ints  # pCPU: instant at which it has left its idle state, 0 when it is in none [ns]
    poll_window: Ints  # vCPU: how long the host polls when it halts [ns]
    polled: Ints  # vCPU: CPU time of the host spent on polling [ns]
    polls_for: Ints  # idle pCPU: vCPU that halted on it and that the host polls for, NONE otherwise
    poll_ends: Ints  # idle pCPU: instant at which the host stops polling [ns]
    switches: Ints  # context switches
    core_since: Ints  # core scheduler: instant its core's turn began [ns]


class Queues(Table):
    """One row a run queue: first the root queue of each CPU, then one for each (group, CPU)."""

    # lowering
    cpu: Ints
    group: Ints  # NONE for a root queue
    parent: Ints  # queue in which this queue's group entity competes, NONE for a root
    policy: Ints  # scheduler that orders this queue: its place in `SCHEDULERS`; NONE on a fluid machine
    base_slice: Floats  # eevdf: that of its machine [ns]
    # kernel
    tree: Ints  # root of the ordered tree of waiting entities
    current: Ints  # entity of this queue that runs, it is not in the tree
    entities: Ints  # entities that compete here, current and delayed ones included
    tasks: Ints  # runnable tasks below
    load: Floats  # weight in the tree
    moment: Floats  # sum of weight x (vruntime - origin) in the tree
    origin: Floats  # virtual time that moments count from [ns]
    min_vruntime: Floats  # cfs, esxi, hyperv: least vruntime so far; it never falls [ns]
    credits_given: Floats  # credit2: what it has handed out to all since the start [ns]
    runtime: Ints  # cpu.max runtime at hand [ns]
    taken_in: Ints  # start of the period in which it was taken, where it expires [ns]
    throttled: Ints
    throttled_since: Ints  # [ns]
    throttled_clock: Ints  # time throttled so far [ns]
    next_throttled: Ints  # next throttled queue of the group
    next_coasting: Ints  # next queue of the group whose slices are booked together
    slice_at: Ints  # instant of its last slice that is booked, while it coasts [ns]


class Entities(Table):
    """One row a thing that competes for a CPU: group entities (row = their queue), then vCPUs, then threads."""

    # lowering for vCPUs, kernel for threads
    group: Ints  # group it runs in, NONE for the root
    machine: Ints
    instance: Ints
    carries: Ints  # CPU that this vCPU is, NONE for other entities
    pin: Ints  # CPU that this vCPU never leaves, NONE for one that moves and for threads
    # kernel
    cpu: Ints  # CPU it runs or last ran on
    queue: Ints  # queue it competes in
    state: Ints  # OFF, QUEUED, CURRENT, HELD
    delayed: Ints  # sleeps, but still competes until its lag is worked off
    weight: Floats
    vruntime: Floats  # [ns]
    deadline: Floats  # eevdf: virtual deadline [ns]
    protect: Floats  # eevdf: vruntime up to which it may not be preempted [ns]
    lag: Floats  # eevdf: lag when it left [ns]
    relative: Floats  # cfs, credit2, esxi, hyperv: vruntime relative to where its queue stood when it left [ns]
    turn: Ints  # CPU time that it has had in its present turn, where its scheduler gives turns [ns]
    migrated: Ints  # credit2: 1 when it came from another CPU to wait here
    reserve_due: Ints  # esxi, hyperv: 1 while its reservation puts it ahead of others
    by_reserve: Ints  # esxi, hyperv: 1 when its reservation has put it on the CPU
    priority: Floats  # credit: BOOST, UNDER, OVER
    credits: Floats  # credit: credits at hand [ns]
    credit_mark: Floats  # credit scheduler: credit_clock of its last settlement [ns]
    fluid_mark: Floats  # gps: work of its group when the task's time was last divided [ns]
    key: Floats  # order in the tree
    least: Floats  # smallest vruntime in its subtree [ns]
    left: Ints
    right: Ints
    mark: Ints  # throttled clock of its queue when it began to wait [ns]
    waits_since: Ints  # vCPU: instant it became runnable without running [ns]
    wait: Ints  # time runnable but not running: steal of a vCPU, run-queue wait of a task [ns]
    progress: Ints  # vCPU under esxi: time that it has run, in step with its siblings [ns]
    held: Ints  # vCPU under esxi: time that it was held back, a part of `wait` [ns]
    frame: Ints  # frame that the thread works on
    next_free: Ints  # free threads of an instance


class Groups(Table):
    """One row a cgroup or virtual machine: weight and cpu.max for what runs inside."""

    # lowering; of a replica's own cgroup, shares, reserve, quota, period and burst are control's
    machine: Ints
    first_queue: Ints  # queue row on the machine's first CPU
    shares: Floats  # weight of the group on the whole machine
    each: Ints  # 1 where every runnable task has the shares, 0 where they are divided
    reserve: Floats  # CPUs that it has a right to before others get their shares
    quota: Ints  # cpu.max per period, 0 for none [ns]
    period: Ints  # [ns]
    burst: Ints  # cpu.max.burst [ns]
    slice: Ints  # runtime handed to a CPU at a time [ns]
    expires: Ints  # 1 where runtime that a queue has not used is lost when the period ends
    first_mask: Ints  # cpuset: first row in `masks`
    mask_cpus: Ints  # number of CPUs in the cpuset, 0 for all
    masks: IntArray  # CPU rows of all cpusets, one after another
    # kernel
    reserve_left: Floats  # reserved CPU time that is due to it [ns]
    reserve_at: Ints  # instant of reserve_left [ns]
    pool: Ints  # runtime not yet handed out [ns]
    refilled_at: Ints  # start of the current period [ns]
    tasks: Ints  # runnable tasks on all CPUs
    first_throttled: Ints  # oldest throttled queue
    last_throttled: Ints
    slack_at: Ints  # instant at which returned runtime is handed on, NEVER when none [ns]
    nr_periods: Ints
    nr_throttled: Ints
    coasting: Ints  # first of its queues whose slices are booked together
    coasts_until: Ints  # instant before which none of these slices can fail [ns]
    fluid_rate: Floats  # gps: share of a CPU that each runnable task has
    fluid_used: Floats  # gps: CPU time so far of a task that was always runnable [ns]
    fluid_time: Floats  # gps: work done so far by such a task [ns]
    fluid_slot: Ints  # gps: place among the active groups of the machine
    fluid_active: IntArray  # gps: active groups, a stretch for each machine
    fluid_count: IntArray  # gps: number of active groups of a machine (row = machine)
    fluid_first: IntArray  # gps: first row of a machine's stretch in fluid_active (row = machine)


class Instances(Table):
    """One row a replica of a service: a process, a container or what runs in a VM."""

    # lowering
    service: Ints
    threads: Ints  # worker threads or event loops, NEVER for unlimited
    loops: Ints  # 1 where its threads are event loops
    queue_limit: Ints  # requests that may wait, NEVER for unlimited
    receiver: Ints  # instance of its kernel that spends the work of receiving what is rejected, NONE without
    softirq: Ints  # instance of its kernel that takes interrupts beside its busy threads, NONE where there is but one CPU
    softirqs: Ints  # 1 where its threads are softirqs, which run in whatever process was there
    poll: Ints  # how long it looks for more device work before it sleeps; 0 for what is no backend [ns]
    profile: Ints  # class of its software
    first_lock: Ints  # its first row in `locks`
    first_turn: Ints  # its first row in `turns`, for what it calls
    first_rank: IntArray  # its first row in `ranks`, NONE for what is no replica of a service
    # control
    machine: Ints  # kernel that schedules its threads, NONE before it is placed
    group: Ints  # cgroup of its threads, NONE for the root
    net_device: Ints  # row of its VM's network path, NONE outside VMs
    disk_device: Ints  # row of its VM's disk path, NONE outside VMs
    life: Ints  # STOPPED, STARTING, READY, DRAINING, CRASHED, GONE
    faults: Floats  # pages that a request touches and finds on the disk, on average
    spin: Floats  # work that memory management adds to a request [ns]
    stall: Ints  # time that an allocation waits beyond memory.high [ns]
    # kernel
    ready_slot: Ints  # place in the service's stretch of `ready`
    in_flight: Ints
    busy_threads: Ints
    thread_time: Floats  # thread-seconds held, up to thread_time_at [ns]
    thread_time_at: Ints  # [ns]
    free_thread: Ints  # head of the list of free threads
    queue_head: Ints
    queue_tail: Ints
    queue_length: Ints
    cpu_time: Ints  # CPU time used [ns]
    overhead_time: Ints  # part of it that exists because of the platform, as far as it is booked [ns]
    rejected: Ints
    debt: Floats  # work of kicks and interrupts that its next burst takes up [ns]
    dirty: Floats  # what it has written and the page cache has not [bytes]
    dirty_since: Ints  # instant at which that began to be some [ns]
    next_dirty: Ints  # instance whose file became dirty next
    previous_dirty: Ints  # instance whose file became dirty before
    looks_at: IntArray  # sheds: instant from which an interval begins [ns]
    least_wait: IntArray  # sheds: shortest wait of this one [ns]
    overloaded: IntArray  # sheds: 1 where that of the last one was too long
    awake_until: Ints  # backend: sleeps from this instant on, unless it has work [ns]
    polled: Ints  # backend: CPU time spent looking for work [ns]


class Plane:
    """All tables of what is simulated."""

    calendar: Calendar
    run: Run
    hosts: Hosts
    misses: Misses
    machines: Machines
    cpus: Cpus
    classes: Classes
    caches: Caches
    cstates: Cstates
    sockets: Sockets
    stacks: IdleStacks
    queues: Queues
    entities: Entities
    groups: Groups
    services: Services
    instances: Instances
    devices: Devices
    frames: Frames
    program: Program
    disks: Disks
    links: Links
    routes: Routes
    source: Source
    tallies: Tallies
    guards: Guards
    callers: Callers
    subscriptions: Subscriptions
    consumers: Consumers
    ranks: Ranks
    limiters: Limiters
    locks: Locks
    trace: Trace

    def __init__(self, tables: Mapping[str, Any]) -> None:
        for name in type(self).__annotations__:
            setattr(self, name, tables[name])
