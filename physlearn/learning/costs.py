"""Costs on a readout and its target: a nudge pulls down their slope, and training lowers them.

Each cost names its ``readout`` and answers, for outputs y and targets t of shape (batch, k),
``value -> (batch,)``, ``gradient -> (batch, k)`` and ``hessian -> (batch, k, k)`` with respect to y; optionally
``both -> (value, gradient)``, where they have much work in common.
Complex y are allowed where the cost is analytic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from physlearn.checks import array, not_negative, positive, text


@dataclass(frozen=True)
class SquaredError:
    """C = |y - t|^2 / 2.

    Parameters
    ----------
    readout : str
        The readout it measures.

    Examples
    --------
    >>> import numpy as np
    >>> SquaredError("out").value(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]))
    array([2.5])
    """

    readout: str
    quadratic: ClassVar[bool] = True  # its gradient is linear in each output alone

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y : (batch, k) float or complex array
            Outputs.
        target : (batch, k) array
        """
        y, target = _numbers(y, target)
        return _sound(0.5 * np.sum((y - target) ** 2, -1), y, target)

    def gradient(self, y, target):
        """y - t.

        Parameters
        ----------
        y : (batch, k) float or complex array
            Outputs.
        target : (batch, k) array
        """
        y, target = _numbers(y, target)
        return _sound(y - target, y, target)

    def hessian(self, y, target):
        """The identity."""
        y, target = _numbers(y, target)
        return np.broadcast_to(np.eye(y.shape[-1]), (*y.shape, y.shape[-1]))


@dataclass(frozen=True)
class CrossEntropy:
    """C = -sum_k t_k log softmax(gain y)_k, for targets that sum to 1.

    Parameters
    ----------
    readout : str
        The readout it measures.
    gain : float
        Inverse of the output range that counts as certain, 1/V: voltages are bounded by the inputs,
        so without a gain no output could ever be confident.

    Examples
    --------
    >>> import numpy as np
    >>> CrossEntropy("out", gain=2.0).gradient(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[-1.,  1.]])
    """

    readout: str
    gain: float = 1.0

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")
        positive("gain", self.gain)

    def check(self, target):
        """Refuse targets that are no probabilities."""
        target = _check_classes(self, target)
        wrong = np.flatnonzero((np.abs(target.sum(1) - 1.0) > 1e-9) | np.any(target < 0, 1))
        if wrong.size:
            raise ValueError(
                f"data[{self.readout!r}]: row {wrong[0]} is {target[wrong[0]].tolist()}, expected probabilities that "
                "sum to 1, such as a row of numpy.eye(k)[labels]"
            )

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y : (batch, k) float or complex array
            Outputs.
        target : (batch, k) array
        """
        y, target = _numbers(y, target)
        a = self.gain * y
        top = a.real.max(-1, keepdims=True)
        value = np.sum(target, -1) * np.log(np.sum(np.exp(a - top), -1)) - np.sum(target * (a - top), -1)
        return _sound(value, y, target)

    def gradient(self, y, target):
        """Gain times (softmax - t).

        Parameters
        ----------
        y : (batch, k) float or complex array
            Outputs.
        target : (batch, k) array
        """
        y, target = _numbers(y, target)
        found = self.gain * (np.sum(target, -1, keepdims=True) * self._softmax(y) - target)
        return _sound(found, y, target)

    def hessian(self, y, target):
        """gain^2 (diag p - p p^T)."""
        y, target = _numbers(y, target)
        p = self._softmax(y)
        total = np.sum(target, -1)[..., None, None]
        return self.gain**2 * total * (np.eye(y.shape[-1]) * p[..., None] - p[..., :, None] * p[..., None, :])

    def both(self, y, target):
        """Value and gradient, with the exponentials taken once."""
        a = self.gain * y
        a -= a.real.max(-1, keepdims=True)
        e = np.exp(a)
        norm, total = e.sum(-1, keepdims=True), np.sum(target, -1, keepdims=True)
        value = total[..., 0] * np.log(norm[..., 0]) - np.sum(target * a, -1)
        e /= norm
        e *= total
        e -= target
        e *= self.gain
        return _sound(value, y, target), _sound(e, y, target)

    def _softmax(self, y):
        a = self.gain * y
        e = np.exp(a - a.real.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """C = -sum_k t_k log s_k + (1 - t_k) log(1 - s_k) with s = 1/(1 + exp(-gain y)), for targets in [0, 1].

    Each output is a yes or no of its own, such as a pixel; outputs that exclude each other take `CrossEntropy`.

    Parameters
    ----------
    readout : str
        The readout it measures: log odds over the gain, not probabilities.
    gain : float
        Inverse of the output range that counts as certain, 1/V.

    Examples
    --------
    >>> import numpy as np
    >>> BinaryCrossEntropy("out").gradient(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[-0.5,  0.5]])
    """

    readout: str
    gain: float = 1.0

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")
        positive("gain", self.gain)

    def check(self, target):
        """Refuse targets that are no probabilities."""
        target = array("target", target, ndim=2)
        wrong = np.flatnonzero(np.any((target < 0) | (target > 1), 1))
        if wrong.size:
            raise ValueError(
                f"data[{self.readout!r}]: row {wrong[0]} holds {target[wrong[0]].min():.6g} .. "
                f"{target[wrong[0]].max():.6g}, expected probabilities, from 0 to 1"
            )

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y : (batch, k) float or complex array
            Outputs.
        target : (batch, k) array
        """
        y, target = _numbers(y, target)
        a = self.gain * y
        if a.dtype.kind == "c":
            low = np.where(a.real > 0, -a, a)
            return _sound(np.sum(np.where(a.real > 0, a, 0) + np.log1p(np.exp(low)) - target * a, -1), y, target)
        return _sound(np.sum(np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a))) - target * a, -1), y, target)

    def gradient(self, y, target):
        """Gain times (s - t).

        Parameters
        ----------
        y : (batch, k) float or complex array
            Outputs.
        target : (batch, k) array
        """
        y, target = _numbers(y, target)
        return _sound(self.gain * (0.5 + 0.5 * np.tanh(0.5 * (self.gain * y)) - target), y, target)

    def hessian(self, y, target):
        """gain^2 diag s (1 - s)."""
        y, target = _numbers(y, target)
        s = 0.5 + 0.5 * np.tanh(0.5 * (self.gain * y))
        return self.gain**2 * np.eye(y.shape[-1]) * (s * (1 - s))[..., None]


@dataclass(frozen=True)
class Margin:
    """Multi-class hinge: C = sum_{k != c} max(0, margin - (y_c - y_k)), c the target's largest entry.

    Source: Crammer and Singer 2001; here the sum over classes of Weston and Watkins 1999.

    Parameters
    ----------
    readout : str
        The readout it measures.
    margin : float
        Lead over every other output that costs nothing, V.

    Examples
    --------
    >>> import numpy as np
    >>> Margin("out", margin=0.5).value(np.array([[0.7, 0.4, 0.1]]), np.array([[1.0, 0.0, 0.0]])).round(6)
    array([0.2])
    """

    readout: str
    margin: float = 1.0

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")
        not_negative("margin", self.margin)

    def check(self, target):
        """Refuse a single output, which has no other to lead."""
        _check_classes(self, target)

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y, target : (batch, k) array
            Outputs and targets, real.
        """
        y, target = _numbers(y, target)
        return _sound(np.sum(np.maximum(self._short(y, target), 0.0), -1), y, target)

    def gradient(self, y, target):
        """+1 on every output inside the margin, minus their number on the right one; (batch, k)."""
        y, target = _numbers(y, target)
        short = (self._short(y, target) > 0).astype(float)
        right = np.argmax(target, -1)[..., None]
        np.put_along_axis(short, right, -short.sum(-1, keepdims=True), -1)
        return short

    def hessian(self, y, target):
        """Zero almost everywhere."""
        y, target = _numbers(y, target)
        return np.zeros((*y.shape, y.shape[-1]))

    def _short(self, y, target):
        if y.shape != target.shape or y.dtype.kind == "c" or not np.isfinite(target).all() or np.isinf(y).any():
            _refuse(y, target, same=True)
        right = np.argmax(target, -1)[..., None]
        short = self.margin - np.take_along_axis(y, right, -1) + y
        np.put_along_axis(short, right, 0.0, -1)
        return short


def _numbers(y, target):
    """Outputs and targets as arrays of numbers; arrays, as engines pass them, are not checked."""
    if type(y) is type(target) is np.ndarray:
        return y, target
    y, target = array("y", y, finite=False, dtype=None), array("target", target, finite=False)
    if y.shape[-1:] != target.shape[-1:]:
        raise ValueError(f"target: shape {target.shape} does not fit outputs y of shape {y.shape}")
    return y, target


def _sound(found, y, target):
    """What was found, unless it is not finite, or complex, because of an argument."""
    if found.dtype.kind == "c" and target.dtype.kind == "c" or not np.isfinite(found).all():
        _refuse(y, target)
    return found


def _refuse(y, target, same=False):
    """Say which argument is no array of finite numbers, if one is not; ``same``: shapes agree, outputs are real."""
    array("y", y, dtype=float if same else None)
    array("target", target)
    if same and y.shape != target.shape:
        raise ValueError(f"y, target: got the shapes {y.shape} and {target.shape}, expected the same (batch, k)")


def _check_classes(cost, target):
    target = array("target", target, ndim=2)
    if target.shape[1] < 2:
        raise ValueError(
            f"data[{cost.readout!r}]: one output, expected at least two to choose from; use SquaredError, or read two"
        )
    return target
