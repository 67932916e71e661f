"""Weights of low rank, as their two factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.parameters import fixed
from physlearn.brief import brief
from physlearn.checks import array


@dataclass(frozen=True, eq=False)
class low_rank:  # noqa: N801
    """The weights decoders @ encoders of rank D, which are never formed.

    The spikes of the source are decoded into D numbers, these are filtered, and drive the target through its encoders
    as an injected current: O((sources + targets) D) a step, where the matrix takes O(sources targets).  The filter is
    the projection's ``receptor``, such as ``Exponential(5e-3, normalised="area")``: with that area the D numbers are
    sum_i decoders[i] rate_i, filtered.  `circuits.neurons.synapses.coded` says how it is held over a step.

    Without encoders the projection has no target, and is a probe of what the source represents.

    Parameters
    ----------
    decoders : (sources, D) array
        What a spike of each source adds, in units of the D numbers times s (``normalised="area"``) or in their units.
    encoders : (D, targets) array, optional
        Current of each target for each number, A (V for neurons of resistance 1).

    Raises
    ------
    TypeError, ValueError
        Arrays of other shapes, or of numbers that are not finite.

    References
    ----------
    C. Eliasmith and C. H. Anderson, Neural Engineering (MIT Press, 2003), chapters 4 and 6.

    Examples
    --------
    >>> import numpy as np
    >>> rule = low_rank(np.ones((100, 2)), np.ones((2, 50)))
    >>> rule.rank, rule.matrix.shape
    (2, (100, 50))
    """

    decoders: Any
    encoders: Any = None

    __repr__ = brief

    weighted = True  # its weights are its own

    def __post_init__(self):
        decoders = array("low_rank: decoders", self.decoders, shape=("sources", "D"))
        if not decoders.size:
            raise ValueError(f"low_rank: decoders of shape {decoders.shape}, expected at least one source and D >= 1")
        object.__setattr__(self, "decoders", fixed(decoders))
        if self.encoders is not None:
            encoders = array("low_rank: encoders", self.encoders, ndim=2)
            if len(encoders) != self.rank or not encoders.size:
                raise ValueError(
                    f"low_rank: encoders of shape {encoders.shape} with decoders of shape {decoders.shape}, expected "
                    f"({self.rank}, targets), so that decoders @ encoders are the weights; transpose them?"
                )
            object.__setattr__(self, "encoders", fixed(encoders))

    @property
    def rank(self):
        """D, how many numbers are decoded."""
        return self.decoders.shape[1]

    @property
    def matrix(self):
        """The weights, (sources, targets)."""
        if self.encoders is None:
            raise ValueError("low_rank: without encoders there are no weights; give encoders")
        return np.matmul(self.decoders, self.encoders)

    def fits(self, what, source, target):
        """Refuse factors that do not fit the populations at both ends."""
        for factor, name, found, population in (
            (self.decoders, "decoders", len(self.decoders), source),
            (self.encoders, "encoders", 0 if self.encoders is None else self.encoders.shape[1], target),
        ):
            if factor is not None and found != population.n:
                raise ValueError(
                    f"{what}: low_rank: {name} of shape {factor.shape} for {population.n} neurons, expected "
                    + (f"({population.n}, D)" if name == "decoders" else f"(D, {population.n})")
                )
