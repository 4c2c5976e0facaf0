"""Devices of the board."""
