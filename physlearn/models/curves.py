"""Curves of overlaps that fall as more is stored: their mean, its error, and where they fall."""

from __future__ import annotations

import numpy as np

RETRIEVED = 0.9  # overlap above which a pattern counts as retrieved


class OverlapCurve:
    """Mean and standard error of ``overlaps``, (k, trials), over independent trials."""

    overlaps: np.ndarray

    @property
    def mean(self):
        """Mean overlap, (k,)."""
        return self.overlaps.mean(1)

    @property
    def error(self):
        """Standard error of `mean`, (k,)."""
        return self.overlaps.std(1, ddof=1) / np.sqrt(self.overlaps.shape[1])


def fall(values, level=0.5):
    """The first k with values[k] >= level > values[k + 1], or None."""
    below = np.flatnonzero((values[:-1] >= level) & (values[1:] < level))
    return int(below[0]) if below.size else None
