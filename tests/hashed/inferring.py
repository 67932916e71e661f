"""Runs of compiled trajectories, of evidences and bounds, of tilted starts, of condensates and their buffer."""

import numpy as np

from physlearn import Energy, Readout, Real, annealed_importance, integrate, sample, variational
from physlearn.models import (
    Condensates,
    GaussianMixture,
    OUProcess,
    buffered_plant,
    measured,
    shrinkage,
    tilted_start,
    tilted_transport,
)
from physlearn.terms import Compiled, Edges, Parabola


def quartic(x, ints, floats, f):
    energy = 0.0
    for i in range(x.size):
        f[i] = -floats[i] * x[i] * x[i] * x[i]
        energy -= 0.25 * f[i] * x[i]
    return energy


def wells(*bounds):
    theta = {"conductance": [1.0, 2.0, 0.5], "stiffness": np.full(4, 0.3)}
    terms = [Compiled("x", quartic, floats=[0.5, 1.0, 1.5, 2.0]), Edges("x", [(0, 1), (1, 2), (2, 3)]), Parabola("x")]
    return Energy({"x": (Real(*bounds), 4)}, terms, theta, {"end": Readout("x", [0])})


def draws(energy, **more):
    return sample(energy, temperature=0.5, n_samples=6, chains=3, warmup=60, method="hmc", rng=1, **more)


def bound(covariance, **more):
    found = variational(wells(), temperature=0.5, covariance=covariance, rng=2, **more)
    return found.mean, found.covariance, found.elbo, found.error, found.steps


PRIOR = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], [[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.4]]])
TILT = measured([[1.0, 1.0]], [0.3], 0.8)
SOUP = Condensates([[-5.2, 0.4], [0.4, -5.0]], 0.9 * np.eye(2))
MIXTURES = np.exp(np.random.default_rng(3).uniform(-4.0, -1.5, (8, 2)))


def plant():
    settings = np.array([[0.5, 10.0, 0.0, 0.0], [9.0, 0.0, 2.0, 1.0]])
    drive = {"p": lambda t: np.array([[1.0], [0.6]]) + 0.1 * np.sin(t), "settings": settings}
    return integrate(buffered_plant(decay=1.0, target=0.4, lag=0.2), (0.0, 2.0), clamp=drive, dt=0.02, method="euler")


RUNS = {
    "trajectories": lambda: draws(wells()),
    "trajectories, diagonal metric": lambda: draws(wells(), metric="diagonal"),
    "trajectories, dense metric": lambda: draws(wells(), metric="dense"),
    "trajectories, bounds": lambda: draws(wells(-0.5, 0.8)),
    "trajectories, clamped": lambda: draws(wells(), clamp={"end": [0.5]}),
    "bound, full": lambda: bound("full"),
    "bound, mean field": lambda: bound("diagonal", clamp={"end": [0.5]}),
    "evidence": lambda: annealed_importance(wells(), temperature=0.5, steps=10, chains=20, rng=3),
    "tilted start": lambda: tilted_start(OUProcess(), PRIOR, TILT, 0.1, 50, steps=10, rng=4),
    "tilted transport": lambda: tilted_transport(OUProcess(), PRIOR, TILT, 0.1, 20, dt=0.02, rng=5),
    "shrinkage": lambda: shrinkage(PRIOR.jacobian([0.3, -0.2], 0.5)),
    "condensates": lambda: SOUP.phases(MIXTURES),
    "condensates, taught": lambda: SOUP.taught(MIXTURES, [0, 1, 0, 1, 1, 0, 0, 1], lr=2.0, steps=5).J,
    "condensates, soup": lambda: sample(SOUP.energy([0.1, 0.12], 12), temperature=1.0, n_samples=4, chains=2, rng=6),
    "plant": plant,
}
