"""Spin systems: Ising, Potts and spin glasses on any graph, and what is measured on them."""
