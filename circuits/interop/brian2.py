"""See `circuits.neurons.interop.brian2`."""

from circuits.neurons.interop.brian2 import to_brian2

__all__ = ["to_brian2"]
