"""Boltzmann machines, restricted and deep."""
