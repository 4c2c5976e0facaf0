"""CPU scheduling policies: each file says how one policy places, picks and preempts entities of a run queue."""
