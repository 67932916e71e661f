"""Hopfield's associative memory (1982).

    E = -1/2 sum_ij W_ij x_i x_j - sum_i b_i x_i,    W symmetric with zero diagonal

Neurons x_i = -1, +1 (`Spin`) or 0, 1 (`Binary`, with thresholds -b_i) align one by one with their fields
h_i = sum_j W_ij x_j + b_i; each such update lowers E, so the state falls into a minimum.  Storage rules
(`physlearn.models.memory.storage`) put minima at the patterns.  Hebb's rule holds 0.138 n random ones (Amit,
Gutfreund and Sompolinsky 1985).  0/1 neurons store the same: with s = 2x - 1 the couplings become 4W and the
biases -2 sum_j W_ij, exactly the energy of the spins up to a constant.

Asymmetric couplings (sequences, one-way dilution) drive a `System`, which has no energy and need not rest.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, flag, not_negative, positive
from physlearn.energy import Energy, Spin, System
from physlearn.kinds import two_values
from physlearn.models.memory import storage
from physlearn.models.memory.patterns import check_patterns
from physlearn.models.memory.retrieval import Recall, Run, whole_numbers
from physlearn.models.memory.wiring import VALUES, wire
from physlearn.rng import generator, seed, streams
from physlearn.terms.bias import Bias
from physlearn.terms.dense import Dense
from physlearn.terms.oneway import OneWay
from physlearn.threads import on_one_thread


class Hopfield:
    """A network of two-valued neurons that fall into the patterns they hold.

    Parameters
    ----------
    couplings : (n, n) array
        W_ij, the influence of j on i; zero diagonal.  Copied; symmetric to rounding is taken as symmetric.
    bias : (n,) array, optional
        Fields b, minus the thresholds; default zero.
    kind : Spin or Binary, optional
        Values -1, +1 or 0, 1; default `Spin()`.

    Attributes
    ----------
    couplings, bias : arrays
        Read-only.
    n : int
    symmetric : bool
        Whether there is an energy.

    Examples
    --------
    >>> import numpy as np
    >>> memory = Hopfield.store([[1, 1, 1, -1, -1, -1], [1, -1, 1, -1, 1, -1]])
    >>> memory.recall([1, 1, -1, -1, -1, -1]).x
    array([ 1.,  1.,  1., -1., -1., -1.])
    """

    def __init__(self, couplings, bias=None, *, kind=None):
        self.kind = Spin() if kind is None else kind
        self.values: Any = two_values(self.kind)
        if self.values not in VALUES:
            raise TypeError(f"kind: got {kind!r}, expected Spin() or Binary()")
        self.couplings = storage.check_couplings(couplings)
        self.n = len(self.couplings)
        self.bias = np.zeros(self.n) if bias is None else np.array(array("bias", bias, finite=False))
        if self.bias.shape != (self.n,) or not np.all(np.isfinite(self.bias)):
            raise ValueError(f"bias: got shape {self.bias.shape}, expected ({self.n},) finite numbers")
        self.bias.flags.writeable = False
        self.symmetric = bool(np.array_equal(self.couplings, self.couplings.T))
        self.factor = None  # a few patterns whose Gram matrix over n the couplings are, if known

    def __repr__(self):
        return brief(self, n=self.n, kind=self.kind, symmetric=self.symmetric, couplings=self.couplings, bias=self.bias)

    @classmethod
    @on_one_thread
    def store(cls, patterns, rule="hebb", *, kind=None, **settings):
        """Build a memory that holds patterns.

        Parameters
        ----------
        patterns : (m, n) array
            Of -1 and +1, or of 0 and 1.
        rule : str
            "hebb", "flow", "projection", "storkey", "perceptron", "covariance" (0/1 patterns of low activity,
            thresholds 1/2 - a) or "sequence" (asymmetric); see `physlearn.models.memory.storage`.
        kind : Spin or Binary, optional
            Default the patterns' own.
        **settings
            Passed to the rule.

        Raises
        ------
        ValueError
            Other values, NaN, duplicates (for all rules but "flow", where samples may repeat), too many or
            dependent patterns where the rule does not allow them.

        Examples
        --------
        >>> Hopfield.store([[1, 1, -1, -1]], "projection").couplings[0]
        array([ 0.  ,  0.25, -0.25, -0.25])
        """
        w, bias, kind, factor = wire(patterns, rule, kind, settings)
        memory = cls(w, bias, kind=kind)
        memory.factor = factor
        return memory

    @functools.cached_property
    def system(self):
        """The network on the substrate: an `Energy` if the couplings are symmetric, otherwise a `System`."""
        theta = {"W": self.couplings, "b": self.bias}
        if self.symmetric:
            return Energy({"s": (self.kind, self.n)}, [Dense(("s", "s"), "W"), Bias("s", "b")], theta)
        return System({"s": (self.kind, self.n)}, [OneWay("s", "W"), Bias("s", "b")], theta)

    @property
    def theta(self):
        """The parameters that can learn, read-only: "W" and "b"."""
        return self.system.theta

    def with_theta(self, theta):
        """The same network with other parameters, such as learnt ones."""
        new = self.system.with_theta(theta).theta
        memory = Hopfield(new["W"], new["b"], kind=self.kind)
        memory.factor = self.factor if np.array_equal(memory.couplings, self.couplings) else None
        return memory

    @property
    def energy(self) -> Energy:
        """The `Energy` of layer "s" with theta "W" and "b", where the couplings are symmetric."""
        if not self.symmetric:
            gap = float(np.max(np.abs(self.couplings - self.couplings.T)))
            raise ValueError(
                f"energy: the couplings are asymmetric (W - W^T up to {gap:.3g}), so no energy falls along the "
                "dynamics; use `system` and `recall`, or store with symmetric couplings (W + W^T)/2"
            )
        system = self.system
        assert isinstance(system, Energy)
        return system

    @functools.cached_property
    def _whole(self):
        return whole_numbers(self.couplings)

    def contrast(self, patterns, *, rate=1.0, epochs=100):
        """Learn patterns by the contrast of clamped and free states, dW = -rate (dE/dW at xi - dE/dW at rest)/n.

        The substrate's contrastive Hebbian rule with all neurons as outputs: it lowers the energy of each pattern
        and raises that of the state it falls into, and rests when every pattern is a fixed point.

        Returns
        -------
        Hopfield
            With the couplings and biases after at most ``epochs``; a warning says if some patterns still move.

        Examples
        --------
        >>> Hopfield(np.zeros((2, 2))).contrast([[1, -1]]).couplings  # at rest already: nothing to learn
        array([[0., 0.],
               [0., 0.]])
        """
        patterns = self._cues(check_patterns(patterns), "patterns")
        memory, rate = self, positive("rate", rate)
        for _ in range(count("epochs", epochs, least=0)):
            free = memory.recall(patterns, order="fixed").x
            if np.array_equal(free, patterns):
                return memory
            memory = memory._stepped(patterns, free, rate)
        moved = np.any(memory.recall(patterns, order="fixed").x != patterns, 1)
        if epochs and moved.any():
            warnings.warn(
                f"contrast: {np.sum(moved)} of {len(moved)} patterns still move after {epochs} epochs; raise epochs, "
                "or store fewer patterns",
                RuntimeWarning,
                stacklevel=2,
            )
        return memory

    def unlearn(self, *, rate=0.01, rounds=100, rng=None):
        """Raise the energy of states that random starts fall into, dW = -rate s s^T/n a round.

        Spurious states have wide shallow basins, and lose most (Hopfield, Feinstein and Palmer 1983).

        Returns
        -------
        Hopfield

        Examples
        --------
        >>> memory = Hopfield.store([[1, 1, -1, -1]]).unlearn(rate=0.1, rounds=2, rng=0)
        >>> float(memory.couplings[0, 1].round(2))  # of 0.25
        0.2
        """
        rng, memory, rate = generator(rng), self, positive("rate", rate)
        for _ in range(count("rounds", rounds, least=0)):
            start = self.kind.random((1, self.n), rng)
            memory = memory._stepped(None, memory.recall(start, rng=rng).x, rate)
        return memory

    def _stepped(self, wanted, met, rate):
        """A gradient step of E(wanted) - E(met), in the couplings and, for 0/1 neurons, the biases."""
        step = self.energy.response({"s": met}, np.full(len(met), -1.0))
        if wanted is not None:
            clamped = self.energy.response({"s": wanted})
            step = {name: value + clamped[name] for name, value in step.items()}
        # half of s s^T for a coupling that stands in W twice
        bias = self.bias if self.values[0] else self.bias - rate / self.n * step["b"]
        return Hopfield(self.couplings - 2.0 * rate / self.n * step["W"], bias, kind=self.kind)

    @on_one_thread
    def field(self, x):
        """Fields h = W x + b of states, (..., n).

        Examples
        --------
        >>> Hopfield([[0.0, 2.0], [2.0, 0.0]], bias=[0.0, 1.0]).field([1, -1])
        array([-2.,  3.])
        """
        x = array("x", x)
        if x.shape[-1:] != (self.n,):
            raise ValueError(f"x: shape {x.shape}, expected (..., {self.n})")
        return x @ self.couplings.T + self.bias

    @on_one_thread
    def recall(
        self,
        x,
        *,
        order="random",
        temperature=0.0,
        field=None,
        max_sweeps=100,
        trace=False,
        rng=None,
    ) -> Recall:
        """Let cues fall (T = 0) or fluctuate (T > 0).

        Parameters
        ----------
        x : (n,) or (batch, n) array
            Cues, of the network's values.
        order : {"random", "fixed", "synchronous"}
            One neuron at a time, in a new random order each sweep or as they are numbered, or all at once.
        temperature : float
            Heat-bath updates; 0 aligns with the field, ties keep the state.
        field : (n,) or (batch, n) array, or callable, optional
            External field added to the biases (a cue that stays); a callable of the sweep's number, from 0,
            gives one that changes.
        max_sweeps : int
            Sweeps after which to stop; at T > 0 the number of sweeps.
        trace : bool
            Keep the state after every sweep.
        rng : int, Generator or None
            Of the orders and the heat; cue k depends on the seed and k only.

        Returns
        -------
        Recall

        Notes
        -----
        Asynchronous updates of symmetric couplings never raise E - field.x and end in a fixed point; synchronous
        ones end in a fixed point or a cycle of length 2, which is reported (Goles and Fogelman 1985).
        """
        start = self._cues(x)
        single = np.ndim(x) == 1
        choice("order", order, ("random", "fixed", "synchronous"))
        temperature = not_negative("temperature", temperature)
        count("max_sweeps", max_sweeps)
        seed(rng)
        whole = self._whole
        state = np.array(start, dtype=whole[0].dtype, order="C")  # the caller keeps the cues
        rows = (
            streams(rng, len(state)) if temperature > 0 or order == "random" else np.zeros((len(state), 4), np.uint64)
        )
        kept = [start.copy()] if flag("trace", trace) else None
        run = Run(self, state, whole, temperature, field, rows, max_sweeps, kept)
        period, sweeps, flips = run.synchronous() if order == "synchronous" else run.asynchronous(order)
        out = state.astype(float)
        energy = np.full(len(out), np.nan)
        if self.symmetric:
            energy = -0.5 * run.unit * np.einsum("bi,bi->b", out, run.h.astype(float)) - out @ self.bias
        if self.symmetric and temperature == 0 and not callable(field) and np.any(period == 0):
            warnings.warn(
                f"recall: {np.sum(period == 0)} of {len(period)} cues still move after {max_sweeps} sweeps; raise "
                "max_sweeps",
                RuntimeWarning,
                stacklevel=3,
            )
        states = None if run.trace is None else np.stack(run.trace)
        method = f"{order} order, asynchronous" if order != "synchronous" else "synchronous"
        if single:
            states = None if states is None else states[:, 0]
            return Recall(out[0], float(energy[0]), int(period[0]), int(sweeps[0]), int(flips[0]), states, method)
        return Recall(out, energy, period, sweeps, flips, states, method)

    def _cues(self, x, name="x"):
        x = np.atleast_2d(array(name, x, finite=False))
        if x.ndim != 2 or x.shape[1] != self.n or len(x) == 0:
            raise ValueError(f"{name}: shape {x.shape}, expected ({self.n},) or (batch, {self.n})")
        if not self.kind.valid(x):
            wrong = x[~np.isin(x, self.values)]
            raise ValueError(
                f"{name}: {wrong.size} values are not of the kind {self.kind}; got for example {wrong[0]:g}"
            )
        return x
