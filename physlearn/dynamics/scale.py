"""Units: those in which squares stay within the range of floats, and those that kinds tell for their variables."""

from __future__ import annotations

import numpy as np

SMALL = 0.01  # a largest value below it is in a unit of its own, such as metres of molecules


def unit_of(value) -> float:
    """The power of two at or below the largest magnitude; 1 where there is none that is finite and above zero.

    Powers of two change no digit.

    Examples
    --------
    >>> unit_of([3.0, -5.0]), unit_of([])
    (4.0, 1.0)
    """
    top = float(np.max(np.abs(value), initial=0.0))
    return float(np.ldexp(1.0, int(np.frexp(top)[1]) - 1)) if 0.0 < top < np.inf else 1.0


def scales_of(system):
    """Scale of every variable, (n,), 1 where its kind tells none; None if no kind tells one."""
    kinds = [(layer.kind, layer.size) for layer in system.layers.values()]
    if not any(getattr(kind, "scale", None) is not None for kind, _ in kinds):
        return None
    return np.concatenate([np.broadcast_to(getattr(kind, "scale", 1.0), (size,)) for kind, size in kinds])


def scale_of(system, frame):
    """Scale of every free variable of a frame, (m,): of tied ones that of the first; or None."""
    scales = scales_of(system)
    if scales is None:
        return None
    kept = np.flatnonzero(frame.cluster >= 0)
    _, first = np.unique(frame.cluster[kept], return_index=True)
    return scales[kept[first]]


def length_of(size):
    """The length that differences and first steps are compared with where the largest value is ``size``.

    1, which any start near zero needs, unless all values are far smaller than that and say themselves what is small.

    Examples
    --------
    >>> length_of(np.array([0.0, 3e-9, 0.5, 100.0])).tolist()
    [1.0, 3e-09, 1.0, 1.0]
    """
    size = np.asarray(size, dtype=float)
    return np.where((size > 0.0) & (size < SMALL), size, 1.0)
