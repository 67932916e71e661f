"""Efficient balanced networks: a neuron spikes only where that lowers an energy (Boerlin, Machens and Deneve 2013).

N neurons follow a signal x(t) of D numbers with filtered spike trains r and decoders G,

    y = r G,    dr_k/dt = -r_k / tau + spikes of k,        E = |x - y|^2 + mu |r|^2.

A spike of neuron k adds G_k to y and 1 to r_k, which changes E by -2 (V_k - T_k), with

    V_k = G_k . (x - y) - mu r_k,     T_k = (|G_k|^2 + mu) / 2.

V is a membrane voltage: it leaks with tau, is driven by G_k . (dx/dt + x/tau), and a spike of j lowers it at once by
G_k . G_j (+ mu for j = k, the reset): recurrent weights -G G' of rank D.  So to spike at threshold is to descend E.
Between spikes the membranes are advanced exactly, for any x(t).  Within a step the neurons are visited one after the
other, each seeing the spikes before its own: a sweep of moves at T = 0, after which E is never higher, at any step.
Visits start at a random neuron in each step; otherwise those of low number would do the work.

All that cross at once would overshoot together (measured at N = 320, dt = 0.1 ms: 43 kHz a neuron).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from circuits.neurons.parameters import fixed
from circuits.neurons.program import steps_of
from circuits.neurons.spikes import Spikes
from physlearn import Energy, Real
from physlearn.brief import brief
from physlearn.checks import array, count, function as callable_of, not_negative, positive
from physlearn.kernels.jit import kernel
from physlearn.maps import Affine
from physlearn.rng import generator, streams, uniform
from physlearn.terms import Parabola, Prediction

ROOM = 1 << 16  # spikes between two visits of Python


class BalancedRun(NamedTuple):
    """What a balanced network did.

    Attributes
    ----------
    t : (m,) array
        Grid points, s, the first at the beginning of the run.
    x, estimate : (m, D) array
        The signal, and what is decoded from the filtered spike trains after the spikes of that step.
    spikes : Spikes
        Those of one grid point in the order in which they fell.
    final : (N,) array
        r at the end: ``x0`` of a run that goes on.
    """

    t: np.ndarray
    x: np.ndarray
    estimate: np.ndarray
    spikes: Spikes
    final: np.ndarray

    __repr__ = brief


@dataclass(frozen=True, eq=False)
class BalancedNetwork:
    """Neurons that spike where that lowers |x - r G|^2 + mu |r|^2.

    Parameters
    ----------
    decoders : (N, D) array
        G, what a spike of each neuron adds to the estimate, in the unit of x.
    tau : float
        Time constant of the filter, s.
    mu : float
        Price of the activity, square of the unit of x: it spreads spikes over neurons.

    Attributes
    ----------
    system : Energy
        E with layers "x" and "r", r not negative: ``relax(network, clamp={"x": x})`` are the best steady activities.
    theta : mapping
        "decoders".

    Examples
    --------
    `integrate` takes ``dt``, the ``signal`` (a function of times (m,) to (m, D), or to (m,) where D is 1), ``x0`` (r at
    the start, default 0) and ``rng`` (of the order of visits):

    >>> import numpy as np
    >>> from physlearn import integrate
    >>> network = BalancedNetwork.spread(40, tau=0.1)
    >>> run = integrate(network, (0.0, 1.0), dt=1e-3, signal=lambda t: 0.5 + 0.4 * np.sin(2 * np.pi * t), rng=1)
    >>> len(run.spikes) < 500, bool(np.sqrt(np.mean((run.estimate - run.x)[250:] ** 2)) < 0.03)
    (True, True)
    """

    decoders: Any
    tau: float = 0.1
    mu: float = 0.0
    system: Energy = field(init=False, repr=False)

    __repr__ = brief

    def __post_init__(self):
        decoders = array("BalancedNetwork: decoders", self.decoders, ndim=2)
        length = np.square(decoders).sum(1)
        if not decoders.size or not np.all(length > 0):
            raise ValueError(
                "BalancedNetwork: decoders: got "
                + (f"the shape {decoders.shape}" if not decoders.size else f"a row {int(np.argmin(length))} of zeros")
                + ", expected (N, D), each row of positive length: a spike of it would change nothing"
            )
        positive("BalancedNetwork: tau", self.tau)
        not_negative("BalancedNetwork: mu", self.mu)
        object.__setattr__(self, "decoders", fixed(decoders))
        n, dimensions = decoders.shape
        decode: Any = Affine(dimensions, "decoders", bias=None)
        terms: list = [Prediction("x", "r", decode, variance=0.5)]
        if self.mu:
            terms.append(Parabola("r", fixed=np.full(n, 2.0 * self.mu)))
        layers = {"x": (Real(), dimensions), "r": (Real(low=0.0), n)}
        object.__setattr__(self, "system", Energy(layers, terms, {"decoders": decoders}))

    @classmethod
    def spread(cls, n, dimensions=1, *, scale=2.0, tau=0.1, mu=None, rng=None):
        """n neurons whose decoders point everywhere, of length scale / n: the error then falls as 1/n.

        Parameters
        ----------
        n, dimensions : int
        scale : float
            Unit of x.  A signal of size x takes about n x / (scale tau) spikes a second in all.
        tau : float
            s.
        mu : float, optional
            Default 1e-3 / n^2 times the square of half the scale, small beside a decoder's square.
        rng : int, Generator or None
            Of directions; in one dimension they alternate.

        Examples
        --------
        >>> BalancedNetwork.spread(4, scale=2.0).decoders.ravel()
        array([ 0.5, -0.5,  0.5, -0.5])
        """
        n, dimensions = count("n", n), count("dimensions", dimensions)
        scale, rng = positive("scale", scale), generator(rng)
        if dimensions == 1:
            directions = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)[:, None]
        else:
            directions = rng.standard_normal((n, dimensions))
            directions /= np.sqrt(np.square(directions).sum(1, keepdims=True))
        return cls(directions * (scale / n), tau, 1e-3 * (scale / 2 / n) ** 2 if mu is None else mu)

    @property
    def theta(self):
        """The decoders; read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same network with other decoders.

        Parameters
        ----------
        theta : mapping of str to array
            "decoders", (N, D).
        """
        return BalancedNetwork(self.system.with_theta(theta).theta["decoders"], self.tau, self.mu)

    @property
    def weights(self):
        """Recurrent weights -G G' - mu, (N, N): what a spike of a row does to the voltage of a column."""
        return -(self.decoders @ self.decoders.T) - self.mu * np.eye(len(self.decoders))

    def energy(self, x, r):
        """|x - r G|^2 + mu |r|^2, (batch,).

        Parameters
        ----------
        x : (batch, D) array
        r : (batch, N) array
        """
        n, dimensions = self.decoders.shape
        x, r = array("x", x, shape=("batch", dimensions)), array("r", r, shape=("batch", n))
        return np.square(x - r @ self.decoders).sum(1) + self.mu * np.square(r).sum(1)

    def __integrate__(self, t_span, *, dt, signal, x0=None, rng=None):
        """Follow a signal; called by ``physlearn.integrate(network, t_span, dt=..., signal=..., ...)``.

        Parameters
        ----------
        t_span : (float, float)
            s, whole steps of dt.
        dt : float
            Step of the grid, s: a neuron spikes at most once in each.
        signal : function
            ``signal(t) -> (m, D)`` of times (m,) in s; (m,) where D is 1.
        x0 : (N,) array, optional
            r at the start, not negative: ``final`` of another run.
        rng : int, Generator or None
            Of the order of visits.

        Returns
        -------
        BalancedRun
        """
        dt = positive("dt", dt)
        if dt > self.tau:
            raise ValueError(
                f"dt: got {dt!r} s, expected at most tau = {self.tau!r} s, the time constant of the filter"
            )
        first, last = (int(steps_of("t_span", t, dt)) for t in array("t_span", t_span, shape=(2,)))
        if last <= first:
            raise ValueError(f"t_span: got {t_span!r}, expected begin before end, at least a step of dt={dt!r} s apart")
        n, dimensions = self.decoders.shape
        callable_of("signal", signal, 1, "a function of times (m,) in s")
        count("t_span: its steps", last - first, each=24 * dimensions)
        t = np.arange(first, last + 1) * dt
        x = array("signal(t)", signal(t), ndim=(1, 2))
        x = x[:, None] if x.ndim == 1 else x
        x = np.ascontiguousarray(array("signal(t)", x, shape=(len(t), dimensions)))
        r = np.zeros(n) if x0 is None else np.array(array("x0", x0, shape=(n,), low=0.0))
        estimate = np.empty_like(x)
        estimate[0] = r @ self.decoders
        threshold = 0.5 * (np.square(self.decoders).sum(1) + self.mu)
        order = streams(rng, 1, key=1)[0]
        y, keep = estimate[0].copy(), float(np.exp(-dt / self.tau))
        stamps, ids = np.empty(ROOM + n, np.int64), np.empty(ROOM + n, np.int64)
        found: list = []
        step = 0
        while step < len(t) - 1:
            step, used = _follow(x, step, keep, self.decoders, threshold, self.mu, r, y, order, stamps, ids, estimate)
            found.append((stamps[:used].copy(), ids[:used].copy()))
        stamps, ids = (np.concatenate(part) for part in zip(*found, strict=True))
        spikes = Spikes(t[stamps], ids, n=n, t_start=t[0], t_stop=t[-1])
        return BalancedRun(t, x, estimate, spikes, r)


@kernel
def _follow(x, first, keep, decoders, threshold, mu, r, y, order, stamps, ids, estimate):
    """Steps from ``first`` on, until all are done or the spikes might not fit; return the next step, and the spikes."""
    n, d = decoders.shape
    e = np.empty(d)
    used = 0
    for step in range(first + 1, len(x)):
        if used + n > len(ids):
            return step - 1, used
        for k in range(n):
            r[k] *= keep
        for j in range(d):
            y[j] *= keep
            e[j] = x[step, j] - y[j]
        start = int(uniform(order) * n)
        for visit in range(n):
            k = start + visit
            if k >= n:
                k -= n
            v = -mu * r[k]
            for j in range(d):
                v += decoders[k, j] * e[j]
            if v > threshold[k]:
                r[k] += 1.0
                for j in range(d):
                    y[j] += decoders[k, j]
                    e[j] -= decoders[k, j]
                stamps[used], ids[used] = step, k
                used += 1
        for j in range(d):
            estimate[step, j] = y[j]
    return len(x) - 1, used
