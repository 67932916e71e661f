"""Engines of `sample`: their protocols, their table, and the start of a sampler.

Annealing, replica exchange and training on samples start their samplers here too.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from numbers import Number
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from physlearn.checks import choice, count, seen
from physlearn.dynamics.lattice import bitpacked, checkerboard, cluster, replicas
from physlearn.dynamics.notes import of_draws
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest.relax import refused
from physlearn.dynamics.sampling import exchange, gaussian, gibbs, heatbath, independence, metropolis, spikes
from physlearn.dynamics.walk import langevin, mala, trajectories
from physlearn.machine import one_way_of
from physlearn.rng import seed_sequence, streams
from physlearn.systems import energy_of, variables

LOG = logging.getLogger(__name__)
BLOCK = 32  # chains whose energies are computed together
NO_ENERGY = (
    ", so no Boltzmann distribution to draw from; integrate or relax it, or run species on a lattice by kinetics"
)


class Sampler(Protocol):
    """Chains under way; made by an engine as ``Sampler(problem, state, streams)``.

    ``problem`` is a `Problem`, ``state`` maps layers to (chains, *shape) arrays, ``streams`` is (chains, 4) uint64, a
    row of random state for each chain.  Optional: ``warm(sweeps, temperature)``, called instead of `run` for the
    warm-up (step sizes adapt there, and are kept afterwards); ``trouble() -> str | None``, of which the verbs warn;
    ``energies() -> (chains,)`` where they are cheap to keep; and ``draws(n, thin, temperature, seen)`` where many draws
    are faster than as many calls (see `physlearn.dynamics.walk.trajectories`).
    """

    method: str  # as the result reports it
    proposed: np.ndarray | int  # over all chains; zero: it does not propose
    accepted: np.ndarray | int
    notes: tuple[str, ...]  # what would make it faster; given by `start_sampler`

    def run(self, sweeps: int, temperature: np.ndarray) -> None:
        """Make ``sweeps`` sweeps, chain c at temperature[c]; the temperatures may change from call to call."""

    def state(self) -> dict[str, np.ndarray]:
        """(chains, *shape) array of every layer."""
        ...


class Engine(Protocol):
    """A way to sample: a module or an object with the test `refusal` and the class `Sampler`."""

    Sampler: Any

    def refusal(self, problem) -> str | None:
        """Why it cannot sample this problem, as the end of a sentence; None if it can."""


# In the order in which "auto" asks.
ENGINES: dict[str, Engine | ModuleType | Any] = {
    "bitpacked": bitpacked,
    "bytes": checkerboard.bytes_engine,
    "replicas": replicas,
    "checkerboard": checkerboard,
    "gaussian": gaussian,
    "heatbath": heatbath,
    "gibbs": gibbs,
    "metropolis": metropolis,
    "hmc": trajectories,
    "mala": mala,
    "ula": langevin,
    "swendsen_wang": cluster.swendsen_wang_engine,
    "wolff": cluster.wolff_engine,
    "kawasaki": exchange,
    "spikes": spikes,
    "independence": independence,
}


def warn_of_trouble(verb, sampler):
    """Warn, at the line that called the verb, of trouble that an engine reports."""
    if (trouble := getattr(sampler, "trouble", lambda: None)()) is not None:
        warnings.warn(f"{verb}: {trouble}", RuntimeWarning, stacklevel=4)


def energies_of(energy, sampler):
    """Energies of a sampler's states, (chains,), by its own count where it keeps one."""
    if hasattr(sampler, "energies"):
        return sampler.energies()
    x, out = sampler.state(), []
    chains = len(next(iter(x.values())))
    for start in range(0, chains, BLOCK):  # always as many rows: a matrix product's bits depend on their number
        rows = np.minimum(np.arange(start, start + BLOCK), chains - 1)
        out.append(sum(energy.shares({name: value[rows] for name, value in x.items()}).values()))
    return np.concatenate(out)[:chains]


def check_temperature(temperature, chains, name="temperature"):
    """Temperatures as (chains,), positive and finite, from one for all chains or one for each."""
    value = np.asarray(temperature) if isinstance(temperature, np.ndarray | list | tuple | Number) else np.array("")
    good = value.dtype.kind in "iuf" and value.shape in ((), (chains,))
    if not good or not np.all((value > 0) & np.isfinite(value)):
        raise ValueError(
            f"{name}: got {seen(temperature)}, expected a positive finite number or one for each of {chains} chains; "
            "for T = 0 use relax or anneal"
        )
    return np.array(np.broadcast_to(value, (chains,)), dtype=float)


def start_sampler(energy, chains, x0, clamp, method, rng, settings):
    """The engine's sampler over ``chains`` chains, started at x0, (*shape) or (chains, *shape), or at random.

    ``clamp`` maps readouts to (k,) or (chains, k) values, ``settings`` the engine's keywords to theirs.
    """
    energy = energy_of(energy, NO_ENERGY)
    if one_way := one_way_of(energy):
        raise ValueError(f"energy: {one_way}, so its forces draw from no exp(-E/T)")
    count("chains", chains, each=8 * variables(energy))
    root = seed_sequence(rng)
    _, problem = start(energy, x0, clamp, chains, root, "chains")
    choice("method", method, ("auto", *ENGINES))
    fits = (name for name, engine in ENGINES.items() if engine.refusal(problem) is None)
    chosen = method if method != "auto" else next(fits, "gibbs")
    reason = ENGINES[chosen].refusal(problem) if method != "auto" or chosen == "gibbs" else None
    if reason is not None:
        fits = list(fits)
        raise ValueError(f"method {chosen!r} does not fit this energy: {reason}. What fits: {fits or 'nothing'}")
    check_settings(chosen, settings)
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("sampler: engine %r for %d chains; %s", chosen, chains, refused(ENGINES, problem))
    sampler = ENGINES[chosen].Sampler(problem, problem.state(problem.initial()), streams(root, chains), **settings)
    sampler.notes = of_draws(problem, chosen)
    return sampler


def start(energy, x0, clamp, n, root, what):
    """Where n chains or reads (``what`` in errors) start: their state {layer: (n, *shape)}, and its `Problem`."""
    state = random_start(energy, n, root) if x0 is None else started(energy, x0, n)
    problem, _ = make_problem(energy, state, clamp)
    if problem.batch != n:
        raise ValueError(f"clamp: a batch of {problem.batch} does not fit {n} {what}")
    return state, problem


def check_settings(method, settings):
    """Refuse settings that an engine does not have."""
    known = list(inspect.signature(ENGINES[method].Sampler).parameters)[3:]
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise TypeError(f"{unknown[0]}: no setting of method {method!r}, which has {known or 'none'}")


def started(energy, x0, chains):
    """The state x0, (*shape), (1, *shape) or (chains, *shape), as {layer: (chains, *shape)}."""
    given = energy.state(x0, "x0")
    if (items := len(next(iter(given.values())))) not in (1, chains):
        raise ValueError(f"x0: {items} states, expected one, or one for each of {chains} chains")
    return {name: np.broadcast_to(value, (chains, *value.shape[1:])).copy() for name, value in given.items()}


def random_start(energy, chains, root):
    """A random state {layer: (chains, *shape)}, each chain from its own generator, spawned from ``root``."""
    rows: dict = {name: [] for name in energy.layers}
    for chain in range(chains):
        rng = np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, 1, chain)))
        for name, (kind, shape) in energy.layers.items():
            rows[name].append(kind.random(shape, rng))
    return {name: np.stack(values) for name, values in rows.items()}
