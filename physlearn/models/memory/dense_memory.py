"""Dense associative memory: Hopfield's network with a steeper separation function.

    power:        E = -n sum_mu (xi_mu.s/n)^p/p              holds ~ n^(p - 1) random patterns
    exponential:  E = -log(sum_mu exp(beta xi_mu.s))/beta     holds exponentially many in n

s_i = -1, +1; p = 2 is Hebb's rule.  A neuron's energy gap is F(c + xi) - F(c - xi) summed over patterns, with c
the overlap of the other neurons: no couplings W exist.  Small powers mix features of many patterns, large
ones decide for the nearest prototype.  Sources: Krotov and Hopfield 2016; Demircigil et al. 2017.
"""

from __future__ import annotations

import functools
import warnings

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, integer, not_negative, positive, reals
from physlearn.energy import Energy, Real, Spin
from physlearn.kernels.jit import kernel
from physlearn.models.memory.patterns import check_patterns, refuse_duplicates, value_pair
from physlearn.models.memory.retrieval import Recall
from physlearn.rng import streams, uniform
from physlearn.terms.memory import LogSumExp, Separation
from physlearn.threads import on_one_thread


class DenseMemory:
    """A memory of +-1 patterns with a power or an exponential separation function.

    Parameters
    ----------
    patterns : (K, n) array of -1 and +1
        Copied.
    power : int, optional
        At least 2; default 3.  None for the exponential.
    beta : float
        Steepness of the exponential; only used without ``power``.

    Examples
    --------
    >>> from physlearn.models import flip, random_patterns
    >>> xi = random_patterns(100, 50, rng=0)  # twice as many as neurons
    >>> bool((DenseMemory(xi, 4).recall(flip(xi[0], 0.1, rng=1)).x == xi[0]).all())
    True
    """

    def __init__(self, patterns, power: int | None = 3, *, beta=1.0):
        self.patterns = check_patterns(patterns).copy()
        self.patterns.flags.writeable = False
        refuse_duplicates(self.patterns)
        if value_pair(self.patterns, "patterns")[0] == 0:
            raise ValueError("patterns: got 0 and 1, expected -1 and +1; pass 2*x - 1")
        self.power, self.beta = power, positive("beta", beta)
        self.n = self.patterns.shape[1]
        self._term()  # refuses a wrong power now

    def __repr__(self):
        return brief(
            self, **({"beta": self.beta} if self.power is None else {"power": self.power}), patterns=self.patterns
        )

    def _term(self):
        return LogSumExp("s", self.beta) if self.power is None else Separation("s", self.power)

    @property
    def system(self) -> Energy:
        """The `Energy` that the verbs move."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only: "patterns"."""
        return self.system.theta

    def with_theta(self, theta):
        """The same memory with other patterns, such as learnt ones.

        These need not be -1 and +1; `relax` and `sample` take any, `recall` and `classify` count equal signs.

        Examples
        --------
        >>> from physlearn import relax
        >>> memory = DenseMemory([[1, 1, -1, -1], [1, -1, 1, -1]])
        >>> learnt = memory.with_theta({"patterns": [[0.9, 1.2, -1.0, -0.8], [1.1, -0.7, 1.0, -1.0]]})
        >>> relax(learnt, [1.0, 1.0, -1.0, 1.0]).x
        array([ 1.,  1., -1., -1.])
        """
        memory = object.__new__(DenseMemory)
        memory.power, memory.beta, memory.n = self.power, self.beta, self.n
        memory.patterns = self.system.with_theta(theta).theta["patterns"]
        return memory

    @functools.cached_property
    def energy(self) -> Energy:
        """The `Energy` of spins, layer "s", with the patterns in theta["patterns"]."""
        return Energy({"s": (Spin(), self.n)}, [self._term()], {"patterns": self.patterns})

    @functools.cached_property
    def continuous(self) -> Energy:
        """The same function of states between -1 and +1."""
        return Energy({"s": (Real(-1.0, 1.0), self.n)}, [self._term()], {"patterns": self.patterns})

    @functools.cached_property
    def _table(self):
        """F(c + 1) - F(c - 1) at c = -n .. n up to a factor; for the exponential of c - c_max, at -2n .. 0."""
        if self.power is None:
            return np.exp(self.beta * np.arange(-2.0 * self.n, 1.0))
        c = np.arange(-self.n, self.n + 1.0)
        # whole numbers where they are exact, so that ties are ties
        exact = self.power * np.log2(self.n + 1.0) + np.log2(len(self.patterns)) < 53
        unit = 1.0 if exact else self.n + 1.0
        return ((c + 1.0) / unit) ** self.power - ((c - 1.0) / unit) ** self.power

    @functools.cached_property
    def _columns(self):
        if not np.all(np.abs(self.patterns) == 1):
            raise ValueError(
                "patterns: some learnt ones are not -1 or +1, and overlaps are counted here; recall by "
                "relax(memory, x), or draw by sample(memory, temperature=..., x0=x)"
            )
        return np.ascontiguousarray(self.patterns.T, dtype=np.int8)

    def recall(self, x, *, order="random", temperature=0.0, max_sweeps=100, free=None, rng=None) -> Recall:
        """Let cues fall (T = 0) or fluctuate (T > 0), one neuron at a time.

        Parameters
        ----------
        x : (n,) or (batch, n) array of -1 and +1
        order : {"random", "fixed"}
        temperature : float
            In the energy's units (k_B = 1); heat bath.
        max_sweeps : int
        free : array of int, optional
            The neurons that may move, all others being clamped; default all.
        rng : int, Generator or None
            Cue k depends on the seed and k only.

        Returns
        -------
        Recall

        Examples
        --------
        >>> DenseMemory([[1, 1, -1, -1], [1, -1, 1, -1]]).recall([1, 1, -1, 1], rng=0).x
        array([ 1.,  1., -1., -1.])
        """
        found = array("x", x, finite=False)
        state, single = np.atleast_2d(np.array(found, order="C")), found.ndim == 1
        if state.ndim != 2 or state.shape[1] != self.n or not len(state) or not np.all(np.abs(state) == 1):
            raise ValueError(f"x: shape {np.shape(x)}, expected ({self.n},) or (batch, {self.n}) of -1 and +1")
        count("max_sweeps", max_sweeps)
        choice("order", order, ("random", "fixed"))
        temperature = not_negative("temperature", temperature)
        free = np.arange(self.n) if free is None else np.unique(reals("free", free))
        if free.size and (free.dtype.kind not in "iu" or free[0] < 0 or free[-1] >= self.n):
            raise ValueError(f"free: values from {free[0]} to {free[-1]}, expected whole numbers in 0..{self.n - 1}")
        random, rows = order == "random", streams(rng, len(state))
        # what a gap in the table's units is worth in energy; 0 marks the exponential
        worth = 0.0
        if self.power is not None:
            c, power = float(self.n), float(self.power)
            worth = c / power * ((1.0 + 1.0 / c) ** power - (1.0 - 1.0 / c) ** power) / self._table[-1]
        columns, sums = self._columns, (state @ self.patterns.T).astype(np.int64)
        out = [
            _descend(
                state[b],
                sums[b],
                columns,
                self._table,
                worth,
                self.beta,
                free.astype(np.int64),
                random,
                temperature,
                rows[b],
                max_sweeps,
            )
            for b in range(len(state))
        ]
        sweeps, flips, rests = (np.array(part) for part in zip(*out, strict=True))
        energy = np.asarray(self.energy(state))
        if temperature == 0 and not rests.all():
            warnings.warn(
                f"recall: {np.sum(~rests)} of {len(rests)} cues still move after {max_sweeps} sweeps; raise max_sweeps",
                RuntimeWarning,
                stacklevel=2,
            )
        period, method = rests.astype(int), f"{order} order, asynchronous"
        if single:
            return Recall(state[0], float(energy[0]), int(period[0]), int(sweeps[0]), int(flips[0]), None, method)
        return Recall(state, energy, period, sweeps, flips, None, method)

    @on_one_thread
    def gaps(self, x):
        """Fields -(E(s_i = +1) - E(s_i = -1))/2 of states, (batch, n).

        Examples
        --------
        >>> np.sign(DenseMemory([[1, 1, -1, -1]]).gaps([[1, 1, -1, 1]]))
        array([[ 1.,  1., -1., -1.]])
        """
        return self.energy.field(self.energy.state(np.atleast_2d(array("x", x))), "s")

    def classify(self, x, classes):
        """Name the class of features by one update of class neurons (Krotov and Hopfield 2016, eq. 8).

        The last ``classes`` entries of every pattern are its class, +1 for its own and -1 for all others; the
        features are clamped, the class neurons start at -1, and the one of largest field wins.

        Parameters
        ----------
        x : (batch, n - classes) or (n - classes,) array of -1 and +1
        classes : int

        Returns
        -------
        label : (batch,) array of int, or int
        used : (batch,) array or float
            Number of patterns that decide: (sum_mu w)^2/sum_mu w^2, w a pattern's share of the winner's field.  Many
            are features, one is a prototype.

        Examples
        --------
        >>> memory = DenseMemory([[1, 1, -1, 1, -1], [1, -1, 1, -1, 1]])  # three features, two classes
        >>> memory.classify([[1, 1, -1], [1, -1, 1]], 2)[0]
        array([0, 1])
        """
        x, classes = array("x", x, finite=False), integer("classes", classes, 1, self.n - 1)
        features, single = np.atleast_2d(x), x.ndim == 1
        if features.shape[1] != self.n - classes:
            raise ValueError(f"x: shape {x.shape}, expected (batch, {self.n} - classes), classes = {classes}")
        if not np.all(np.abs(features) == 1):
            raise ValueError("x: some features are not -1 or +1")
        state = np.concatenate([features, np.full((len(features), classes), -1.0)], 1)
        xi = self._columns.T[:, -classes:].astype(float)
        wrong = np.sum(np.sum(xi == 1, 1) != 1)
        if classes > 1 and wrong:
            raise ValueError(
                f"classes: the last {classes} entries of {wrong} patterns are not +1 once and -1 "
                "else; state the number of class neurons, and append 2*np.eye(classes)[label] - 1 to the features"
            )
        sums = state @ self.patterns.T
        rest = sums[:, :, None] + xi  # without the class neuron, which is at -1
        top = rest.max((1, 2), keepdims=True) if self.power is None else -self.n
        share = self._table[np.clip(rest - top + (2 * self.n if self.power is None else 0), 0, None).astype(int)] * xi
        label = share.sum(1).argmax(1)
        w = np.abs(np.take_along_axis(share, label[:, None, None], 2)[..., 0])
        used = w.sum(1) ** 2 / np.sum(w**2, 1)
        return (int(label[0]), float(used[0])) if single else (label, used)


@kernel
def _descend(x, sums, columns, table, worth, beta, order, shuffle, temperature, stream, max_sweeps):
    """Sweep one state with kept overlaps ``sums`` (K,); (sweeps, flips, whether the last sweep changed nothing)."""
    n, k = columns.shape
    flips = 0
    for sweep in range(max_sweeps):
        if shuffle:
            for a in range(len(order) - 1, 0, -1):
                b = int(uniform(stream) * (a + 1))
                order[a], order[b] = order[b], order[a]
        changed = 0
        for i in order:
            row, spin = columns[i], np.int64(x[i])
            gap, shift = 0.0, n
            if worth == 0.0 and temperature > 0.0:
                # the two sums of exponentials, each relative to its own largest overlap: neither under- nor overflows
                top_up, top_down, up, down = -n, -n, 0.0, 0.0
                for mu in range(k):
                    rest = sums[mu] - row[mu] * spin
                    top_up, top_down = max(top_up, rest + row[mu]), max(top_down, rest - row[mu])
                for mu in range(k):
                    rest = sums[mu] - row[mu] * spin + 2 * n
                    up += table[rest + row[mu] - top_up]
                    down += table[rest - row[mu] - top_down]
                gap = (top_up - top_down) + np.log(up / down) / beta
            else:
                if worth == 0.0:  # exponential: relative to the largest overlap, which cannot overflow
                    shift = -n
                    for mu in range(k):
                        shift = max(shift, sums[mu] - row[mu] * spin)
                    shift = 2 * n - shift
                for mu in range(k):
                    gap += row[mu] * table[max(sums[mu] - row[mu] * spin + shift, 0)]
            if temperature > 0.0:
                difference = gap * worth if worth > 0.0 else gap
                new = 1 if uniform(stream) < 1.0 / (1.0 + np.exp(-difference / temperature)) else -1
            else:
                new = 1 if gap > 0.0 else (-1 if gap < 0.0 else spin)
            if new != spin:
                for mu in range(k):
                    sums[mu] += (new - spin) * row[mu]
                x[i] = new
                changed += 1
        flips += changed
        if changed == 0 and temperature == 0.0:
            return sweep + 1, flips, True
    return max_sweeps, flips, False
