"""Matter that learns: one energy, four verbs (relax, sample, integrate, learn).

Importing this package loads NumPy and Numba only and compiles nothing; names load when first used.
"""

import logging

import lazy_loader
import numba  # noqa: F401  (part of the contract above: the first kernel finds it loaded)

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # whoever wants messages adds a handler

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
