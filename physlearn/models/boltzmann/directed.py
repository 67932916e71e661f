"""A restricted Boltzmann machine as one layer given the other: the term of directed layers.

    E(v, h) = -T log P(v | h) = E_machine(v, h) + T log sum_v' exp(-E_machine(v', h)/T)

The sum is closed, since visible units do not couple among themselves; the hidden units' own biases drop out.  A sigmoid
belief layer (Neal 1992) where the units are binary.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.kinds import is_continuous
from physlearn.models.boltzmann.conditional import conditional_mean, log_sum


class Layered:
    """A machine between two layers of a stack, as their joint energy or as the lower layer given the upper one.

    Parameters
    ----------
    machine : RBM
        Gives temperature and kinds.
    low, high : str
        Layers of its visible and its hidden units.
    names : mapping of str to str
        Its parameters' names in theta.
    temperature : float
        Of the stack: energies are those over it, times it.
    directed : bool
        Whether the lower layer is given the upper one.
    """

    def __init__(self, machine, low, high, names, temperature, *, directed):
        self.machine, self.low, self.high, self.names = machine, low, high, dict(names)
        self.scale, self.directed = temperature / machine.temperature, directed
        self.layers = (low, high, high) if directed else (low, high)  # the sum over v couples hidden units
        self.parameters = tuple(self.names.values())

    def __repr__(self):
        return brief(self, layers=self.layers, directed=self.directed)

    def _own(self, x, theta):
        """The machine's energy and state."""
        energy = self.machine.energy.with_theta({name: theta[known] for name, known in self.names.items()})
        return energy, {"v": x[self.low], "h": x[self.high]}

    def energy(self, x, theta):
        """(batch,)."""
        energy, own = self._own(x, theta)
        return self._total(energy, own)

    def _total(self, energy, own):
        total, t = np.asarray(sum(energy.shares(own).values())), self.machine.temperature
        return self.scale * (total + t * log_sum(energy, own, "v", t) if self.directed else total)

    def field(self, x, theta, layer):
        """On a layer, shaped like it; hidden units below a sum from the energies of both their values."""
        energy, own = self._own(x, theta)
        if layer == self.low or not self.directed:
            return self.scale * energy.field(own, "v" if layer == self.low else "h")
        (low, high), h = energy.layers["h"].kind.levels, own["h"]
        out = np.empty(h.shape)
        for j in range(h.shape[1]):
            ends = []
            for value in (low, high):
                moved = h.copy()
                moved[:, j] = value
                ends.append(self._total(energy, own | {"h": moved}))
            out[:, j] = (ends[0] - ends[1]) / (high - low)
        return out

    def gradient(self, x, theta, weight):
        """What the machine sees of the states, less what it expects of v given h if directed."""
        energy, own = self._own(x, theta)
        found = energy.response(own, weight)
        if self.directed:
            t, h, w = self.machine.temperature, own["h"], np.asarray(weight)
            mean = conditional_mean(energy, own, "v", t)  # (batch, n), with an axis of codes for Potts units
            weighted = w.reshape(-1, *[1] * (mean.ndim - 1)) * mean
            expected = {"W": -np.tensordot(weighted, h, (0, 0)), "a": -weighted.sum(0), "c": -(w @ h)}
            if "k" in found:
                expected["k"] = 0.5 * ((weighted * mean).sum(0) + w.sum() * t / energy.theta["k"])
            found = {name: value - expected[name] for name, value in found.items()}
        return {self.names[name]: self.scale * value for name, value in found.items()}

    def curvature(self, x, theta, layer):
        """The machine's own on its lower layer (and on its upper one where nothing is summed), else None."""
        if layer == self.high and self.directed:
            return None
        energy, own = self._own(x, theta)
        layer = "v" if layer == self.low else "h"
        if not is_continuous(energy.layers[layer].kind):
            return np.zeros(())
        return self.scale * np.asarray(energy.curvature(own, layer))
