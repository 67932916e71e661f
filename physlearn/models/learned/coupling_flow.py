r"""CouplingFlow: a law whose density is known, made by couplings from a normal one (Dinh et al. 2017; Noe et al. 2019).

    z ~ N(0, 1),    x = g(z; theta),    E(x) = -log q(x) = |z|^2/2 + (n/2) log 2 pi - log |det dz/dx|,   z = g^-1(x)

g is a chain of `physlearn.maps.AffineCoupling`, each of which scales and shifts half of the entries by functions of the
others, so that both directions and the determinant are exact and as cheap as each other.  As an energy its norm is one,
so it learns without a free phase: from data by `physlearn.learning.MaximumLikelihood`, from another energy by
`ReverseKL`.

What it draws is its own law q, not the law p that it has learnt.  Three ways lead to p: weights p/q (`reweighted`),
which are consistent but biased by O(1/n) at finite n and worth as many draws as their effective number; a chain that
proposes by q and accepts by p, ``sample(energy, method="independence", proposal=flow)``; and q as the start of another.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, integers, mapping, positive, sequence
from physlearn.energy import Energy, Readout, Real
from physlearn.maps import Affine, AffineCoupling, Chain, Relu
from physlearn.maps.affine import shape_of
from physlearn.maps.compose import check_is_map
from physlearn.rng import generator
from physlearn.terms import Transported
from physlearn.threads import on_one_thread

BYTES = 1000  # of one entry of all points that go through the couplings together: the cache then holds them


class CouplingFlow:
    """A chain of affine couplings as a law of its own; see the module.

    Parameters
    ----------
    shape : int or tuple of int
        Of a point; at least two entries.
    couplings : int
        Number of couplings; every second one keeps the other half.
    hidden : sequence of int
        Widths of the hidden layers of each coupling's net; () makes scales and shifts affine functions.
    activation : map, optional
        Of the hidden layers; default `Relu`.
    kept : sequence of int, optional
        Entries that the first coupling keeps, numbers in the flattened point; default every second one, on a field the
        even sites of a chessboard.
    limit : float
        Largest |log scale| of one coupling.
    theta : mapping of str to array, optional
        Parameters "W1.1", "b1.1", ...; all in float32 make a flow in single precision.
    rng : int, Generator or None
        Draws the first parameters.  The last layer of each net starts at zero, and so the flow at N(0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> flow = CouplingFlow(2, couplings=4, hidden=(16,), rng=0)
    >>> x, log_q = flow.decode(np.array([[0.5, -1.0]]))
    >>> bool(np.allclose(flow.encode(x)[0], [[0.5, -1.0]])), bool(np.allclose(log_q, -flow.system(x)))
    (True, True)
    """

    def __init__(
        self,
        shape,
        *,
        couplings=8,
        hidden=(64, 64),
        activation=None,
        kept=None,
        limit=2.0,
        theta=None,
        rng=None,
    ):
        self.shape = shape_of("shape", shape)
        n = math.prod(self.shape)
        if n < 2:
            raise ValueError(
                f"shape: got {shape!r}, a point of 1 entry, expected at least 2: a coupling moves an entry by what "
                "others are; draw one variable by its own quantiles, or add a second one of noise"
            )
        self.couplings, self.limit = count("couplings", couplings), positive("limit", limit)
        self.hidden = tuple(count("hidden", width) for width in sequence("hidden", hidden, expected="widths"))
        self.activation = Relu() if activation is None else check_is_map("activation", activation)
        first = _chessboard(self.shape) if kept is None else integers("kept", kept, ndim=1, low=0, high=n - 1)
        halves = np.unique(first), np.setdiff1d(np.arange(n), first)
        if not all(half.size for half in halves):
            raise ValueError(f"kept: got {halves[0].size} of {n} entries, expected some and not all")
        maps = [
            AffineCoupling(halves[k % 2], self._net(k + 1, halves[(k + 1) % 2].size), limit=self.limit)
            for k in range(self.couplings)
        ]
        size = sum(a * b for a, b in zip((n, *self.hidden), (*self.hidden, n), strict=True))
        count("couplings", self.couplings, each=8 * size)
        self.map = Chain(*maps)  # from noise to data
        start = self.map.start((self.shape,), generator(rng))
        term = Transported("x", self.map.reversed())
        readouts = {"noise": Readout("x")}
        theta = start if theta is None else {**start, **mapping("theta", theta)}
        self.system = Energy({"x": (Real(), self.shape)}, [term], theta, readouts)
        self.system.check_terms()

    def _net(self, k, moved):
        """The net of a coupling: affine maps with activations between them, the last one zero at first."""
        maps = []
        for j, width in enumerate(self.hidden, 1):
            maps += [Affine(width, f"W{k}.{j}", f"b{k}.{j}", scale=math.sqrt(2.0)), self.activation]
        last = len(self.hidden) + 1
        return Chain(*maps, Affine(2 * moved, f"W{k}.{last}", f"b{k}.{last}", scale=0.0))

    def __repr__(self):
        return brief(self, shape=self.shape, couplings=self.couplings, hidden=self.hidden, activation=self.activation)

    @property
    def theta(self):
        """Parameters of the nets, read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same flow with other parameters, such as learnt ones."""
        other = object.__new__(CouplingFlow)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other

    def single(self):
        """The same flow in single precision: half the memory, about half the time."""
        system, other = self.system, object.__new__(CouplingFlow)
        theta = {name: value.astype(np.float32) for name, value in self.theta.items()}
        other.__dict__.update(self.__dict__, system=Energy(system.layers, system.terms, theta, system.readouts))
        return other

    @property
    def dtype(self):
        """float32 where all of theta is, else float64."""
        return np.dtype(np.float32 if all(v.dtype == np.float32 for v in self.theta.values()) else np.float64)

    @on_one_thread
    def decode(self, z):
        """Points x of noise z, (n, *shape), and log q(x), (n,).

        Parameters
        ----------
        z : (n, *shape) array
        """
        x, logdet = self._through(self.map, self._points("z", z))
        return x, _normal(z) - logdet

    @on_one_thread
    def encode(self, x):
        """Noise z of points x, (n, *shape), and log q(x), (n,).

        Parameters
        ----------
        x : (n, *shape) array
        """
        z, logdet = self._through(self.system.terms[0].map, self._points("x", x))
        return z, _normal(z) + logdet

    def log_density(self, x) -> np.ndarray:
        """log q of points (n, *shape), (n,).

        Parameters
        ----------
        x : (n, *shape) array
        """
        return self.encode(x)[1]

    def sample(self, n, rng) -> np.ndarray:
        """Independent draws, (n, *shape).

        Parameters
        ----------
        n : int
        rng : int, Generator or None
        """
        count("n", n, each=8 * math.prod(self.shape))
        return self.decode(generator(rng).standard_normal((n, *self.shape)))[0]

    def noise(self, size):
        """What `learn` takes as ``data`` under `ReverseKL`: fresh noise for every step.

        Parameters
        ----------
        size : int
            Draws a step.
        """
        n = math.prod(self.shape)
        count("size", size, each=8 * n)
        return lambda rng, step: {"noise": rng.standard_normal((size, n))}

    def _points(self, name, x):
        x = array(name, x, dtype=None).astype(self.dtype, copy=False)
        if x.shape[1:] != self.shape or not len(x):
            raise ValueError(f"{name}: got the shape {x.shape}, expected (n, {', '.join(map(str, self.shape))}), n > 0")
        return x

    def _through(self, map, x):
        """Values and logarithms of the determinant, block by block."""
        rows = BYTES // self.dtype.itemsize
        parts = [map.with_logdet((x[i : i + rows],), self.theta)[:2] for i in range(0, len(x), rows)]
        values, logdets = zip(*parts, strict=True)
        return (np.concatenate(values), np.concatenate(logdets)) if len(parts) > 1 else parts[0]


def _normal(z):
    flat = np.reshape(z, (len(z), -1))
    return -0.5 * np.sum(flat * flat, 1) - 0.5 * flat.shape[1] * math.log(2 * math.pi)


def _chessboard(shape):
    """Numbers of the entries whose indices add up to an even number."""
    return np.flatnonzero(np.sum(np.indices(shape), 0).ravel() % 2 == 0)
