"""Membranes: a neuron model a file, and what advances them."""
