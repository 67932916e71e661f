"""Compiled: an energy, or minus the logarithm of a density, from one function of one's own that is compiled.

The function gives the energy and the force of a single state; batches are loops over it, and trajectories
(`sample(method="hmc")`, `annealed_importance`) never leave compiled code.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, function, integers, text
from physlearn.kernels import potentials
from physlearn.parts import Potential


class Compiled:
    """E(x) of one continuous layer, given by a compiled function; nothing in it learns.

    Parameters
    ----------
    layer : str
    force : callable
        ``force(x, ints, floats, f) -> energy`` of one state x (n,): writes -dE/dx to f (n,).  Loops, arithmetic, NumPy
        arrays and @njit functions only; an index outside an array is reported.  For a posterior, E is
        -log likelihood - log prior.
    floats : array, optional
        Numbers that the function reads, float64, as one line: data, precisions.
    ints : array, optional
        The same of integers.

    Raises
    ------
    TypeError
        When Numba cannot compile the function, at its first use.

    Examples
    --------
    A parameter theta of 12 heads in 20 throws, as x = log(theta/(1 - theta)), with a flat prior on theta:

    >>> import numpy as np
    >>> from physlearn import Energy, Real, sample
    >>> def coin(x, ints, floats, f):
    ...     share = 1.0 / (1.0 + np.exp(-x[0]))
    ...     f[0] = (ints[0] + 1) * (1.0 - share) - (ints[1] + 1) * share
    ...     return -(ints[0] + 1) * np.log(share) - (ints[1] + 1) * np.log(1.0 - share)
    >>> posterior = Energy({"x": (Real(), 1)}, [Compiled("x", coin, ints=[12, 8])], {})
    >>> drawn = sample(posterior, temperature=1.0, n_samples=2000, warmup=400, method="hmc", metric="diagonal", rng=0)
    >>> theta = 1 / (1 + np.exp(-drawn.x))
    >>> bool(abs(theta.mean() - 13 / 22) < 0.01)  # the mean of a beta distribution
    True
    """

    rowwise = True

    def __init__(self, layer, force, *, floats=(), ints=()):
        self.layers = (text("layer", layer),) * 2  # any of its variables may act on any other
        self.force = function("force", force, 4, "a function force(x, ints, floats, f)")
        self.floats = np.array(array("floats", floats)).ravel()
        self.ints = np.array(integers("ints", ints)).ravel()
        self.potential = Potential(lambda theta: (self.ints, self.floats), force)
        self.address = 0

    def __repr__(self):
        return brief(self, layer=self.layers[0], force=self.force, floats=self.floats, ints=self.ints)

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "potential"} | {"address": 0}

    def __setstate__(self, state):
        self.__dict__.update(state, potential=Potential(lambda theta: (self.ints, self.floats), state["force"]))

    def energy(self, x, theta):
        """E, (batch,)."""
        return self._evaluated(x)[0]

    def field(self, x, theta, layer):
        """-dE/dx, shaped like the layer."""
        return self._evaluated(x)[1].reshape(x[layer].shape)

    def gradient(self, x, theta, weight):
        """Nothing: the numbers of a compiled function do not learn."""
        return {}

    def _evaluated(self, x):
        state = x[self.layers[0]]
        flat = np.ascontiguousarray(state.reshape(len(state), -1), dtype=np.float64)
        self.address = self.address or potentials.address(self.force)
        energy, force = np.empty(len(flat)), np.zeros(flat.shape)
        row = potentials.evaluate(self.address, flat, self.ints, self.floats, energy, force)
        if row >= 0:
            raise potentials.mistake(
                f"term Compiled of layer {self.layers[0]!r}", self.force, flat[row], self.ints, self.floats
            )
        return energy, force
