r"""Population annealing: a population cools together, and its members multiply by their Boltzmann weights.

From R states drawn at 1/T = 0 the temperature falls step by step.  A step from 1/T to 1/T' resamples the
population, a state of energy E getting on average w / <w> copies, and then moves every copy at T' (Hukushima and
Iba 2003; Machta 2010).  The mean weights give the free energy on the way,

    w = exp(-(1/T' - 1/T) E),        ln Z(T') = ln Z(T) + ln <w>,       F = -T ln Z,

and <Z> over runs is exact for any R and any number of sweeps.  All states that descend from one of the first R
are a family; with n_i the fraction of the population in family i,

    rho_t = R sum_i n_i^2

is the mean square family size (Wang, Machta and Katzgraber 2015, eq. 20): the population is worth R / rho_t
independent states at least.  Resampling is systematic (Carpenter, Clifford and Fearnhead 1999): R stays, and a
state gets one of the two whole numbers next to its share.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.checks import array, count
from physlearn.dynamics.annealing.ais import uniform_log_z
from physlearn.dynamics.labels import named
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import NO_ENERGY, check_temperature, energies_of, start_sampler
from physlearn.dynamics.sampling.samples import Observed
from physlearn.dynamics.scale import unit_of
from physlearn.machine import Machine
from physlearn.progress import follow
from physlearn.rng import seed_sequence
from physlearn.systems import energy_of, variables
from physlearn.threads import on_one_thread

FEWEST = 10.0  # families' worth of states below which averages are not to be trusted
RESAMPLE, MOVE = 4, 5  # keys of the streams


@dataclass(frozen=True)
class Population:
    """A population that has been annealed.

    Attributes
    ----------
    temperatures : (k,) array
    log_z : (k,) array
        ln Z at every temperature, from the uniform distribution on.
    free_energy : (k,) array
        -T ln Z, energy.
    energy : (k,) array
        Mean energy of the population.
    heat_capacity : (k,) array
        Variance of the energy over T^2.
    observed : dict of str to array
        (k, ...) means of every observable over the population.
    rho_t : (k,) array
        Mean square family size, from 1 to the size of the population; Wang, Machta and Katzgraber (2015) require at
        most a hundredth of the population for equilibrated spin glasses.
    families : (k,) array of int
        Families left.
    family : (population,) array of int
        Which of the first states every member descends from.
    states : array or mapping of str to array
        The population at the last temperature, (population, *shape).
    energies : (population,) array
        Their energies.
    x, best : array or mapping of str to array, float
        The state of lowest energy seen at the end of any step, and its energy.
    method : str
    """

    temperatures: np.ndarray
    log_z: np.ndarray
    energy: np.ndarray
    heat_capacity: np.ndarray
    observed: dict[str, np.ndarray]
    rho_t: np.ndarray
    families: np.ndarray
    family: np.ndarray
    states: Any
    energies: np.ndarray
    x: Any
    best: float
    method: str

    @property
    def free_energy(self):
        """-T ln Z at every temperature, (k,)."""
        return -self.temperatures * self.log_z

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    @property
    def final(self):
        """The population at the last temperature, as ``x0`` takes it: the same as ``states``."""
        return self.states

    def to_dataset(self):
        """As an xarray.Dataset with dims (temperature, ...) of means, and (member, ...) of the last population.

        A layer or observable whose name is taken has an underscore behind it; energies of the members are "energies".
        """
        import xarray as xr

        along = ("log_z", "free_energy", "energy", "heat_capacity", "rho_t", "families")
        own = {name: (("temperature",), getattr(self, name)) for name in along}
        own |= {name: (("member",), getattr(self, name)) for name in ("energies", "family")}
        states = self.states if isinstance(self.states, dict) else {"x": self.states}
        layers = {name: (("member",), value) for name, value in states.items()}
        observed = {name: (("temperature",), value) for name, value in self.observed.items()}
        data: Any = named(own, layers, observed, ("temperature", "member"))
        return xr.Dataset(data, coords={"temperature": self.temperatures}, attrs={"method": self.method})

    def __repr__(self):
        return (
            f"Population(method={self.method!r}, population={len(self.energies)}, temperatures="
            f"{len(self.temperatures)}, log_z={self.log_z[-1]:.6g}, rho_t={self.rho_t[-1]:.3g}, best={self.best:.6g})"
        )


@on_one_thread
def population_annealing(
    energy: Machine,
    *,
    temperatures,
    population: int = 1000,
    sweeps: int = 10,
    clamp=None,
    method: str = "auto",
    observe=None,
    rng=None,
    progress: bool | None = None,
    **settings,
) -> Population:
    """Anneal a population: thermal averages and the free energy at every temperature, and low energies.

    Parameters
    ----------
    energy : Machine or Energy
        Its free layers are of discrete kinds.
    temperatures : (k,) array
        Positive, strictly decreasing, the first so hot that states drawn uniformly are near equilibrium.
    population : int
        States R; averages have a bias of order rho_t / R.
    sweeps : int
        Sweeps of every state at each temperature.
    clamp : mapping of str to (m,) array, optional
        Readout name to values; ln Z is over the rest.
    method, **settings
        Engine of the sweeps, as for `sample`.
    observe : mapping of str to callable or Mean, optional
        Functions of the state, ``f(x) -> (population, ...)``, x mapping layers to arrays; their means are kept.
    rng : int, Generator or None
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    Population

    Raises
    ------
    TypeError, ValueError
        Temperatures that do not fall, free `Real` variables, clamps that tie variables, what `sample` refuses.

    Warns
    -----
    RuntimeWarning
        Where fewer than ten families' worth of states are left: take more temperatures, sweeps or states.

    Examples
    --------
    A ring of six spins, ln Z = ln((2 cosh K)^6 + (2 sinh K)^6) with K = J/T:

    >>> import numpy as np
    >>> from physlearn import Energy, Spin
    >>> from physlearn.dynamics import population_annealing
    >>> from physlearn.terms import Pairs
    >>> ring = Energy({"s": (Spin(), 6)}, [Pairs("s", [(k, (k + 1) % 6) for k in range(6)])], {"J": [1.0] * 6})
    >>> found = population_annealing(ring, temperatures=[8.0, 4.0, 2.0, 1.0], rng=0)
    >>> exact = np.log((2 * np.cosh(1.0)) ** 6 + (2 * np.sinh(1.0)) ** 6)
    >>> bool(abs(found.log_z[-1] - exact) < 0.1), found.best
    (True, -6.0)
    """
    energy = energy_of(energy, NO_ENERGY)
    temperatures = _checked(temperatures)
    count("population", population, least=2, each=8 * variables(energy))
    count("sweeps", sweeps)
    Observed(observe, population, 1)  # refuses before there is any work
    root = seed_sequence(rng)
    log_z = _log_states(make_problem(energy, None, clamp)[0])
    sampler = start_sampler(energy, population, None, clamp, method, root, settings)
    problem, _ = make_problem(energy, sampler.state(), clamp)
    engine, coins = type(sampler), np.random.default_rng(_child(root, RESAMPLE))
    family, energies, cooling = np.arange(population), energies_of(energy, sampler), 0.0
    x, best, best_x, observed = sampler.state(), np.inf, {}, {}
    table = []
    for step, temperature in follow(list(enumerate(temperatures)), "population_annealing", "temperature", progress):
        log_w = -(1.0 / temperature - cooling) * energies
        top = log_w.max()
        share = np.exp(log_w - top)
        log_z += top + np.log(share.mean())
        cooling = 1.0 / temperature
        parents = systematic(share / share.sum(), coins.random())
        family = family[parents]
        # An engine keeps its states in forms of its own, so the offspring get a new one, and streams of their own.
        offspring = {name: value[parents] for name, value in x.items()}
        words = _child(root, MOVE, step).generate_state(4 * population, np.uint64).reshape(-1, 4)
        sampler = engine(problem, offspring, words, **settings)
        sampler.run(sweeps, np.full(population, temperature))
        energies, x = energies_of(energy, sampler), sampler.state()
        lowest = int(np.argmin(energies))
        if energies[lowest] < best:
            best, best_x = float(energies[lowest]), {name: value[lowest].copy() for name, value in x.items()}
        table.append((log_z, *_averages(energies, family, temperature)))
        for name, mean in _means(observe, x, population).items():
            observed.setdefault(name, []).append(mean)
    logs, means, capacities, rho_t, families = (np.array(column) for column in zip(*table, strict=True))
    if population / rho_t[-1] < FEWEST:
        warnings.warn(
            f"population_annealing: rho_t = {rho_t[-1]:.3g} of a population of {population}, which is worth fewer "
            f"than {FEWEST:g} independent states; take more temperatures, sweeps or states",
            RuntimeWarning,
            stacklevel=3,
        )
    return Population(
        temperatures,
        logs,
        means,
        capacities,
        {name: np.array(values) for name, values in observed.items()},
        rho_t,
        families,
        family,
        _plain(x),
        energies,
        _plain(best_x),
        best,
        f"population annealing over {sampler.method}",
    )


def _log_states(problem):
    """ln Z at 1/T = 0, the logarithm of the number of states; refuses states that cannot be drawn uniformly."""
    if problem.batch != 1:
        raise ValueError(f"clamp: a batch of {problem.batch} items, expected one; call once for each")
    if problem.tied or np.any(problem.push):
        raise ValueError("clamp: it ties variables together or gives a force; clamp single variables to values")
    return uniform_log_z(problem)


def _averages(energies, family, temperature):
    """Mean energy, heat capacity, rho_t and the number of families, from (population,) energies and families."""
    sizes = np.unique(family, return_counts=True)[1]
    rho = float(np.sum(sizes.astype(float) ** 2) / len(family))
    unit = unit_of(temperature)
    return energies.mean(), (energies / unit).var() / (temperature / unit) ** 2, rho, len(sizes)


def _means(observe, x, population):
    """Mean of every observable over the population, {name: (...)}."""
    watch = Observed(observe, population, 1)
    watch.see(x)
    return {name: v.mean(0 if name in watch.means else (0, 1)) for name, v in watch.stacked().items()}


def _plain(x):
    """A state of one layer as its array."""
    return next(iter(x.values())) if len(x) == 1 else x


def systematic(share, u):
    """Numbers of the parents of len(share) offspring: member i has share_i of the points (u + k) / R in [0, 1)."""
    ends = np.cumsum(share)
    points = (u + np.arange(len(share))) / len(share)
    return np.minimum(np.searchsorted(ends / ends[-1], points, side="right"), len(share) - 1)


def _child(root, *key):
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, *key))


def _checked(temperatures):
    """Temperatures as (k,), strictly falling."""
    value = np.atleast_1d(array("temperatures", temperatures))
    if value.ndim != 1 or not value.size:
        raise ValueError(f"temperatures: shape {value.shape}, expected a line of them")
    check_temperature(value, len(value), "temperatures")
    if np.any(np.diff(value) >= 0):
        raise ValueError(f"temperatures: got {value.tolist()}, expected strictly decreasing ones")
    return value
