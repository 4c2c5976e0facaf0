"""Measure this machine's own Linux: what a system call, a switch, a fault, the disk and the loopback take, as entries of the catalogue.

probes: one file for each kind, each probe gives samples
entry.written(machine, samples) -> str      entries with values, spreads and where they come from
holdouts.py                                 other micro-measurements, predicted from the entries and measured
"""
