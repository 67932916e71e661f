"""Learning rules as weighted phases: dtheta = -lr * sum_k weight_k <dE/dtheta>_k.

Inputs stay clamped in every phase.  A phase holds the outputs free, clamped, or nudged by the cost:

- clamped with strength s: outputs held at y - s C'(y), y their free value (for the squared error
  y + s (target - y)), so "clamped at the target" is s = 1;
- nudged with strength s: s C is added to the energy, in full or as its tangent at the free outputs.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from physlearn.brief import brief
from physlearn.checks import choice, count, flag, positive
from physlearn.dynamics.predictions import given_of, swept
from physlearn.machine import one_way_of


class Phase(NamedTuple):
    """One phase: its weight in the contrast, and its strength; 0 is the free phase."""

    weight: complex
    strength: complex

    __repr__ = brief


def _one_sided_or_centred(variant, step):
    phases = {
        "positive": (Phase(1 / step, step), Phase(-1 / step, 0.0)),
        "negative": (Phase(1 / step, 0.0), Phase(-1 / step, -step)),
        "centred": (Phase(0.5 / step, step), Phase(-0.5 / step, -step)),
    }
    choice("variant", variant, phases)
    return phases[variant]


@dataclass(frozen=True)
class CoupledLearning:
    """Clamp the outputs a step eta from their free values towards the target.

    Follows the gradient of d.W.d/2 with d the output error and W = S^-1 (S the outputs' Green block)
    held fixed, with an error of first order in eta (second if centred); that is parallel to the
    squared error's gradient only for one output.  Source: Stern, Hexner, Rocks, Liu 2021, eq. 4.

    Parameters
    ----------
    eta : float
        Fraction of the way to the target.
    variant : {"positive", "centred", "negative"}
        Towards the target against free (the published rule), both sides, or away from it.

    Examples
    --------
    >>> CoupledLearning(eta=0.5).phases
    (Phase(weight=2.0, strength=0.5), Phase(weight=-2.0, strength=0.0))
    """

    eta: float = 0.1
    variant: str = "positive"
    mode: ClassVar[str] = "clamp"
    limit: ClassVar[str] = "metric"
    vanishing: ClassVar[str] = "eta"  # the parameter that goes to zero in the limit

    def __post_init__(self):
        positive("eta", self.eta)
        _one_sided_or_centred(self.variant, self.eta)

    @property
    def phases(self):
        """Clamped (1/eta), free (-1/eta), or the centred or negative variant."""
        return _one_sided_or_centred(self.variant, self.eta)


@dataclass(frozen=True)
class ContrastiveHebbian:
    """Clamp the outputs at the target against free: the exact gradient of E_clamped - E_free.

    Equals coupled learning at eta = 1.  Source: Movellan 1991; on linear resistors it is projected
    gradient descent at every step size (Huijzer et al. 2025, arXiv 2503.00349).

    Examples
    --------
    >>> ContrastiveHebbian().phases
    (Phase(weight=1.0, strength=1.0), Phase(weight=-1.0, strength=0.0))
    """

    mode: ClassVar[str] = "clamp"
    limit: ClassVar[str] = "contrastive function"
    phases: ClassVar[tuple] = (Phase(1.0, 1.0), Phase(-1.0, 0.0))


@dataclass(frozen=True)
class DirectedAging:
    """Lower the energy of the clamped state alone; no contrast, so nothing is claimed of its limit.

    Source: Pashine, Hexner, Liu, Nagel 2019; Hebb's rule where the energy is -x W x/2.

    Parameters
    ----------
    eta : float
        Fraction of the way to the target at which the outputs are clamped; 1 is the target.

    Examples
    --------
    >>> DirectedAging().phases
    (Phase(weight=1.0, strength=1.0),)
    """

    eta: float = 1.0
    mode: ClassVar[str] = "clamp"
    limit: ClassVar[str] = "none"

    def __post_init__(self):
        positive("eta", self.eta)

    @property
    def phases(self):
        """Clamped (1)."""
        return (Phase(1.0, self.eta),)


@dataclass(frozen=True)
class EquilibriumPropagation:
    """Nudge the outputs by the cost, against free or against the opposite nudge.

    Follows the exact gradient of the cost with an error of first (one-sided) or second order (centred)
    in the nudge; exact at any nudge if centred and linearised on a quadratic energy; "holomorphic" sums over
    ``points`` complex nudges on a circle, with an error exponentially small in their number.
    Source: Scellier and Bengio 2017, eq. 10; centred: Laborieux et al. 2021; holomorphic: Laborieux and
    Zenke 2022.

    Parameters
    ----------
    nudge : float
        Weight of the cost (radius of the circle for "holomorphic").
    variant : {"centred", "positive", "negative", "holomorphic"}
    linearised : bool
        Nudge by the cost's tangent at the free outputs instead of the full cost.
    points : int
        Number of nudges on the circle; only used by "holomorphic".

    Examples
    --------
    >>> EquilibriumPropagation(nudge=0.25).phases
    (Phase(weight=2.0, strength=0.25), Phase(weight=-2.0, strength=-0.25))
    """

    nudge: float = 0.1
    variant: str = "centred"
    linearised: bool = False
    points: int = 4
    limit: ClassVar[str] = "gradient"
    vanishing: ClassVar[str] = "nudge"

    def __post_init__(self):
        positive("nudge", self.nudge)
        choice("variant", self.variant, ("centred", "positive", "negative", "holomorphic"))
        flag("linearised", self.linearised)
        count("points", self.points, least=2 if self.variant == "holomorphic" else 1, most=10**6)

    @property
    def mode(self):
        """Form of the nudge: "full" or "linearised"."""
        return "linearised" if self.linearised else "full"

    @property
    def phases(self):
        """Nudged, against free or the opposite nudge; or the circle's Fourier weights."""
        if self.variant != "holomorphic":
            return _one_sided_or_centred(self.variant, self.nudge)
        circle = [cmath.exp(2j * cmath.pi * k / self.points) for k in range(self.points)]
        return tuple(Phase(1 / (self.points * self.nudge * c), self.nudge * c) for c in circle)


@dataclass(frozen=True)
class ExactGradient:
    """The cost's gradient by the adjoint state lambda = -H^-1 dC/dx: the reference for every rule.

    On a quadratic energy it equals the centred linearised nudge of any strength, whose ``phases`` it has, and is
    computed so.  A system with a method ``exact_gradient(cost, inputs, target) -> (loss, {name: gradient})``, such as a
    graph of maps that sweeps backwards, is asked for it instead.

    Examples
    --------
    >>> ExactGradient().limit
    'gradient'
    """

    mode: ClassVar[str] = "linearised"
    limit: ClassVar[str] = "gradient"
    phases: ClassVar[tuple] = (Phase(0.5, 1.0), Phase(-0.5, -1.0))
    method: ClassVar[str] = "relax"

    def contrast(self, system, task):
        """The gradient of a step, by the system itself or by the adjoint state; see `ContrastRule`."""
        from physlearn.learning.engines.adjoint import by_adjoint  # loads the relaxing engines

        return by_adjoint(system, task)

    def swept(self, system, inputs, target, cost, options):
        """Cost (batch,) and the gradient of its mean, backwards through a network of predictions with inputs given."""
        if one_way := one_way_of(system):
            raise ValueError(f"ExactGradient: {one_way}; take PredictiveCoding(fixed=True), which does not claim it")
        given = given_of(system, dict(system.fixed) | dict(inputs), len(target))
        return swept(system, {name: value for name, (value, _) in given.items()}, cost, target)
