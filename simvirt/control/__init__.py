"""The control plane: SimPy processes that start, stop and break things, acting on the data plane only through its verbs."""
