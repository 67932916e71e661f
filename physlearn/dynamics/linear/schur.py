"""Forces on a readout that realise a clamp or a nudge, from the outputs' Green block S alone.

A force lambda on the readout moves it from its free value y to y + S lambda.
"""

from __future__ import annotations

import numpy as np

from physlearn.energy import Nudge
from physlearn.errors import ConvergenceError


def clamp_force(s, change):
    """Lambda that moves the readout by ``change``: S lambda = change, (batch, k)."""
    rank = np.linalg.matrix_rank(s, hermitian=True)
    if rank < len(s):
        raise ValueError(
            f"clamp: the {len(s)} outputs cannot be set independently (their Green block has rank {rank}): "
            "an output is fixed by the inputs or follows from other outputs; remove it"
        )
    return np.linalg.solve(s, change.T).T


def nudge_force(s, y, nudge, max_steps=100):
    """Lambda with lambda = force(y + S lambda), by Newton's method in k dimensions per item.

    Returns
    -------
    force : (batch, k) array
    steps : int
        Newton iterations; 1 where the cost is quadratic or linearised.
    mismatch : (batch, k) array
        Force of the nudge at the outputs reached, less ``force``; zero if that is rounding.
    """
    force = nudge.force(y)
    if nudge.at is not None:
        return force, 1, np.zeros_like(force)
    steps, mismatch = 0, force
    while steps < max_steps:
        steps += 1
        now = y + (s @ force.T).T
        mismatch = nudge.force(now) - force
        hessian = nudge.strength * nudge.cost.hessian(now, nudge.target)
        if np.all(_small(mismatch, force, hessian, np.maximum(np.abs(y), np.abs(now)))):
            mismatch = np.zeros_like(mismatch)
            break
        force = force + np.linalg.solve(np.eye(len(s)) + hessian @ s, mismatch[..., None])[..., 0]
    _refuse_saddle(s, hessian, nudge)
    return force, steps, mismatch


def _refuse_saddle(s, hessian, nudge):
    """1 + S^(1/2) C'' S^(1/2) must be positive: where it is not, the nudged energy bends down."""
    if np.iscomplexobj(hessian) or np.all(np.linalg.eigvalsh(hessian) >= 0):
        return
    values, vectors = np.linalg.eigh(s)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    if np.min(np.linalg.eigvalsh(root.T @ hessian @ root)) <= -1.0:
        raise ValueError(
            f"nudge: strength {nudge.strength:g} of {type(nudge.cost).__name__} outweighs the energy's own curvature, "
            "so that there is no minimum; use a weaker nudge, or a linearised one"
        )


def phase_force(s, y, target, mode, strength, cost):
    """The force on the outputs that realises one phase of a learning rule, (batch, k); see `learning.rules`.

    Green block s (k, k), free outputs y (batch, k), target (k,) or (batch, k), mode "clamp", "full" or "linearised".
    """
    if strength == 0:
        return np.zeros_like(y)
    if mode == "clamp":
        return clamp_force(s, -strength * cost.gradient(y, target))
    force, steps, mismatch = nudge_force(s, y, Nudge(cost, target, strength, y if mode == "linearised" else None))
    if np.any(mismatch):
        raise ConvergenceError(
            f"nudge: no equilibrium of {type(cost).__name__} at strength {strength} was found in {steps} steps "
            "(at a kink of the cost there may be none to find); use a linearised or a weaker nudge",
            force,
        )
    return force


def _small(mismatch, force, hessian, y):
    """Whether a mismatch is rounding: of the force itself, or of the parts whose sum the outputs are."""
    scale = np.max(np.abs(force), 1) + np.max(np.abs(hessian), (1, 2)) * np.max(np.abs(y), 1)
    return np.max(np.abs(mismatch), 1) <= 16 * np.finfo(float).eps * scale
