"""Rule cases: what documentation and unit tests say that a system does, held against simvirt's own functions."""
