"""Memories as terms: separation functions of overlaps.

`Separation` (powers) and `LogSumExp` (exponentials) see the K patterns xi of theta through the overlaps
z_mu = xi_mu.x alone.  The steeper the function, the better it separates the right pattern from the sum of all
others, and the more patterns fit (Krotov and Hopfield 2016; Demircigil et al. 2017; Ramsauer et al. 2020).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import flag, integer, positive, text
from physlearn.energy import Local
from physlearn.kernels.jit import kernel
from physlearn.kinds import is_continuous, is_discrete, two_values, unstated
from physlearn.terms.convex import softmax
from physlearn.terms.fits import angles, codes, expect_shape, refuse_kinds

# Compiled gaps multiply that often; far fewer separate all patterns.
MOST_POWER = 10_000


class _Overlaps(ABC):
    """A function of the overlaps with patterns; energy(z, n) and slope(z, n) say which.

    Its field depends on the layer's kind, which an energy tells it: the energy's own term is that of `on`.
    """

    kind: Any = None

    def __init__(self, layer, parameter):
        self.layers, self.parameter = (text("layer", layer),) * 2, text("parameter", parameter)

    def on(self, layers):
        """The same term, which knows the kind of its layer."""
        term = copy(self)
        term.kind = layers[self.layers[0]].kind
        return term

    def check(self, layers, theta):
        """Refuse codes and angles, which have no overlaps, and patterns of another length."""
        name, _ = self.layers
        refuse_kinds(self, layers, name, (codes, angles), "codes and angles have no overlaps; take a kind of numbers")
        if not (is_continuous(layers[name].kind) or is_discrete(layers[name].kind)):
            raise ValueError(f"{type(self).__name__}: {unstated(name, layers[name].kind)}")
        xi = theta[self.parameter]
        expect_shape(theta, self.parameter, (len(xi) if xi.ndim else 0, layers[name].size), "(K, n), patterns")

    @property
    def local(self) -> Local | None:
        """The gap of one variable from its overlaps, on kinds of two values."""
        return self.compiled_form() if two_values(self.kind) in ((-1.0, 1.0), (0.0, 1.0)) else None

    @abstractmethod
    def compiled_form(self) -> Local:
        """The `Local` on kinds of two values."""

    @abstractmethod
    def value(self, z, n) -> np.ndarray:
        """Energy at overlaps z, (..., K) -> (...)."""

    @abstractmethod
    def slope(self, z, n) -> np.ndarray:
        """-dE/dz, shaped like z."""

    def energy(self, x, theta):
        """Energy, (batch,)."""
        flat, xi = self._flat(x, theta)
        return self.value(flat @ xi.T, xi.shape[1])

    def field(self, x, theta, layer):
        """-dE/dx on a continuous layer, the gap between two values, or minus the energy of each level."""
        flat, xi = self._flat(x, theta)
        n = xi.shape[1]
        if self.kind is None:
            raise ValueError(f"{type(self).__name__}: alone it does not know its layer's kind; ask the energy's field")
        if is_continuous(self.kind):
            return (self.slope(flat @ xi.T, n) @ xi).reshape(x[layer].shape)
        levels = self.kind.levels
        out = np.empty(flat.shape if self.kind.gap else (*flat.shape, len(levels)))
        for b, item in enumerate(flat):
            rest = xi @ item - xi.T * item[:, None]  # overlaps without variable i, (n, K)
            if self.kind.gap:
                low, high = levels
                out[b] = (self.value(rest + low * xi.T, n) - self.value(rest + high * xi.T, n)) / (high - low)
            else:
                out[b] = -np.stack([self.value(rest + level * xi.T, n) for level in levels], -1)
        return out.reshape(*x[layer].shape, *out.shape[2:])

    def gradient(self, x, theta, weight):
        """sum_b w_b dE/dxi, (K, n)."""
        flat, xi = self._flat(x, theta)
        return {self.parameter: -(self.slope(flat @ xi.T, xi.shape[1]) * np.asarray(weight)[:, None]).T @ flat}

    def _flat(self, x, theta):
        flat = x[self.layers[0]]
        return flat.reshape(len(flat), -1), theta[self.parameter]

    def _prepare(self, x, theta, ints, floats):
        xi = theta[self.parameter]
        head = [xi.shape[0], xi.shape[1], two_values(self.kind) == (-1.0, 1.0), *ints]
        return xi @ x, np.array(head, dtype=np.int64), np.concatenate([floats, xi.T.ravel()])


class Separation(_Overlaps):
    """Power separation function, E = -n sum_mu F(z_mu/n) with F(m) = m^power/power.

    Power 2 is the Hopfield network of Hebb's couplings W = sum xi xi^T/n (with its diagonal: a constant for
    spins).  An energy of full recall is n/power for every power.  Source: Krotov and Hopfield 2016, eq. 2,
    which leaves out the factor n^(1 - power)/power.

    Parameters
    ----------
    layer : str
        The layer, of n variables.
    power : int
        At least 2 (power 1 only adds the patterns up), at most 10000.
    rectified : bool
        F(m) = 0 for m < 0: inverses are not stored.
    parameter : str
        Name in theta of the patterns, (K, n).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Spin
    >>> memory = Energy({"s": (Spin(), 6)}, [Separation("s", 3)], {"patterns": np.ones((1, 6))})
    >>> float(memory(np.ones(6)))
    -2.0
    """

    def __init__(self, layer, power, *, rectified=False, parameter="patterns"):
        super().__init__(layer, parameter)
        self.power, self.rectified = integer("power", power, 2, MOST_POWER), flag("rectified", rectified)

    def __repr__(self):
        return brief(self, layers=self.layers, power=self.power, parameter=self.parameter)

    def compiled_form(self):
        """Kept overlaps; powers by products."""
        return Local(self._prepare_power, _power_gap, _commit)

    def value(self, z, n):
        """Energy at overlaps z."""
        m = np.maximum(z / n, 0.0) if self.rectified else z / n
        return -n / self.power * np.sum(m**self.power, -1)

    def slope(self, z, n):
        """F'(z/n)."""
        m = np.maximum(z / n, 0.0) if self.rectified else z / n
        return m ** (self.power - 1)

    def jacobian(self, x, theta):
        """sum_mu xi xi^T F''(z/n)/n."""
        flat, xi = self._flat(x, theta)
        m = flat[0] @ xi.T / xi.shape[1]
        m = np.maximum(m, 0.0) if self.rectified else m
        return (xi.T * ((self.power - 1) / xi.shape[1] * m ** (self.power - 2) * ((m > 0) | (not self.rectified)))) @ xi

    def _prepare_power(self, x, theta):
        return self._prepare(x, theta, [self.power, self.rectified], [])


class LogSumExp(_Overlaps):
    """Exponential separation, E = -log(sum_mu exp(beta z_mu))/beta.

    On a `Real` layer with `SquaredNorm` the modern Hopfield network (Ramsauer et al. 2020, eq. 2).  On spins a
    monotone function of the exponential memory -sum exp(xi.s) (Demircigil et al. 2017) at beta = 1: the same
    descents and minima, but it does not overflow.

    Parameters
    ----------
    layer : str
    beta : float
        Inverse temperature of the competition between patterns, positive.
    parameter : str
        Name in theta of the patterns, (K, n).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> one = Energy({"x": (Real(), 1)}, [LogSumExp("x", 2.0)], {"patterns": np.array([[1.0]])})
    >>> float(one(np.array([3.0])))  # one pattern: -z
    -3.0
    """

    def __init__(self, layer, beta=1.0, *, parameter="patterns"):
        super().__init__(layer, parameter)
        self.beta = positive("beta", beta)

    def __repr__(self):
        return brief(self, layers=self.layers, beta=self.beta, parameter=self.parameter)

    def compiled_form(self):
        """Kept overlaps; exponentials relative to the largest."""
        return Local(self._prepare_exp, _exp_gap, _commit)

    def value(self, z, n):
        """Energy at overlaps z."""
        top = z.max(-1)
        return -(top + np.log(np.sum(np.exp(self.beta * (z - top[..., None])), -1)) / self.beta)

    def slope(self, z, n):
        """softmax(beta z)."""
        return softmax(self.beta * z)

    def jacobian(self, x, theta):
        """beta times the covariance of the patterns under the softmax."""
        flat, xi = self._flat(x, theta)
        p = softmax(self.beta * (flat[:1] @ xi.T))[0]
        mean = p @ xi
        return self.beta * ((xi.T * p) @ xi - np.outer(mean, mean))

    def _prepare_exp(self, x, theta):
        return self._prepare(x, theta, [], [self.beta])


# ---------------------------------------------------------------- local forms; ints: K, n, whether Spin
def _power_gap(i, x, cache, ints, floats, codes, f):
    k, n, power = ints[0], ints[1], ints[3]
    low, divisor = (-1.0, 2.0) if ints[2] else (0.0, 1.0)
    total = 0.0
    for mu in range(k):
        xi = floats[i * k + mu]
        rest = cache[mu] - xi * x[i]
        total += _power((rest + xi) / n, power, ints[4]) - _power((rest + low * xi) / n, power, ints[4])
    f[0] = total * n / power / divisor
    return 1


def _exp_gap(i, x, cache, ints, floats, codes, f):
    k, beta = ints[0], floats[0]
    low, divisor = (-1.0, 2.0) if ints[2] else (0.0, 1.0)
    top_up, top_down = -np.inf, -np.inf  # each sum relative to its own largest: a common one lets the other underflow
    for mu in range(k):
        xi = floats[1 + i * k + mu]
        rest = cache[mu] - xi * x[i]
        top_up, top_down = max(top_up, rest + xi), max(top_down, rest + low * xi)
    up, down = 0.0, 0.0
    for mu in range(k):
        xi = floats[1 + i * k + mu]
        rest = cache[mu] - xi * x[i]
        up += np.exp(beta * (rest + xi - top_up))
        down += np.exp(beta * (rest + low * xi - top_down))
    f[0] = ((top_up - top_down) + (np.log(up) - np.log(down)) / beta) / divisor
    return 1


def _commit(i, new, x, cache, ints, floats):
    k = ints[0]
    start = len(floats) - k * ints[1] + i * k
    for mu in range(k):
        cache[mu] += floats[start + mu] * (new - x[i])


@kernel
def _power(m, power, rectified):
    if rectified and m < 0.0:
        return 0.0
    out = 1.0
    for _ in range(power):
        out *= m
    return out
