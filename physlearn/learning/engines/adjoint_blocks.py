"""The adjoint state of layers that couple to others only: a whole batch at once, by sweeps over the layers.

With c = dC/dx and H the second derivatives of the energy on the variables that no bound holds,

    H lambda = c,        dC/dtheta = -lambda . d2E/dx dtheta

Where every term is a quadratic of at most two moving layers, H is a curvature of each variable less the couplings K
between layers, and K lambda is what the terms' fields give.  So lambda comes to rest as the state did, by exact steps

    lambda_l = (c_l + sum_m K_lm lambda_m)/curvature_l

which converge wherever the rest is a minimum (block Gauss-Seidel on a positive definite matrix).  A layer with an
activation g takes lambda_l = dg/dx (c_l + sum_m K_lm lambda_m), as terms see it.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.rest import descent
from physlearn.learning.engines.blocks import phase_options

FLOOR = 8  # roundings of the largest value that no sweep improves on


def gradient_by_sweeps(problem, x, pull, options):
    """{name: gradient of the mean cost} and whether the sweeps came to rest; None where they do not, or do not apply.

    Parameters
    ----------
    problem : Problem
        The clamped system, without nudges.
    x : State
        Its rest.
    pull : {layer: (batch, size) array}
        dC/d(what terms see of the layer), of every item's own cost.
    options : mapping
        Of `relax`: ``tol``, here of the largest relative change in a sweep; ``max_steps``; with ``unconverged``
        "ignore" what the last sweep left is taken.
    """
    system = problem.system
    moving = [name for name in system.layers if descent.free_of(problem, name).any()]
    if not _suits(problem, moving):
        return None
    shown = system.shown(x)
    layers = [_Layer(problem, x, shown, name, moving, pull) for name in moving]
    options = phase_options(options, 1)
    rested = _sweep(layers, options.get("tol", 1e-9), options.get("max_steps", 10_000))
    if not rested and options.get("unconverged", "warn") != "ignore":
        return None  # no minimum, or a very soft one: the dense solve takes any
    return _along(system, shown, {layer.name: layer.adjoint for layer in layers}), rested


def _suits(problem, moving):
    """Whether every term is a quadratic of at most two moving layers, and every activation has a derivative."""
    if not problem.is_energy or problem.complex or problem.tied or not descent.has_blocks(problem):
        return False
    kinds = [problem.system.layers[name].kind for name in moving]
    if not all(getattr(kind, "holomorphic", True) for kind in kinds if hasattr(kind, "activation")):
        return False
    for term in problem.system.terms:
        touched = [name for name in term.layers if name in moving]
        promised = any(getattr(term, what, False) for what in ("quadratic", "multilinear", "affine"))
        if len(touched) > 2 or len(touched) == 2 and not promised or touched and not hasattr(term, "curvature"):
            return False
    return True


class _Layer:
    """One moving layer: its part of the adjoint state, and what pulls on it."""

    def __init__(self, problem, x, shown, name, moving, pull):
        system, self.name = problem.system, name
        self.kind, self.theta, self.x, self.shown = system.layers[name].kind, system.theta, x[name], shown
        self.smooth = hasattr(self.kind, "activation")
        rows = self.x.reshape(len(self.x), -1)
        touching = [term for term in system.terms if name in term.layers]
        self.coupled = [t for t in touching if any(n in moving for n in t.layers if n != name)]
        curved = [np.asarray(t.curvature(shown, self.theta, name)) for t in touching]
        per_item = np.broadcast_to(sum(curved, np.zeros(())), self.x.shape)
        self.curvature = per_item.reshape(rows.shape)
        self.loose = np.broadcast_to(descent.free_of(problem, name), rows.shape)
        if not self.smooth:
            self.loose = self.loose & (rows > self.kind.low) & (rows < self.kind.high)
        self.pull = np.zeros(rows.shape, rows.dtype)
        if name in pull:
            self.pull += pull[name]
        self.adjoint = np.zeros_like(self.x)
        nothing = {n: np.zeros_like(x[n]) for n in moving}
        self.still = sum((t.field({**shown, **nothing}, self.theta, name) for t in self.coupled), np.zeros(()))

    def found(self, adjoints):
        """The layer's part, given those of the others, (batch, size)."""
        state = {**self.shown, **adjoints, self.name: np.zeros_like(self.x)}
        coupled = sum((t.field(state, self.theta, self.name) for t in self.coupled), -self.still)
        size: int = np.shape(self.pull)[-1]
        total = self.pull + np.reshape(coupled, (-1, size)) if self.coupled else self.pull
        if not self.smooth:
            return np.where(self.loose, total / self.curvature, 0)
        step = 1e-30 * np.where(self.loose, total, 0).reshape(self.x.shape)
        slope = self.kind.activation(self.x + 1j * step).imag / 1e-30
        return np.where(self.loose, slope.reshape(total.shape), 0).astype(total.dtype, copy=False)


@np.errstate(over="ignore", invalid="ignore")
def _sweep(layers, tol, most):
    """Sweep until no item's part changes by more than ``tol`` of its largest: whether that is reached."""
    adjoints = {layer.name: layer.adjoint for layer in layers}
    first = layers[0].adjoint
    going, tol = np.ones(len(first), bool), max(tol, FLOOR * np.finfo(first.dtype).eps)
    for _ in range(most):
        change, largest = np.zeros(len(going)), np.zeros(len(going))
        for layer in layers:
            rows = layer.adjoint.reshape(len(going), -1)
            new = layer.found(adjoints)
            np.maximum(change, np.abs(new - rows).max(1, initial=0.0), out=change)
            np.copyto(rows, new, where=going[:, None])  # items at rest are left alone: none disturbs another
            np.maximum(largest, np.abs(rows).max(1, initial=0.0), out=largest)
        going &= ~(change <= tol * largest)
        if not going.any():
            return True
        if not np.all(np.isfinite(largest)):
            return False
    return False


def _along(system, shown, adjoints):
    """Minus the derivative of the mean dE/dtheta along the adjoint state; exact, since terms are quadratic."""
    first = next(iter(adjoints.values()))
    weight, gradient = np.full(len(first), 1 / len(first), first.dtype), {}
    size = max(float(np.max(np.abs(value), initial=0.0)) for value in adjoints.values())
    most = max(float(np.max(np.abs(shown[name]), initial=0.0)) for name in adjoints)
    step = most / size if most > 0 and size > 0 else 1.0
    ahead, behind = (
        {**shown, **{name: shown[name] + sign * step * value for name, value in adjoints.items()}} for sign in (1, -1)
    )
    for term in system.terms:
        touched = [name for name in term.layers if name in adjoints]
        if getattr(term, "multilinear", False) and len(touched) == 1:
            state = {**shown, touched[0]: adjoints[touched[0]]}
            part = {name: -value for name, value in term.gradient(state, system.theta, weight).items()}
        else:
            up, down = (term.gradient(state, system.theta, weight) for state in (ahead, behind))
            part = {name: (down[name] - value) / (2 * step) for name, value in up.items()}
        for name, value in part.items():
            gradient[name] = gradient[name] + value if name in gradient else value
    return gradient
