"""The seam, downward: a scenario on a platform becomes the tables of the data plane."""
