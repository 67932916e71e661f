"""tempering: parallel tempering (replica exchange) over any engine of `sample`.

Replicas run at fixed temperatures and neighbours swap with probability min(1, exp((1/T_i - 1/T_j)(E_i - E_j)))
(Swendsen and Wang 1986; Hukushima and Nemoto 1996), even and odd pairs in turn (Okabe et al. 2001; Syed et al.
2022 show that this order makes round trips fastest).  Every swap satisfies detailed balance for the product of
the Boltzmann distributions; so every temperature is sampled exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.checks import count, integer, mapping, positive
from physlearn.dynamics.frame import concatenate
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import (
    NO_ENERGY,
    check_temperature,
    energies_of,
    start_sampler,
    warn_of_trouble,
)
from physlearn.dynamics.sampling.samples import Observed, Samples
from physlearn.machine import Machine
from physlearn.progress import Bar
from physlearn.rng import Chains, seed_sequence, streams
from physlearn.systems import energy_of, variables
from physlearn.threads import on_one_thread


@dataclass(frozen=True)
class Tempered:
    """Draws at every temperature of a ladder.

    Attributes
    ----------
    temperatures : (k,) array
    x : array or mapping of str to array, or None
        Draws, (k, chains, draws, *shape); None where only observables were asked for.
    energy : (k, chains, draws) array
        Energy of every draw.
    observed : dict of str to array
        (k, chains, draws, ...) for every observable; (k, chains, ...) for a `Mean`.
    exchange : (k - 1,) array
        Fraction of swaps accepted between neighbours, after the warm-up.  Far below 0.2 somewhere: add a
        temperature there.
    round_trips : (chains,) array of int
        How often any replica has gone from one end of the ladder to the other and back, after the warm-up.
    best_x, best_energy
        The lowest energy seen in any replica after any round, warm-up included, and its state.
    final : mapping of str to (k, chains, *shape) array
        States at every temperature at the end.
    method : str
    means : frozenset of str
        Which of the observables are a `Mean`.
    """

    temperatures: np.ndarray
    x: Any
    energy: np.ndarray
    observed: dict[str, np.ndarray]
    exchange: np.ndarray
    round_trips: np.ndarray
    best_x: Any
    best_energy: float
    final: Any
    method: str
    means: frozenset[str] = frozenset()

    def __repr__(self):
        k, chains, draws = self.energy.shape
        return (
            f"Tempered(method={self.method!r}, temperatures={k}, chains={chains}, draws={draws}, "
            f"exchange={np.min(self.exchange):.2f}..{np.max(self.exchange):.2f})"
        )

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    def at(self, k):
        """The `Samples` of temperature number k.

        Parameters
        ----------
        k : int
            Negative ones count from the end.
        """
        k = integer("k", k, -len(self.temperatures), len(self.temperatures) - 1)
        x = {name: v[k] for name, v in self.x.items()} if isinstance(self.x, dict) else self.x
        return Samples(
            x if x is None or isinstance(x, dict) else x[k],
            self.energy[k],
            {name: value[k] for name, value in self.observed.items()},
            None,
            {name: value[k] for name, value in self.final.items()},
            float(self.temperatures[k]),
            self.method,
            self.means,
        )

    def to_dataset(self):
        """As an xarray.Dataset with dims (temperature, chain, draw, ...)."""
        import xarray as xr

        parts = [self.at(k).to_dataset() for k in range(len(self.temperatures))]
        data = xr.concat(parts, xr.Variable("temperature", self.temperatures), combine_attrs="drop")
        return data.assign_attrs(method=self.method)


def ladder(cold, hot, n):
    """Geometric temperatures, constant ratio: equal exchange rates where the heat capacity is constant.

    Parameters
    ----------
    cold, hot : float
        Ends, 0 < cold < hot.
    n : int
        Number of temperatures, at least 2; about sqrt(number of variables) times ln(hot/cold) for a rate of
        order one half.

    Examples
    --------
    >>> from physlearn.dynamics import ladder
    >>> ladder(1.0, 8.0, 4)
    array([1., 2., 4., 8.])
    """
    n, cold, hot = count("n", n, least=2, each=8), positive("cold", cold), positive("hot", hot)
    if not cold < hot:
        raise ValueError(f"cold, hot: got {cold!r}, {hot!r}; expected 0 < cold < hot")
    return np.geomspace(cold, hot, n)


@on_one_thread
def tempering(
    energy: Machine,
    *,
    temperatures,
    n_samples: int,
    chains: int = 1,
    warmup: int = 100,
    thin: int = 1,
    sweeps: int = 1,
    x0=None,
    clamp=None,
    method: str = "auto",
    observe=None,
    rng=None,
    progress: bool | None = None,
    **settings,
) -> Tempered:
    """Draw at several temperatures at once, by replica exchange.

    Parameters
    ----------
    energy : Machine or Energy
        Any that `sample` takes.
    temperatures : (k,) array
        Positive, strictly increasing or decreasing; see `ladder`.
    n_samples : int
        Draws per temperature and chain.
    chains : int
        Independent ladders; each depends on the seed and its own number only.
    warmup, thin : int
        Rounds before the first draw, and from one draw to the next.
    sweeps : int
        Sweeps of a round, which ends with one attempt to swap.
    x0 : array or mapping, optional
        Where all replicas start, (*shape) or (chains, *shape), or each its own, (k, chains, *shape); default random.
    clamp : mapping of str to array, optional
        Readout name to values, (k,) or (chains, k).
    method, observe, rng, progress, **settings
        As for `sample`.

    Returns
    -------
    Tempered

    Examples
    --------
    Two spins in a deep well for each sign, which a cold chain would hardly leave:

    >>> import numpy as np
    >>> from physlearn import Energy, Spin
    >>> from physlearn.dynamics import tempering
    >>> from physlearn.terms import Pairs
    >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    >>> drawn = tempering(pair, temperatures=[0.1, 0.5, 2.0], n_samples=2000, chains=5, rng=0)
    >>> bool(abs(drawn.at(0).x[..., 0].mean()) < 0.1)
    True
    """
    energy = energy_of(energy, NO_ENERGY)
    ladder_t = _checked(temperatures)
    count("chains", chains, each=8 * len(ladder_t) * variables(energy))
    each = 8 * chains * len(ladder_t) * (1 + (variables(energy) if observe is None else 0))
    count("n_samples", n_samples, each=each)
    count("thin", thin)
    count("sweeps", sweeps)
    count("warmup", warmup, least=0)
    k, root = len(ladder_t), seed_sequence(rng)
    observed = Observed(observe, k * chains, n_samples)
    if x0 is not None:
        x0 = _replicated(energy, x0, k, chains)
    if clamp is not None:
        mapping("clamp", clamp, expected="a mapping of readout names to values")
    clamp = {n: np.repeat(v, k, 0) if np.ndim(v) == 2 and len(v) > 1 else v for n, v in (clamp or {}).items()}
    sampler = start_sampler(energy, k * chains, x0, clamp, method, root, settings)
    replicas = _Replicas(energy, sampler, make_problem(energy, None, clamp)[0], ladder_t, chains, root)
    energies, states = np.empty((n_samples, k, chains)), []
    with Bar("tempering", "round", warmup + n_samples * thin, progress) as bar:
        for _ in range(warmup):
            replicas.round(sweeps)
            bar.update()
        replicas.forget()
        for draw in range(n_samples):
            for _ in range(thin):
                replicas.round(sweeps)
                bar.update()
            x = replicas.states()
            energies[draw] = replicas.in_order(replicas.energies)
            if observe is None:
                states.append(x)
            observed.see(x)
    warn_of_trouble("tempering", sampler)
    drawn = None
    if observe is None:
        drawn = {n: np.stack([s[n].reshape(k, chains, *s[n].shape[1:]) for s in states], 2) for n in energy.layers}
        drawn = next(iter(drawn.values())) if len(drawn) == 1 else drawn
    best = replicas.best_x if len(replicas.best_x) > 1 else next(iter(replicas.best_x.values()))
    return Tempered(
        ladder_t,
        drawn,
        np.ascontiguousarray(np.moveaxis(energies, 0, 2)),
        {name: v.reshape(k, chains, *v.shape[1:]) for name, v in observed.stacked().items()},
        replicas.accepted / np.maximum(replicas.tried, 1),
        replicas.trips,
        best,
        replicas.best,
        {n: v.reshape(k, chains, *v.shape[1:]) for n, v in replicas.states().items()},
        f"parallel tempering over {sampler.method}",
        observed.means,
    )


def _replicated(energy, x0, k, chains):
    """The start of every replica, {layer: (chains k, *shape)}, of one state, one a chain, or (k, chains, *shape)."""
    given = x0 if isinstance(x0, Mapping) else {next(iter(energy.layers)): x0}
    shapes = {name: np.shape(given[name]) for name in energy.layers if name in given}
    if all(shape[:2] == (k, chains) and shape[2:] == energy.layers[name].shape for name, shape in shapes.items()):
        x0 = {n: np.swapaxes(np.asarray(given[n]), 0, 1).reshape(-1, *shape[2:]) for n, shape in shapes.items()}
    return {n: np.repeat(v, k, 0) if len(v) == chains else v for n, v in energy.state(x0, "x0").items()}


class _Replicas:
    """Ladders of replicas: replica r of ladder c is chain c k + r of the sampler; temperatures are what moves."""

    def __init__(self, energy, sampler, problem, temperatures, chains, root):
        self.energy, self.sampler, self.temperatures, self.push = energy, sampler, temperatures, problem.push
        k = len(temperatures)
        self.who = np.tile(np.arange(k), (chains, 1))  # which replica has which temperature
        self.coins = Chains(streams(root, chains, key=3))
        self.rounds, self.best, self.best_x = 0, np.inf, {}
        self.forget()

    def forget(self):
        """Start counting."""
        chains, k = self.who.shape
        self.tried, self.accepted = np.zeros(k - 1), np.zeros(k - 1)
        self.trips = np.zeros(chains, np.int64)
        self.seen = np.zeros((chains, k), np.int64)  # a replica's last ends: 0 none, 1 first, 2 then the other

    def round(self, sweeps):
        """Sweep every replica, then try to swap every other pair of neighbours."""
        chains, k = self.who.shape
        own = np.empty((chains, k))
        np.put_along_axis(own, self.who, np.broadcast_to(self.temperatures, (chains, k)), 1)
        self.sampler.run(sweeps, own.ravel())
        self.energies = energies_of(self.energy, self.sampler)
        lowest = int(np.argmin(self.energies))
        if self.energies[lowest] < self.best:
            self.best = float(self.energies[lowest])
            self.best_x = {name: value[lowest].copy() for name, value in self.sampler.state().items()}
        felt = self.energies
        if np.any(self.push):  # given forces do work
            felt = felt - np.sum(self.push * concatenate(self.energy, self.sampler.state()), 1)
        e = np.take_along_axis(felt.reshape(chains, k), self.who, 1)
        low = np.arange(self.rounds % 2, k - 1, 2)
        beta: Any = 1.0 / self.temperatures
        gain = (beta[low] - beta[low + 1]) * (e[:, low] - e[:, low + 1])
        swap = self.coins.random((chains, k))[:, low] < np.exp(np.minimum(gain, 0.0))
        self.who[:, low], self.who[:, low + 1] = (
            np.where(swap, self.who[:, low + 1], self.who[:, low]),
            np.where(swap, self.who[:, low], self.who[:, low + 1]),
        )
        self.tried[low] += chains
        self.accepted[low] += swap.sum(0)
        self.rounds += 1
        self._count_trips()

    def _count_trips(self):
        rows = np.arange(len(self.who))
        first, last = self.who[:, 0], self.who[:, -1]
        self.trips += self.seen[rows, first] == 2
        self.seen[rows, first] = 1
        self.seen[rows, last] = np.where(self.seen[rows, last] == 1, 2, self.seen[rows, last])

    def in_order(self, values):
        """Values of the replicas, (chains k, ...), by temperature: (k, chains, ...)."""
        chains, k = self.who.shape
        return values.reshape(chains, k, *values.shape[1:])[np.arange(chains), self.who.T]

    def states(self):
        """States by temperature, then chain: {layer: (k chains, *shape)}."""
        return {
            name: self.in_order(value).reshape(len(value), *value.shape[1:])
            for name, value in self.sampler.state().items()
        }


def _checked(temperatures):
    """Temperatures as (k,), strictly monotonic."""
    try:
        value = np.asarray(temperatures)
    except ValueError:  # rows that differ in length
        value = np.zeros(())
    if value.ndim != 1 or len(value) < 2:
        raise ValueError(f"temperatures: shape {value.shape}, expected at least two in a line")
    value = check_temperature(value, len(value), "temperatures")
    steps = np.diff(value)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise ValueError(f"temperatures: got {value.tolist()}, expected strictly increasing or decreasing ones")
    return value
