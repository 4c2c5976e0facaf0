"""The table of instructions."""

from simvirt.kernel.table import Floats, IntArray, Ints, Table


class Program(Table):
    """One row an instruction; the itineraries of all request classes one after another."""

    # lowering
    op: Ints
    target: Ints  # service, instruction, row in `branches`, role of a disk or link, or NET or BLOCK, as the instruction wants it
    entry: Ints  # call, io, detach: first instruction of the callee, NONE without; fork: number of branches; ask: of servers
    inside: Ints  # call: the same, where the callee is in the caller's kernel
    beyond: Ints  # call: the same, where the callee is on another host
    turn: Ints  # call: place of the callee's balancer among those of the caller
    column: Ints  # column of the request's luck, NONE for a constant
    amount: Floats  # constant time [ns], probability or bytes; bell: how long what it sends keeps the backend busy [ns]
    fixed: Floats  # cpu: work that the platform adds to each execution [ns]; disk: time beyond amount and draw [ns]
    ratio: Floats  # cpu: work that the platform adds per unit of demand; disk: bytes of a buffered write
    flag: Ints  # disk: 1 for a buffered write, 2 for what the flusher writes; delay, io: its state; ask: servers on; detach: 1 with draws
    operations: Ints  # io, bell: device operations
    kicks: Ints  # io, bell: notifications that a sleeping backend needs
    kick: Floats  # work of one kick in the instance [ns]
    notify: Floats  # work in the instance to wake a sleeping backend [ns]
    wake: Floats  # io: latency until a sleeping backend runs [ns]
    irqs: Ints  # io: interrupts of the host's NIC, each on a hardware thread that sleeps as long as the backend
    interrupts: Ints  # bell: interrupts, of which the first may be coalesced
    interrupt: Floats  # work of one interrupt in the instance [ns]
    received: Floats  # bell: work in the instance's kernel for what has come in [ns]
    host_wake: Floats  # io, bell: work of a backend that slept [ns]
    host_interrupt: Floats  # work of one interrupt in the backend [ns]
    other: Ints  # first instruction of a body: that of the same body on the next kind of host, NONE without
    pace: Floats  # cpu: time that a unit of demand takes on this kind of host, over that on the first one
    asked: Ints  # skip: what a page cache is asked, instead of a probability; NONE otherwise
    branches: IntArray  # first instructions of all branches
