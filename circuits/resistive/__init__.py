"""Resistor networks: solved, measured, differentiated."""
