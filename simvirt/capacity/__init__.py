"""Everything of which a host or a kernel has only so many."""
