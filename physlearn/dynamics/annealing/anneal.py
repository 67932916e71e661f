"""anneal: cool from hot to cold; greedy: fall from many random states.  Both look for low energies."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from physlearn.checks import array, count, positive, seen
from physlearn.dynamics.annealing import schedules
from physlearn.dynamics.annealing.annealed import Annealed, annealed
from physlearn.dynamics.frame import concatenate
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest.relax import relax
from physlearn.dynamics.sampling import metropolis
from physlearn.dynamics.sampling.engines import (
    NO_ENERGY,
    energies_of,
    start,
    start_sampler,
    warn_of_trouble,
)
from physlearn.dynamics.sites import fields
from physlearn.machine import Machine
from physlearn.progress import Bar
from physlearn.rng import seed_sequence
from physlearn.systems import energy_of, variables
from physlearn.threads import on_one_thread

NAMED = ("geometric", "linear", "adaptive")


@on_one_thread
def anneal(
    energy: Machine,
    schedule="geometric",
    *,
    reads: int = 32,
    sweeps: int | None = None,
    hot=None,
    cold=None,
    x0=None,
    clamp=None,
    method: str = "auto",
    rng=None,
    progress: bool | None = None,
    **settings,
) -> Annealed:
    """Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

    Parameters
    ----------
    energy : Machine or Energy
        Any that `sample` takes.
    schedule : str or (sweeps,) array
        "geometric" or "linear" from hot to cold, "adaptive" (constant thermodynamic speed, from a pilot run of 16
        chains over 480 sweeps), or the temperature of every sweep.
    reads : int
        Independent runs; each depends on the seed and its own number only, not on how many run.
    sweeps : int, optional
        Sweeps a read; default 1000, or the length of the schedule.
    hot, cold : float, optional
        The range, in the energy's units.  Defaults are measured (discrete layers): hot is the root mean
        square energy of a move in random states, for the variable where it is largest; cold is where quenched
        states have 0.1 variables excited.
    x0 : array or mapping, optional
        Where reads start, (*shape) or (reads, *shape); default random.
    clamp : mapping of str to array, optional
        Readout name to values, (k,) or (reads, k).
    method : str
        An engine of `sample`; "auto" is Metropolis where it fits spins and 0/1 variables (it moves more often than the
        heat bath), else the choice of `sample`.
    rng : int, Generator or None
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.
    **settings
        Passed to the engine.

    Returns
    -------
    Annealed
        States and energies are the lowest of each read, over the ends of its sweeps.

    Raises
    ------
    TypeError, ValueError
        An unknown schedule, temperatures that are not positive, a range for layers without gaps, and whatever
        `sample` refuses.

    Examples
    --------
    An antiferromagnetic ring of five spins has one frustrated bond:

    >>> from physlearn import Energy, Spin
    >>> from physlearn.dynamics import anneal
    >>> from physlearn.terms import Pairs
    >>> ring = Energy({"s": (Spin(), 5)}, [Pairs("s", [(i, (i + 1) % 5) for i in range(5)])], {"J": [-1.0] * 5})
    >>> anneal(ring, reads=4, sweeps=100, rng=0).energy
    -3.0
    """
    energy = energy_of(energy, NO_ENERGY)
    count("reads", reads, each=8 * variables(energy))
    root = seed_sequence(rng)
    method = _method(energy, clamp, method)
    if isinstance(schedule, str) and schedule not in NAMED:
        raise ValueError(f"schedule: got {schedule!r}, expected one of {list(NAMED)} or an array of temperatures")
    if sweeps is not None:
        count("sweeps", sweeps, each=8 * reads)
    sampler = start_sampler(energy, reads, x0, clamp, method, root, settings)
    if isinstance(schedule, str):
        temperatures = _named(schedule, energy, clamp, method, root, settings, hot, cold, sweeps or 1000)
    else:
        temperatures = _checked(schedule)
        if sweeps not in (None, len(temperatures)) or hot is not None or cold is not None:
            raise ValueError(
                f"schedule: got {len(temperatures)} temperatures and also sweeps, hot or cold; expected either"
            )
    push = make_problem(energy, None, clamp)[0].push
    with Bar("anneal", "sweep", len(temperatures), progress) as bar:
        states, energies = _cool(energy, sampler, np.repeat(temperatures[:, None], reads, 1), push, bar)
    warn_of_trouble("anneal", sampler)
    return annealed(states, energies, temperatures, sampler.method)


@on_one_thread
def greedy(
    energy: Machine, *, reads: int = 32, x0=None, clamp=None, max_sweeps: int = 10_000, rng=None, progress=None
) -> Annealed:
    """Fall to the nearest minimum from many random states.

    Parameters
    ----------
    energy : Machine or Energy
        Any that `relax` takes.
    reads : int
        Descents.
    x0, clamp, rng
        As for `anneal`.
    max_sweeps : int
        Steps of `relax` after which to give up, with a RuntimeWarning.
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    Annealed

    Examples
    --------
    >>> from physlearn import Energy, Spin
    >>> from physlearn.dynamics import greedy
    >>> from physlearn.terms import Pairs
    >>> chain = Energy({"s": (Spin(), 4)}, [Pairs("s", [(0, 1), (1, 2), (2, 3)])], {"J": [1.0, -2.0, 1.0]})
    >>> greedy(chain, reads=20, rng=0).energy
    -4.0
    """
    energy = energy_of(energy, " to lower; integrate or relax it, or run species by kinetics")
    count("reads", reads, each=8 * variables(energy))
    count("max_sweeps", max_sweeps)
    root = seed_sequence(rng)
    state, _ = start(energy, x0, clamp, reads, root, "reads")
    rest: Any = relax(energy, state, clamp=clamp, max_steps=max_sweeps, unconverged="ignore", progress=progress)
    if not rest.converged:
        warnings.warn(
            f"greedy: some of {reads} reads are not at rest after {max_sweeps} sweeps; raise max_sweeps",
            RuntimeWarning,
            stacklevel=3,
        )
    x = rest.x if isinstance(rest.x, dict) else {next(iter(energy.layers)): rest.x}
    return annealed(x, np.atleast_1d(rest.energy), np.zeros(max(1, int(np.max(rest.steps)))), rest.method)


def _cool(energy, sampler, temperatures, push, bar):
    """Follow temperatures (sweeps, reads); each read's best state at the end of a sweep, and their energies."""
    if isinstance(getattr(sampler, "moves", None), fields.FieldMoves):
        sampler.moves.cool(temperatures, bar)
        return sampler.state(), sampler.energies()
    lowest, best = np.full(temperatures.shape[1], np.inf), {}
    kept = lowest.copy()
    for row in temperatures:
        sampler.run(1, row)
        bar.update()
        found, x = energies_of(energy, sampler), sampler.state()
        felt = found - np.sum(push * concatenate(energy, x), 1) if np.any(push) else found  # given forces do work
        better = felt < lowest
        lowest[better], kept[better] = felt[better], found[better]
        best = best or {name: value.copy() for name, value in x.items()}
        for name, value in x.items():
            best[name][better] = value[better]
    return best, kept


def _method(energy, clamp, method):
    """Metropolis for spins and 0/1 variables where it fits, if ``method`` is "auto"."""
    if method != "auto":
        return method
    if any(layer.by_level for layer in energy.layers.values()):
        return method
    return "metropolis" if metropolis.refusal(make_problem(energy, None, clamp)[0]) is None else method


def _named(schedule, energy, clamp, method, root, settings, hot, cold, sweeps):
    """The temperatures of a schedule by name, (sweeps,)."""
    first = {name: np.asarray(value)[:1] if np.ndim(value) == 2 else value for name, value in (clamp or {}).items()}

    def probes():
        own = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, 2))
        held = {n: np.repeat(v, schedules.PROBES, 0) if np.ndim(v) == 2 else v for n, v in first.items()}
        return start_sampler(energy, schedules.PROBES, None, held, method, own, settings)

    hot, cold = (None if t is None else positive(name, t) for t, name in ((hot, "hot"), (cold, "cold")))
    if hot is None or cold is None:
        found = schedules.default_range(energy, make_problem(energy, None, first)[0], probes())
        hot, cold = (found[0] if hot is None else hot), (min(found[1], hot or np.inf) if cold is None else cold)
    hot, cold = float(hot), float(cold)
    if cold > hot:
        raise ValueError(f"hot, cold: got {hot:.6g} and {cold:.6g}, expected hot to be the larger")
    if schedule == "adaptive":
        sampler = probes()
        return schedules.constant_speed(hot, cold, sweeps, sampler, lambda: energies_of(energy, sampler))
    return (np.linspace if schedule == "linear" else np.geomspace)(hot, cold, sweeps)


def _checked(schedule):
    """(sweeps,) temperatures."""
    value = np.atleast_1d(array("schedule", schedule))
    if value.ndim != 1 or not value.size or not np.all(value > 0):
        raise ValueError(f"schedule: got {seen(schedule)}, expected positive finite temperatures, (sweeps,)")
    return value
