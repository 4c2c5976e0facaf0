"""A timeline of a part of a run, in Chrome's trace-event format: who ran where, what requests waited for, what devices and memory did."""
