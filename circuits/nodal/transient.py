"""Circuits in time: capacitors charge, sources follow their waveforms, resistors may be noisy.

A step of length h replaces every capacitor by a conductance and a current (its companion), so that it is an operating
point of the circuit itself; nodes without a capacitor follow at once.

    trapezoidal   i = (2 C / h) (v_1 - v_0) - i_0                 order 2, conserves
    bdf2          i = (C / h) (3 v_1 / 2 - 2 v_0 + v_(-1) / 2)    order 2, damps; the first step is backward Euler
    midpoint      backward Euler to the middle of the step, then straight on; order 2

Johnson noise: each resistor carries a white current of two-sided density 2 k T g, constant within a step.  The midpoint
rule gives a linear circuit its stationary variance, k T / C on a capacitor, exactly and at any step.
Source: Nagel 1975, section 5; Johnson 1928; Nyquist 1928.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.nodal.newton import Search, solve
from circuits.nodal.operating_point import Named
from circuits.nodal.plan import plan_of
from circuits.nodal.system import CircuitSystem
from physlearn.checks import array, choice, count, flag, mapping, positive
from physlearn.dynamics.frame import concatenate, frame_of, given
from physlearn.dynamics.problem import Problem
from physlearn.energy import Readout
from physlearn.errors import ConvergenceError
from physlearn.rng import children
from physlearn.terms.edges import Edges
from physlearn.threads import on_one_thread

BOLTZMANN = 1.380649e-23  # J/K
STIFF = 1e9  # companions that hold capacitors at their initial voltages, in units of C / dt
METHODS = ("trapezoidal", "bdf2", "midpoint")
MOST_STEPS = 10**8


@dataclass(frozen=True, eq=False, repr=False)
class Transient:
    """A circuit in time.

    Attributes
    ----------
    t : (k,) array
        Times, s.
    x : (k, n) or (k, batch, n) array
        Voltages of all nodes, V; of nodes without a capacitor, under noise, in the middle of the step before.
    voltages : mapping of node to (k,) or (k, batch) array
        The same by node.
    method : str
    steps : int
        Steps of time taken.
    newton : int
        Newton steps in all.
    states : mapping of str to (k,) array
        State x of every memristor.

    Examples
    --------
    A capacitor charged through a resistor for one time constant:

    >>> from circuits import Capacitor, Circuit, Resistor, VoltageSource
    >>> from physlearn import integrate
    >>> charging = Circuit({"V1": (VoltageSource(1.0), "in", "0"), "R1": (Resistor(1e3), "in", "out"),
    ...                     "C1": (Capacitor(1e-6), "out", "0")})
    >>> run = integrate(charging, (0.0, 1e-3), dt=1e-5, x0=[0.0, 1.0, 0.0], uic=True)
    >>> round(float(run.voltages["out"][-1]), 3)
    0.632
    """

    t: np.ndarray
    x: Any
    voltages: Any
    method: str
    steps: int
    newton: int
    states: Any

    def __repr__(self):
        return f"Transient(method={self.method!r}, steps={self.steps}, t={self.t[0]:g}..{self.t[-1]:g} s)"


@on_one_thread
def follow(circuit, span, *, dt, method, x0, uic, clamp, noise, every, batch, rng):
    """The run behind `Circuit.__integrate__`, whose arguments these are."""
    dt, every = positive("dt", dt), count("every", every)
    choice("method", method, ("auto", *METHODS))
    noisy = flag("noise", noise)
    if method == "auto":
        method = "midpoint" if noisy else "trapezoidal"
    if noisy and method != "midpoint":
        raise ValueError(f"method: got {method!r}, expected 'midpoint', which gives noise its right variance")
    steps = int(round((span[1] - span[0]) / dt))
    if steps < 1 or abs(steps * dt - (span[1] - span[0])) > 1e-6 * dt:
        raise ValueError(f"dt: got {dt:g}, expected a whole part of t_span, {span[1] - span[0]:g} s")
    count("dt, number of steps", steps, most=MOST_STEPS)
    drive = _Drive(circuit, clamp)
    run = _Run(circuit, method, dt, drive, count("batch", batch), noisy, rng)
    x = run.begin(x0, span[0], flag("uic", uic))
    kept, times, newton, memory = [x], [span[0]], 0, [run.memory.copy()]
    for step in range(steps):
        x = run.advance(x, span[0] + step * dt)
        newton += run.used
        if (step + 1) % every == 0:
            kept.append(x)
            memory.append(run.memory.copy())
            times.append(span[0] + (step + 1) * dt)
    states = np.array(kept)
    states = states[:, 0] if states.shape[1] == 1 and batch == 1 and not drive.batched else states
    voltages = Named({node: states[..., k] for k, node in enumerate(circuit.nodes)})
    names = [name for name, *_ in circuit.memristors]
    memories = Named(dict(zip(names, np.array(memory).T, strict=True)))
    return Transient(np.array(times), states, voltages, method, steps, newton, memories)


class _Drive:
    """Values of the sources in time: the elements' own waveforms, unless a call gives others."""

    def __init__(self, circuit, clamp):
        given = mapping("clamp", clamp or {}, [*circuit.system.readouts], "a mapping of sources to values or functions")
        self.moving, self.constant = {}, dict(circuit.system.fixed)
        for name, (element, _) in circuit.elements.items():
            if callable(getattr(element, "value", None)) and name in self.constant:
                self.moving[name] = element.value
        for name, value in given.items():
            self.moving.pop(name, None)
            self.constant.pop(name, None)
            if callable(value):
                self.moving[name] = value
            else:
                self.constant[name] = array(f"clamp[{name!r}]", value)
        self.batched = any(np.ndim(value) == 2 for value in self.constant.values())

    def at(self, t):
        """{readout: (k,) or (batch, k)} at a time."""
        return self.constant | {name: np.atleast_1d(np.asarray(f(t), float)) for name, f in self.moving.items()}


class _Run:
    """One run: the circuit with its companions, and what must be remembered from step to step."""

    def __init__(self, circuit, method, dt, drive, batch, noisy, rng):
        self.circuit, self.method, self.dt, self.drive = circuit, method, dt, drive
        self.n = len(circuit.nodes)
        self.capacitors = circuit.capacitors
        self.ends = np.array([(a, b) for _, a, b, _, _ in self.capacitors], int).reshape(-1, 2)
        self.farads = np.array([farads for *_, farads, _ in self.capacitors])
        self.batch, self.used, self.past, self.current = batch, 0, None, None
        self.noise = self.conductance = None
        if noisy:
            edges = next((t for t in circuit.system.terms if isinstance(t, Edges)), None)
            if edges is None:
                raise ValueError("noise: the circuit has no resistors")
            g = circuit.theta["conductance"]
            # from its first node to its second
            self.noise = (
                np.ascontiguousarray(edges.drops(np.eye(self.n)).T),
                np.sqrt(2.0 * BOLTZMANN * circuit.temperature * g / dt),
            )
        self.rngs = [np.random.default_rng(root) for root in children(rng, batch)] if noisy else []
        self.systems, self.searches = {}, {}
        self.memristors = circuit.memristors
        self.memory = np.array([element.state for _, _, element, _, _ in self.memristors])
        if len(self.memory) and (batch > 1 or drive.batched):
            raise ValueError("batch: memristors have one state each, so that one run at a time is followed")

    def system(self, siemens_per_farad):
        """The circuit's system with a conductance beside every capacitor; made once for each length of step."""
        if siemens_per_farad not in self.systems:
            base = self.circuit.system
            terms, theta = list(base.terms), dict(base.theta)
            if len(self.farads):
                terms.append(Edges("v", self.ends, nodes=self.n, parameter="companion", labels=self.circuit.nodes))
                theta["companion"] = siemens_per_farad * self.farads
            readouts = dict(base.readouts) | {"history": Readout("v", force=True)}
            made = CircuitSystem(base.layers, terms, theta, readouts, base.fixed)
            made.check_terms()
            if self.conductance is not None:
                made = made.with_theta({"conductance": self.conductance})
            self.systems[siemens_per_farad] = made
        return self.systems[siemens_per_farad]

    def rest(self, factor, t, history, start):
        """State at rest of the companion circuit at a time, (batch, n unknowns)."""
        system = self.system(factor)
        clamp = self.drive.at(t) | {"history": history}
        frame = frame_of(system, tuple(clamp))
        u, force = given(system, frame, clamp, len(history) if len(history) > 1 else None)
        layers, at = {}, 0
        for name, layer in system.layers.items():
            layers[name] = np.broadcast_to(start[:, at : at + layer.size], (len(u), layer.size))
            at += layer.size
        if factor not in self.searches:
            problem = Problem(system, frame, tuple(clamp), u, force, (), layers)
            self.searches[factor] = Search(problem, plan_of(problem))
        search = self.searches[factor]
        problem = search.problem
        problem.give(u, force)
        problem.start = layers
        z, residual, steps, converged, _ = solve(problem, 1e-9, 500, search)
        self.used += steps
        if not converged:
            raise ConvergenceError(
                f"integrate: no operating point at t = {t:g} s (residual {float(np.max(residual)):.3g}); "
                "take a smaller dt",
                None,
            )
        return concatenate(system, problem.state(z))

    def begin(self, x0, t, uic):
        """State at the start: the operating point there, the one given, or that of the capacitors' initial voltages."""
        unknowns = sum(layer.size for layer in self.circuit.system.layers.values())
        history = np.zeros((self.batch, self.n))
        if uic:
            charged = np.array([0.0 if volts is None else volts for *_, volts in self.capacitors])
            pull = np.tile(STIFF / self.dt * self.farads * charged, (self.batch, 1))
            x = self.rest(STIFF / self.dt, t, self.sources(pull), np.zeros((1, unknowns)))
        elif x0 is None:
            x = self.rest(0.0, t, history, np.zeros((1, unknowns)))
        else:
            given = self.circuit.system.state(getattr(x0, "x", x0), "x0")
            x = concatenate(self.circuit.system, given)
            x = np.array(np.broadcast_to(x, (max(self.batch, len(x)), x.shape[1])))
        self.current = np.zeros((len(x), len(self.farads)))  # through the capacitors
        if (uic or x0 is not None) and self.method == "trapezoidal" and len(self.farads):
            self.current = None  # not known yet: the first step is backward Euler's
        self.whole = x
        return x[:, : self.n]

    def drops(self, v):
        """Voltages of the capacitors."""
        return v[:, self.ends[:, 0]] - v[:, self.ends[:, 1]]

    def sources(self, amperes):
        """Currents into the nodes of currents that flow backwards through the capacitors, (batch, n)."""
        out = np.zeros((len(amperes), self.n))
        np.add.at(out.T, self.ends[:, 0], amperes.T)
        np.subtract.at(out.T, self.ends[:, 1], amperes.T)
        return out

    def advance(self, v, t):
        """A step of the circuit and of the memristors' states (Heun's method for these)."""
        if not self.memristors:
            return self.step(v, t)
        before = self.rates(self.memory, v)
        ahead = np.clip(self.memory + self.dt * before, 0.0, 1.0)
        self.remember(ahead)
        new = self.step(v, t)
        self.memory = np.clip(self.memory + 0.5 * self.dt * (before + self.rates(ahead, new)), 0.0, 1.0)
        return new

    def rates(self, memory, v):
        """dx/dt of every memristor."""
        return np.array(
            [e.rate(x, v[0, a] - v[0, b]) for x, (_, _, e, a, b) in zip(memory, self.memristors, strict=True)]
        )

    def remember(self, memory):
        """Give the memristors the resistances of their states."""
        g = np.array(self.circuit.theta["conductance"])
        for x, (_, edge, element, _, _) in zip(memory, self.memristors, strict=True):
            g[edge] = 1.0 / element.resistance(x)
        for factor, search in self.searches.items():
            system = self.systems[factor] = self.systems[factor].with_theta({"conductance": g})
            problem = search.problem
            problem.system = system
            self.searches[factor] = Search(problem, plan_of(problem))
        self.conductance = g

    def step(self, v, t):
        """Voltages (batch, n) one step after those at t."""
        self.used = 0
        old, dt, c = self.drops(v), self.dt, self.farads
        if self.method == "midpoint":
            return self.midpoint(v, old, t)
        if self.method == "bdf2" and self.past is not None:
            factor, pull = 1.5 / dt, (c / dt) * (2.0 * old - 0.5 * self.past)
        elif self.method == "bdf2" or self.current is None:
            factor, pull = 1.0 / dt, (c / dt) * old
        else:
            factor, pull = 2.0 / dt, (2.0 * c / dt) * old + self.current
        self.whole = self.rest(factor, t + dt, self.sources(pull), self.whole)
        new = self.whole[:, : self.n]
        self.past, self.current = old, factor * c * self.drops(new) - pull
        return new

    def midpoint(self, v, old, t):
        """Backward Euler to the middle, under noise, then straight on where a capacitor holds the voltage."""
        push = self.sources((2.0 * self.farads / self.dt) * old)
        if self.noise is not None:
            ends, size = self.noise
            push = push - (np.stack([stream.standard_normal(len(size)) for stream in self.rngs]) * size) @ ends
        self.whole = self.rest(2.0 / self.dt, t + 0.5 * self.dt, push, self.whole)
        middle = self.whole[:, : self.n]
        held = np.zeros(self.n, bool)
        held[self.ends.ravel()] = True
        new = np.where(held, 2.0 * middle - v, middle)
        return new
