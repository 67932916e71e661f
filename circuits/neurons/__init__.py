"""Membranes and spikes: point neurons, synapses and networks of them, on an integer time grid.

The conventions of time are stated once, in `circuits.neurons.network`.  Importing this package loads nothing
else; names load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
