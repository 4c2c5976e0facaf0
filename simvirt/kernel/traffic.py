"""Tables of the data plane: requests that come in, services that take them, their calls in progress, accounts of those that went."""

from simvirt.kernel.table import FloatArray, Floats, IntArray, Ints, Table


class Services(Table):
    """One row a service."""

    # lowering
    first: Ints  # first row of its stretch in `ready`
    balance: Ints
    per_home: Ints  # replicas of each tenant, 0 where all tenants share them
    members: IntArray  # instances of the service, tenant by tenant; stretches as those of `ready`
    # control
    line_limit: Ints  # requests that may wait where no replica is ready
    # kernel
    ready: IntArray  # instances that take requests
    ready_count: Ints
    turns: IntArray  # round robin: next of a balancer; of requests, in the first row of a stretch; then of each caller
    completed: Ints
    failed: Ints
    latency_sum: Floats  # [ns]
    latency_min: Ints  # [ns]
    latency_max: Ints  # [ns]
    queue_wait: Floats  # time waited for a thread [ns]
    line_head: Ints  # frame that has waited longest for a replica to be ready
    line_tail: Ints
    line_length: Ints
    line_joined: Ints  # frames that have waited so
    line_refused: Ints  # frames that found the line full
    line_most: Ints  # the longest that the line has been
    line_wait: Floats  # time that frames have waited in it [ns]
    histogram: IntArray  # latencies, N_BUCKETS columns a service


class Source(Table):
    """The requests that come, in streams: arrivals at instants are the first one, the clients of each closed workload one of their own.

    A stream comes a block at a time, refilled from outside on NEEDS_DEMAND; blocks lie one behind the other.
    """

    # lowering
    width: Ints  # draws per request
    entry: IntArray  # class: first instruction
    service: IntArray  # class: service of the entry
    balance_column: IntArray  # class: column of the draw that picks a replica
    stream: IntArray  # class: stream that its requests come in
    workload: IntArray  # class: workload that it belongs to
    workloads: Ints  # number of workloads (one row)
    received: IntArray  # class: 1 where requests come over the network, 0 where they begin in the instance
    guard: IntArray  # class: first instruction of a client that guards its requests, NONE where they enter their service at once
    rank: IntArray  # class: place of its priority among all, 0 for the highest
    hop: IntArray  # class: time that the platform adds to the way from and to the client [ns]
    clients: IntArray  # stream: number of clients, 0 for arrivals at instants
    bounded: Ints  # 1 when the run ends with the answer to its last request
    streams: Ints  # number of streams (one row)
    homes: Ints  # tenants that replicas and load are divided among, 1 without
    # control
    at: IntArray  # arrival instants of the blocks, or think times of clients [ns]
    category: IntArray  # request classes of the blocks
    home: IntArray  # tenants of the blocks' requests; one row where there is one tenant, or only clients, that have theirs
    draws: FloatArray  # luck of the blocks, row-major
    end: IntArray  # stream: row behind its block
    last: IntArray  # stream: 1 when no block follows
    fresh: Ints  # 1 where blocks have come since clients last looked (one row)
    # kernel
    cursor: IntArray  # stream: next request of its block
    parked: IntArray  # stream: clients that wait for the next block
    lacking: Ints  # 1 where a block is used up and another will follow (one row)
    ended: Ints  # streams whose last request has been handed out (one row)
    handed: Ints  # rows of luck given to requests so far (one row)
    issued: Ints  # requests issued so far (one row)


class Tallies(Table):
    """One row a request class: what has happened to its requests."""

    # kernel
    arrived: Ints
    completed: Ints
    rejected: Ints
    failed: Ints  # all that was not rejected
    causes: IntArray  # of those that failed by a guarded call: CAUSES columns a class
    latency_sum: Floats  # [ns]
    latency_min: Ints  # [ns]
    latency_max: Ints  # [ns]
    arrival_sum: Ints  # sum of arrival instants, modulo 2^62 [ns]
    departure_sum: Ints  # sum of departure instants, modulo 2^62 [ns]
    spent: FloatArray  # breakdown of all latencies, N_CATEGORIES columns a class [ns]
    histogram: IntArray  # latencies, N_BUCKETS columns a class
    in_system: IntArray  # requests under way (one row)
    area: IntArray  # integral of in_system over time, modulo 2^62 (one row) [ns]
    area_at: IntArray  # [ns]
    batch_capacity: IntArray  # batches kept; when full, neighbours are merged (one row)
    batch_sum: FloatArray  # latency sums of consecutive batches of all requests; then of each workload's, where there are several [ns]
    batch_at: IntArray  # instants at which batches were full [ns]
    batch_size: IntArray  # requests a batch (a row for all, then one a workload; so are the following)
    batch_count: IntArray  # full batches
    batch_fill: IntArray  # requests in the open batch
    batch_open: FloatArray  # latency sum of the open batch [ns]


class Frames(Table):
    """One row a call in progress: a request at its entry, a call, a branch, background or performed work."""

    # kernel
    kind: Ints
    pc: Ints  # next instruction
    root: Ints  # entry frame of the request
    parent: Ints
    pending: Ints  # branches that the frame waits for, or links that it has not passed
    way: Ints  # between two hosts: THERE or BACK, 0 elsewhere
    rest: Ints  # latency of that way [ns]
    account: Ints  # frame whose account the time goes to
    instance: Ints
    thread: Ints
    state: Ints  # what it waits for
    since: Ints  # instant it entered that state [ns]
    began: Ints  # instant the call was made [ns]
    work: Floats  # CPU work left of this burst [ns]
    overhead: Floats  # share of the burst that the platform adds, of what is no switching
    switching: Floats  # part of the work that comes first: a change of process, and caches to be filled again [ns]
    failed: Ints  # 1 once the request cannot succeed
    counted: Ints  # 1 while its instance counts it among those in flight
    next: Ints  # free list, thread queue or device queue
    category: Ints  # request class, or handle of performed work
    home: Ints  # tenant that the request belongs to
    lock: Ints  # lock that it waits for or has been woken for, NONE without
    lock_line: Ints  # SLEEPERS or SPINNERS, NONE where it stands in neither line
    lock_next: Ints
    lock_prev: Ints
    held_lock: Ints  # lock that it took last and holds, NONE without
    team_first: Ints  # member of its team that came last to the barrier of all that wait there, NONE without
    team_next: Ints  # member that came to the barrier before it
    team_waits: Ints  # members that wait at the barrier
    arrived: Ints  # intended arrival [ns]
    tries: IntArray  # guarded call: tries so far
    attempt: IntArray  # the one under way, NONE without
    hedge: IntArray  # a second copy of it under way, NONE without
    tried_at: IntArray  # instant at which it was sent [ns]
    expires: IntArray  # instant from which nobody waits for it [ns]
    until: IntArray  # deadline of a guarded call, and of each of its tries [ns]
    below: IntArray  # try: the first of the guarded calls that it waits for, NONE without
    enrolled: IntArray  # guarded call: the try that it is one of those of, NONE without
    beside: IntArray  # the next of them; of a try that waits for a connection: the next in line
    before: IntArray  # the one before
    connection: IntArray  # try: NO_CONNECTION, HOLDS_CONNECTION, WAITS_FOR_CONNECTION
    guard: IntArray  # try that nobody waits for: its guard
    front: IntArray  # call in a line by ranks: the one before it
    subscription: IntArray  # message: the line that it is for
    standing: IntArray  # message: IN_LINE, BUFFERED, WORKED_ON, GIVEN_UP, REPLACED
    consumer: IntArray  # message: row of the consumer that has it in hand, NONE without
    script: IntArray  # message: its first instruction
    deliveries: IntArray  # message: so far
    after: IntArray  # message: the next one in line, or in a consumer's hand
    ahead: IntArray  # message: the one before in a consumer's hand
    spent: IntArray  # time by category, N_CATEGORIES columns a frame [ns]
    draws: FloatArray  # the request's luck, Source.width columns a frame


class Ranks(Table):
    """One row an instance and rank of calls, where requests have priorities."""

    # kernel
    last: Ints  # last call of the rank in line, NONE without


class Trace(Table):
    """What looks at a traced run have recorded, and how things stood at the last look; nothing but one row of each where none is traced."""

    # control
    room: Ints  # records that one look may make at most (one row)
    capacity: Ints  # records that there is room for (one row)
    most_frames: Ints  # frames that are looked at, in the first rows of their table (one row)
    instances: Ints  # number of instances (one row)
    disks: Ints  # number of disks (one row)
    # kernel
    count: Ints  # records made (one row)
    top: Ints  # rows of frames up to the last one that was under way (one row)
    in_system: Ints  # requests under way (one row)
    records: IntArray  # RECORD_COLUMNS columns a record
    cpu_state: IntArray  # CPU: NONE before the first look
    cpu_value: IntArray  # CPU: what it runs
    began: IntArray  # frame: instant at which it began, NONE where the row is free [ns]
    state: IntArray  # frame: what it waits for
    thread: IntArray  # frame
    waiting: IntArray  # instance: calls that wait for a thread
    in_flight: IntArray  # instance
    at_disk: IntArray  # disk: requests that have reached it
    at_disk_before: IntArray  # disk: the same at the last look
    served: IntArray  # disk: those of them in its channels
    transfers: IntArray  # direction of a NIC
    shares: IntArray  # machine: CPUs that its tasks have together [1e-9]
