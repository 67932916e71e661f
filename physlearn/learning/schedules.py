"""Learning rates that change: functions of the epoch for `SGD` and `Adam`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from physlearn.checks import count, not_negative


@dataclass(frozen=True)
class WarmupCosine:
    """Linear rise to a peak, then half a cosine down (Loshchilov and Hutter 2017).

    Parameters
    ----------
    peak : float
        Largest learning rate.
    epochs : int
        Of the whole training; the last rate holds beyond it.
    warmup : int
        Epochs of the rise.
    last : float
        Rate at the end.

    Examples
    --------
    >>> rates = WarmupCosine(1.0, epochs=5, warmup=2)
    >>> [round(rates(epoch), 3) for epoch in range(6)]
    [0.5, 1.0, 1.0, 0.75, 0.25, 0.0]
    """

    peak: float
    epochs: int
    warmup: int = 0
    last: float = 0.0

    def __post_init__(self):
        not_negative("peak", self.peak)
        not_negative("last", self.last)
        count("epochs", self.epochs)
        if count("warmup", self.warmup, least=0) >= self.epochs:
            raise ValueError(f"warmup: got {self.warmup} of {self.epochs} epochs, expected fewer than `epochs`")

    def __call__(self, epoch):
        """Learning rate of an epoch, 0, 1, ..."""
        if epoch < self.warmup:
            return self.peak * (epoch + 1) / self.warmup
        part = min(1.0, (epoch - self.warmup) / (self.epochs - self.warmup))
        return self.last + (self.peak - self.last) * 0.5 * (1 + math.cos(math.pi * part))
