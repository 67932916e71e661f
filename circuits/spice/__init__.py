"""Netlists for SPICE."""
