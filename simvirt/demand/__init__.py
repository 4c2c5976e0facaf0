"""Demand: the luck of requests. Arrivals, classes and draws come in blocks from independent streams."""
