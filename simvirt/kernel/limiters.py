"""The table of limits that adapt."""

from simvirt.kernel.table import Floats, Ints, Table


class Limiters(Table):
    """One row an instance, where some service has a limit of calls that adapts; else one row."""

    # lowering
    rule: Ints  # GRADIENT2, AIMD, VEGAS; 0 for none
    threads: Ints  # its own, NEVER for unlimited
    line: Ints  # calls that may wait anyway, NEVER for unlimited
    smallest: Floats  # limit
    largest: Floats
    window: Ints  # [ns]
    smoothing: Floats  # gradient2: share of the new limit
    room: Floats  # gradient2: calls that may stand in line
    memory: Floats  # gradient2: windows of the long average
    longest: Floats  # aimd: time that a call may take [ns]
    ratio: Floats  # aimd: what is left of a limit after a longer one
    # kernel
    limit: Floats
    window_ends: Ints  # [ns]
    total: Floats  # time of this window's calls [ns]
    count: Ints
    most: Ints  # calls in the replica at once, in this window
    base: Floats  # long average, or least time [ns]
    seen: Ints  # windows
