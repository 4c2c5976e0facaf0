"""Tables of guarded calls: how callers protect themselves, and how things stand at each caller."""

from simvirt.kernel.table import Floats, IntArray, Ints, Table


class Guards(Table):
    """One row a way in which a service, or a workload, guards its calls to another service."""

    # lowering
    timeout: Ints  # of one try, NEVER for none [ns]
    deadline: Ints  # of all tries together, NEVER for none [ns]
    cancels: Ints  # 1 where a callee hears that its caller waits no longer
    attempts: Ints  # tries at most
    backoff: Floats  # before the second try [ns]
    growth: Floats  # of that from one try to the next
    longest: Floats  # most that it grows to [ns]
    jitter: Ints  # how much of it is drawn: NO_JITTER, FULL_JITTER, EQUAL_JITTER
    withdrawal: Ints  # what a retry takes from its budget, where a call deposits BUDGET_UNIT; 0 without a budget
    reserve: Ints  # what a budget has besides [the same]
    slice: Ints  # after BUDGET_SLICES times which a deposit is worth nothing [ns]
    hedge: Ints  # after which a second copy is sent, 0 for never [ns]
    failures: Ints  # in a row that open the breaker, 0 for none
    open: Ints  # how long it stays open [ns]
    connections: Ints  # of the pool, 0 without
    line: Ints  # tries that may wait for one, NEVER for unlimited
    first: Ints  # its first row in `callers`
    least: Ints  # instance of that row; NONE for a workload, which has one
    # kernel
    calls: Ints
    tries: Ints
    retried: Ints  # tries after the first
    hedged: Ints  # second copies
    timed_out: Ints  # tries
    refused: Ints  # tries, by an open breaker
    full: Ints  # tries that found the line for a connection full
    spared: Ints  # retries for which there was no budget
    given_up: Ints  # calls that failed
    orphaned: Ints  # tries that nobody waited for any more
    wasted: Ints  # computed for tries that did not count [ns]


class Callers(Table):
    """One row a guard and replica of its caller: what one client library knows."""

    # kernel
    balance: Ints  # of the budget
    slice_at: Ints  # its current slice
    slices: IntArray  # BUDGET_SLICES columns a row: what each has brought
    failures: Ints  # in a row
    opened: Ints  # instant at which the breaker opened, NEVER while it is closed [ns]
    probe: Ints  # try by which it looks whether the callee is well, NONE without
    taken: Ints  # connections in use
    waiting: Ints  # tries in line for one
    head: Ints  # the first of them
    tail: Ints
