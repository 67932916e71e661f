"""Populations that represent vectors in their rates: ensembles, decoders, what they compute, and how they learn."""
