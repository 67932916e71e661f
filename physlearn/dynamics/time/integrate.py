"""integrate: a system in real time.

    tau dx/dt = force(x),                    at T = 0: the flow whose end `relax` finds
    tau dx/dt = force(x) + sqrt(2 T tau) xi, at T > 0: overdamped Langevin dynamics (xi white noise)

The force is -dE/dx of an `Energy`, any field of a `System`, and field - x on a layer with an activation
(Hopfield 1984; Cohen and Grossberg 1983); along the T = 0 flow of an energy E falls.  tau is a friction, a
capacitance, a time constant: what the force must carry.  Variables tied by a clamp on their difference move
as one, whose tau is their sum.  A variable with bounds rests at a bound against which the force pushes it.

Machines with another time evolution (spikes, kinetics) bring their own: the verb hands over to their method
``__integrate__(t_span, **settings)``.
"""

from __future__ import annotations

import functools
import inspect
import warnings

import numpy as np

from physlearn.checks import choice, not_negative, seen
from physlearn.dynamics.frame import given
from physlearn.dynamics.notes import of_motion
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.time import adaptive, fixed_step
from physlearn.dynamics.time.given import check, kept_steps, mass_of, span_of, split, times_of, whole_steps
from physlearn.dynamics.time.trajectory import Trajectory
from physlearn.energy import System
from physlearn.errors import DivergenceError
from physlearn.machine import system_of
from physlearn.progress import Bar
from physlearn.quantities import si
from physlearn.rng import streams
from physlearn.threads import on_one_thread

METHODS = (*adaptive.METHODS, *fixed_step.METHODS)


def integrate(system, t_span, **settings):
    """Follow a system from t_span[0] to t_span[1] (seconds).

    Parameters
    ----------
    system : Machine, Energy, System, or a machine with a method ``__integrate__``
        A machine of the last kind takes its own settings and returns its own record: for a network of neurons see
        below.
    t_span : (float, float)
        Begin and end, s.
    x0 : array or mapping of str to array, optional
        Start, (batch, *shape) or (*shape); default zero, within bounds, or the start that its kind tells.
    times : array, optional
        When to keep the state, ascending, within t_span; default 101 equally spaced times (with ``dt``: every step, or
        every k-th, at most 1001 in all).
    dt : float, optional
        Step of the fixed-step methods, s; t_span and times must be whole steps.
    method : str
        "auto": "adaptive" without ``dt``, else "rk4"; with a temperature "heun".  "adaptive" (Runge-Kutta 5(4),
        step by step as ``tol`` asks), "stiff" (backward differences, with the terms' jacobians where all have
        one), "euler" (order 1), "rk4" (order 4), "euler_maruyama" and "heun" (noise; both of strong order 1
        as the noise is additive, "heun" of order 2 in the drift).
    tau : float, or mapping of str to float or array
        Time constant (friction, capacitance) of every layer; default the ``tau`` that its kind tells, else 1.
    clamp : mapping of str to array or to function of time, optional
        As in `relax`; a function ``t -> values`` drives its readout (a field h(t), a voltage, a current).  The
        adaptive methods then take no step longer than 1/200 of t_span, nor than the mean distance of ``times`` (or
        1/2000): they may miss shorter pulses, which need finer ``times`` or ``dt``.
    nudge : Nudge or sequence of Nudge, optional
        As in `relax`.
    temperature : float
        Of the noise, in the energy's units; default 0.
    tol : float
        Relative local error of the adaptive methods; the absolute one is tol times 1e-3 times a variable's size: its
        value at the start or to which the forces there lead, or, if that is zero, the largest of the item.
    diverged : {"warn", "raise"}
        What to do when an item leaves the finite numbers; the record holds what was reached.
    rng : int, Generator or None
        Of the noise: an item's numbers do not depend on how many items run.
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        Times outside the span or between steps, a method that does not fit.
    DivergenceError
        With ``diverged="raise"``.

    Networks of neurons
    -------------------
    A `circuits.neurons.SpikingNetwork` takes these settings in place of those above, and returns a
    `circuits.neurons.Recording`:

    dt : float
        Step of the grid, s; t_span, delays and refractory periods must be whole steps.
    record : "spikes", None, or mapping of str to "spikes", None or Record
        What to keep of each population: ``{"E": Record(["v"], every=1e-3, neurons=[0, 1])}`` samples variables of the
        neurons named, with their spikes; of a projection with STDP its weights ("w").  Default: the spikes of all.
    stream : path, optional
        A new directory into which the record is written as it grows, for runs that do not fit in memory; read it,
        also during the run, with `circuits.neurons.read_stream`.
    threads : int
        Results do not depend on it.  Default 1.
    sweep : mapping of str to (m,) array, optional
        m parameter sets of one network in one call, such as ``{"E->I.weight": weights}`` or ``{"E.tau": taus}``; the
        result is then a list of m recordings.
    closed_loop : ClosedLoop, optional
        A function of Python that is called every k steps of the run (`circuits.neurons.ClosedLoop`).
    method : str, or mapping of population to str
        "auto", or a method of the neuron models.
    progress : bool, optional
        As above.
    x0 : NetworkState, optional
        ``recording.final`` of another run, which this run then continues bit for bit (formerly ``state``).
    rng : int, Generator or None
        Of the noise.

    Examples
    --------
    A capacitor of 1 uF charging through 1 kohm: the time constant is 1 ms.

    >>> import numpy as np
    >>> from physlearn import Energy, Readout, Real, integrate
    >>> from physlearn.terms import Edges
    >>> rc = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1e-3]}, {"source": Readout("v", [0])})
    >>> run = integrate(rc, (0.0, 1e-3), clamp={"source": [1.0]}, tau=1e-6, tol=1e-8)
    >>> print(f"{run.x[-1, 1]:.6f}", f"{1 - np.exp(-1):.6f}")
    0.632121 0.632121

    A neuron driven beyond its threshold (see "Networks of neurons"):

    >>> from circuits.neurons import LIF, Constant, Population, Record, SpikingNetwork
    >>> cell = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3)
    >>> network = SpikingNetwork({"E": Population(cell, 2)}, inputs=[Constant("E", 30e-3)])
    >>> run = integrate(network, (0.0, 0.1), dt=1e-4, record={"E": Record(["v"], every=1e-3, neurons=[0])})
    >>> len(run.spikes["E"]), run.traces["E"]["v"].shape
    (6, (100, 1))
    """
    if isinstance(t_span, System) or hasattr(type(t_span), "__integrate__"):
        raise TypeError(f"t_span: got {seen(t_span)}, expected (begin, end) in seconds; call integrate(system, t_span)")
    span = span_of(si("t_span", t_span, "s"))
    settings |= {name: si(name, settings[name], "s") for name in ("dt", "times") if name in settings}
    own = hasattr(type(system), "__integrate__")
    run = type(system).__integrate__ if own else _flow
    _check_settings(run, settings, type(system).__name__ if own else "system of layers")
    return run(system, span, **settings)


@functools.lru_cache
def _settings_of(run):
    """Names of the settings of a verb's method, of those without a default, and whether it takes any others."""
    parameters = inspect.signature(run).parameters
    known = {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    needed = [name for name, p in known.items() if p.default is p.empty]
    return list(known), needed, any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _check_settings(run, settings, what):
    """Refuse settings of another kind of machine by name."""
    known, needed, others = _settings_of(run)
    for name in settings:
        if name not in known and not others:
            raise TypeError(f"{name}: integrate takes no such setting for a {what}, expected some of {known}")
    for name in needed:
        if name not in settings:
            raise TypeError(f"{name}: missing, a {what} needs it; call integrate(..., {name}=...)")


@on_one_thread
def _flow(
    system,
    span,
    *,
    x0=None,
    times=None,
    dt=None,
    method="auto",
    tau=None,
    clamp=None,
    nudge=None,
    temperature=0.0,
    tol=1e-6,
    diverged="warn",
    rng=None,
    progress=None,
) -> Trajectory:
    system = system_of(system)
    choice("diverged", diverged, ("warn", "raise"))
    choice("method", method, ("auto", *METHODS))
    temperature = not_negative("temperature", temperature)
    if method == "auto":
        method = "heun" if temperature > 0 else "adaptive" if dt is None else "rk4"
    moving, clamp = split(clamp)
    at_start = clamp | {name: value(span[0]) for name, value in moving.items()}
    problem, single = make_problem(system, x0, at_start, nudge)
    if (sentence := problem.beyond(problem.first())) is not None:
        raise ValueError(f"x0: {sentence}; begin inside the region where the field holds")
    check(problem, method, dt, temperature, moving, tol)
    mass = mass_of(problem, tau)
    drive = _driven(problem, clamp, moving)
    if method in adaptive.METHODS:
        times = times_of(times, span)
        with Bar("integrate", "s", problem.batch * (span[1] - span[0]), progress) as bar:
            run = adaptive.follow(problem, mass, drive, span, times, method, tol, bar)
    else:
        assert dt is not None  # checked above
        steps = whole_steps(span[1] - span[0], dt, "t_span")
        if steps == 0:
            raise ValueError(f"dt: got {dt:g}, expected at most the length of t_span, {span[1] - span[0]:g} s")
        keep = kept_steps(times, span, dt, steps)
        noise = streams(rng, problem.batch) if temperature > 0 else None
        times = np.minimum(span[0] + keep * dt, span[1])
        with Bar("integrate", "item step", problem.batch * int(keep[-1]), progress) as bar:
            run = fixed_step.follow(problem, mass, drive, span[0], dt, keep, method, temperature, noise, bar)
    z, taken, stopped, label = run
    return _record(problem, drive, times, z, taken, stopped, label, single, diverged, of_motion(problem, method))


def _driven(problem, clamp, moving):
    """``drive(t)``, given values and forces at time t, or None where none move."""
    if not moving:
        return None
    system, walled = problem.system, bool(np.any(np.isfinite(problem.bounds)))

    def drive(t):
        values = dict(system.fixed) | clamp | {name: value(t) for name, value in moving.items()}
        u, force = given(system, problem.frame, values, problem.batch)
        if len(u) != problem.batch:
            raise ValueError(
                f"clamp: {sorted(moving)} give {len(u)} items at t = {t:g} s, {problem.batch} at the start"
            )
        if not problem.complex and (np.iscomplexobj(u) or np.iscomplexobj(force)):
            raise ValueError(f"clamp: {sorted(moving)} are complex at t = {t:g} s; begin at a complex x0")
        if walled:
            problem.give(u, force)
            problem.check_given()
        return u, force

    return drive


def _record(problem, drive, times, z, steps, stopped, method, single, diverged, notes):
    """Kept free variables (k, batch, m) to a Trajectory."""
    states, energies, times = [], [], times[: len(z)]
    for t, item in zip(times, z, strict=True):
        if drive is not None:
            problem.give(*drive(t))
        x = problem.state(item)
        states.append(x)
        energies.append(problem.bare_energy(x))
    x = {name: np.array([state[name] for state in states]) for name in problem.system.layers}
    energy = np.array(energies)
    if single:
        x, energy = {name: value[:, 0] for name, value in x.items()}, energy[:, 0]
    result = Trajectory(times, next(iter(x.values())) if len(x) == 1 else x, energy, method, steps, stopped, notes)
    if stopped is not None:
        remedy = "" if problem.limited else ". Lower dt or tol, or bound the variables"
        message = f"integrate: {stopped}{remedy}; what was reached is kept"
        if diverged == "raise":
            raise DivergenceError(message, result)
        warnings.warn(message, RuntimeWarning, stacklevel=5)
    return result
