r"""Restricted Boltzmann machine: visible and hidden units, couplings only between the two.

    E(v, h) = -v.W.h - a.v - c.h                                   binary and spin units
    E(v, h) = sum_i k_i v_i^2/2 - v.W.h - a.v - c.h                Gaussian visible units
    E(v, h) = -sum_i (a[i, v_i] + sum_j W[i, v_i, j] h_j) - c.h    Potts visible units

v visible and h hidden units; W couplings, a and c biases, k stiffness, all energies; P(v, h) = exp(-E/T)/Z.
Given one side, the units of the other are independent, so sums over one side are closed:

    F(v) = -T log sum_h exp(-E/T) = -a.v - T sum_j log(1 + exp((c + v.W)_j/T)),   P(v) = exp(-F(v)/T)/Z

and Z is exact where one side is small.  Smolensky 1986; Hinton 2002; Gaussian units: Welling, Rosen-Zvi and
Hinton 2005; Potts units: Salakhutdinov, Mnih and Hinton 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, not_negative, positive
from physlearn.dynamics.annealing.ais import LogZ, check_path, estimate
from physlearn.energy import Binary, Energy, Potts, Real, Spin
from physlearn.kinds import is_continuous, is_discrete
from physlearn.models.boltzmann.conditional import (
    all_states,
    at_rest,
    conditional_mean,
    field_at_rest,
    generate,
    given_theta,
    log_sum,
)
from physlearn.rng import Chains, generator, seed, seed_sequence, streams
from physlearn.terms import Bias, Dense, PottsBias
from physlearn.terms.parabola import Parabola
from physlearn.terms.potts_dense import PottsDense
from physlearn.threads import on_one_thread

MOST_BITS = 20


class LogLikelihood(NamedTuple):
    """Log-likelihood of every sample, in nats.

    Attributes
    ----------
    value : (n,) array
        log P(v), a density per unit volume for Gaussian units.
    error : float
        Standard error of log Z, the same for all samples; 0 where it is exact.
    """

    value: np.ndarray
    error: float

    __repr__ = brief


def _units(given, named):
    """The kind of one side: by name, or a discrete kind of numbers itself; None if it is neither."""
    if isinstance(given, str):
        return named.get(given)
    return given if is_discrete(given) and not isinstance(given, type) and not given.coded else None


def _log_sums(kind, f, beta, temperature):
    """sum_j log sum_h exp(beta p_j h/T), (n,), over the units' levels h, with p their slope in the field f."""
    low, *others = kind.levels
    slope = f if kind.gap else (f[..., 1] - f[..., 0]) / (others[0] - low)
    parts = [beta * (low * slope / temperature), *(h * (beta * slope / temperature) for h in others)]
    return np.logaddexp.reduce(parts, 0).sum(1)


@dataclass(frozen=True, init=False, repr=False, eq=False)
class RBM:
    """Restricted Boltzmann machine; see the module for its energy.

    Parameters
    ----------
    n_visible, n_hidden : int
    visible : {"binary", "spin", "gaussian", "potts"} or discrete kind
    hidden : {"binary", "spin"} or discrete kind
        Kinds of numbers, such as `SpinOne()`.
    q : int, optional
        Number of codes of Potts visible units.
    temperature : float
        T, in the energy's units.
    theta : mapping of str to array, optional
        Any of "W" (n_visible, n_hidden), with a middle axis q for Potts; "a" (n_visible,) or (n_visible, q);
        "c" (n_hidden,); "k" (n_visible,) for Gaussian units.  Default: W normal with standard deviation
        ``scale``, biases 0, k 1.
    scale : float
    rng : int, Generator or None
        Draws the initial W.

    Attributes
    ----------
    energy : Energy
        Layers "v" and "h".
    temperature : float

    Raises
    ------
    ValueError
        Unknown kinds, sizes below 1, parameters of another name or shape, T <= 0.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import SGD, ContrastiveDivergence, learn
    >>> data = np.repeat([[0, 0, 1, 1], [1, 1, 0, 0]], 50, axis=0)
    >>> rbm = RBM(4, 2, rng=0)
    >>> done = learn(rbm, {"v": data}, rule=ContrastiveDivergence(), optimizer=SGD(0.5), epochs=200, batch=10, rng=0)
    >>> bool(done.machine.log_likelihood(data).value.mean() > -1.0)  # the best is -log 2
    True
    """

    energy: Energy
    temperature: float

    def __init__(
        self, n_visible, n_hidden, visible="binary", *, hidden="binary", q=None, temperature=1.0, theta=None,
        scale=0.01, rng=None,
    ):  # fmt: skip
        n_visible, n_hidden = count("n_visible", n_visible), count("n_hidden", n_hidden)
        temperature, scale = positive("temperature", temperature), not_negative("scale", scale)
        potts = isinstance(visible, str) and visible == "potts"
        if potts != (q is not None):
            raise ValueError(f"q: got {q!r} for {visible!r} visible units; give it for 'potts' and only there")
        q = None if q is None else count("q", q, least=2)
        named = {"binary": Binary(), "spin": Spin()}
        kinds = {
            "v": _units(visible, named | {"gaussian": Real()} | ({} if q is None else {"potts": Potts(q)})),
            "h": _units(hidden, named),
        }
        if None in kinds.values():
            raise ValueError(
                f"visible, hidden: got {visible!r}, {hidden!r}; expected 'binary', 'spin', 'gaussian' or 'potts', and "
                "'binary' or 'spin', or discrete kinds of numbers"
            )
        count("n_visible, n_hidden", n_visible * n_hidden, each=16 * (q or 1))
        sides = (n_visible, n_hidden) if q is None else (n_visible, q, n_hidden)
        start = {"W": scale * generator(rng).standard_normal(sides), "a": np.zeros(sides[:-1])}
        start["c"] = np.zeros(n_hidden)
        terms = [Dense(("v", "h")), Bias("v", "a"), Bias("h", "c")]
        if q is not None:
            terms[:2] = [PottsDense(("v", "h")), PottsBias("v", "a")]
        elif is_continuous(kinds["v"]):
            start["k"] = np.ones(n_visible)
            terms.append(Parabola("v", "k"))
        start = given_theta(start, theta)
        if np.any(np.asarray(start.get("k", 1.0)) <= 0):
            raise ValueError("theta['k']: some values are not positive, so exp(-E/T) has no norm")
        layers = {"v": (kinds["v"], n_visible), "h": (kinds["h"], n_hidden)}
        object.__setattr__(self, "energy", Energy(layers, terms, start))
        object.__setattr__(self, "temperature", float(temperature))

    def __repr__(self):
        v, h = self.energy.layers.values()
        return f"RBM({v.size} {v.kind}, {h.size} {h.kind}, temperature={self.temperature:g})"

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
        new = object.__new__(RBM)
        object.__setattr__(new, "energy", self.energy.with_theta(theta))
        object.__setattr__(new, "temperature", self.temperature)
        return new

    def _given(self, v, layer="v"):
        kind, shape = self.energy.layers[layer]
        v = array(layer, v, finite=False)
        v = v[None] if v.ndim == 1 else v
        if v.ndim != 2 or v.shape[1:] != shape or len(v) == 0:
            raise ValueError(f"{layer}: shape {v.shape}, expected (n, {shape[0]})")
        numbers = is_discrete(kind) and not kind.coded
        means = numbers and np.all((np.min(kind.levels) <= v) & (v <= np.max(kind.levels)))
        if not (means or kind.valid(v)):
            raise ValueError(f"{layer}: some values are not of the kind {kind}, nor means of it")
        return {layer: self.energy.layers[layer].held(v)}

    @on_one_thread
    def free_energy(self, v):
        """F(v) = -T log sum_h exp(-E/T), (n,), for visible states (n, n_visible), or means of binary or spin ones.

        Examples
        --------
        >>> RBM(2, 1, theta={"W": [[0.0], [0.0]]}).free_energy([[0, 1]]).round(4)  # -log 2
        array([-0.6931])
        """
        return -self.temperature * log_sum(self.energy, self._given(v), "h", self.temperature)

    @on_one_thread
    def transform(self, v):
        """Mean of the hidden units given visible states or means, (n, n_hidden): probabilities of binary ones.

        Examples
        --------
        >>> RBM(2, 1, theta={"W": [[0.0], [9.0]]}).transform([[1, 0], [0, 1]]).round(2)
        array([[0.5],
               [1. ]])
        """
        return conditional_mean(self.energy, self._given(v), "h", self.temperature)

    @on_one_thread
    def reconstruct(self, v):
        """Mean of the visible units given the hidden units' mean; (n, n_visible, q) for Potts units.

        Examples
        --------
        >>> RBM(2, 1, theta={"W": [[0.0], [9.0]]}).reconstruct([[0, 1]]).round(2)
        array([[0.5, 1. ]])
        """
        h = self._given(self.transform(v), "h")
        return conditional_mean(self.energy, h, "v", self.temperature)

    def generate(self, n, *, known=None, sweeps=1000, rng=None):
        """Draw visible states, (n, n_visible), each from a chain of its own.

        Parameters
        ----------
        n : int
        known : (n_visible,) or (n, n_visible) array, optional
            Values of the visible units that are clamped; NaN where they are to be drawn, the same in each row.
        sweeps : int
            Length of the chains, which start at random.
        rng : int, Generator or None

        Examples
        --------
        >>> RBM(3, 2, rng=0).generate(4, known=[1, np.nan, 0], sweeps=5, rng=0)[:, [0, 2]].tolist()[0]
        [1.0, 0.0]
        """
        size = self.energy.layers["v"].size
        return generate(self.energy, "v", n, size, known, self.temperature, sweeps, rng)

    @on_one_thread
    def log_z(self, method="auto", *, steps=1000, chains=100, rng=None) -> LogZ:
        """Logarithm of the partition function.

        Parameters
        ----------
        method : {"auto", "exact", "ais"}
            Sum over the smaller side, at most 2^20 states of it; annealed importance sampling from the
            machine without couplings (Salakhutdinov and Murray 2008); "auto": exact where it can.
        steps, chains : int
            Of annealed importance sampling.
        rng : int, Generator or None
            The same.

        Examples
        --------
        >>> round(RBM(2, 1, theta={"W": [[0.0], [0.0]]}).log_z().value, 4)  # log of 8 states
        2.0794
        """
        choice("method", method, ("auto", "exact", "ais"))
        check_path(steps, chains)
        seed(rng)
        bits = {}
        for name, (kind, (size,)) in self.energy.layers.items():
            bits[name] = np.inf if is_continuous(kind) else size * np.log2(len(kind.levels))
        small = min(bits, key=lambda name: bits[name])
        if method == "ais" or (method == "auto" and bits[small] > MOST_BITS):
            return self._importance(steps, chains, rng)
        if bits[small] > MOST_BITS:
            raise ValueError(f"method: the smaller side has 2^{bits[small]:.0f} states, at most 2^{MOST_BITS} can be "
                             "summed; use method='ais'")  # fmt: skip
        kind, (size,) = self.energy.layers[small]
        other, total = ("h" if small == "v" else "v"), -np.inf
        for states in all_states(kind, size):
            parts = log_sum(self.energy, {small: states}, other, self.temperature)
            total = np.logaddexp(total, np.logaddexp.reduce(parts))
        return LogZ(float(total), 0.0, np.inf)

    def _importance(self, steps, chains, rng):
        """Scale W and c by beta from 0 to 1: the hidden units are summed over, the visible ones drawn."""
        t, energy, kind = self.temperature, self.energy, self.energy.layers["v"].kind
        hidden, (m,) = energy.layers["h"]
        base = energy.with_theta({name: np.zeros_like(self.theta[name]) for name in ("W", "c")})
        noise = Chains(streams(seed_sequence(rng), chains))
        x = {"h": np.zeros((chains, m))}
        alone, curvature = field_at_rest(base, x, "v")
        log_z0 = log_sum(base, x, "v", t)[0] + m * np.log(float(len(hidden.levels)))
        origin = at_rest(energy, x, "v")["v"]
        x["v"] = kind.draw(alone, curvature, origin, t, noise)
        f, betas, log_w = energy.field(x, "h"), np.linspace(0.0, 1.0, steps + 1), np.zeros(chains)
        for k in range(steps):
            if k:
                x["h"] = hidden.draw(betas[k] * f, None, x["h"], t, noise)
                pull, _ = field_at_rest(energy, x, "v")
                x["v"] = kind.draw(alone + betas[k] * (pull - alone), curvature, origin, t, noise)
                f = energy.field(x, "h")
            log_w += _log_sums(hidden, f, betas[k + 1], t) - _log_sums(hidden, f, betas[k], t)
        return estimate(log_w, log_z0)

    @on_one_thread
    def log_likelihood(self, v, method="auto", **settings) -> LogLikelihood:
        """log P(v) of visible states (n, n_visible), with the error of log Z; settings as in `log_z`."""
        if not (kind := self.energy.layers["v"].kind).valid(array("v", v, finite=False)):
            raise ValueError(f"v: some values are not of the kind {kind}, so they have no probability")
        z = self.log_z(method, **settings)
        return LogLikelihood(-self.free_energy(v) / self.temperature - z.value, z.error)
