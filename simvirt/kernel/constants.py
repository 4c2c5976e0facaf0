"""Every number that the kernel's functions share by name; the build writes the values into the compiled code."""

NONE = -1
NEVER = 4611686018427387904  # an instant that never comes [ns]
EPSILON = 1e-6  # work below which a burst counts as done [ns]
LONGEST = 4e18  # time after an instant of the clock that can still be added to it [ns]
ENDLESS = 4e18  # work of a thread that always wants a CPU [ns]
WEIGHT_ONE = 1024.0  # load weight of a nice-0 task: cpu.shares 1024, cpu.weight 100

# What a request waits for; the order is that of its account
QUEUE = 0  # for a worker thread
RUN_QUEUE = 1  # runnable, another task has the CPU
THROTTLED = 2  # cpu.max used up
STEAL = 3  # runs in its guest, but the vCPU has lost its pCPU
CPU = 4  # computing
VIRTUALIZATION = 5  # computing what exists only because of the platform
INTERFERENCE = 6  # computing longer than the work takes alone: siblings, caches, memory, kernel locks
DISK = 7
NETWORK = 8
DELAY = 9  # stated delays
LOCK = 10  # for a lock, asleep or spinning
N_CATEGORIES = 11
WAITING = 11  # for a call or for branches, which keep the account meanwhile
THINKING = -2  # instruction counter of a client between two requests
ENTERING = -3  # instruction counter of a request on its way from the client

NOTICEABLE = 0.02  # change of a slowdown by others that is passed on to all whom it concerns

# Why a request cannot succeed
REJECTED = 1
LOST = 2  # the callee has ended
TIMED_OUT = 3  # no answer in time
BREAKER_OPEN = 4  # the caller's breaker let nobody through
POOL_FULL = 5  # no connection, and no place in line for one
SHED = 6  # the callee took it, and dropped it while it was overloaded
UNANSWERED = 7  # the callee's kernel is gone, or no message gets there
CANCELLED = 8  # a try that its caller no longer waits for; no request ends so
CAUSES = 8  # columns of the requests that failed by cause

CLOCK_MASK = 4611686018427387903  # sums of instants are kept modulo 2^62

# Instructions of an itinerary
OP_CPU = 0
OP_CALL = 1
OP_RETURN = 2
OP_SKIP = 3
OP_FORK = 4
OP_DISK = 5
OP_NET = 6
OP_DELAY = 7  # a stated time in a stated state
OP_IO = 8  # a device's path: its latency, the wake-up of its backend, the backend's work
OP_JUMP = 9
OP_BELL = 10  # kicks and interrupts of a device, without time of their own
OP_DETACH = 11  # start instructions that nobody waits for
OP_ARRIVE = 12  # as OP_IO, by a call that no thread has taken yet: always the first of its instructions
OP_ADMIT = 13  # a thread takes the call that has arrived, or it waits in line
OP_FREE = 14  # the thread turns to the next call; the answer leaves without it
OP_FLUSH = 15  # the flusher of a disk chooses what to write, or sleeps
OP_LOCK = 16  # take a lock, spin for it, or sleep until it may be free
OP_PARK = 17  # it was not free while the thread spun: take it now, or sleep
OP_UNLOCK = 18  # give up the lock that was taken last
OP_BARRIER = 19  # wait for all members of the team: spin for it, or sleep
OP_STALL = 20  # wait as long as the memory limit of the instance makes an allocation wait
OP_SPIN = 21  # compute what memory management adds to each request of the instance
OP_REPEAT = 22  # do what follows as often as pages are missing
OP_AGAIN = 23  # the end of what is repeated
OP_REST = 24  # a member of a team has spun as long as it does: it sleeps until all others have come
OP_ROUND = 25  # the end of a region of a team: begin the next one, or go on
OP_TRY = 26  # a guarded call begins: send its first try and wait
OP_RETRY = 27  # send the next try and wait
OP_CONNECT = 28  # of a try: take a connection, or wait in line for one
OP_SEND = 29  # of a try of a client: reach the service
OP_SETTLE = 30  # of a try: it has been answered, or has failed
OP_ASK = 31  # send a request to a server of a volume and wait for its answer
OP_SHED = 32  # drop the call if it has waited too long
OP_ADAPT = 33  # of a service whose limit of calls adapts: learn from how long the call took
OP_PUBLISH = 34  # leave a message for each operation that subscribes to a topic, or wait until there is room
OP_DELIVER = 35  # of a message: a consumer begins to work on it, and it waits for that
OP_ACKNOWLEDGE = 36  # of a message: the consumer is done with it

# Locks
REPLICA_LOCK = 0  # each replica has one
KERNEL_LOCK = 1  # each kernel has one
SLEEPERS = 0
SPINNERS = 1
SPINS = -1.0  # in place of the share of a burst that the platform adds: all of it is a wait for a lock

# What an access to a disk is, where it is not one of the size that it states
FLUSHES = 3  # a write that waits for the frame's work beside its own, which a page cache has not written yet

# Devices of a VM
NET = 0
BLOCK = 1

# Where a frame is between two hosts
THERE = 1  # a call on its way
BACK = 2  # its answer
HELD = 3  # what the way of either is more, while it waits to be sent again
IN_VAIN = 3  # lost on a kernel that is gone, while who called still waits

# What a frame is
REQUEST = 0  # the entry of a request
CALLEE = 1  # a call between services
BRANCH = 2  # one arm of a parallel step
BACKGROUND = 3  # a thread of its own, no request
WORK = 4  # performed for the control plane
WRITE_BACK = 5  # an asynchronous write, nobody waits
ATTEMPT = 6  # one try of a guarded call, which is the root of all that is done for it
MESSAGE = 7  # a message of a topic, which is the root of all that a consumer does for it

# Guarded calls
BUDGET_UNIT = 1000  # what a call deposits in the budget of retries
BUDGET_SLICES = 10  # of time, after which that is worth nothing
NO_JITTER = 0
FULL_JITTER = 1  # the whole back-off is drawn
EQUAL_JITTER = 2  # half of it
NO_CONNECTION = 0
HOLDS_CONNECTION = 1
WAITS_FOR_CONNECTION = 2

# How a limit of calls adapts
GRADIENT2 = 1
AIMD = 2
VEGAS = 3
LEAST_SAMPLES = 10  # calls of a window, as of WindowedLimit
FIRST_SAMPLES = 10  # calls before the long average is exponential, as of ExpAvgMeasurement in Gradient2Limit
DRIFT = 2.0  # long average over the present one beyond which it is cut ...
DRIFT_CUT = 0.9  # ... to so much of itself, as in Gradient2Limit
PROBE = 22.5  # limits of calls after which Vegas measures its base anew: probeMultiplier 30 times the mean of its jitter

# A topic whose line is full
BLOCKS = 0  # who publishes waits
DROPS_NEWEST = 1
DROPS_OLDEST = 2

# Where a message is
IN_LINE = 0
BUFFERED = 1  # a consumer has it, and has not begun
WORKED_ON = 2
GIVEN_UP = 3  # no consumer has it any more, and it has not come back into the line yet
REPLACED = 4  # a consumer still works on it, but it has been handed out anew or counts as lost

# An entity and its run queue
OFF = 0
QUEUED = 1
CURRENT = 2
HELD = 3  # a vCPU that is held back until its siblings have caught up

# Load balancing over replicas
BALANCE_ROUND_ROBIN = 0
BALANCE_LEAST_CONNECTIONS = 1
BALANCE_RANDOM = 2
BALANCE_TWO_CHOICES = 3
BALANCE_LEAST_AT_HOME = 4  # fewest connections among the few replicas of a tenant, by looking at each

# Life of an instance
STOPPED = 0
READY = 1
DRAINING = 2
STARTING = 3  # from here on nobody takes a call
CRASHED = 4  # its kernel is there, and refuses calls for it
GONE = 5  # with its kernel: nothing answers

# Why advance() returned
NOTHING = 0  # the horizon is reached
NEEDS_DEMAND = 1  # the block of arrivals is used up
NEEDS_ROOM = 2  # frame or entity rows run out
WORK_DONE = 3  # performed work is complete
DRAINED = 4  # a draining instance has answered its last request
DONE = 5  # all requests are answered and none will come
SIGNALS = 6  # `run.signals` holds some
PAUSED = 7  # some events have passed, so that somebody may look whether the run is still wanted
STANDS_STILL = 8  # more events than an instant can hold, and no time passes
NOBODY_READY = 10  # a service without a replica is asked
TRACE_FULL = 9  # there is no room for what another look may record

# What a look records of a run that is traced, in RECORD_COLUMNS columns: the instant, one of these, a row, and two values
RECORD_COLUMNS = 5
SEEN_PCPU = 0  # a pCPU: its state, and the entity that has it or, while it polls, when that ends [ns]
SEEN_VCPU = 1  # a vCPU: its state, and the thread that has it
SEEN_CALL = 2  # a frame begins: its kind, its instance ...
SEEN_ORIGIN = 3  # ... its parent, the instant at which it began [ns] ...
SEEN_PLACE = 4  # ... its next instruction, its category
SEEN_STATE = 5  # a frame: what it waits for, its thread
SEEN_END = 6  # a frame has ended: why it could not succeed, NONE where that is not known
SEEN_QUEUE = 7  # an instance: calls that wait for a thread, calls in flight
SEEN_DISK = 8  # a disk: requests in its channels, requests that wait for one
SEEN_LINK = 9  # a direction of a NIC: transfers under way
SEEN_SYSTEM = 10  # requests in the system
SEEN_SHARES = 11  # a fluid machine: CPUs that its tasks have together [1e-9]

# States of a CPU in these records
CPU_IDLE = 0
CPU_RUNS = 1
CPU_WAKES = 2  # its pCPU leaves an idle state
CPU_POLLS = 3  # idle, while the host polls for a vCPU that halted there
CPU_WAITS = 4  # a vCPU is runnable, something else has the pCPU
CPU_STOPPED = 5  # a vCPU is throttled
CPU_HELD = 6  # a vCPU is held back until its siblings have caught up

SPINNING = 12  # a frame computes only in order to wait: for a lock, or at a barrier

# Latency histogram
SUB_BUCKETS_LOG2 = 6
N_BUCKETS = 3712

HALT_POLL_START = 10000  # first polling window of a halted vCPU, as KVM's halt_poll_ns_grow_start [ns]
IDLE_POLL_START = 50000  # the same of a guest's own idle loop, as Linux's guest_halt_poll_grow_start [ns]
RETRANSMISSION = 200000000  # before a message is sent again for the first time, as TCP_RTO_MIN [ns]
IDLE_POLL_SHRINK = 2  # what that divides its window by, as guest_halt_poll_shrink

# cgroup cpu.max, as in kernel/sched/fair.c
QUOTA_KEEP = 1000000  # runtime that a run queue keeps when it empties [ns]
QUOTA_SLACK = 5000000  # delay before returned runtime is handed on [ns]
QUOTA_MARGIN = 7000000  # no slack hand-out this close to the refill: slack + 2 ms [ns]

HEAP_PAGE = 16  # transfers of a page of a link's heap
HEAP_PAGE_LOG2 = 4

WAYS = 16  # processes whose part of a core's own cache is remembered ...
SOCKET_WAYS = 64  # ... and of the last-level cache of a socket

# Sizes fixed at build time
MOST_SIGNALS = 4096  # signals that one call of advance() can hold
SIGNALS_OF_A_FRAME = 8  # more than one frame can give before it has to wait
PAUSE_EVERY = 262143  # events between two pauses, less one: all bits set
REPEATS = 1000000  # events without time passing that any run may have ...
REPEATS_OF_A_FRAME = 1000  # ... and further ones for each frame
