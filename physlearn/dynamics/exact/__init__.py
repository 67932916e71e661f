"""Exact references: enumeration of all states and transfer matrices."""
