"""Steps of a circuit in time: companions of capacitors, states of memristors, noise of resistors.

See `circuits.nodal.transient` for the methods.
"""

from __future__ import annotations

import numpy as np

from circuits.nodal.newton import Search, solve
from circuits.nodal.plan import plan_of
from circuits.nodal.system import CircuitSystem
from physlearn.checks import array, mapping
from physlearn.dynamics.frame import concatenate, frame_of, given
from physlearn.dynamics.problem import Problem
from physlearn.energy import Readout
from physlearn.errors import ConvergenceError
from physlearn.rng import children
from physlearn.terms.edges import Edges

BOLTZMANN = 1.380649e-23  # J/K
STIFF = 1e9  # companions that hold capacitors at their initial voltages, in units of C / dt
KEPT = 16  # lengths of step whose equations are kept


class Drive:
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

    def corners(self, end):
        """Times up to ``end`` at which the slope of a source's waveform jumps, ascending."""
        found = [f.corners(end) for f in self.moving.values() if hasattr(f, "corners")]
        return np.unique(np.concatenate(found)) if found else np.zeros(0)

    def at(self, t):
        """{readout: (k,) or (batch, k)} at a time."""
        return self.constant | {name: np.atleast_1d(np.asarray(f(t), float)) for name, f in self.moving.items()}


class Steps:
    """The circuit with its companions, and what must be remembered from step to step.

    ``dt`` is the length of the next step; ``past`` the capacitors' voltages before the last one, of length ``last``,
    ``current`` their currents, None where they are not known: the next step is then backward Euler's.
    """

    def __init__(self, circuit, method, dt, drive, batch, noisy, rng):
        self.circuit, self.method, self.dt, self.drive, self.last = circuit, method, dt, drive, dt
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
        self.companion, self.searches = None, {}
        self.memristors = circuit.memristors
        self.memory = np.array([element.state for _, _, element, _, _ in self.memristors])
        if len(self.memory) and (batch > 1 or drive.batched):
            raise ValueError("batch: memristors have one state each, so that one run at a time is followed")

    def system(self, siemens_per_farad):
        """The circuit's system with a conductance beside every capacitor."""
        if self.companion is None:
            base = self.circuit.system
            terms, theta = list(base.terms), dict(base.theta)
            if len(self.farads):
                terms.append(Edges("v", self.ends, nodes=self.n, parameter="companion", labels=self.circuit.nodes))
                theta["companion"] = siemens_per_farad * self.farads
            readouts = dict(base.readouts) | {"history": Readout("v", force=True)}
            self.companion = CircuitSystem(base.layers, terms, theta, readouts, base.fixed)
            self.companion.check_terms()
        theta = {"companion": siemens_per_farad * self.farads} if len(self.farads) else {}
        if self.conductance is not None:
            theta["conductance"] = self.conductance
        return self.companion.with_theta(theta)

    def rest(self, factor, t, history, start):
        """State at rest of the companion circuit at a time, (batch, n unknowns)."""
        if factor not in self.searches and len(self.searches) >= KEPT:
            self.searches.clear()
        search = self.searches.get(factor)
        system = self.system(factor) if search is None else search.problem.system
        clamp = self.drive.at(t) | {"history": history}
        frame = frame_of(system, tuple(clamp))
        u, force = given(system, frame, clamp, len(history) if len(history) > 1 else None)
        layers, at = {}, 0
        for name, layer in system.layers.items():
            layers[name] = np.broadcast_to(start[:, at : at + layer.size], (len(u), layer.size))
            at += layer.size
        if search is None:
            problem = Problem(system, frame, tuple(clamp), u, force, (), layers)
            search = self.searches[factor] = Search(problem, plan_of(problem))
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
            problem = search.problem
            problem.system = problem.system.with_theta({"conductance": g})
            self.searches[factor] = Search(problem, plan_of(problem))
        self.conductance = g

    def step(self, v, t):
        """Voltages (batch, n) one step after those at t."""
        old, dt, c = self.drops(v), self.dt, self.farads
        if self.method == "midpoint":
            return self.midpoint(v, old, t)
        if self.method == "bdf2" and self.past is not None:
            r = dt / self.last
            factor = (1.0 + 2.0 * r) / (1.0 + r) / dt
            pull = (c / dt) * ((1.0 + r) * old - r * r / (1.0 + r) * self.past)
        elif self.method == "bdf2" or self.current is None:
            factor, pull = 1.0 / dt, (c / dt) * old
        else:
            factor, pull = 2.0 / dt, (2.0 * c / dt) * old + self.current
        self.whole = self.rest(factor, t + dt, self.sources(pull), self.whole)
        new = self.whole[:, : self.n]
        self.past, self.current, self.last = old, factor * c * self.drops(new) - pull, dt
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

    def kept(self):
        """What a step changes, so that it can be taken back."""
        return self.past, self.current, self.last, self.whole, self.memory

    def take_back(self, kept):
        """Return to where `kept` was called."""
        self.past, self.current, self.last, self.whole, self.memory = kept
        if self.memristors:
            self.remember(self.memory)

    def forget(self):
        """Begin anew where a source's slope jumps: the next step is backward Euler's."""
        self.past = self.current = None
