"""Affine maps whose errors come back by weights of their own: no synapse needs to know another's strength.

Every other map sends errors back by the weights that carried the values, transposed.  Brains have no such weights
(weight transport: Grossberg 1987).  Here errors return by B in the place of W, and B learns as W does, from the same
two ends: its gradient is W's.  With weight decay in both, W - B falls to zero, and what is followed becomes the exact
gradient (Kolen and Pollack 1994; Akrout et al. 2019).  With B held fixed W turns until errors help (feedback alignment:
Lillicrap et al. 2016).
"""

from __future__ import annotations

from physlearn.checks import text
from physlearn.maps.affine import Affine
from physlearn.maps.map import one_parent


class FeedbackAffine(Affine):
    """y = x W + b, with cotangents c B^T of the parent, which no energy has.

    Learn by `PredictiveCoding` with ``steps`` or ``fixed``; what lowers an energy, or claims the gradient, refuses.

    Parameters
    ----------
    units, weight, bias, scale
        As for `Affine`.
    feedback : str
        Name in theta of B, (inputs, outputs), which starts apart from W; leave it out of ``trainable`` to hold it.

    Examples
    --------
    >>> import numpy as np
    >>> theta = {"W": np.ones((2, 1)), "b": np.zeros(1), "B": np.full((2, 1), 0.5)}
    >>> value, tape = FeedbackAffine(1).forward((np.array([[1.0, 2.0]]),), theta)
    >>> FeedbackAffine(1).back(tape, np.array([[1.0]]), theta)[0]
    array([[0.5, 0.5]])
    """

    def __init__(self, units, weight="W", bias="b", feedback="B", *, scale=1.0):
        super().__init__(units, weight, bias, scale=scale)
        self.feedback = text("feedback", feedback, "a parameter's name")
        if self.feedback == self.weight:
            raise ValueError(f"feedback: got {feedback!r}, the weights' own name; take Affine for those, transposed")
        self.parameters, self.returning = (*self.parameters, self.feedback), (self.feedback,)

    def start(self, shapes, rng):
        """W and B normal, one as the other, b zero."""
        one_parent(self, shapes)
        first = super().start(shapes, rng)
        return first | {self.feedback: super().start(shapes, rng)[self.weight]}

    def back(self, tape, cotangent, theta):
        """c B^T."""
        found = cotangent.reshape(len(cotangent), -1) @ theta[self.feedback].T
        return (found.reshape(len(cotangent), *tape.shape[1:]),)

    def slope(self, tape, cotangent, theta):
        """x^T c for W and for B, and the sum of c over the batch."""
        found = super().slope(tape, cotangent, theta)
        return found | {self.feedback: found[self.weight].copy()}
