"""See `circuits.neurons.interop.nir`."""

from circuits.neurons.interop.nir import from_nir, to_nir

__all__ = ["from_nir", "to_nir"]
