"""Receptors, projections, wiring, plasticity, delivery of spikes."""
