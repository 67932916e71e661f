"""Results at one temperature from draws at others: single and multiple histograms.

Draws at T are draws at T' with weights exp(-(1/T' - 1/T) E) (Ferrenberg and Swendsen 1988).  Draws at several
temperatures are pooled with the weights that have the least variance (Ferrenberg and Swendsen 1989; Shirts and Chodera
2008): with f_k = -log Z_k,

    w_n(T) = exp(-E_n/T)/sum_k N_k exp(f_k - E_n/T_k),     exp(-f_k) = sum_n w_n(T_k),

whose f_k minimise a convex function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.analysis.autocorrelation import autocorrelation_time, series_of
from physlearn.brief import brief
from physlearn.checks import positive, sequence

FEWEST = 10.0  # effective draws under which a reweighted mean is refused


def _mean(log_weights, values, name, where):
    """Weighted mean; refused where too few draws carry the weight."""
    weights = np.exp(log_weights - log_weights.max())
    effective = weights.sum() ** 2 / np.sum(weights**2)
    if not effective >= FEWEST:
        raise ValueError(
            f"temperature: {where:g} is too far: {effective:.3g} of {weights.size} draws carry the weight; "
            "sample nearer, or pool several temperatures by multi_histogram"
        )
    return float(np.sum(weights * values) / weights.sum())


def reweight(energy, observable, temperature, to) -> float:
    """Mean of an observable at another temperature than that of the draws.

    Parameters
    ----------
    energy : (draws,) or (chains, draws) array
        Energy of every draw, of the whole system.
    observable : array like energy
    temperature, to : float
        Of the draws, and the one wanted.

    Returns
    -------
    float
        For its error pass both series to `estimate`: ``estimate(lambda e, m: reweight(e, m, T, to), energy, m)``.

    Raises
    ------
    ValueError
        A temperature so far that fewer than 10 draws carry the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import enumerate_states, sample
    >>> from physlearn.models import Ising
    >>> drawn = sample(Ising.square(4), temperature=2.5, n_samples=1000, chains=10, observe={}, rng=0)
    >>> exact = enumerate_states(Ising.square(4), temperature=2.3).energy
    >>> bool(abs(reweight(drawn.energy, drawn.energy, 2.5, 2.3) / exact - 1) < 0.02)
    True
    """
    e, x = series_of("energy", energy), series_of("observable", observable)
    if e.shape != x.shape:
        raise ValueError(f"observable: shape {x.shape}, expected that of energy, {e.shape}")
    here, there = positive("temperature", temperature), positive("to", to)
    return _mean((1 / here - 1 / there) * e.ravel(), x.ravel(), "to", there)


@dataclass(frozen=True)
class MultiHistogram:
    """Draws of several temperatures, pooled; made by `multi_histogram`.

    Attributes
    ----------
    temperatures : (k,) array
    log_z : (k,) array
        log Z at each temperature less that at the first.
    """

    temperatures: np.ndarray
    log_z: np.ndarray
    _energy: np.ndarray
    _base: np.ndarray
    _sizes: tuple

    __repr__ = brief

    def log_z_at(self, temperature) -> float:
        """Log Z at any temperature less that at the first.

        Parameters
        ----------
        temperature : float
        """
        exponent = -self._energy / positive("temperature", temperature) - self._base
        return float(np.logaddexp.reduce(exponent))

    def mean(self, observables, temperature) -> float:
        """Mean of an observable at any temperature near those of the draws.

        Parameters
        ----------
        observables : sequence of arrays
            Of the draws at each temperature, in order, shaped like the energies were.
        temperature : float

        Raises
        ------
        ValueError
            Arrays that do not match the energies; a temperature that the draws do not cover.
        """
        there = positive("temperature", temperature)
        given = sequence("observables", observables, expected="an array for each temperature")
        parts = [series_of(f"observables[{k}]", one).ravel() for k, one in enumerate(given)]
        if tuple(map(len, parts)) != self._sizes:
            raise ValueError(f"observables: {[len(p) for p in parts]} draws, expected {list(self._sizes)}")
        return _mean(-self._energy / there - self._base, np.concatenate(parts), "temperature", there)


def multi_histogram(energies, temperatures) -> MultiHistogram:
    """Pool draws at several temperatures.

    Parameters
    ----------
    energies : sequence of (draws,) or (chains, draws) arrays
        Energies of the draws at each temperature, which must overlap with the next one's.
    temperatures : sequence of float

    Returns
    -------
    MultiHistogram

    Notes
    -----
    Each temperature counts as N/(2 tau) independent draws (Chodera et al. 2007).

    Examples
    --------
    >>> from physlearn import enumerate_states, sample
    >>> from physlearn.models import Ising
    >>> lattice, at = Ising.square(4), [2.0, 2.5, 3.0]
    >>> energies = [sample(lattice, temperature=t, n_samples=500, chains=8, observe={}, rng=0).energy for t in at]
    >>> pooled = multi_histogram(energies, at)
    >>> exact = enumerate_states(lattice, temperature=2.7)
    >>> bool(abs(pooled.mean(energies, 2.7) / exact.energy - 1) < 0.02)
    True
    """
    given = sequence("energies", energies, expected="an array of energies for each temperature")
    parts = [series_of(f"energies[{k}]", one) for k, one in enumerate(given)]
    t = np.array([positive(f"temperatures[{k}]", one) for k, one in enumerate(sequence("temperatures", temperatures))])
    if len(parts) != len(t) or len(t) < 1:
        raise ValueError(f"temperatures: got {len(t)} for {len(parts)} series of energies, expected one for each")
    tau = [autocorrelation_time(one).tau for one in parts]
    for k, one in enumerate(tau):
        if np.isinf(one):
            raise ValueError(f"energies[{k}]: the chains are shorter than a few autocorrelation times; sample longer")
    sizes = np.array(
        [one.size / (2 * max(one_tau, 0.5)) for one, one_tau in zip(parts, np.nan_to_num(tau, nan=0.5), strict=True)]
    )
    energy = np.concatenate([one.ravel() for one in parts])
    weight = np.repeat(sizes / [one.size for one in parts], [one.size for one in parts])  # of a draw in sums over draws
    f = _free_energies(energy, weight, t, sizes)
    mixture = np.logaddexp.reduce(np.log(sizes) + f - energy[:, None] / t, axis=1)
    base = mixture - np.log(weight)
    log_z = np.array([np.logaddexp.reduce(-energy / one - base) for one in t])
    shift = log_z[0]
    return MultiHistogram(t, log_z - shift, energy, base + shift, tuple(one.size for one in parts))


def _free_energies(energy: Any, weight, t, sizes):
    """The f_k, the first 0: Newton on the convex function, by SciPy."""
    from scipy.optimize import minimize

    if len(t) == 1:
        return np.zeros(1)
    scaled = -energy[:, None] / t
    shift = scaled.max(0)
    scaled = scaled - shift

    def value(rest):
        f = np.concatenate([[0.0], rest])
        exponent = np.log(sizes) + f + scaled
        total = np.logaddexp.reduce(exponent, axis=1)
        share = np.exp(exponent - total[:, None])
        return np.sum(weight * total) - sizes @ f, (weight @ share - sizes)[1:]

    def hessian(rest):
        f = np.concatenate([[0.0], rest])
        exponent = np.log(sizes) + f + scaled
        share = np.exp(exponent - np.logaddexp.reduce(exponent, axis=1)[:, None])
        bent = np.diag(weight @ share) - (share * weight[:, None]).T @ share
        return bent[1:, 1:]

    start = -np.log(np.array([np.mean(np.exp(column - column.max())) for column in scaled.T]))
    found = minimize(
        value,
        (start - start[0])[1:],
        jac=True,
        hess=hessian,
        method="trust-exact",
        options={"gtol": 1e-8 * sizes.sum()},
    )
    f = np.concatenate([[0.0], found.x])
    left = np.abs(value(found.x)[1]).max(initial=0.0)
    if not left <= 1e-5 * sizes.sum():
        raise ValueError(
            "energies: histograms of neighbouring temperatures hardly overlap, and their free energies are not "
            "determined; add temperatures between them"
        )
    return f - shift
