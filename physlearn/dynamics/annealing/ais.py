"""Annealed importance sampling: log Z with an error bar, from chains that cool (Neal 2001).

From a distribution of known norm Z_0 to the wanted one along betas b_0 = 0 < ... < b_K: with x_k drawn by a
step that leaves p_k invariant, w = prod_k p*_{k+1}(x_k)/p*_k(x_k) (unnormalised densities) has the mean Z/Z_0
exactly, whatever the number of steps; more steps lower its variance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, positive
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import NO_ENERGY, start_sampler
from physlearn.kinds import is_continuous, is_discrete, unstated
from physlearn.machine import Machine
from physlearn.progress import follow
from physlearn.systems import energy_of
from physlearn.threads import on_one_thread


class LogZ(NamedTuple):
    """Logarithm of a partition function.

    Attributes
    ----------
    value : float
    error : float
        Standard error of ``value`` over chains; 0 where the sum is exact.
    effective : float
        Effective number of chains, (sum w)^2 / sum w^2: where it is only a few, the error bar is not to be trusted,
        and more steps are needed.
    """

    value: float
    error: float
    effective: float

    __repr__ = brief


def estimate(log_weights, log_z0):
    """log Z from the logarithms of the chains' weights and the start's log Z_0."""
    log_weights = np.asarray(log_weights)
    top = log_weights.max()
    w = np.exp(log_weights - top)
    n, mean = len(w), w.mean()
    error = w.std(ddof=1) / (mean * np.sqrt(n)) if n > 1 else np.nan
    return LogZ(float(log_z0 + top + np.log(mean)), float(error), float(w.sum() ** 2 / np.sum(w**2)))


def count_values(problem):
    """Number of values that each free variable can take; infinity for those of no discrete kind."""
    counts = [
        np.full(layer.size, float(len(layer.kind.levels)) if is_discrete(layer.kind) else np.inf)
        for layer in problem.system.layers.values()
    ]
    return np.concatenate(counts)[problem.frame.cluster >= 0]


def uniform_log_z(problem):
    """Logarithm of the number of states; refuses variables whose states cannot be counted."""
    log_z = float(np.sum(np.log(count_values(problem))))
    if np.isfinite(log_z):
        return log_z
    for name, (kind, _) in problem.system.layers.items():
        if not is_continuous(kind) and not is_discrete(kind):
            raise ValueError(f"energy: {unstated(name, kind)}")
    raise ValueError("energy: free Real variables have no uniform distribution to start from; clamp them")


def check_path(steps, chains):
    """Refuse numbers too small for a path or an error bar."""
    count("steps", steps, each=8)
    count("chains", chains, least=2, each=8)


@on_one_thread
def annealed_importance(
    energy: Machine,
    *,
    temperature,
    steps: int = 1000,
    chains: int = 100,
    clamp=None,
    method: str = "auto",
    rng=None,
    progress: bool | None = None,
) -> LogZ:
    """Estimate log Z of an energy of discrete layers, from the uniform distribution up in beta = 1/T.

    Parameters
    ----------
    energy : Machine or Energy
        Its free layers are of discrete kinds.
    temperature : float
        Positive, in the energy's units (k_B = 1).
    steps : int
        Betas between 0 and 1/T, evenly spaced; one sweep at each.
    chains : int
        Independent chains, at least 2.
    clamp : mapping of str to (k,) array, optional
        The sum is over the other variables.
    method : str
        Engine of the sweeps, see `sample`.
    rng : int, Generator or None
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    LogZ

    Notes
    -----
    Neal, Statistics and Computing 11, 125 (2001), eqs. 11 and 12.

    Examples
    --------
    >>> from physlearn import Energy, Spin
    >>> from physlearn.terms import Pairs
    >>> ring = Energy({"s": (Spin(), 6)}, [Pairs("s", [(k, (k + 1) % 6) for k in range(6)])], {"J": [1.0] * 6})
    >>> found = annealed_importance(ring, temperature=1.0, steps=200, rng=0)
    >>> exact = 6 * np.log(2 * np.cosh(1.0)) + np.log1p(np.tanh(1.0) ** 6)
    >>> bool(abs(found.value - exact) < 4 * found.error)
    True
    """
    energy = energy_of(energy, NO_ENERGY)
    check_path(steps, chains)
    temperature = positive("temperature", temperature)
    problem, _ = make_problem(energy, None, clamp)
    if problem.tied or np.any(problem.push):
        raise ValueError("clamp: it ties variables together or gives a force; clamp single variables to values")
    log_z0 = uniform_log_z(problem)
    sampler = start_sampler(energy, chains, None, clamp, method, rng, {})
    betas = np.linspace(0.0, 1.0 / temperature, steps + 1)
    log_w = np.zeros(chains)
    for k in follow(range(steps), "annealed_importance", "step", progress):
        if k:
            sampler.run(1, np.full(chains, 1.0 / betas[k]))
        log_w -= (betas[k + 1] - betas[k]) * sum(energy.shares(sampler.state()).values())
    return estimate(log_w, log_z0)
