"""Leaky integrate-and-fire neurons, advanced exactly.

    tau dv/dt = -(v - v_rest) + resistance I(t),    v >= v_threshold: spike, v = v_reset for `refractory`.

v in volts, I in amperes with ``resistance`` in ohms; with the default resistance of 1, currents (and weights) are in
volts.  With current receptors (linear filters) the joint propagator of v and the receptors is exact for any dt;
the grid shows only in the spike times, which ``exact_times=True`` solves for inside the step.  With conductance
receptors the conductance is held over the step (exponential Euler, first order).

The dimensionless form v' = (v - v_rest) / (v_threshold - v_rest), tau dv'/dt = -v' + I', threshold 1, is
``LIF(tau=tau, v_rest=0, v_threshold=1, v_reset=0)``; I' = resistance I / (v_threshold - v_rest).

L. Lapicque, J. Physiol. Pathol. Gen. 9, 620 (1907); exact propagators: S. Rotter and M. Diesmann, Biol. Cybern. 81,
381 (1999); threshold crossings inside the step: A. Morrison et al., Neural Comput. 19, 47 (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from circuits.neurons.cells import lif_exact, lif_general, lif_steps
from circuits.neurons.cells.lif_conductance import exponential_euler
from circuits.neurons.cells.linearised import given_state
from circuits.neurons.cells.membrane import system
from circuits.neurons.parameters import check_numbers, check_shapes
from circuits.neurons.program import Program, steps_of
from circuits.neurons.synapses.propagator import as_held, membrane_step
from circuits.neurons.synapses.receptors import Delta
from physlearn.brief import brief
from physlearn.checks import array
from physlearn.quantities import take_si

_NAMES = ("tau", "v_rest", "v_threshold", "v_reset", "refractory", "resistance")


@dataclass(frozen=True)
class LIF:
    """A leaky integrate-and-fire neuron.

    Parameters
    ----------
    tau : float or (n,) array
        Membrane time constant, s.
    v_rest, v_threshold, v_reset : float or (n,) array
        V; the threshold lies above the reset.  v_rest may lie above the threshold (the neuron then fires by itself).
    refractory : float or (n,) array
        s, whole steps of dt; v is held at v_reset.
    resistance : float or (n,) array
        ohm; 1 where currents are given in volts.
    exact_times : bool
        Solve for the threshold crossing inside the step and leave refractoriness inside the step: in closed form where
        the current is held (no receptors, or a `Delta`), by halving with filters (to 1e-12 of the step).  Spikes reach
        their targets on the grid.  A crossing is seen where v is at or above threshold at either
        end of a step: an excursion that begins and ends inside one is missed, and a second spike within a step stops
        the run.

    Examples
    --------
    The rate under constant drive, 1 / (refractory - tau ln(1 - 1 / (R I / 10 mV))):

    >>> from circuits.neurons import Constant, Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)
    >>> network = SpikingNetwork({"n": Population(cell, 1)}, inputs=[Constant("n", 15e-3)])
    >>> len(integrate(network, (0.0, 1.0), dt=1e-4).spikes["n"].times)
    41
    """

    tau: float | np.ndarray
    v_rest: float | np.ndarray
    v_threshold: float | np.ndarray
    v_reset: float | np.ndarray
    refractory: float | np.ndarray = 0.0
    resistance: float | np.ndarray = 1.0
    exact_times: bool = False

    __repr__ = brief

    variables = ("v",)
    units = ("V",)
    differences = False
    system = system

    def __post_init__(self):
        volts = dict.fromkeys(("v_rest", "v_threshold", "v_reset"), "V")
        take_si(self, tau="s", refractory="s", resistance="ohm", **volts)
        check_numbers(self, _NAMES, positive=("tau", "resistance"), nonnegative=("refractory",))
        if not isinstance(self.exact_times, bool | np.bool_):
            raise TypeError(f"LIF: exact_times={self.exact_times!r}, expected True or False")
        if np.any(np.asarray(self.v_threshold) <= np.asarray(self.v_reset)):
            raise ValueError(
                f"LIF: v_threshold={self.v_threshold!r} V is not above v_reset={self.v_reset!r} V: the neuron would "
                "spike without end; raise the threshold"
            )

    def initial(self, n):
        """At rest, or at reset where rest is above threshold, (1, n)."""
        check_shapes(self, _NAMES, n)
        start = np.where(np.asarray(self.v_rest) < self.v_threshold, self.v_rest, self.v_reset)
        return np.broadcast_to(start, (n,)).reshape(1, n).astype(float)

    @property
    def scales(self):
        """Size of the voltage: from reset to threshold, V."""
        return (np.max(np.subtract(self.v_threshold, self.v_reset)),)

    @property
    def current_gain(self):
        """Derivative of dv/dt by the current."""
        return self.resistance / self.tau

    def velocity(self, x, current):
        """Time derivative of the state below threshold, (1, ...).

        Parameters
        ----------
        x : (1, ...) array
            v.
        current : float or array
            A (V where the resistance is 1).

        Examples
        --------
        >>> float(LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0).velocity([5e-3], 15e-3)[0])
        0.5
        """
        return (self.v_rest - given_state(self, "x", x) + self.resistance * array("current", current)) / self.tau

    def jacobian(self, x, current=0.0):
        """Derivative of `velocity` by the state, (..., 1, 1)."""
        return np.full((*np.shape(x)[1:], 1, 1), -1.0 / self.tau)

    def state_at(self, v, current=0.0):
        """The state at a voltage, (1, ...)."""
        return np.asarray(v)[None]

    def steady_current(self, v):
        """Current that holds the membrane at v, A (V where the resistance is 1)."""
        return (array("v", v) - self.v_rest) / self.resistance

    def below(self, x):
        """Distance of a state (1, ...) to threshold, V."""
        return self.v_threshold - x[0]

    def check(self, n, dt, method):
        """Refuse parameters that do not fit n neurons or the step."""
        check_shapes(self, _NAMES, n)
        if method not in ("auto", "exact", "exponential_euler"):
            raise ValueError(
                f"method: {method!r} does not fit LIF; expected 'auto', 'exact' (current receptors) or "
                "'exponential_euler' (conductance receptors)"
            )
        steps_of("LIF: refractory", self.refractory, dt)

    def program(self, n, dt, receptors, method):
        """Compiled step of n neurons; see `Program`."""
        conducting = any(receptor.reversal is not None for receptor in receptors)
        if conducting and method == "exact":
            raise ValueError("method: 'exact' needs current receptors; with conductances use 'exponential_euler'")
        if conducting and self.exact_times:
            raise ValueError(
                "LIF: exact_times needs current receptors, whose step is exact; drop exact_times or the reversal "
                "potentials"
            )
        per_neuron = any(np.ndim(getattr(self, f)) for f in self.__dataclass_fields__)
        if conducting or method == "exponential_euler":
            return self._conductance(n, dt, receptors)
        filtered = partial(as_held, self.tau, h=dt)
        chains = [r for r in receptors if not isinstance(r, Delta)]
        deltas = len(receptors) - len(chains)
        simple = all(len(r.taus) == 1 for r in chains) and len(chains) <= 2 and deltas <= 1
        if simple and not per_neuron and not self.exact_times and not (deltas and chains):
            return self._fused(n, dt, chains, deltas)._replace(filtered=filtered)
        if self.exact_times and not chains and deltas <= 1:
            return self._closed(n, dt, deltas)._replace(filtered=filtered)
        return self._general(n, dt, receptors)._replace(filtered=filtered)

    def _fused(self, n, dt, chains, deltas):
        leak, current, into_v, decay = membrane_step(self.tau, self.resistance, chains, dt)
        kind = lif_steps.DELTA if deltas else len(chains)
        pairs = [value for b, d in zip(into_v, decay, strict=True) for value in (b[0, 0], d[0, 0])]
        rest = self.v_rest * -np.expm1(-dt / self.tau)
        floats = [0.0, self.v_threshold, self.v_reset, rest, leak[0], current[0], *pairs]
        steps = steps_of("LIF: refractory", self.refractory, dt)
        ints = np.concatenate([np.full(n, lif_steps.LONG_AGO), np.zeros(n + 2), [kind, steps]]).astype(np.int64)
        floats = np.array(floats, float)
        return Program(lif_steps.fused, floats, ints, 2 * n + 2, receptors_inside=True, driven_at=0, name="exact")

    def _closed(self, n, dt, deltas):
        leak, current, _, _ = membrane_step(self.tau, self.resistance, [], dt)
        rates = dt / np.asarray(self.tau)
        columns = (self.v_threshold, self.v_reset, self.v_rest, leak, current, self.resistance, rates)
        k = n if any(np.ndim(getattr(self, name)) for name in _NAMES) else 1
        floats = np.concatenate([np.zeros(2 * n), *(np.broadcast_to(column, (k,)) for column in columns)]).astype(float)
        refractory = np.broadcast_to(steps_of("LIF: refractory", self.refractory, dt), (n,))
        ints = np.concatenate([np.full(n, lif_steps.LONG_AGO), np.zeros(n), refractory, [k > 1, deltas]])
        ints = ints.astype(np.int64)
        return Program(lif_exact.held, floats, ints, 2 * n, receptors_inside=True, exact_times=True, name="exact")

    def _general(self, n, dt, receptors):
        chains = [r for r in receptors if not isinstance(r, Delta)]
        per_neuron = any(np.ndim(getattr(self, f)) for f in self.__dataclass_fields__)
        k = n if per_neuron else 1
        structure, row = [], 1
        for receptor in receptors:
            structure += [row, len(receptor.taus)]
            row += receptor.rows
        levels = lif_general.LEVELS if self.exact_times else 1
        columns = [np.broadcast_to(p, (k,)) for p in (self.v_threshold, self.v_reset, self.v_rest)]
        tables = []
        for level in range(levels):
            leak, current, into_v, decay = membrane_step(self.tau, self.resistance, chains, dt / 2**level)
            tables += [np.broadcast_to(x, (k,)) for x in (leak, current, *(row for b in into_v for row in b))]
            tables += [matrix.ravel() for matrix in decay]
        scratch = np.zeros(2 * row + 2)
        floats = np.concatenate([scratch, *columns, *tables]).astype(float)
        refractory = np.broadcast_to(steps_of("LIF: refractory", self.refractory, dt), (n,))
        size = sum(map(np.size, tables)) // levels
        header = [len(receptors), row, int(per_neuron), levels, size, *structure]
        ints = np.concatenate([np.full(n, lif_steps.LONG_AGO), np.zeros(n), refractory, header]).astype(np.int64)
        return Program(
            lif_general.general, floats, ints, 2 * n, receptors_inside=True, exact_times=self.exact_times, name="exact"
        )

    def _conductance(self, n, dt, receptors):
        shortest = min([float(np.min(self.tau)), *(tau for receptor in receptors for tau in receptor.taus)])
        if dt > shortest:
            raise ValueError(
                f"dt: {dt!r} s is longer than the shortest time constant, {shortest!r} s, and conductances are "
                "held over a step; choose a smaller one"
            )
        columns = (self.v_threshold, self.v_reset, self.v_rest, self.resistance, dt / np.asarray(self.tau))
        floats = np.concatenate([np.broadcast_to(column, (n,)) for column in columns]).astype(float)
        refractory = np.broadcast_to(steps_of("LIF: refractory", self.refractory, dt), (n,))
        ints = np.concatenate([np.zeros(n), refractory]).astype(np.int64)
        return Program(exponential_euler, floats, ints, n)
