"""CPU schedulers: each file says how one places, picks and preempts entities of a run queue; `registry` lists them."""
