"""tilted_start: the start of a tilted transport, drawn by a sampler of its own and certified.

The start is a law to be sampled.  Of a mixture it is a mixture, which `tilted_transport` draws exactly; where only
draws, density and score of the noised law are known, the tilt is switched on step by step along chains that begin in
that law (Neal 2001), and the chains' weights say what the draws are worth.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, instance, positive
from physlearn.dynamics.annealing.ais import estimate
from physlearn.dynamics.annealing.bridge import cross
from physlearn.dynamics.annealing.population_annealing import systematic
from physlearn.dynamics.problem import make_problem
from physlearn.energy import Energy, Real
from physlearn.models.generative.ou import OUProcess
from physlearn.models.generative.tilted import Tilt
from physlearn.rng import children
from physlearn.threads import on_one_thread

__all__ = ["TiltedStart", "tilted_start"]


@dataclass(frozen=True, eq=False)
class TiltedStart:
    """Draws of a tilted law by a sampler of its own, and their certificate.

    Attributes
    ----------
    x : (n, d) array
        Draws, some of them copies of each other.
    effective : float
        How many independent draws the chains' weights are worth, (sum w)^2/sum w^2.
    balance : float
        Largest error of <x_i dE/dx_i> = 1, which holds for the exact law in every direction i, in standard errors.
    log_z, error : float
        ln of the tilt's mean under the law, which a measurement's evidence contains, and its standard error.
    certified : bool
        Whether ``effective`` is at least a tenth of the draws and ``balance`` below 5.
    """

    x: np.ndarray
    effective: float
    balance: float
    log_z: float
    error: float
    certified: bool

    __repr__ = brief


@on_one_thread
def tilted_start(process, law, tilt, t, n, *, steps=200, rng=None) -> TiltedStart:
    """Draw the tilted start at time t by annealing: n chains from the noised law, as its tilt is switched on.

    Only draws, density and score of the noised law are used: no closed form of the tilted one.

    Parameters
    ----------
    process : OUProcess
    law : GaussianMixture
        The prior.
    tilt : Tilt
    t : float
        Below ``tilt.limit(process)``.
    n : int
        Chains, at least 2.
    steps : int
        Of the path from no tilt to all of it; the more, the more the draws are worth.
    rng : int, Generator or None

    Warns
    -----
    RuntimeWarning
        Where the draws are not certified.

    Examples
    --------
    >>> from physlearn.models import GaussianMixture, measured
    >>> prior, tilt = GaussianMixture([[-1.0], [1.0]], 0.2), measured([[1.0]], [0.4], 0.7)
    >>> start = tilted_start(OUProcess(), prior, tilt, 0.1, 2000, steps=20, rng=0)
    >>> exact = tilt.at(OUProcess(), 0.1).of(OUProcess().noised(prior, 0.1))
    >>> start.certified, bool(abs(start.x.mean() - exact.mean[0]) < 0.1)
    (True, True)
    """
    instance("process", process, OUProcess, "an OUProcess")
    instance("tilt", tilt, Tilt, "a Tilt")
    late, noised = tilt.at(process, positive("t", t)), process.noised(law, t)
    d = noised.dimensions
    if d != len(tilt.shift):
        raise ValueError(f"law: has {d} dimensions, expected {len(tilt.shift)}, those of the tilt")
    count("n", n, least=2, each=8 * d)
    count("steps", steps)
    energy = Energy({"x": (Real(), d)}, [Tilted(noised, late)], {})
    problem, _ = make_problem(energy, {"x": np.zeros((n, d))}, None)
    path, pick = children(rng, 2)
    z, log_weights, _ = cross(problem, noised, 1.0, steps, path, None, "tilted_start")
    found = estimate(log_weights, 0.0)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    work = -z * energy.terms[0].field({"x": z}, {}, "x")
    mean = weights @ work
    error = np.sqrt(weights**2 @ (work - mean) ** 2)
    balance = float(np.max(np.abs(mean - 1.0) / error))
    certified = bool(found.effective >= 0.1 * n and balance < 5.0)
    if not certified:
        warnings.warn(
            f"tilted_start: {n} draws are worth {found.effective:.1f}, their balance is off by {balance:.1f} standard "
            "errors; take more steps or chains",
            RuntimeWarning,
            stacklevel=3,
        )
    parents = systematic(weights, np.random.default_rng(pick).random())
    return TiltedStart(z[parents], found.effective, balance, found.value, found.error, certified)


class Tilted:
    """E = -log p(x) + x'Qx/2 - b'x, of a law and a `Tilt`."""

    layers = ("x", "x")

    def __init__(self, law, tilt):
        self.law, self.tilt = law, tilt

    def energy(self, x, theta):
        """E, (batch,)."""
        v = x["x"]
        return 0.5 * np.sum((v @ self.tilt.precision) * v, 1) - v @ self.tilt.shift - self.law.log_density(v)

    def field(self, x, theta, layer):
        """-dE/dx, (batch, d)."""
        return self.law.score(x["x"]) - x["x"] @ self.tilt.precision + self.tilt.shift

    def gradient(self, x, theta, weight):
        """Nothing: it has no parameters."""
        return {}
