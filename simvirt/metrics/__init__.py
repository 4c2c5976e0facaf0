"""Measure: outcomes of runs turned into numbers and their intervals."""
