"""See `circuits.neurons.interop.from_brian2`."""

from circuits.neurons.interop.from_brian2 import from_brian2

__all__ = ["from_brian2"]
