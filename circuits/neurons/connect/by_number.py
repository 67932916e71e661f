"""Connections that a condition on the numbers of both neurons chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.parameters import fixed
from physlearn.brief import brief
from physlearn.checks import array, function
from physlearn.rng import streams

_CHUNK = 1 << 21  # pairs looked at together, about


@dataclass(frozen=True, eq=False)
class where:  # noqa: N801
    """The pairs that a condition chooses: a function of the numbers i, j of source and target, or an array of them.

    Parameters
    ----------
    condition : function or (sources, targets) array
        ``condition(i, j)`` of i (rows, 1) and j (1, targets), integers: True where i connects to j, or the probability
        of that; anything that broadcasts to (rows, targets).  The array has the same entries.  A neuron connects to
        itself where the condition says so.

    Examples
    --------
    A ring, each neuron to the next two:

    >>> import numpy as np
    >>> from circuits.neurons import LIF, Delta, Population, Projection, SpikingNetwork
    >>> rule = where(lambda i, j: ((j - i) % 5 >= 1) & ((j - i) % 5 <= 2))
    >>> cells = Population(LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0), 5, receptors={"d": Delta()})
    >>> SpikingNetwork({"E": cells}, [Projection("E", "E", rule, weight=0.1)]).synapses("E->E")[1]
    array([1, 2, 2, 3, 3, 4, 0, 4, 0, 1])
    """

    condition: Any

    __repr__ = brief

    def __post_init__(self):
        if callable(self.condition):
            function("where: condition", self.condition, 2, "a function (i, j), or an array (sources, targets)")
            return
        p = array("where: condition", self.condition, ndim=2, low=0, high=1)
        object.__setattr__(self, "condition", fixed(p))

    def chunks(self, source, target, same, rng):
        """Rows, chunk by chunk."""
        rows = max(1, _CHUNK // target.n)
        numbers = np.arange(target.n)[None]
        for chunk, state in enumerate(streams(rng, -(-source.n // rows), key=1)):
            low, high = chunk * rows, min((chunk + 1) * rows, source.n)
            p = self._probabilities(np.arange(low, high)[:, None], numbers, source.n)
            taken = p > 0
            if np.any(uncertain := taken & (p < 1)):
                taken[uncertain] = np.random.default_rng(state).random(np.count_nonzero(uncertain)) < p[uncertain]
            sources, targets = np.nonzero(taken)
            yield low, np.searchsorted(sources, np.arange(high - low + 1)), targets.astype(np.int32), None

    def _probabilities(self, i, j, n):
        """Of the pairs of a chunk, (rows, targets)."""
        shape = (len(i), j.shape[1])
        if not callable(self.condition):
            if self.condition.shape != (n, j.shape[1]):
                raise ValueError(
                    f"where: condition of shape {self.condition.shape}, expected ({n}, {j.shape[1]}): sources, targets"
                )
            return self.condition[i[:, 0]]
        found = array("where: condition(i, j)", np.asarray(self.condition(i, j)), finite=False)
        try:
            found = np.broadcast_to(found, shape)
        except ValueError:
            raise ValueError(
                f"where: condition(i, j) has shape {found.shape}, expected what broadcasts to {shape}: i is {i.shape}, "
                f"j is {j.shape}"
            ) from None
        if not np.all((found >= 0) & (found <= 1)):
            raise ValueError("where: condition(i, j) must return True, False or probabilities from 0 to 1")
        return found
