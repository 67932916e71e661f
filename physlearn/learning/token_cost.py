"""Cross-entropy of a sequence of choices, such as the next letter at every place of a text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.checks import array, count, text
from physlearn.learning.costs import _numbers, _sound


@dataclass(frozen=True)
class TokenCrossEntropy:
    """C = -(1/n) sum over tokens, sum_k t_k log softmax(y)_k, in nats a token; n tokens of an item have a target.

    Outputs and targets are (tokens, classes), flattened.  A token whose targets are all zero counts for nothing:
    padding.

    Parameters
    ----------
    readout : str
        The readout it measures: log odds, not probabilities.
    classes : int

    Examples
    --------
    Two tokens, the second of them padding:

    >>> import numpy as np
    >>> TokenCrossEntropy("y", 2).value(np.zeros((1, 4)), np.array([[1.0, 0.0, 0.0, 0.0]])).round(4)
    array([0.6931])
    """

    readout: str
    classes: int

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")
        count("classes", self.classes, least=2)

    def check(self, target):
        """Refuse targets that are no probabilities, and items without any."""
        target = array("target", target, ndim=2)
        if target.shape[1] % self.classes:
            raise ValueError(
                f"data[{self.readout!r}]: {target.shape[1]} columns, expected a multiple of the {self.classes} classes"
            )
        t = target.reshape(len(target), -1, self.classes)
        total = t.sum(2)
        wrong = np.argwhere((t < 0).any(2) | (np.abs(total - 1) > 1e-9) & (total != 0))
        if len(wrong):
            item, token = wrong[0]
            raise ValueError(
                f"data[{self.readout!r}]: token {token} of row {item} is {t[item, token].tolist()}, expected "
                "probabilities that sum to 1, such as a row of numpy.eye(classes), or zeros for padding"
            )
        empty = np.flatnonzero(~total.any(1))
        if empty.size:
            raise ValueError(f"data[{self.readout!r}]: row {empty[0]} has no token with a target; leave it out")

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y : (batch, tokens * classes) array
            Outputs.
        target : (batch, tokens * classes) array
        """
        return self.both(y, target)[0]

    def gradient(self, y, target):
        """(softmax - t)/n at every token with a target.

        Parameters
        ----------
        y : (batch, tokens * classes) array
            Outputs.
        target : (batch, tokens * classes) array
        """
        return self.both(y, target)[1]

    def hessian(self, y, target):
        """(diag p - p p^T)/n in a block for each token."""
        y, target = _numbers(y, target)
        a, t = self._tokens(y, target)
        p = np.exp(a - a.max(2, keepdims=True))
        p /= p.sum(2, keepdims=True)
        total = t.sum(2)
        p_total = p * (total / total.sum(1, keepdims=True))[:, :, None]
        out = np.zeros((*y.shape, y.shape[-1]))
        for k in range(a.shape[1]):
            block = slice(k * self.classes, (k + 1) * self.classes)
            out[:, block, block] = (
                np.eye(self.classes) * p_total[:, k, :, None] - p_total[:, k, :, None] * p[:, k, None, :]
            )
        return out

    def both(self, y, target):
        """Value and gradient, with the exponentials taken once."""
        y, target = _numbers(y, target)
        a, t = self._tokens(y, target)
        a = a - a.max(2, keepdims=True)
        e = np.exp(a)
        norm, total = e.sum(2, keepdims=True), t.sum(2, keepdims=True)
        share = 1 / total.sum(1, keepdims=True)
        value = ((total * np.log(norm)).sum((1, 2)) - (t * a).sum((1, 2))) * share[:, 0, 0]
        e *= total / norm
        e -= t
        e *= share
        return _sound(value, y, target), _sound(e.reshape(y.shape), y, target)

    def _tokens(self, y, target):
        """Outputs and targets as (batch, tokens, classes)."""
        if y.ndim != 2 or y.shape != target.shape or y.shape[1] % self.classes:
            raise ValueError(
                f"y, target: got the shapes {y.shape} and {target.shape}, expected the same (batch, tokens * "
                f"{self.classes})"
            )
        return y.reshape(len(y), -1, self.classes), target.reshape(len(y), -1, self.classes)
