"""Inputs: currents, noise, spike trains."""
