"""Arithmetic of netlists, parsed by a small grammar of its own and never executed as Python.

SPICE has two dialects, and ngspice 39 is followed in both (measured, see `grammar`): "source" in B, E and G elements,
where voltages and currents appear, and "param" in .param lines and braces, which are worked out while reading.  A
third, "equation", is that of neurons given as text.
"""
