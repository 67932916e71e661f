"""Variational inference: the Gaussian nearest to exp(-E/T)/Z, and the bound on ln Z that it gives.

    ELBO = <-E/T>_q + entropy(q) = ln Z - KL(q || exp(-E/T)/Z) <= ln Z

is largest for the nearest q in that divergence, and equal to ln Z where exp(-E/T) is a Gaussian (Jordan, Ghahramani,
Jaakkola and Saul 1999).  q has x = mean + C eps, eps standard normal, with C a triangle, or diagonal ("mean field": all
correlations are lost, and variances become those of each variable given the others).  Averages are over a fixed set of
eps that comes in pairs +-eps and has exactly unit covariance, so that on quadratic energies they are exact and
the search is deterministic; the reported bound is from fresh draws.

As T falls to 0 the mean goes to the minimum of E, the most probable state: that alone is `relax`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, count, positive
from physlearn.dynamics.annealing.gaussian import Gaussian
from physlearn.dynamics.frame import concatenate, wrapped
from physlearn.dynamics.problem import Problem, make_problem
from physlearn.dynamics.sampling.engines import NO_ENERGY, started
from physlearn.dynamics.walk.walkers import refusal
from physlearn.errors import ConvergenceError
from physlearn.machine import Machine
from physlearn.rng import Chains, children, generator, seed_sequence, streams
from physlearn.systems import energy_of
from physlearn.threads import on_one_thread

ROUND = 60  # steps of L-BFGS after which the variables are stretched to the Gaussian found so far
FRESH = 4096  # draws of which the bound is the mean
WIDEST = 50.0  # logarithm of the most by which a width may change in a round
CHUNK = 256  # rows of one call of the energy


@dataclass(frozen=True, eq=False)
class Variational:
    """A Gaussian over the free variables of an energy.

    Attributes
    ----------
    mean : array or mapping of str to array
        State of the mean, as ``x0`` takes it.
    covariance : (m, m) array
        Of the free variables, the layers one after another.
    elbo, error : float
        Lower bound of ln Z, nats, and its standard error; equal to ln Z where q is exact.
    residual : float
        Largest slope of the bound at the end, per standard deviation of q (no units).
    converged : bool
        Whether that is below ``tol``.
    steps : int
    method : str
    """

    mean: Any
    covariance: np.ndarray
    elbo: float
    error: float
    residual: float
    converged: bool
    steps: int
    method: str
    law: Gaussian
    problem: Problem

    __repr__ = brief

    @property
    def final(self):
        """The mean, as verbs take it for ``x0``."""
        return self.mean

    def sample(self, n, rng) -> Any:
        """Independent draws, {layer: (n, *shape)}, of one layer a plain array; rng : int, Generator or None."""
        count("n", n, each=8 * len(self.law.centre))
        x = _states(self.problem, self.law.sample(n, generator(rng)))
        return x if len(x) > 1 else next(iter(x.values()))

    def log_density(self, x) -> np.ndarray:
        """log q of states (n, *shape), (n,), a density of the free variables."""
        system = self.problem.system
        return self.law.log_density(self.problem.pick(concatenate(system, system.state(x))))


@on_one_thread
@np.errstate(all="ignore")  # a law without a normalisation sends the widths to infinity; the result says so
def variational(
    energy: Machine,
    *,
    temperature,
    covariance: str = "full",
    x0=None,
    clamp=None,
    draws: int | None = None,
    tol: float = 1e-6,
    max_steps: int = 2000,
    unconverged: str = "warn",
    rng=None,
) -> Variational:
    """The Gaussian nearest to exp(-E/T)/Z, with a lower bound of ln Z (variational inference).

    Parameters
    ----------
    energy : Machine or Energy
        Of `Real` layers without bounds.  For a posterior: -log likelihood - log prior, with all their constants if the
        bound is to be compared with an evidence.
    temperature : float
        Positive, in the energy's units; 1 for a posterior.
    covariance : {"full", "diagonal"}
        "diagonal" is the mean field.
    x0 : array or mapping, optional
        Where the mean starts, (*shape); default zero.
    clamp : mapping of str to (k,) array, optional
        The law is that of the other variables.
    draws : int, optional
        Fixed draws of the averages, at least 2 for each free variable; default 8 for each, at least 256.
    tol : float
        Largest slope of the bound per standard deviation at which the search has ended.
    max_steps : int
    unconverged : {"warn", "raise", "ignore"}
    rng : int, Generator or None

    Returns
    -------
    Variational

    Raises
    ------
    TypeError, ValueError
        A System, discrete layers, bounds (a Gaussian reaches beyond them), angles, T <= 0, energies not finite at x0.

    Examples
    --------
    A quadratic energy: the Gaussian is exact, and so is the bound.

    >>> import numpy as np
    >>> from physlearn import Energy, Real, variational
    >>> from physlearn.terms import Edges, Parabola
    >>> theta = {"conductance": [1.0], "stiffness": [0.5, 2.0]}
    >>> springs = Energy({"x": (Real(), 2)}, [Edges("x", [(0, 1)]), Parabola("x")], theta)
    >>> found = variational(springs, temperature=1.0, rng=0)
    >>> exact = np.array([[1.5, -1.0], [-1.0, 3.0]])
    >>> bool(np.allclose(found.covariance, np.linalg.inv(exact))), found.converged
    (True, True)
    >>> bool(abs(found.elbo - (np.log(2 * np.pi) - np.log(np.linalg.det(exact)) / 2)) < 1e-6)
    True
    >>> bool(variational(springs, temperature=1.0, covariance="diagonal", rng=0).elbo < found.elbo)
    True
    """
    energy = energy_of(energy, NO_ENERGY)
    temperature, tol = positive("temperature", temperature), positive("tol", tol)
    choice("covariance", covariance, ("full", "diagonal"))
    choice("unconverged", unconverged, ("warn", "raise", "ignore"))
    count("max_steps", max_steps)
    start = None if x0 is None else started(energy, x0, 1)
    one, _ = make_problem(energy, start, clamp)
    reason = unfit(one)
    if reason is not None:
        raise ValueError(f"energy: {reason}")
    if one.batch != 1:
        raise ValueError(f"clamp: a batch of {one.batch}, expected values (k,) of a single law")
    m = one.frame.m
    many = max(256, 8 * m) if draws is None else count("draws", draws, least=2 * m, each=8 * m)
    root = seed_sequence(rng)
    eps = _paired(np.random.default_rng(children(root, 2)[0]), -(-many // 2), m)
    mean, factor = one.initial()[0], np.eye(m)
    bound = _Bound(one, temperature, eps, covariance == "diagonal")
    if not np.isfinite(bound.energies(mean[None])[0][0]):
        raise ValueError("x0: the energy is not finite where the mean starts; start it elsewhere")
    factor *= _width(bound, mean)
    mean, factor, residual, steps = _climb(bound, mean, factor, tol, max_steps)
    fresh = Chains(streams(children(root, 2)[1], FRESH)).standard_normal((FRESH, m))
    values, _ = bound.energies(mean + fresh @ factor.T, force=False)
    law = Gaussian(mean, factor)
    gains = -values / temperature + 0.5 * np.sum(fresh**2, 1) + law.log_volume
    found = Variational(
        _single(one, mean),
        law.covariance,
        float(gains.mean()),
        float(gains.std() / np.sqrt(FRESH)),
        residual,
        residual <= tol,
        steps,
        f"Gaussian, {covariance} covariance",
        law,
        one,
    )
    if unconverged != "ignore" and not (found.converged and np.isfinite(found.elbo)):
        said = (
            f"variational: slope {residual:.2g} per deviation after {steps} steps, expected {tol:.2g}; start nearer by "
            "x0=, raise max_steps or draws, or loosen tol; a law without a normalisation has no such Gaussian"
        )
        if unconverged == "raise":
            raise ConvergenceError(said, found)
        warnings.warn(said, RuntimeWarning, stacklevel=3)
    return found


def unfit(problem):
    """Why no Gaussian stands for the law of a problem, or None."""
    reason = refusal(problem)
    if reason is not None:
        return reason
    if np.any(np.isfinite(problem.bounds)):
        return "some variables have bounds, and a Gaussian reaches beyond them; take the logarithm of what is positive"
    turning = [name for name, layer in problem.system.layers.items() if hasattr(layer.kind, "wrap")]
    return f"layers {turning} are angles, whose law no Gaussian is" if turning else None


class _Bound:
    """The bound as a function of mean and factor, stretched by a Gaussian found before."""

    def __init__(self, problem, temperature, eps, diagonal):
        self.problem, self.temperature, self.eps, self.diagonal = problem, temperature, eps, diagonal
        self.below = np.tril_indices(eps.shape[1], -1)

    def energies(self, z, force=True):
        """Energies (rows,) and forces (rows, m), in calls of one size."""
        values, forces = [], []
        with np.errstate(all="ignore"):
            for k in range(0, len(z), CHUNK):
                rows = z[k : k + CHUNK]
                part = self.problem.rows(np.zeros(len(rows), np.int64))
                values.append(part.energy(rows))
                forces.append(part.force(rows) if force else rows)
        return np.concatenate(values), np.concatenate(forces)

    def negative(self, p, mean, factor):
        """Minus the bound, up to a constant, and its slopes along p = (shift, logs of a diagonal, what is below it).

        The Gaussian is mean + factor (shift + B eps).
        """
        m = len(mean)
        b = np.diag(np.exp(np.clip(p[m : 2 * m], -WIDEST, WIDEST)))
        if not self.diagonal:
            b[self.below] = p[2 * m :]
        values, force = self.energies(mean + (p[:m] + self.eps @ b.T) @ factor.T)
        pull = force @ factor / self.temperature
        value = values.mean() / self.temperature - p[m : 2 * m].sum()
        if not np.isfinite(value) or not np.all(np.isfinite(pull)):
            return np.inf, np.zeros_like(p)
        slope = -(pull.T @ self.eps) / len(self.eps)
        parts = [-pull.mean(0), np.diag(slope) * np.diag(b) - 1.0]
        if not self.diagonal:
            parts.append(slope[self.below])
        return value, np.concatenate(parts)


def _climb(bound, mean, factor, tol, max_steps):
    """Mean, factor, largest slope per deviation, steps."""
    from scipy.optimize import minimize

    m, steps = len(mean), 0
    size = 2 * m + (0 if bound.diagonal else m * (m - 1) // 2)
    while True:
        p = np.zeros(size)
        residual = float(np.max(np.abs(bound.negative(p, mean, factor)[1])))
        if residual <= tol or steps >= max_steps:
            return mean, factor, residual, steps
        limit = min(ROUND, max_steps - steps)
        options = {"maxiter": limit, "gtol": 0.1 * tol, "ftol": 0.0, "maxls": 50}
        found = minimize(bound.negative, p, (mean, factor), method="L-BFGS-B", jac=True, options=options)
        steps += max(int(found.nit), 1)
        b = np.diag(np.exp(np.clip(found.x[m : 2 * m], -WIDEST, WIDEST)))
        if not bound.diagonal:
            b[bound.below] = found.x[2 * m :]
        if not np.isfinite(found.fun) or np.array_equal(found.x, p):  # no further
            return mean, factor, residual, steps
        mean, factor = mean + factor @ found.x[:m], factor @ b


def _width(bound, mean):
    """A first deviation: halved until the bound is finite there, and near the energies' own scale."""
    width = 1.0
    for _ in range(200):
        values, force = bound.energies(mean + width * bound.eps)
        fine = np.all(np.isfinite(values)) and np.all(np.isfinite(force))
        spread = -np.mean(np.sum(force * bound.eps, 1)) * width / bound.temperature if fine else np.inf
        if spread <= 4.0 * bound.eps.shape[1]:  # m at the best width
            return width
        width *= 0.5
    raise ValueError("x0: the energy is not finite around the mean's start; start it elsewhere")


def _paired(rng, half, m):
    """Draws (2 half, m) in pairs +-eps, of exactly unit covariance."""
    eps = rng.standard_normal((half, m))
    root = np.linalg.cholesky(eps.T @ eps / half)
    eps = np.linalg.solve(root, eps.T).T
    return np.concatenate([eps, -eps])


def _states(problem, z):
    """States {layer: (rows, *shape)} of free variables (rows, m)."""
    return wrapped(problem.system, problem.rows(np.zeros(len(z), np.int64)).state(z))


def _single(problem, z):
    x = {name: value[0] for name, value in _states(problem, z[None]).items()}
    return x if len(x) > 1 else next(iter(x.values()))
