"""Predictions against theory, published results and measurements: what simvirt says, what is true, how far apart they are."""
