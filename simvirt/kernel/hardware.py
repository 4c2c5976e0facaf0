"""Tables of the data plane: hosts, idle CPUs, shared hardware, disks, links, devices of VMs; see `tables`."""

from simvirt.kernel.table import FloatArray, Floats, IntArray, Ints, Table


class Hosts(Table):
    """One row a host: what it has in other tables, and which mechanisms act on it."""

    # lowering
    machine: Ints  # its own kernel
    kind: Ints  # which of the bodies of an operation runs on it
    first_disk: Ints  # its disks, by their roles
    first_link: Ints  # the directions of its NIC, OUT and IN
    spot: Ints  # where it is in the network: a row and a column in `routes`
    first_cstate: Ints  # its idle states; in this one a thread is awake
    cstates: Ints  # those of them that take time to leave
    interference: Ints  # 1 when what runs slows others down by memory, caches, kernel locks, or an SMT yield of its own
    coscheduled: Ints  # 1 when vCPUs are held back that have got ahead of their siblings
    cores: Ints  # 1 when threads of a core must not run different VMs
    switches: Ints  # 1 when changing processes or vCPUs costs something
    reloads: Ints  # 1 when some class finds its caches filled by others
    process_switch: Floats  # work of changing from one process to another [ns]
    vcpu_switch: Floats  # work of changing from or to a vCPU [ns]
    core_cache: Floats  # what a core has for itself [bytes]
    # control
    island: Ints  # hosts of the same reach each other
    shut: Ints  # 1 when no client reaches it
    loss: Floats  # ratio of the messages from and to it that are lost
    # kernel
    lottery: Ints  # state of the draws of these


class Misses(Table):
    """One row for what page caches of a host are asked, host by host."""

    # lowering
    asked: IntArray  # how many data sets all hosts' programs read (one row)
    # control
    ratio: Floats  # how often a read of it finds nothing there


class Classes(Table):
    """One row a class of software, as far as it meets others in shared hardware and kernels; row 0 meets nobody."""

    # lowering
    steady: Floats  # time per work that does not wait for memory
    stall: Floats  # time per work that waits for memory, per unit of latency and of misses
    traffic: Floats  # memory traffic per work and unit of misses [bytes/ns]
    crosses: Floats  # ratio of its accesses to the memory of its socket's node that go to other sockets in truth
    apart: Floats  # ratio of the time that these wait
    farther: Floats  # latency of another socket's memory over that of its own
    memory: IntArray  # socket whose memory it uses, for each socket on which it may run; as many rows a class as there are sockets
    process_cache: Floats  # last-level cache that the threads of a process share [bytes]
    thread_cache: Floats  # last-level cache that each running thread fills [bytes]
    reuses: Ints  # 1 when misses count for it: it fits into the cache and has something to lose
    smt_share: Floats  # speed of each of two siblings that both run this class
    kernel_share: Floats  # share of its time in serial sections of the kernel
    shootdowns: Floats  # TLB shootdowns per work [per ns]
    claimed: Floats  # last-level cache that a process of it holds by itself [bytes]
    touched_in: Floats  # time in which it touches all of that, 0 when that is not known [ns]
    refill: Floats  # work per byte that memory brings again [ns]
    reload: Floats  # work per byte that the last-level cache brings again [ns]


class Sockets(Table):
    """One row a processor of a host: its memory bandwidth and its last-level cache."""

    # lowering
    shared: Ints  # 1 when some class uses memory or cache
    bandwidth: Floats  # 0 when not known [bytes/ns]
    llc: Floats  # 0 when not known [bytes]
    floor: Floats  # root of llc, 1 when not known
    first_member: Ints  # first row in `members`
    member_count: Ints
    classes: IntArray  # number of classes (one row)
    most: IntArray  # most sockets that a host has (one row)
    members: IntArray  # pCPUs of all sockets, one after another
    far_used: Ints  # 1 when some class of its host may use other sockets' memory to an extent that matters
    link: Floats  # bandwidth of its memory for other sockets, 0 when not known [bytes/ns]
    first: Ints  # first socket of its host
    of_host: Ints  # number of sockets of its host
    stride: IntArray  # columns of a socket in `load` (one row)
    sockets: IntArray  # number of sockets (one row)
    # kernel
    wanted: Floats  # cache that what runs wants [bytes]
    threads: IntArray  # threads of an instance that run on each socket of its host, `most` rows each; kept where it has a `process_cache`
    load: FloatArray  # speed by SMT alone of all that uses its memory, by class; of what runs elsewhere in as many further columns
    asker: Ints  # socket from which its memory was last used, itself at first
    misses: Floats  # root of the claims on the cache, or of the cache where that is larger, in force
    latency: Floats  # latency of the memory over the idle one, in force
    far: Floats  # the same of what other sockets use, by the way there alone


class Caches(Table):
    """One row a process in a cache: `WAYS` rows for each CPU's core, then `SOCKET_WAYS` for each socket."""

    # lowering
    first_of_sockets: IntArray  # (one row)
    # kernel
    owner: Ints  # instance, NONE for a row not used
    held: Floats  # what the process had in the cache when it was last there [bytes]
    touched: Floats  # what it had touched then of it in its turn [bytes]
    used_at: Ints  # instant at which it was [ns]


class IdleStacks(Table):
    """Stacks of idle, of overloaded and of crowded CPUs, a stretch for each machine as long as its CPUs."""

    # kernel
    cores: IntArray
    cpus: IntArray
    overloaded: IntArray
    crowded: IntArray


class Cstates(Table):
    """One row an idle state of a host's hardware threads, shallow ones first; its first one is left in no time."""

    # lowering
    residency: Ints  # shortest idleness that it pays for [ns]
    exit: Ints  # time that leaving it takes [ns]


class Devices(Table):
    """One row a VM's path to the network or to a disk."""

    # lowering
    backend: Ints  # instance that does its work, NONE where the vCPU or the hardware does
    moderation: Ints  # least time between two interrupts [ns]
    receive: Ints  # for how long the instance's kernel polls for a packet that has come in [ns]
    gathers: Ints  # whether its backend interrupts when it has done with its line, and not for each
    suppresses: Ints  # whether kicks and interrupts that the other side does not need are left out
    # kernel
    interrupted_at: Ints  # instant of the last interrupt [ns]
    batch: Ints  # packets since the last interrupt whose backend had more to do
    polls_until: Ints  # instant up to which the instance's kernel still handles what has come in [ns]
    operations: Ints  # packets, or requests to the disk
    notifications: Ints  # kicks
    sends_until: Ints  # instant up to which the backend takes what is sent without a kick [ns]
    interrupts: Ints


class Disks(Table):
    """One row a disk: parallel channels behind one queue, and one path that requests take one after another."""

    # lowering
    channels: Ints
    write_path: Floats  # time of a byte on the path, of what the page cache writes [ns]
    write_turn: Floats  # least time of a request on the path [ns]
    write_latency: Floats  # of a page [ns]
    write_stream: Floats  # time of each byte beyond it [ns]
    chunk: Floats  # largest request of the flusher [bytes]
    background_limit: Floats  # dirty memory beyond which the flusher begins at once [bytes]
    dirty_limit: Floats  # dirty memory beyond which writers wait [bytes]
    interval: Ints  # between two looks of the flusher [ns]
    expiry: Ints  # age at which a dirty file is written [ns]
    # control
    slow: Floats  # how many times as long everything takes
    # kernel
    dirty: Floats  # what the page cache has not written yet [bytes]
    flusher: Ints  # frame of the flusher, NONE where nothing is dirty
    flush_at: Ints  # instant at which it looks again, 0 while it writes [ns]
    first_dirty: Ints  # instance whose file became dirty first
    last_dirty: Ints
    first_writer: Ints  # frame that has waited longest for the flusher
    last_writer: Ints
    in_service: Ints
    head: Ints
    tail: Ints
    busy: Ints  # channel-time used, up to busy_at [ns]
    busy_at: Ints  # [ns]
    completed: Ints
    free_at: Ints  # instant from which the path is free [ns]
    passed: Ints  # time for which the path is or will be taken by all that came so far [ns]


class Links(Table):
    """One row a direction of a link, those of the hosts' NICs first: its bandwidth is shared equally by the transfers under way."""

    # lowering
    bytes_per_ns: Floats
    # control
    bulk: Floats  # what large transfers take of it [bytes/ns]
    bulk_flows: Floats  # how many of them there are
    # kernel
    transfers: Ints
    volume: Floats  # bytes that a transfer present since the start would have got
    settled_at: Ints  # [ns]
    next_tag: Floats  # volume at which the transfer ends that is the next to do so
    next_frame: Ints
    tags: FloatArray  # of the other ones; a heap a link, in pages of HEAP_PAGE rows that belong to the links which need them
    frames: IntArray
    page: IntArray  # pages of each heap, `width` columns a link
    width: IntArray  # as many as all frames need (one row)
    free_page: IntArray  # pages that no link has, the next one on top
    free_pages: IntArray  # how many these are (one row)
    busy: Ints  # time with a transfer under way [ns]
    bytes: Floats  # bytes of all transfers that have begun
    passed: Floats  # bytes that have been carried, up to settled_at


class Routes(Table):
    """The ways between hosts that are at different places of the network: links between their NICs, for each pair of places."""

    # lowering
    hosts: IntArray  # number of hosts (one row)
    spots: IntArray  # number of places (one row)
    first: IntArray  # first row in `links` of a way, from row to column; one more at the end
    links: IntArray
    latency: IntArray  # of a packet on it [ns]


class Locks(Table):
    """One row a lock: those of the replicas first, then those of the kernels."""

    # kernel
    holder: Ints  # frame, NONE while it is free
    below: Ints  # lock that its holder took before it and still holds, NONE without
    head: IntArray  # first of each line, two columns a lock: who sleeps, who spins
    tail: IntArray
    taken_at: Ints  # instant at which its holder took it [ns]
    handed: Ints  # 1 where the first in line has been too late once, so that the next release hands the lock over to it
    held: Ints  # time for which it was held, up to taken_at [ns]
