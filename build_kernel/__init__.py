"""Builds the compiled kernel: `source` reads its files, `unity` joins them into one Cython module."""
