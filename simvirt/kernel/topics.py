"""Tables of messages between services: who subscribes to which topic, and what each of its replicas has in hand."""

from simvirt.kernel.table import Floats, IntArray, Ints, Table


class Subscriptions(Table):
    """One row a topic and an operation that subscribes to it: a line of messages; those of a topic follow each other."""

    # lowering
    service: Ints
    concurrency: Ints  # messages that a replica works on at once
    prefetch: Ints  # messages that a replica has in hand at most, NEVER for any number
    keeps: Ints  # 1 where a message is kept until it is acknowledged
    visibility: Ints  # after which one that is not comes back into the line, NEVER where its consumer's connection decides [ns]
    most: Ints  # deliveries of a message
    limit: Ints  # messages in line, NEVER for any number
    full: Ints  # what happens beyond that: BLOCKS, DROPS_NEWEST, DROPS_OLDEST
    first: Ints  # its first row in `consumers`
    least: Ints  # instance of that row
    # kernel
    head: Ints  # first message in line
    tail: Ints
    waiting: Ints  # messages in line
    area: Floats  # integral of that over time [ns]
    area_at: Ints  # [ns]
    longest: Ints  # most that were in line
    under_way: Ints  # delivered, and neither acknowledged nor back in line
    idle_head: Ints  # first consumer that takes another message
    idle_tail: Ints
    blocked: Ints  # frames that wait for room
    blocked_head: Ints
    blocked_tail: Ints
    published: Ints
    delivered: Ints
    consumed: Ints  # acknowledged
    dropped: Ints  # for want of room
    lost: Ints  # not kept, and not worked on to the end
    dead: Ints  # given up after as many deliveries as there may be
    returned: Ints  # back into the line after a delivery
    repeated: Ints  # worked on to the end though it had been handed out anew
    busy: Floats  # time that consumers have worked on what they have done with [ns]
    wait: Floats  # time in line, of all deliveries [ns]
    latency_sum: Floats  # from publishing to acknowledging [ns]
    latency_min: Ints  # [ns]
    latency_max: Ints  # [ns]
    histogram: IntArray  # N_BUCKETS columns a row


class Consumers(Table):
    """One row a subscription and replica of its service."""

    # kernel
    joined: Ints  # 1 while it takes messages
    held: Ints  # messages in hand
    working: Ints  # those of them that it works on
    head: Ints  # first of those that it has not begun
    tail: Ints
    listed: Ints  # 1 while it is among those that take another one
    next: Ints
    previous: Ints
