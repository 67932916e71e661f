"""Denoising score matching: learn a density's energy from samples, without ever drawing from it.

Data x are blurred, x_t = x + sigma eps; the model's score s = -dE/dx / T is asked to point back,

    J(theta) = < |s(x_t) + eps/sigma|^2 / 2 >,

which is least where exp(-E/T) is the density of the blurred data (Vincent 2011, eq. 9; equal to explicit
score matching up to a constant).  With r = s(x_t) + eps/sigma its gradient is a contrast of two phases,

    T dJ/dtheta = [ <dE/dtheta>(x_t - h r) - <dE/dtheta>(x_t + h r) ] / (2 h)   as h -> 0,

with an error of second order in h: only forces and dE/dtheta are needed, no second derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from physlearn.brief import brief
from physlearn.checks import positive
from physlearn.dynamics.frame import frame_of, given
from physlearn.dynamics.problem import Problem, make_problem
from physlearn.energy import Energy
from physlearn.rng import Chains


@dataclass(frozen=True)
class DenoisingScoreMatching:
    """Two phases on both sides of blurred data, along the error of the score there.

    Follows the exact gradient of the denoising score matching objective, with an error of second order in
    ``h`` (none where the energy is quadratic).  The cost that `learn` records is the objective: mean over the
    samples, summed over the variables.  The data must give the whole state, on unbounded `Real` layers.  The
    score hardly sees how probability divides between two wells if no blurred data lie between them.
    Source: Vincent 2011, eq. 9.

    Parameters
    ----------
    sigma : float
        Standard deviation of the blur, in units of x.  The density learnt is that of the blurred data.
    temperature : float
        T of the density exp(-E/T)/Z.
    h : float, optional
        The phases are displaced by h r, r in units of 1/x; default 1e-4 sigma^2.

    Examples
    --------
    The stiffness of a spring from positions of variance 0.5, blurred to 0.75:

    >>> import numpy as np
    >>> from physlearn import SGD, Energy, Readout, Real, learn
    >>> from physlearn import DenoisingScoreMatching
    >>> from physlearn.terms import Edges
    >>> spring = Energy({"x": (Real(), 2)}, [Edges("x", [(0, 1)])], {"conductance": [1.0]},
    ...                 {"end": Readout("x", [0]), "wall": Readout("x", [1])}, fixed={"wall": [0.0]})
    >>> data = {"end": np.sqrt(0.5) * np.random.default_rng(0).standard_normal((4000, 1))}
    >>> done = learn(spring, data, rule=DenoisingScoreMatching(0.5), optimizer=SGD(0.1), epochs=5, batch=100, rng=0)
    >>> bool(abs(done.theta["conductance"][0] - 1 / 0.75) < 0.1)
    True
    """

    sigma: float
    temperature: float = 1.0
    h: float | None = None
    limit: ClassVar[str] = "gradient of its own objective"
    takes_cost: ClassVar[bool] = False
    method: ClassVar[str] = "sample"

    __repr__ = brief

    def __post_init__(self):
        positive("sigma", self.sigma)
        positive("temperature", self.temperature)
        if self.h is None:
            object.__setattr__(self, "h", 1e-4 * self.sigma**2)
        positive("h", self.h)

    def start(self, system, task, generator):
        """Memory: the root of the random streams."""
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.start(system, generator)

    def contrast(self, system, task):
        """The two phases; the cost is the objective.  See `ContrastRule`."""
        from physlearn.learning.engines import sampled

        sampled.check(system, task)
        states = whole_states(system, task.inputs)

        def step(system, memory, pick):
            noise = sampled.streams_of(memory["noise"]["root"], memory["steps"] + 1, sampled.DATA, len(pick))
            x = {name: value[pick] for name, value in states.items()}
            gradient, cost = denoising_contrast(system, x, self, Chains(noise))
            gradient = {name: value / self.temperature for name, value in gradient.items()}
            return float(np.mean(cost)) * len(pick), gradient

        return step

    def monitor(self, system, task):
        """The objective, which is the cost."""
        return "score matching loss", None


def whole_states(system, data):
    """Whole states given by data, {layer: (n, *shape)}; refuses systems without a score and incomplete data.

    Parameters
    ----------
    system : System
    data : mapping of str to (n, k) array

    Raises
    ------
    TypeError, ValueError
    """
    if not isinstance(system, Energy):
        raise TypeError("rule: score matching learns an energy, and a System has none")
    clamps = dict(system.fixed) | dict(data)
    frame = frame_of(system, tuple(clamps))
    if frame.m or frame.forces:
        what = "give forces" if frame.forces else f"leave {frame.m} variables open"
        raise ValueError(
            f"data: {list(data)} {what}, but score matching needs the whole state of every sample; give data for "
            "all layers, or learn hidden variables by a sampled rule such as BoltzmannLearning"
        )
    u, force = given(system, frame, clamps)
    whole = Problem(system, frame, tuple(clamps), u, force, (), None)
    if whole.discrete or whole.activated or not all(np.isinf([k.low, k.high]).all() for k, _ in system.layers.values()):
        raise ValueError(
            "rule: score matching blurs the data and follows the force; it takes unbounded Real layers without an "
            "activation"
        )
    return whole.state(np.zeros((len(u), 0)))


def denoising_contrast(system, x, rule, noise):
    """The two phases' contrast on a batch: T times the gradient of the objective, and the objective (batch,).

    Parameters
    ----------
    system : Energy
    x : {layer: (batch, *shape)}
        Data; what ``system.fixed`` clamps is not blurred.
    rule : DenoisingScoreMatching
    noise : Chains or numpy.random.Generator
        ``standard_normal(shape)`` is asked once, for (batch, free variables).
    """
    problem, _ = make_problem(system, x, {})
    z = problem.initial()
    eps = noise.standard_normal(z.shape)
    z = z + rule.sigma * eps
    r = problem.force(z) / rule.temperature + eps / rule.sigma
    weight = np.full(len(z), 0.5 / (rule.h * len(z)))
    lower = system.response(problem.state(z - rule.h * r), weight)
    upper = system.response(problem.state(z + rule.h * r), weight)
    return {name: lower[name] - upper[name] for name in lower}, 0.5 * np.sum(r * r, 1)
