"""Temperatures that change: annealing, replica exchange, populations, importance sampling."""
