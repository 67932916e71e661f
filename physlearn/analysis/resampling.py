"""Standard errors of nonlinear estimators, by the jackknife or the bootstrap over blocks of draws.

Neighbouring draws are correlated, so blocks are left out or drawn, each long against the autocorrelation time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from physlearn.analysis.autocorrelation import autocorrelation_time, series_of
from physlearn.checks import choice, count, function
from physlearn.rng import generator as generator_of

LONG = 10.0  # autocorrelation times a block
FEWEST, MOST = 8, 64  # blocks


class Estimate(NamedTuple):
    """A value, its standard error, and the number of blocks it was taken from."""

    value: float
    error: float
    blocks: int


def estimate(
    estimator: Callable, *series, method: str = "jackknife", blocks: int | None = None, resamples: int = 500, rng=None
) -> Estimate:
    """Value and standard error of a function of means, such as a Binder cumulant or a specific heat.

    Parameters
    ----------
    estimator : callable
        ``estimator(*series) -> number`` of one-dimensional arrays of draws.
    *series : (draws,) or (chains, draws) arrays
        Of the same draws.
    method : {"jackknife", "bootstrap"}
        The jackknife's value is corrected for its bias of order 1/N; the bootstrap is SciPy's over blocks.
    blocks : int, optional
        In all, the same number in each chain; default as many as are ten autocorrelation times long, 8 to 64.
    resamples : int
        Of the bootstrap.
    rng : int, Generator or None
        For the bootstrap.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        Series of different shapes; draws too few for 8 blocks of ten autocorrelation times (sample longer, or give
        ``blocks``); an estimator that returns something other than a finite number.

    Notes
    -----
    Efron 1982; Berg 2004, section 2.7.

    Examples
    --------
    >>> import numpy as np
    >>> m = np.random.default_rng(0).standard_normal((4, 2000))
    >>> found = estimate(lambda m: 1 - np.mean(m**4) / (3 * np.mean(m**2) ** 2), m)
    >>> bool(abs(found.value) < 4 * found.error), found.blocks
    (True, 64)
    """
    function("estimator", estimator, len(series), "a function of the series")
    choice("method", method, ("jackknife", "bootstrap"))
    resamples, drawer = count("resamples", resamples, 10, most=10**6), generator_of(rng)
    if not series:
        raise ValueError("series: got none, expected at least one array of draws")
    found = [series_of(f"series[{k}]", one) for k, one in enumerate(series)]
    chains, draws = found[0].shape
    if any(one.shape != (chains, draws) for one in found):
        raise ValueError(f"series: shapes {[one.shape for one in found]}, expected the same of all")
    each = _blocks_of(found, blocks)
    length = draws // each
    cut = np.stack([one[:, : each * length].reshape(chains * each, length) for one in found])
    number = chains * each

    def of(kept):
        value = float(estimator(*(part[kept].ravel() for part in cut)))
        if not np.isfinite(value):
            raise ValueError(f"estimator: returned {value} for some blocks, expected a finite number")
        return value

    whole = of(np.arange(number))
    if method == "jackknife":
        without = np.array([of(np.delete(np.arange(number), k)) for k in range(number)])
        error = np.sqrt((number - 1) / number * np.sum((without - without.mean()) ** 2))
        return Estimate(number * whole - (number - 1) * float(without.mean()), float(error), number)
    from scipy.stats import bootstrap

    drawn = bootstrap(
        (np.arange(number),),
        lambda picked: of(picked.astype(int)),
        n_resamples=resamples,
        vectorized=False,
        method="percentile",
        rng=drawer,
    )
    return Estimate(whole, float(drawn.standard_error), number)


def _blocks_of(found, blocks):
    """Blocks in each chain."""
    chains, draws = found[0].shape
    if blocks is not None:
        each = count("blocks", blocks, 2, most=chains * draws) // chains
        if each < 1 or each * chains < 2:
            raise ValueError(f"blocks: got {blocks} for {chains} chains, expected at least one a chain and two in all")
        return each
    known = [autocorrelation_time(one).tau for one in found]
    tau = max((t for t in known if not np.isnan(t)), default=0.5)
    most = draws / (LONG * max(tau, 0.5))
    if not most * chains >= FEWEST:
        raise ValueError(
            f"series: {chains} chains of {draws} draws, autocorrelation time {tau:.3g} draws: fewer than {FEWEST} "
            f"blocks of {LONG:g} such times; sample longer, or give `blocks`"
        )
    return max(1, min(int(most), -(-MOST // chains)))
