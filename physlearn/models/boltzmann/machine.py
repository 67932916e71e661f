"""Boltzmann machine: visible and hidden units of 0/1 or spins, coupled in any way.

    E(s) = -sum_{i<j} J_ij s_i s_j - sum_i b_i s_i,   P(s) = exp(-E(s)/T)/Z,   P(v) = sum_h P(v, h)

J couplings and b biases, energies.  Ackley, Hinton and Sejnowski 1985.  Without hidden units it is an Ising
model, and learning it from data is the inverse Ising problem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.checks import array, choice, count, integers, not_negative, positive
from physlearn.dynamics.annealing.ais import LogZ, annealed_importance, check_path
from physlearn.dynamics.exact.enumeration import enumerate_states
from physlearn.energy import Binary, Energy, Readout, Spin
from physlearn.models.boltzmann.conditional import all_states, generate, given_theta, rest
from physlearn.models.boltzmann.rbm import LogLikelihood
from physlearn.rng import generator, seed
from physlearn.terms import Bias, Pairs
from physlearn.threads import on_one_thread

MOST_BITS = 20


@dataclass(frozen=True, init=False, repr=False, eq=False)
class BoltzmannMachine:
    """Boltzmann machine with visible and hidden units; see the module for its energy.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units 0..n_visible-1 are the visible ones.
    connectivity : {"full", "restricted"} or (m, 2) array of int
        Pairs of units that couple: all, visible with hidden only, or those listed (each once).
    kind : {"binary", "spin"}
    temperature : float
        T, in the energy's units.
    theta : mapping of str to array, optional
        Any of "J" (m,), in the order of ``pairs``, and "b" (n,).  Default: J normal with standard deviation
        ``scale``, b zero.
    scale : float
    rng : int, Generator or None
        Draws the initial J.

    Attributes
    ----------
    energy : Energy
        Layer "s" (n,), readouts "v" and "h".
    pairs : (m, 2) array
    n_visible : int
    temperature : float

    Raises
    ------
    ValueError
        Unknown kinds, no visible unit, pairs out of range, to themselves or listed twice, parameters of
        another name or shape, T <= 0.

    Examples
    --------
    Two units, exactly one of them on, learnt from the exact gradient:

    >>> from physlearn import SGD, BoltzmannLearning, learn
    >>> machine = BoltzmannMachine(2, rng=0)
    >>> done = learn(machine, {"v": [[0, 1], [1, 0]]}, rule=BoltzmannLearning(), optimizer=SGD(1.0), epochs=500,
    ...              batch=None)
    >>> bool(abs(done.machine.log_likelihood([[0, 1]]).value[0] + 0.69) < 0.05)
    True
    """

    energy: Energy
    pairs: np.ndarray
    n_visible: int
    temperature: float

    def __init__(
        self, n_visible, n_hidden=0, connectivity="full", *, kind="binary", temperature=1.0, theta=None,
        scale=0.01, rng=None,
    ):  # fmt: skip
        n_visible, n_hidden = count("n_visible", n_visible), count("n_hidden", n_hidden, least=0)
        choice("kind", kind, ("binary", "spin"))
        temperature, scale = positive("temperature", temperature), not_negative("scale", scale)
        n = n_visible + n_hidden
        if isinstance(connectivity, str):
            count("n_visible, n_hidden", n, each=16 * n)  # of the pairs
        pairs = _pairs(connectivity, n_visible, n)
        coupled = Pairs("s", pairs, n)
        start = {"J": scale * generator(rng).standard_normal(len(pairs)), "b": np.zeros(n)}
        start = given_theta(start, theta)
        readouts = {"v": Readout("s", np.arange(n_visible)), "h": Readout("s", np.arange(n_visible, n))}
        layers = {"s": (Binary() if kind == "binary" else Spin(), n)}
        energy = Energy(layers, [coupled, Bias("s", "b")], start, readouts)
        self._fill(energy, pairs, n_visible, float(temperature))

    def _fill(self, *values):
        for name, value in zip(("energy", "pairs", "n_visible", "temperature"), values, strict=True):
            object.__setattr__(self, name, value)
        return self

    def __repr__(self):
        kind, (n,) = self.energy.layers["s"]
        size = f"{self.n_visible} visible, {n - self.n_visible} hidden, {len(self.pairs)} couplings"
        return f"BoltzmannMachine({size}, {kind}, temperature={self.temperature:g})"

    @property
    def system(self) -> Energy:
        """The `Energy` that the verbs move."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only."""
        return self.energy.theta

    def with_theta(self, theta):
        """The same machine with other parameters, such as learnt ones."""
        new = object.__new__(BoltzmannMachine)
        return new._fill(self.energy.with_theta(theta), self.pairs, self.n_visible, self.temperature)

    @on_one_thread
    def free_energy(self, v):
        """F(v) = -T log sum_h exp(-E/T), (n,), for visible states (n, n_visible).

        Closed where hidden units do not couple among themselves, else by summing up to 2^20 states of them.

        Examples
        --------
        >>> BoltzmannMachine(2, 1, theta={"J": [0.0, 0.0, 0.0]}).free_energy([[0, 1]]).round(4)  # -log 2
        array([-0.6931])
        """
        kind, (n,) = self.energy.layers["s"]
        v = array("v", v, finite=False)
        v = v[None] if v.ndim == 1 else v
        if v.ndim != 2 or v.shape[1] != self.n_visible or not len(v) or not kind.valid(v):
            raise ValueError(f"v: got shape {v.shape}, expected (n, {self.n_visible}) values of the kind {kind}")
        hidden, t = n - self.n_visible, self.temperature
        if not np.any(np.all(self.pairs >= self.n_visible, 1)):
            s = np.concatenate([v, rest(kind, (len(v), hidden))], 1)
            field = self.energy.field({"s": s}, "s")[:, self.n_visible :]
            return self.energy({"s": s}) - t * kind.log_z(field, t).sum(1)
        if hidden > MOST_BITS:
            raise ValueError(
                f"n_hidden: {hidden} units coupled among themselves have 2^{hidden} states, at most 2^{MOST_BITS} "
                "can be summed"
            )
        out = np.full(len(v), -np.inf)
        for h in all_states(kind, hidden):
            for row in range(len(v)):
                s = np.concatenate([np.broadcast_to(v[row], (len(h), self.n_visible)), h], 1)
                out[row] = np.logaddexp(out[row], np.logaddexp.reduce(-self.energy({"s": s}) / t))
        return -t * out

    def log_z(self, method="auto", *, steps=1000, chains=100, rng=None) -> LogZ:
        """Logarithm of the partition function.

        Parameters
        ----------
        method : {"auto", "exact", "ais"}
            By enumeration (at most 2^24 states; "auto" up to 2^20), or annealed importance sampling.
        steps, chains : int
            Of annealed importance sampling.
        rng : int, Generator or None
            The same.

        Examples
        --------
        >>> round(BoltzmannMachine(2, theta={"J": [0.0]}).log_z().value, 4)  # log of 4 states
        1.3863
        """
        choice("method", method, ("auto", "exact", "ais"))
        check_path(steps, chains)
        seed(rng)
        n = self.energy.layers["s"].size
        if method == "ais" or (method == "auto" and n > MOST_BITS):
            return annealed_importance(self.energy, temperature=self.temperature, steps=steps, chains=chains, rng=rng)
        return LogZ(enumerate_states(self.energy, temperature=self.temperature).log_z, 0.0, np.inf)

    def log_likelihood(self, v, method="auto", **settings) -> LogLikelihood:
        """log P(v) of visible states (n, n_visible), with the error of log Z; settings as in `log_z`."""
        v = array("v", v)
        z = self.log_z(method, **settings)
        return LogLikelihood(-self.free_energy(v) / self.temperature - z.value, z.error)

    def generate(self, n, *, known=None, sweeps=1000, rng=None):
        """Draw visible states, (n, n_visible), each from a chain of its own.

        Parameters
        ----------
        n, known, sweeps, rng
            As of `RBM.generate`.

        Examples
        --------
        >>> BoltzmannMachine(3, 1, rng=0).generate(4, known=[1, float("nan"), 0], sweeps=5, rng=0).shape
        (4, 3)
        """
        return generate(self.energy, "s", n, self.n_visible, known, self.temperature, sweeps, rng)


def _pairs(connectivity, n_visible, n):
    """(m, 2) pairs of units, each once."""
    if isinstance(connectivity, str):
        i, j = np.triu_indices(n, 1)
        if connectivity == "restricted":
            across = (i < n_visible) & (j >= n_visible)
            i, j = i[across], j[across]
        elif connectivity != "full":
            raise ValueError(f"connectivity: got {connectivity!r}, expected 'full', 'restricted' or an (m, 2) array")
        return np.stack([i, j], 1)
    checked = Pairs("s", integers("connectivity", connectivity, shape=("m", 2), low=0), n)
    pairs = np.sort(np.stack([checked.i, checked.j], 1), 1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise ValueError("connectivity: a pair is listed twice, expected each once")
    return pairs
