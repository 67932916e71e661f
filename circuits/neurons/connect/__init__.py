"""Rules of connectivity, drawn row by row (a row holds the targets of one source).

Every rule is a frozen value; ``chunks(source, target, same, rng)`` yields ``(first source, indptr, targets, weights)``
with sorted int32 targets, weights None unless the rule brings its own.  ``same`` says that source and target are one
population; connections of a neuron to itself are left out there unless ``self_connections=True``.  The same seed
gives the same connections.

`low_rank` is another thing: a matrix of weights that is never formed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
