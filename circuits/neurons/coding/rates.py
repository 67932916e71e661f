"""Population codes in rate mode: the terms of their `System`.

What reaches an ensemble through a filter of time constant tau is the state x of a layer:

    tau dx/dt = -x + sum over connections a_source(x_source) D + tau u,

with a the tuning curves (Hz), D decoders, u what is given from outside (unit of x per s).  The force is the right-hand
side, the error of what is decoded; the layer's kind tells tau.  A learning rule sees the product of rate and value,
-a(x_source)' x, as of the energy |x - a D|^2 / 2 on the target: between a target X and what is free the contrast is the
gradient of |a D - X|^2 / 2, which is the PES rule (MacNeil and Eliasmith 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.neurons.analysis.theory import lif_rate
from circuits.neurons.cells.membrane import Variables
from circuits.neurons.coding.ensemble import Ensemble
from physlearn import System
from physlearn.brief import brief
from physlearn.dynamics.rest import flow, newton


@dataclass(frozen=True)
class Represented(Variables):
    """What an ensemble represents: real numbers that are filtered.

    Parameters
    ----------
    tau : float
        Time constant of the filter, s: that which `integrate` takes.
    """

    tau: float = 1.0


class RateSystem(System):
    """A population code in rate mode, which finds its rests by itself.

    Substitution x -> a(x) D comes first: what no loop feeds is at rest after as many as the chain is long, a whole
    batch at once.  Loops that it does not bring to rest are left to Newton's method, and where that is stuck, at the
    threshold of a neuron, to the flow from the same start.  The tolerance is one of the radius.
    """

    def __relax__(self, problem, tol, max_steps):
        """Engine of `relax`; see `physlearn.dynamics.rest.own`."""
        z, before = problem.initial(), np.inf
        for step in range(max_steps + 1):
            force = problem.force(z)
            rest = np.max(np.abs(force), 1, initial=0.0)
            if np.all(rest <= tol):
                return z, rest, step, True, "substitution"
            if step > len(self.layers) and not np.max(rest) < 0.5 * before:
                break
            z, before = z + force, np.max(rest)
        limit = np.full(problem.batch, tol)
        found = newton.solve(problem, limit, max_steps)
        return found if found[3] else flow.solve(problem, limit, max_steps)


@dataclass(frozen=True, eq=False)
class Decoded:
    """The decoded value a(x_source) D as a field on the target.

    Parameters
    ----------
    source, target : str
        Layers, which may be one.
    ensemble : Ensemble
        Of the source.
    decoders : str
        Name in theta of D, (n, k).
    """

    source: str
    target: str
    ensemble: Ensemble
    decoders: str

    __repr__ = brief

    rowwise = True

    @property
    def layers(self):
        """The source twice: its variables act through the same neurons."""
        return (self.source, self.source, self.target)

    @property
    def parameter(self):
        """The decoders' name."""
        return self.decoders

    def check(self, layers, theta):
        """Refuse decoders of another shape."""
        wanted = (self.ensemble.n, *layers[self.target].shape)
        if np.shape(theta[self.decoders]) != wanted:
            raise ValueError(
                f"theta[{self.decoders!r}]: shape {np.shape(theta[self.decoders])}, expected {wanted}: neurons of "
                f"{self.source!r}, numbers of {self.target!r}"
            )

    def field(self, x, theta, layer):
        """The decoded value on the target; nothing acts back on another source."""
        if layer != self.target:
            return np.zeros(x[layer].shape)
        return np.matmul(self._rates(x)[:, None], theta[self.decoders])[:, 0]  # a product for each row

    def response(self, x, theta, weight):
        """-a' x_target, weighted: presynaptic rate times postsynaptic value."""
        return {self.decoders: -(self._rates(x) * np.reshape(weight, (-1, 1))).T @ x[self.target]}

    def jacobian(self, x, theta):
        """d field/dx of one state, over source and target."""
        slope = self.ensemble.tuning_slope(x[self.source][:1])[0]
        block = theta[self.decoders].T @ (slope[:, None] * self.ensemble.scaled_encoders)
        if self.source == self.target:
            return block
        k, d = block.shape
        return np.block([[np.zeros((d, d)), np.zeros((d, k))], [block, np.zeros((k, k))]])

    def _rates(self, x):
        """Rates at a batch of states, (batch, n); NaN at states that are not finite, which a trial step may reach."""
        fine, ensemble = np.isfinite(x[self.source]).all(1), self.ensemble
        states = x[self.source] if fine.all() else np.where(fine[:, None], x[self.source], 0.0)
        current = np.matmul(states[:, None], ensemble.scaled_encoders.T)[:, 0] + ensemble.bias
        rates = lif_rate(current, ensemble.model)
        return rates if fine.all() else np.where(fine[:, None], rates, np.nan)
