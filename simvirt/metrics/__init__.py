"""Measure: outcomes of runs turned into numbers, intervals, and the closed forms that they are held against."""
