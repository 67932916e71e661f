"""Associative memories: Hopfield networks, dense and modern ones, and their theory."""
