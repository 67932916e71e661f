r"""ContinuousFlow: a law carried from noise to data by a learnt velocity (Chen et al. 2018; Lipman et al. 2023).

    dx/dt = v(x, t; theta),  x(0) = z ~ N(0, 1),        d log q/dt = -div v     (Liouville)

The velocity is a map of x and of sines and cosines of the time.  It learns without following any path, from data x1 and
noise z at a random time,

    < |v((1 - t) z + t x1, t) - (x1 - z)|^2 > / 2,

which is least at v = E[x1 - z | x_t], whose flow ends in the data's law ("flow matching", with straight paths).
Paths and log q are by Runge and Kutta's method of fourth order.  The divergence is exact, a pullback for every entry,
or stochastic, e . J e with random signs e (Hutchinson 1989; Grathwohl et al. 2019), whose mean is exact: log q then has
no bias, but exp(log q) has, so that weights and acceptances take the exact one.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, mapping
from physlearn.energy import Energy, Real
from physlearn.errors import DivergenceError
from physlearn.learning import SquaredError
from physlearn.maps.affine import shape_of
from physlearn.maps.compose import check_is_map
from physlearn.maps.map import back
from physlearn.models.learned.noising import features_of, started
from physlearn.rng import generator, seed
from physlearn.terms import Prediction
from physlearn.threads import on_one_thread

ROWS = 250  # points that are followed together
FAR = 1e6  # beyond, a path has diverged


class ContinuousFlow:
    """A law carried by a learnt velocity; see the module.

    Parameters
    ----------
    map : map
        From (x, time) to the shape of x: `physlearn.maps`, joined by ``Concatenate()``.
    shape : int or tuple of int
        Of a point.
    features : int
        Sines and cosines of the time, an even number.
    steps : int
        Of Runge and Kutta's method between noise and data.
    theta : mapping of str to array, optional
        Parameters; all in float32 make a flow in single precision.
    rng : int, Generator or None
        Draws the map's first parameters.

    Examples
    --------
    A velocity that stretches: x(1) = e^a z, so log q falls by a.

    >>> import numpy as np
    >>> from physlearn.maps import Affine, Chain, Concatenate
    >>> flow = ContinuousFlow(Chain(Concatenate(), Affine(1, "W", None)), shape=1, features=2,
    ...                       theta={"W": [[0.5], [0.0], [0.0]]})
    >>> x, log_q = flow.decode(np.zeros((1, 1)))
    >>> print(f"{log_q[0] + 0.5 * np.log(2 * np.pi):.6f}")
    -0.500000
    """

    cost = SquaredError("out")

    def __init__(self, map, *, shape, features=8, steps=20, theta=None, rng=None):
        self.map, self.shape = check_is_map("map", map), shape_of("shape", shape)
        self.features, self.steps = count("features", features, least=2), count("steps", steps)
        if self.features % 2:
            raise ValueError(f"features: got {features}, expected an even number, of sines and cosines")
        start = started(map, (self.shape, (self.features,)), self.shape, rng)
        layers = {"x": (Real(), self.shape), "time": (Real(), self.features), "out": (Real(), self.shape)}
        theta = start if theta is None else {**start, **mapping("theta", theta)}
        self.system = Energy(layers, [Prediction("out", ("x", "time"), map)], theta)
        self.system.check_terms()

    def __repr__(self):
        return brief(self, map=self.map, shape=self.shape, steps=self.steps)

    @property
    def theta(self):
        """The map's parameters, read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same flow with other parameters, such as learnt ones."""
        other = object.__new__(ContinuousFlow)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other

    @property
    def dtype(self):
        """float32 where all of theta is, else float64."""
        single = bool(self.theta) and all(value.dtype == np.float32 for value in self.theta.values())
        return np.dtype(np.float32 if single else np.float64)

    def batches(self, data, size=256):
        """What `learn` takes as ``data``: points between noise and data, anew for every step.

        Parameters
        ----------
        data : (n, *shape) array
        size : int
            Points a step.
        """
        x = array("data", data)
        if not len(x) or x.shape[1:] != self.shape:
            raise ValueError(f"data: got the shape {x.shape}, expected (n, {', '.join(map(str, self.shape))}), n > 0")
        x = x.reshape(len(x), -1)
        count("size", size, each=8 * (x[0].size + self.features))

        def batch(rng, step):
            ends, z = x[rng.integers(0, len(x), size)], rng.standard_normal((size, x.shape[1]))
            t = rng.random((size, 1))
            return {"x": (1 - t) * z + t * ends, "time": features_of(t[:, 0], self.features), "out": ends - z}

        return batch

    @on_one_thread
    def velocity(self, x, t) -> np.ndarray:
        """v at points (n, *shape) and time t from 0 to 1, shaped like the points.

        Parameters
        ----------
        x : (n, *shape) array
        t : float
        """
        return self._velocity(self._points("x", x), t)[0]

    def decode(self, z, *, trace="exact", rng=None):
        """Points x that noise z is carried to, (n, *shape), and log q(x), (n,).

        Parameters
        ----------
        z : (n, *shape) array
        trace : {"exact", "stochastic"}
            How the divergence is found.
        rng : int, Generator or None
            Draws the signs of the stochastic one, one set for a whole path.
        """
        x, gained = self._follow(self._points("z", z), 0.0, 1.0, trace, rng)
        return x, _normal(z) - gained

    def encode(self, x, *, trace="exact", rng=None):
        """Noise z that points x came from, (n, *shape), and log q(x), (n,).

        Parameters
        ----------
        x : (n, *shape) array
        trace, rng
            As for `decode`.
        """
        z, gained = self._follow(self._points("x", x), 1.0, 0.0, trace, rng)
        return z, _normal(z) + gained

    def log_density(self, x, *, trace="exact", rng=None) -> np.ndarray:
        """log q of points (n, *shape), (n,).

        Parameters
        ----------
        x : (n, *shape) array
        trace, rng
            As for `decode`.
        """
        return self.encode(x, trace=trace, rng=rng)[1]

    def sample(self, n, rng) -> np.ndarray:
        """Independent draws, (n, *shape).

        Parameters
        ----------
        n : int
        rng : int, Generator or None
        """
        count("n", n, each=8 * math.prod(self.shape))
        z = generator(rng).standard_normal((n, *self.shape))
        return self._follow(self._points("z", z), 0.0, 1.0, None, None)[0]

    @on_one_thread
    def _follow(self, x, first, last, trace, rng):
        """Points at the last time, and the integral of the divergence over the time passed (no trace: zero)."""
        seed(rng)
        if trace is not None:
            choice("trace", trace, ("exact", "stochastic"))
        signs = None
        if trace == "stochastic":
            signs = generator(rng).integers(0, 2, x.shape).astype(x.dtype) * 2 - 1
        ends, gains = [], []
        for i in range(0, len(x), ROWS):
            e = None if signs is None else signs[i : i + ROWS]
            y, gained = self._path(x[i : i + ROWS], first, last, trace, e)
            ends.append(y)
            gains.append(gained)
        return np.concatenate(ends), np.concatenate(gains)

    def _path(self, x, first, last, trace, signs):
        h = (last - first) / self.steps
        gained = np.zeros(len(x), x.dtype)
        for k in range(self.steps):
            t = first + k * h
            slopes: list = []
            for share, weight in ((0.0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 6)):
                at = x if not slopes else x + x.dtype.type(share * h) * slopes[-1][0]
                v, tape = self._velocity(at, t + share * h)
                slopes.append((v, x.dtype.type(weight * h)))
                if trace is not None:
                    gained += x.dtype.type(weight * h) * self._divergence(tape, v, signs)
            x = x + sum(weight * v for v, weight in slopes)
            if not np.max(np.abs(x)) < FAR:
                lost = np.flatnonzero(~np.all(np.abs(x.reshape(len(x), -1)) < FAR, 1))
                raise DivergenceError(
                    f"x: {len(lost)} of {len(x)} paths left the numbers below {FAR:.0e} at time {t + h:.3g}, the first "
                    f"is item {lost[0]}; train longer, or take more steps",
                    x,
                )
        return x, gained

    def _velocity(self, x, t):
        time = np.repeat(features_of(np.array([t]), self.features).astype(x.dtype), len(x), 0)
        v, tape = self.map.forward((x, time), self.theta)
        if v.shape != x.shape:
            raise ValueError(f"map: gave the shape {v.shape} for points {x.shape}, expected the points' own shape")
        return v, tape

    def _divergence(self, tape, v, signs):
        if signs is not None:
            return np.sum((signs * back(self.map, tape, signs, self.theta)[0]).reshape(len(v), -1), 1)
        total, unit = np.zeros(len(v), v.dtype), np.zeros_like(v)
        flat = unit.reshape(len(v), -1)
        for j in range(flat.shape[1]):
            flat[:, j] = 1
            total += back(self.map, tape, unit.copy(), self.theta)[0].reshape(len(v), -1)[:, j]
            flat[:, j] = 0
        return total

    def _points(self, name, x):
        x = array(name, x, dtype=None).astype(self.dtype, copy=False)
        if x.shape[1:] != self.shape or not len(x):
            raise ValueError(f"{name}: got the shape {x.shape}, expected (n, {', '.join(map(str, self.shape))}), n > 0")
        return x


def _normal(z):
    flat = np.reshape(z, (len(z), -1))
    return -0.5 * np.sum(flat * flat, 1) - 0.5 * flat.shape[1] * math.log(2 * math.pi)
