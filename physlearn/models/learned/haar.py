"""Haar's wavelets: a field as a coarser one and details, orthonormal, along one or two axes (Haar 1910)."""

from __future__ import annotations

import numpy as np

HALF = np.sqrt(0.5)


def split(field):
    """Coarse field (n, *shape/2) and details (n, c, *shape/2), c = 1 along one axis and 3 along two.

    Parameters
    ----------
    field : (n, L) or (n, L, L) array
        L even.

    Examples
    --------
    >>> import numpy as np
    >>> coarse, details = split(np.array([[1.0, 3.0]]))
    >>> coarse.round(3), details.round(3)
    (array([[2.828]]), array([[[-1.414]]]))
    """
    if field.ndim == 2:
        low, high = _along(field, 1)
        return low, high[:, None]
    low, high = _along(field, 2)
    (a, b), (c, d) = _along(low, 1), _along(high, 1)
    return a, np.stack([b, c, d], 1)


def join(coarse, details):
    """The field of a coarse one and its details: the inverse of `split`.

    Parameters
    ----------
    coarse : (n, L/2) or (n, L/2, L/2) array
    details : (n, 1 or 3, ...) array

    Examples
    --------
    >>> import numpy as np
    >>> field = np.random.default_rng(0).standard_normal((2, 4, 4))
    >>> bool(np.allclose(join(*split(field)), field))
    True
    """
    if coarse.ndim == 2:
        return _back(coarse, details[:, 0], 1)
    low, high = _back(coarse, details[:, 0], 1), _back(details[:, 1], details[:, 2], 1)
    return _back(low, high, 2)


def _along(v, axis):
    even, odd = (v[(slice(None),) * axis + (slice(k, None, 2),)] for k in (0, 1))
    return HALF * (even + odd), HALF * (even - odd)


def _back(low, high, axis):
    shape = list(low.shape)
    shape[axis] *= 2
    out = np.empty(shape, np.result_type(low, high))
    out[(slice(None),) * axis + (slice(0, None, 2),)] = HALF * (low + high)
    out[(slice(None),) * axis + (slice(1, None, 2),)] = HALF * (low - high)
    return out
