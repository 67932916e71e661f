"""Spin systems: Ising, Potts and spin glasses on any graph, and their observables."""
