"""kinetics: motion of species on a lattice in time, on one of several clocks.

All clocks have the same equilibrium where there is one, but not the same path to it: which structures assemble
reliably depends on the clock (Metson, Osat, Golestanian 2025 find a smaller region in continuous time), so the result
names it.

    gillespie    attachment and detachment in continuous time (see `gillespie`); time in mean stays of a free particle
    metropolis   a random site is offered a random other code; time in sweeps (one attempt per free site)
    heat bath    a random site is redrawn given its neighbours; time in sweeps

With ``conserved=True`` particles hop instead, by Metropolis' rule (`exchange`); a sweep is one attempt per particle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Number
from typing import Any, cast

import numpy as np

from physlearn.checks import array, choice, count, flag, function, mapping, number, positive, seen, sequence
from physlearn.dynamics.labels import named
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.time.clocks import started
from physlearn.energy import Energy
from physlearn.machine import system_of
from physlearn.progress import follow
from physlearn.rng import streams
from physlearn.terms.lattice import FeltBonds

SPAN = "a duration or (first, last)"
BLOCK = 64  # states whose energies are computed together
CLOCKS = {
    "gillespie": "mean stay of a particle without bonds",
    "metropolis": "sweeps of one attempt a site",
    "heat bath": "sweeps of one attempt a site",
}


@dataclass(frozen=True)
class Kinetics:
    """A trajectory.

    Attributes
    ----------
    t : (records,) array
        In units of the clock; see ``unit``.
    x : (records, *shape) array of int, or None
        States at these times; None where only observables were asked for.
    energy : (records,) array or None
        None for a system without an energy.
    observed : dict of str to array
        (records, ...) for every observable.
    events : (records,) array of int
        Changes of the lattice so far.
    final : (*shape) array of int
        The state at the end of ``t_span`` or after the last of ``events``; pass it as ``x0`` to continue.
    clock, unit : str
        The clock, and its unit of time.
    temperature : float
    """

    t: np.ndarray
    x: Any
    energy: Any
    observed: dict[str, np.ndarray]
    events: np.ndarray
    final: np.ndarray
    clock: str
    unit: str
    temperature: float

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    def to_dataset(self):
        """As an xarray.Dataset with dims (time, ...); an observable whose name is taken has an underscore behind it."""
        import xarray as xr

        lead = ("time",)
        own = {"events": (lead, self.events)} | ({} if self.energy is None else {"energy": (lead, self.energy)})
        states = {} if self.x is None else {"x": (lead, self.x)}
        data: Any = named(own, states, {name: (lead, value) for name, value in self.observed.items()}, lead)
        attributes = {"clock": self.clock, "temperature": self.temperature}
        return xr.Dataset(data, coords={"time": (lead, self.t, {"units": self.unit})}, attrs=attributes)

    def __repr__(self):
        return (
            f"Kinetics(clock={self.clock!r}, t={self.t[0]:.6g}..{self.t[-1]:.6g} {self.unit}, "
            f"records={len(self.t)}, events={self.events[-1]})"
        )


def kinetics(
    system,
    *,
    temperature,
    t_span=None,
    events=None,
    clock="gillespie",
    conserved=False,
    x0=None,
    clamp=None,
    record=1,
    observe=None,
    rng=None,
    progress: bool | None = None,
) -> Kinetics:
    """Run species on a lattice in time, reciprocal or not.

    Parameters
    ----------
    system : Machine, Energy or System
        One `Potts` layer with one `LatticeBonds` or `FeltBonds` term; or what holds it as ``energy`` (an `Assembly`).
    temperature : float
        Positive, in the energy's units (k_B = 1).
    t_span : float or (float, float), optional
        Duration, or first and last time, in units of the clock.
    events : int, optional
        In place of ``t_span``: attachments and detachments after which to stop ("gillespie" only).
    clock : {"gillespie", "metropolis", "heat bath"}
    conserved : bool
        Particles hop to neighbouring sites; every species keeps its number ("metropolis" only).
    x0 : (*shape) array of int, or mapping of the layer to it, optional
        Default empty but for what is clamped.
    clamp : mapping of str to array, optional
        Readout name to values held.
    record : int or array of float
        Number of equal intervals (of time, or of events) after each of which to record, as at the start; or times
        (numbers of events).
    observe : mapping of str to callable, optional
        Functions of the state, ``f(x) -> (...)`` with x (*shape); given, states are not stored.
    rng : int, Generator or None
    progress : bool, optional
        Whether to show a bar of the records made, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    Kinetics

    Raises
    ------
    TypeError, ValueError
        A system of other terms, T <= 0, an unknown clock, neither or both of t_span and events, times that do not
        increase, fractions of a sweep or of an event.

    Examples
    --------
    >>> from physlearn.models import Assembly
    >>> from physlearn.models import Structure, store
    >>> from physlearn.terms import Lattice
    >>> square = Structure([[1, 2], [3, 4]])
    >>> soup = Assembly(4, store([square], 6.0), 8.0, Lattice((6, 6)))
    >>> grown = kinetics(soup.seed(square.patch(slice(1)), (2, 2)), temperature=1.0, t_span=2e4, rng=0)
    >>> grown.clock, grown.final[2:4, 2:4].tolist()
    ('gillespie', [[1, 2], [3, 4]])
    """
    system = getattr(system, "energy", system)
    system = system_of(system)
    _check_arguments(system, clock, conserved, observe)
    temperature = positive("temperature", temperature)
    marks, end = _marks(t_span, events, record, clock)
    problem, start = _start(system, x0, clamp)
    run = started(system, problem, start, temperature, clock, conserved, streams(rng, 1))
    name, (_, shape) = next(iter(system.layers.items()))
    by_events, has_energy, moved = events is not None, isinstance(system, Energy), cast(Energy, system)
    t, states, energies, observed, counts = [], [], [], {}, []

    def energy_of(x):
        return sum(moved.shares({name: x.astype(np.int64)}).values())

    now = 0.0 if by_events else marks[0]
    for place, mark in follow(list(enumerate(marks)), "kinetics", "record", progress):
        if place:
            now = run.to(now, mark, by_events)
        if np.isinf(now):
            raise ValueError(
                f"events: after {run.events} every rate is zero in floating point, as bonds are that strong: nothing "
                "happens any more; raise the temperature, or give a t_span"
            )
        x = run.x.reshape(shape)
        t.append(now)
        counts.append(run.events)
        if has_energy and observe is not None:
            energies.append(energy_of(x[None]))
        if observe is None:
            states.append(x.astype(np.int64))
        for what, wanted in (observe or {}).items():
            observed.setdefault(what, []).append(np.array(wanted(x.astype(np.int64))))
    if end > marks[-1]:
        run.to(now, end, by_events)
    if has_energy and observe is None:
        energies = [energy_of(np.stack(states[k : k + BLOCK])) for k in range(0, len(states), BLOCK)]
    return Kinetics(
        np.array(t),
        np.stack(states) if observe is None else None,
        np.concatenate(energies) if energies else None,
        {what: np.stack(values) for what, values in observed.items()},
        np.array(counts, dtype=np.int64),
        run.x.reshape(shape).astype(np.int64),
        clock,
        "sweeps of one attempt a particle" if conserved else CLOCKS[clock],
        float(temperature),
    )


def _check_arguments(system, clock, conserved, observe):
    """Refuse other terms, unknown clocks, hops without Metropolis' rule, and observables that are no functions."""
    if len(system.terms) != 1 or not isinstance(system.terms[0], FeltBonds):
        names = [type(t).__name__ for t in system.terms]
        raise ValueError(f"system: its terms are {names}, expected LatticeBonds or FeltBonds alone, as of an Assembly")
    choice("clock", clock, CLOCKS)
    flag("conserved", conserved)
    if observe is not None:
        for what, wanted in mapping("observe", observe, expected="a mapping of names to functions").items():
            function(f"observe[{what!r}]", wanted, 1, "a function of the state")
    if conserved and (clock != "metropolis" or not isinstance(system, Energy)):
        raise ValueError(
            f"conserved: the clock is {clock!r} and the system is a {type(system).__name__}; particles hop by "
            "Metropolis' rule on an Energy: pass clock='metropolis'"
        )


def _start(system, x0, clamp):
    """The `Problem`, and the codes to start from, (1, sites): clamped ones, elsewhere those of x0, or empty."""
    name, layer = next(iter(system.layers.items()))
    shape = layer.shape
    if x0 is not None:
        x0 = array("x0", x0[name] if isinstance(x0, Mapping) and name in x0 else x0)
        if x0.shape not in (shape, (1, *shape)):
            raise ValueError(f"x0: shape {x0.shape}, expected one state of shape {shape}; call once for each")
    problem, _ = make_problem(system, x0, clamp)
    start = problem.base.real.astype(np.int64)
    if x0 is not None:
        start = np.where(problem.frame.cluster >= 0, x0.astype(np.int64).reshape(1, -1), start)
    if len(start) != 1:
        raise ValueError(f"clamp: a batch of {len(start)}, expected one state; call once for each")
    return problem, start


def _marks(t_span, events, record, clock):
    """Times, or numbers of events, to record at, the first one being the start; and where to stop."""
    if (t_span is None) == (events is None):
        raise ValueError(f"t_span, events: got {t_span!r} and {events!r}, expected one of them")
    if events is not None:
        if clock != "gillespie":
            raise ValueError(
                f"events: got {events!r} with the clock {clock!r}, expected 'gillespie'; give other clocks a t_span"
            )
        count("events", events)
        span = (0.0, float(events))
    else:
        pair = (0.0, t_span) if isinstance(t_span, Number) else sequence("t_span", t_span, expected=SPAN)
        span = tuple(number("t_span", k) for k in pair)
    if len(span) != 2 or not span[1] > span[0]:
        raise ValueError(f"t_span: got {t_span!r}, expected a duration or (first, last), finite and increasing")
    if clock != "gillespie" and (span[1] - span[0]) % 1.0:
        raise ValueError(f"t_span: got {t_span!r}, expected whole sweeps with the clock {clock!r}")
    if np.ndim(record) == 0:
        if not isinstance(record, Integral) or isinstance(record, bool | np.bool_) or record < 1:
            raise ValueError(
                f"record: got {seen(record)}, expected a positive integer, the number of intervals, or a list of times"
            )
        marks = np.linspace(*span, int(record) + 1)
        if clock != "gillespie" or events is not None:
            marks = np.unique(np.rint(marks - span[0])) + span[0]
    else:
        times = array("record", record)
        if times.ndim != 1 or not times.size or (events is not None and np.any(times % 1.0 != 0.0)):
            what = "times" if events is None else "whole numbers of events"
            raise ValueError(f"record: got {record!r}, expected one or more {what}, or a number of intervals")
        marks = np.concatenate([[span[0]], times])
        marks = marks[1:] if len(marks) > 1 and marks[1] == span[0] else marks
        if not (np.all(np.diff(marks) > 0) and marks[-1] <= span[1]):
            raise ValueError(f"record: got {record!r}, expected increasing times within {span}")
    if clock != "gillespie" and np.any(marks - span[0] != np.rint(marks - span[0])):
        raise ValueError(f"record: got {record!r}, expected times at whole sweeps with the clock {clock!r}")
    return marks, span[1]
