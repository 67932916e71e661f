"""Annealed importance sampling: log Z with an error bar, from chains that cool (Neal 2001), and Bayes factors.

From a distribution of known norm Z_0 to the wanted one along betas b_0 = 0 < ... < b_K: with x_k drawn by a
step that leaves p_k invariant, w = prod_k p*_{k+1}(x_k)/p*_k(x_k) (unnormalised densities) has the mean Z/Z_0
exactly, whatever the number of steps; more steps lower its variance.  Discrete variables begin at the uniform
distribution; continuous ones at a law that can be drawn, by default the Gaussian of `variational`, and go along
`physlearn.dynamics.annealing.bridge`.  With E = -log likelihood - log prior at T = 1, log Z is the log evidence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, count, instance, positive, seen
from physlearn.dynamics.annealing.bridge import cross
from physlearn.dynamics.annealing.variational import Variational, unfit, variational
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import ENGINES, NO_ENERGY, start_sampler, started
from physlearn.kinds import is_continuous, is_discrete, unstated
from physlearn.machine import Machine
from physlearn.progress import follow
from physlearn.rng import children
from physlearn.systems import energy_of
from physlearn.threads import on_one_thread

FAR = 0.1  # slope of a bound per deviation, from which on a Gaussian is no start


class LogZ(NamedTuple):
    """Logarithm of a partition function, or of a ratio of two.

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


def bayes_factor(one: LogZ, other: LogZ) -> LogZ:
    """Log of the Bayes factor of two models, the ratio of their evidences, with its standard error.

    Parameters
    ----------
    one, other : LogZ
        Log evidences, independent of each other: of two seeds.

    Examples
    --------
    >>> from physlearn.dynamics import LogZ, bayes_factor
    >>> found = bayes_factor(LogZ(-10.0, 0.03, 90.0), LogZ(-12.0, 0.04, 60.0))
    >>> print(f"{found.value:.2f} +- {found.error:.2f}")  # the odds are e^2 : 1
    2.00 +- 0.05
    """
    instance("one", one, LogZ, "what annealed_importance returns")
    instance("other", other, LogZ, "what annealed_importance returns")
    error = float(np.hypot(one.error, other.error))
    return LogZ(one.value - other.value, error, min(one.effective, other.effective))


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
    start: Any = None,
    rng=None,
    progress: bool | None = None,
) -> LogZ:
    """Estimate log Z of an energy, the log evidence where it is that of a posterior.

    Parameters
    ----------
    energy : Machine or Energy
        Its free layers are all of discrete kinds, or all `Real` without bounds.
    temperature : float
        Positive, in the energy's units (k_B = 1); 1 for a posterior.
    steps : int
        Steps from the start to the energy at 1/T, evenly spaced; one sweep or move at each.
    chains : int
        Independent chains, at least 2.
    clamp : mapping of str to (k,) array, optional
        The sum is over the other variables.
    method : str
        Engine of the sweeps of discrete layers, see `sample`; continuous ones move by "hmc".
    start : Variational, or a law, optional
        Where continuous layers begin; default what `variational` finds.  A law of the free variables has
        ``sample(n, rng) -> (n, m)``, ``log_density(z)``, ``score(z)`` and ``covariance``, such as `GaussianMixture`; it
        must reach wherever exp(-E/T) does.
    rng : int, Generator or None
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    LogZ

    Raises
    ------
    TypeError, ValueError
        A System, layers of both sorts, bounds or angles, clamps that tie variables, T <= 0, a start of discrete layers.

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

    The evidence of one number 1.3, of which x ~ N(0, 1) is known to a deviation of 0.5; it has a closed form:

    >>> from physlearn import Real
    >>> from physlearn.terms import Compiled
    >>> def normal(x, ints, floats, f):
    ...     f[0] = (floats[0] - x[0]) / 0.25 - x[0]
    ...     return 2 * (floats[0] - x[0]) ** 2 + x[0] ** 2 / 2 + np.log(2 * np.pi) + np.log(0.5)
    >>> posterior = Energy({"x": (Real(), 1)}, [Compiled("x", normal, floats=[1.3])], {})
    >>> found = annealed_importance(posterior, temperature=1.0, steps=20, rng=0)
    >>> exact = -0.5 * (1.3**2 / 1.25 + np.log(2 * np.pi * 1.25))
    >>> bool(abs(found.value - exact) < 1e-6)
    True
    """
    energy = energy_of(energy, NO_ENERGY)
    check_path(steps, chains)
    temperature = positive("temperature", temperature)
    choice("method", method, ("auto", *ENGINES))
    problem, _ = make_problem(energy, None, clamp)
    if not problem.discrete or start is not None:
        if method not in ("auto", "hmc"):
            raise ValueError(f"method: got {method!r}, expected 'auto' or 'hmc', by which continuous layers move")
        return _continuous(energy, problem, temperature, steps, chains, clamp, start, rng, progress)
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


def _continuous(energy, problem, temperature, steps, chains, clamp, start, rng, progress):
    """`annealed_importance` of layers that are all continuous."""
    if (reason := unfit(problem)) is not None:
        raise ValueError(f"energy: {reason}; there is no start from which to anneal it")
    near, path = children(rng, 2)
    if start is None:
        start = variational(energy, temperature=temperature, clamp=clamp, unconverged="ignore", rng=near)
        if not start.residual < FAR:
            raise ValueError(
                f"energy: no Gaussian was found near its law (slope {start.residual:.2g} per deviation after "
                f"{start.steps} steps), which may have no normalisation; give start="
            )
    law = start.law if isinstance(start, Variational) else start
    for name in ("sample", "log_density", "score", "covariance"):
        if not hasattr(law, name):
            raise TypeError(f"start: got {seen(start)}, expected a Variational, or a law with {name}")
    if np.shape(law.covariance) != (problem.frame.m,) * 2:
        raise ValueError(
            f"start: its covariance has the shape {np.shape(law.covariance)}, expected that of {problem.frame.m} free "
            "variables"
        )
    batch, _ = make_problem(energy, started(energy, problem.state(problem.initial()), chains), clamp)
    _, log_weights, _ = cross(batch, law, temperature, steps, path, progress, "annealed_importance")
    return estimate(log_weights, 0.0)
