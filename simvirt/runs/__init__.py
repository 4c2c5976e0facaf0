"""One scenario, simulated: one replication of a platform, all replications of all platforms."""
