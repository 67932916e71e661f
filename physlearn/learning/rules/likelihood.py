"""Maximum likelihood of energies that are -log p, and the reverse: a law that learns to be another's Boltzmann law.

Where exp(-E(x; theta)) has integral one for every theta, as a flow's has, <dE/dtheta> over its own draws is zero, so

    d<-log p>/dtheta = <dE/dtheta>_data:

a single phase, the exact gradient of the likelihood.  With draws x = g(z) of the flow itself in the place of data and
another energy U at temperature T in the place of E,

    F(theta) = < U(x)/T + log q(x) >_q = KL(q | exp(-U/T)/Z) - log Z >= -log Z

is the variational free energy (reverse KL), whose gradient goes through the draws.  A flow that has learnt it alone may
have missed a mode: F says nothing of where q is not.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from physlearn.brief import brief
from physlearn.checks import positive, seen
from physlearn.dynamics.problem import make_problem
from physlearn.energy import Energy, System
from physlearn.learning.rules.score import whole_states
from physlearn.machine import system_of
from physlearn.terms.transported import Transported


class MaximumLikelihood:
    """Follow the likelihood of the data, exactly, where exp(-E) has integral one for every theta.

    The cost that `learn` records is -log p per sample, in nats.  The data must give the whole state.  Takes
    `physlearn.models.CouplingFlow` and every energy of one `physlearn.terms.Transported` term; others have a norm that
    changes as they learn, of which `BoltzmannLearning` takes account.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Adam, learn
    >>> from physlearn.learning import MaximumLikelihood
    >>> from physlearn.models import CouplingFlow
    >>> data = np.random.default_rng(0).standard_normal((1000, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
    >>> flow = CouplingFlow(2, couplings=2, hidden=(), rng=0)
    >>> done = learn(flow, {"x": data}, rule=MaximumLikelihood(), optimizer=Adam(0.02), epochs=60, batch=100, rng=0)
    >>> entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * np.cov(data.T, bias=True))[1]
    >>> bool(abs(done.cost[-1] - entropy) < 0.01)
    True
    """

    limit: ClassVar[str] = "gradient of the likelihood"
    takes_cost: ClassVar[bool] = False
    method: ClassVar[str] = "likelihood"
    in_place: ClassVar[bool] = True

    __repr__ = brief

    def contrast(self, system, task):
        """The data's phase (1); see `ContrastRule`."""
        layer = _flow_of(system).layers[0]
        x = _states(system, task, layer)

        def step(system, memory, pick):
            weight = np.full(len(pick), 1 / len(pick), x.dtype)
            return system.terms[0].energy_and_gradient({layer: x[pick]}, system.theta, weight)

        return step

    def monitor(self, system, task):
        """-log p, which is the cost."""
        return "negative log-likelihood", None


class ReverseKL:
    """Let a flow learn the law exp(-U/T)/Z of an energy, by draws of its own.

    The cost that `learn` records is the variational free energy <U/T + log q>, an upper bound of -log Z, equal to it
    where the flow is the law.  The data are draws of the flow's noise: ``flow.noise(size)``.

    Parameters
    ----------
    energy : Energy or Machine
        U, of unbounded Real layers with as many free variables as the flow has.
    temperature : float
        T, in the energy's units.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Adam, Energy, Real, learn
    >>> from physlearn.learning import ReverseKL
    >>> from physlearn.models import CouplingFlow
    >>> from physlearn.terms import Parabola
    >>> well = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0, 4.0]})
    >>> flow = CouplingFlow(2, couplings=2, hidden=(), rng=0)
    >>> done = learn(flow, flow.noise(200), rule=ReverseKL(well), optimizer=Adam(0.03), epochs=300, rng=0)
    >>> bool(abs(done.cost[-1] - (0.5 * np.log(4.0) - np.log(2 * np.pi))) < 0.01)  # -log Z
    True
    """

    limit: ClassVar[str] = "gradient of the variational free energy"
    takes_cost: ClassVar[bool] = False
    method: ClassVar[str] = "reverse"
    in_place: ClassVar[bool] = True

    def __init__(self, energy, temperature=1.0):
        if isinstance(energy, type) or not (isinstance(energy, System) or hasattr(energy, "system")):
            raise TypeError(f"energy: got {seen(energy)}, expected an Energy or a machine")
        self.energy, self.temperature = energy, positive("temperature", temperature)
        self._problems: dict[int, Any] = {}
        self._target(1)

    def __repr__(self):
        return brief(self, energy=self.energy, temperature=self.temperature)

    def _target(self, batch):
        """The energy's free variables, of a batch."""
        if batch in self._problems:
            return self._problems[batch]
        system = system_of(self.energy)
        if not isinstance(system, Energy):
            raise TypeError("energy: got a System, which has no energy to learn the law of")
        shape = {name: np.zeros((batch, *layer.shape)) for name, layer in system.layers.items()}
        for name, (kind, _) in system.layers.items():
            ends = [getattr(kind, "low", 0.0), getattr(kind, "high", 0.0)]
            if np.isfinite(ends).any() or hasattr(kind, "activation") or hasattr(kind, "wrap"):
                raise ValueError(
                    f"energy: layer {name!r} is {kind}, expected unbounded Real layers, which a flow fills; map "
                    "bounded variables to the line first"
                )
        self._problems[batch] = make_problem(system, shape, None)[0]
        return self._problems[batch]

    def contrast(self, system, task):
        """Draws pushed through the flow; see `ContrastRule`."""
        term = _flow_of(system)
        noise = _states(system, task, term.layers[0])
        m = self._target(len(noise)).frame.m
        if m != math.prod(noise.shape[1:]):
            raise ValueError(f"energy: has {m} free variables, expected {math.prod(noise.shape[1:])}, the flow's")

        def step(system, memory, pick):
            z, decode = noise[pick], term.map.reversed()
            x, logdet, tape = decode.with_logdet((z,), system.theta)
            target, flat = self._target(len(z)), x.reshape(len(z), -1).astype(float)
            energy, n = target.energy(flat) / self.temperature, len(z)
            force = (target.force(flat) / (-self.temperature * n)).astype(z.dtype).reshape(z.shape)
            _, gradient = decode.pull_both(tape, force, np.full(n, -1.0 / n, z.dtype), system.theta)
            rest = z.reshape(n, -1)
            log_q = -0.5 * np.sum(rest * rest, 1) - logdet - 0.5 * rest.shape[1] * math.log(2 * math.pi)
            return energy + log_q, gradient

        return step

    def monitor(self, system, task):
        """The variational free energy, which is the cost."""
        return "variational free energy", None


def _states(system, task, layer):
    """The whole states that the data give, (n, *shape), in the flow's precision."""
    (name, value), *more = task.inputs.items()
    readout, (_, shape) = system.readouts[name], system.layers[layer]
    plain = not more and readout.index is None and readout.rows is None and not readout.force
    x = value.reshape(-1, *shape) if plain else whole_states(system, task.inputs)[layer]
    return x.astype(_dtype(system), copy=False)


def _flow_of(system):
    terms = system.terms
    if len(terms) != 1 or not isinstance(terms[0], Transported):
        raise ValueError(
            f"rule: got an energy of {[type(t).__name__ for t in terms]}, whose norm changes as it learns; expected a "
            "flow, such as CouplingFlow, or take BoltzmannLearning"
        )
    return terms[0]


def _dtype(system):
    single = all(value.dtype == np.float32 for value in system.theta.values())
    return np.float32 if single else np.float64
