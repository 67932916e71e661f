"""Units in which squares stay within the range of floats; powers of two change no digit."""

from __future__ import annotations

import numpy as np


def unit_of(value) -> float:
    """The power of two at or below the largest magnitude; 1 where there is none that is finite and above zero.

    Examples
    --------
    >>> unit_of([3.0, -5.0]), unit_of([])
    (4.0, 1.0)
    """
    top = float(np.max(np.abs(value), initial=0.0))
    return float(np.ldexp(1.0, int(np.frexp(top)[1]) - 1)) if 0.0 < top < np.inf else 1.0
