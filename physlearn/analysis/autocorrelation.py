"""Integrated autocorrelation time, and the standard error of a mean that it gives.

tau = 1/2 + sum_(t >= 1) rho(t), in draws; a mean over N draws has the variance 2 tau var/N.  The sum ends at the first
window W >= 6 tau(W), where the rest is noise (Madras and Sokal 1988; Wolff 2004).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.checks import reals

WINDOW = 6.0  # windows in units of tau: the sum misses exp(-6) of it


class Autocorrelation(NamedTuple):
    """Integrated autocorrelation time in draws, its standard error, and the window of the sum."""

    tau: float
    error: float
    window: int


def series_of(name, values):
    """Draws of chains as (chains, draws) float64; one chain may be one-dimensional.

    Raises
    ------
    ValueError
        Not finite, more dimensions, or fewer than 4 draws.
    """
    found = np.atleast_2d(reals(name, values))
    if found.ndim != 2 or found.shape[1] < 4 or not len(found):
        raise ValueError(f"{name}: shape {np.shape(values)}, expected (chains, draws) or (draws,), at least 4 draws")
    return found


def autocorrelation_time(values) -> Autocorrelation:
    """Integrated autocorrelation time of chains.

    Parameters
    ----------
    values : (draws,) or (chains, draws) array
        A scalar of every draw, such as ``drawn.energy``.

    Returns
    -------
    Autocorrelation
        tau = 1/2 where draws are independent; infinite where the window does not close within half of the draws: the
        chains are too short.  NaN where nothing moves.

    Notes
    -----
    Madras and Sokal, J. Stat. Phys. 50, 109 (1988), whose error is tau sqrt((4 W + 2)/N).

    Examples
    --------
    >>> import numpy as np
    >>> rng, x = np.random.default_rng(0), np.zeros((8, 4000))
    >>> for t in range(1, 4000):
    ...     x[:, t] = 0.8 * x[:, t - 1] + rng.standard_normal(8)
    >>> found = autocorrelation_time(x)
    >>> bool(abs(found.tau - 4.5) < 4 * found.error)  # (1 + 0.8)/(1 - 0.8)/2
    True
    """
    x = series_of("values", values)
    chains, n = x.shape
    x = x - x.mean()  # of all chains: a chain's own mean would hide slow drifts
    size = 1 << (2 * n - 1).bit_length()
    power = np.abs(np.fft.rfft(x, size, axis=1)) ** 2
    covariance = np.fft.irfft(power.mean(0), size)[:n] / np.arange(n, 0, -1)
    if covariance[0] <= 64 * np.finfo(float).eps * np.max(np.abs(x), initial=0.0) ** 2 or covariance[0] == 0.0:
        return Autocorrelation(float("nan"), float("nan"), 0)
    tau = 0.5 + np.cumsum(covariance[1:] / covariance[0])
    windows = np.arange(1, n)
    closed = np.flatnonzero((windows >= WINDOW * np.maximum(tau, 1.0)) & (windows <= n // 2))
    if not len(closed):
        return Autocorrelation(float("inf"), float("inf"), n // 2)
    window = int(windows[closed[0]])
    found = max(float(tau[closed[0]]), 1e-3)
    return Autocorrelation(found, found * np.sqrt((4 * window + 2) / x.size), window)


def mean_error(values) -> tuple[float, float]:
    """Mean of correlated draws and its standard error, sqrt(2 tau var/N).

    Parameters
    ----------
    values : (draws,) or (chains, draws) array

    Examples
    --------
    >>> import numpy as np
    >>> mean, error = mean_error(np.random.default_rng(0).standard_normal((4, 2500)))
    >>> bool(abs(mean) < 4 * error), round(error, 3)
    (True, 0.01)
    """
    x = series_of("values", values)
    tau = autocorrelation_time(x).tau
    if np.isnan(tau):
        return float(x.mean()), 0.0
    return float(x.mean()), float(np.sqrt(2 * max(tau, 0.5) * x.var() / x.size))
