"""Hodgkin-Huxley neurons: sodium and potassium channels with voltage-dependent gates m, h, n.

    C dv/dt = -g_na m^3 h (v - e_na) - g_k n^4 (v - e_k) - g_leak (v - e_leak) + I(t)
    dx/dt   = alpha_x(v) (1 - x) - beta_x(v) x        for x = m, h, n

(A. L. Hodgkin and A. F. Huxley, J. Physiol. 117 (1952) 500, equations 26 and 7, 15, 16.)  Sodium goes with the third
power of m, potassium with the fourth of n; some lecture notes print other powers.  A spike is an upward crossing of
``threshold``; nothing is reset.

Between 6.26 and 9.775 uA/cm2 the squid axon is bistable: it keeps firing or stays at rest, depending on its
past.  Sustained firing on a step from rest sets in between 6.2600 and 6.2605 uA/cm2; just below, firing lasts long
before it stops (at 6.2565 for 0.22 s), so that a criterion such as "still firing at 200 ms" gives 6.256.  Scans of
current should start each neuron from rest, which is what ``initial`` gives.

Methods: ``exponential_euler`` (first order), ``strang`` (second order at nearly the same cost: half a step of the
voltage, a step of the gates, half a step of the voltage, each exact; the default), ``rk4`` (fourth), ``adaptive``.
Orders hold for inputs constant over the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.neurons.cells import hodgkin_huxley_steps as steps
from circuits.neurons.cells.channels import Gate, squid_gates, traub_miles_gates
from circuits.neurons.cells.linearised import gated_jacobian, gates_at_rest, given_state
from circuits.neurons.cells.membrane import system
from circuits.neurons.cells.methods import stepper
from circuits.neurons.parameters import check_method, check_numbers, check_shapes, rows_of
from circuits.neurons.program import Program
from physlearn.brief import brief
from physlearn.checks import array, positive
from physlearn.quantities import take_si

_NAMES = ("capacitance", "g_na", "g_k", "g_leak", "e_na", "e_k", "e_leak", "threshold")  # order of the kernels
_UPDATES = {"exponential_euler": steps.exponential_euler, "strang": steps.strang, "rk4": steps.rk4}
METHODS = ("exponential_euler", "strang", "rk4", "adaptive")


@dataclass(frozen=True)
class HodgkinHuxley:
    """A neuron with gates m, h and n; by default a patch of squid giant axon.

    Parameters
    ----------
    capacitance : float or (n,) array
        F, or F/m^2 with conductances and currents per area, as in ``squid()``.
    g_na, g_k, g_leak : float or (n,) array
        Largest conductances, S (or S/m^2).
    e_na, e_k, e_leak : float or (n,) array
        Reversal potentials, V.
    threshold : float or (n,) array
        V; a spike is an upward crossing.  Above about 100 uA/cm2 the squid's spikes shrink below 0 mV.
    m, h, n : Gate
        Rates alpha and beta, time constants and steady states: ``model.m.alpha(v)``, ``model.n.steady(v)``.

    Examples
    --------
    >>> squid = HodgkinHuxley(threshold=-20e-3)
    >>> float(squid.rest())
    -0.0649964
    >>> float(squid.h.steady(-65e-3))
    0.5961

    10 uA/cm2 = 0.1 A/m^2 for 100 ms give 7 spikes, the first after 1.8 ms:

    >>> from circuits.neurons import Constant, Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> network = SpikingNetwork({"axon": Population(squid, 1)}, inputs=[Constant("axon", 0.1)])
    >>> integrate(network, (0.0, 0.1), dt=1e-5).spikes["axon"].times[:2]
    array([0.00182, 0.01672])
    """

    capacitance: float | np.ndarray = 0.01
    g_na: float | np.ndarray = 1200.0
    g_k: float | np.ndarray = 360.0
    g_leak: float | np.ndarray = 3.0
    e_na: float | np.ndarray = 50e-3
    e_k: float | np.ndarray = -77e-3
    e_leak: float | np.ndarray = -54.387e-3
    threshold: float | np.ndarray = 0.0
    m: Gate = field(default_factory=lambda: squid_gates()[0])
    h: Gate = field(default_factory=lambda: squid_gates()[1])
    n: Gate = field(default_factory=lambda: squid_gates()[2])

    __repr__ = brief

    variables = ("v", "m", "h", "n")
    units = ("V", "1", "1", "1")
    scales = (1e-2, 1e-2, 1e-2, 1e-2)
    voltages, hopf_voltages = (-0.15, 0.15), (-0.09, -0.02)  # where fixed and Hopf points are looked for, V
    differences = False
    below = None  # a spike resets nothing
    system = system

    def __post_init__(self):
        siemens = dict.fromkeys(("g_na", "g_k", "g_leak"), ("S", "S/m2"))
        take_si(self, capacitance=("F", "F/m2"), e_na="V", e_k="V", e_leak="V", threshold="V", **siemens)
        check_numbers(self, _NAMES, positive=("capacitance", "g_leak"), nonnegative=("g_na", "g_k"))
        for name in ("m", "h", "n"):
            if not isinstance(getattr(self, name), Gate):
                raise TypeError(f"HodgkinHuxley: {name}={getattr(self, name)!r}, expected a Gate of two rates")

    @classmethod
    def squid(cls, **changes):
        """Squid giant axon at 6.3 C, per area: 1 uF/cm2, 120, 36 and 0.3 mS/cm2, rest near -65 mV.

        Parameters
        ----------
        **changes
            Other values of the class's parameters; ``e_leak=-54.4e-3`` is the other value in use.

        References
        ----------
        Hodgkin and Huxley 1952, table 3, with V shifted by -65 mV and its sign changed.
        """
        return cls(**changes)

    @classmethod
    def traub_miles(cls, *, v_t=-63e-3, area=20e-9, **changes):
        """Hippocampal pyramidal cell, as in benchmark 3 (COBAHH) of Brette et al. 2007.

        Parameters
        ----------
        v_t : float
            V; moves the gates along the voltage axis.  At -63 mV (the benchmark) the cell alone has no stable rest.
        area : float
            m^2, 20,000 um^2 by default; 1 for values per area.
        **changes
            Other values of the class's parameters.

        Examples
        --------
        >>> cell = HodgkinHuxley.traub_miles(v_t=-55e-3)
        >>> cell.capacitance, float(cell.rest())
        (2e-10, -0.0599714)
        """
        m, h, n = traub_miles_gates(v_t)
        area = positive("area", area)
        values: dict[str, Any] = dict(capacitance=0.01 * area, g_na=1000.0 * area, g_k=300.0 * area, g_leak=0.5 * area)
        values |= dict(e_na=50e-3, e_k=-90e-3, e_leak=-60e-3, threshold=-20e-3, m=m, h=h, n=n)
        return cls(**(values | changes))

    def steady_current(self, v):
        """Current that holds the membrane at v with all gates at rest, A (or A/m^2); same shape as v.

        Parameters
        ----------
        v : float or array
            V.

        Examples
        --------
        >>> squid = HodgkinHuxley.squid()
        >>> abs(float(squid.steady_current(squid.rest()))) < 1e-9
        True
        """
        return self._held_at(array("v", v))

    def _held_at(self, v):
        """`steady_current` of voltages that have been checked."""
        m, h, n = self.m.steady_at(v), self.h.steady_at(v), self.n.steady_at(v)
        sodium, potassium = self.g_na * m**3 * h * (v - self.e_na), self.g_k * n**4 * (v - self.e_k)
        return sodium + potassium + self.g_leak * (v - self.e_leak)

    def rest(self, current=0.0):
        """Lowest voltage at which nothing changes under a constant current, V; () or (n,).

        Parameters
        ----------
        current : float or (n,) array
            A (or A/m^2).
        """
        current = array("current", current, ndim=(0, 1))
        shape = np.broadcast_shapes(np.shape(current), *(np.shape(getattr(self, name)) for name in _NAMES))
        ends = [np.broadcast_to(x, shape) for x in (self.e_na, self.e_k, self.e_leak)]
        push = current / self.g_leak
        low = np.min(ends, axis=0) + np.minimum(push, 0.0) - 1e-3
        high = np.max(ends, axis=0) + np.maximum(push, 0.0) + 1e-3
        grid = low + (high - low) * np.linspace(0.0, 1.0, 1025).reshape(-1, *[1] * len(shape))
        first = np.argmax(self._held_at(grid) >= current, axis=0)
        high = np.take_along_axis(grid, first[None], 0)[0]
        low = np.take_along_axis(grid, np.maximum(first - 1, 0)[None], 0)[0]
        for _ in range(60):
            middle = 0.5 * (low + high)
            if np.all((middle == low) | (middle == high)):  # neighbours: nothing lies between
                break
            above = self._held_at(middle) >= current
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return (0.5 * (low + high))[()]

    def initial(self, n):
        """At rest without current, (4, n); at e_leak where that is unstable and the neuron fires by itself."""
        check_shapes(self, _NAMES, n)
        v = self.rest()
        unstable = np.linalg.eigvals(gated_jacobian(self, gates_at_rest(self, v))).real.max(axis=-1) > 0.0
        return gates_at_rest(self, np.broadcast_to(np.where(unstable, self.e_leak, v), (n,)))

    def slope(self, x, current):
        """Time derivative of the state.

        Parameters
        ----------
        x : (4, ...) array
            v, m, h, n.
        current : float or array
            A (or A/m^2).

        Examples
        --------
        >>> squid = HodgkinHuxley.squid()
        >>> bool(abs(squid.slope(squid.initial(1)[:, 0], 0.0)).max() < 1e-6)
        True
        """
        x, current = given_state(self, "x", x), array("current", current)
        v, m, h, n = x
        ionic = self.g_na * m**3 * h * (v - self.e_na) + self.g_k * n**4 * (v - self.e_k)
        ionic = ionic + self.g_leak * (v - self.e_leak)
        gates = [
            gate.alpha(v) * (1.0 - value) - gate.beta(v) * value
            for gate, value in ((self.m, m), (self.h, h), (self.n, n))
        ]
        return np.array([(current - ionic) / self.capacitance, *gates])

    velocity = slope

    @property
    def current_gain(self):
        """Derivative of dv/dt by the current."""
        return 1.0 / self.capacitance

    def jacobian(self, x, current=0.0):
        """Derivatives of `slope` by the state, (..., 4, 4)."""
        return gated_jacobian(self, x)

    def state_at(self, v, current=0.0):
        """The state with all gates at rest at a voltage, (4, ...)."""
        return gates_at_rest(self, v)

    def shortest_time_constant(self):
        """Of the gates between the reversal potentials, s."""
        v = np.linspace(min(np.min(self.e_k), np.min(self.e_leak)), np.max(self.e_na), 512)
        return float(min(gate.time_constant(v).min() for gate in (self.m, self.h, self.n)))

    def check(self, n, dt, method):
        """Refuse a step too long for an explicit method, unknown methods."""
        check_method(self, method, ("auto", *METHODS))
        leak = float(np.min(np.divide(self.capacitance, self.g_leak)))
        if dt > leak and method in ("auto", "exponential_euler", "strang"):
            raise ValueError(
                f"dt: {dt!r} s is longer than the membrane's own time constant, {leak:.3g} s: no spike would be seen; "
                "take a shorter step, or method='adaptive'"
            )
        shortest = self.shortest_time_constant()
        if method == "rk4" and dt > shortest:
            raise ValueError(
                f"dt: {dt!r} s is longer than the fastest gate's time constant, {shortest:.3g} s, and 'rk4' is "
                "explicit; take a shorter step, or the method 'strang', 'exponential_euler' or 'adaptive'"
            )

    def program(self, n, dt, receptors, method):
        """Compiled step of n neurons; see `circuits.neurons.program.Program`."""
        parameters = rows_of(self, _NAMES, n)
        gates = (self.m, self.h, self.n)
        rates = [value for gate in gates for rate in (gate.alpha, gate.beta) for value in rate.coefficients()]
        name = "strang" if isinstance(method, str) and method == "auto" else method
        if not isinstance(name, str) or name == "adaptive":
            each = np.hstack([parameters.T, np.broadcast_to(rates, (n, len(rates)))])
            return stepper((steps.field, steps.above, None), each, scales=np.array(self.scales), dt=dt, method=name)
        parameters[0] = 1.0 / parameters[0]
        tiles = -(-n // steps.TILE)
        padded = np.pad(parameters, ((0, 0), (0, tiles * steps.TILE - n)), mode="edge")
        tiled = padded.reshape(len(_NAMES), tiles, steps.TILE).transpose(1, 0, 2)
        idle = gates_at_rest(self, np.ravel(self.e_leak)[0])  # of the places in a tile that no neuron has
        work = idle.repeat(steps.TILE), np.zeros((steps.ROWS - 4) * steps.TILE)
        kind, shift = kind_of(gates)
        floats = np.concatenate([[dt, shift], rates, *work, tiled.ravel()])
        ints = np.concatenate([np.zeros(n), np.full(n, 2), [kind]]).astype(np.int64)
        return Program(_UPDATES[name], floats, ints, 2 * n, held="start" if name == "exponential_euler" else "middle")


def kind_of(gates):
    """Which of the compiled rates these gates have, and the voltage from which these are counted."""
    midpoint = gates[0].alpha.midpoint
    if gates == squid_gates():
        return steps.SQUID, midpoint
    v_t = midpoint - 13e-3
    given, known = (
        [(rate.rate, rate.midpoint, rate.scale) for gate in three for rate in (gate.alpha, gate.beta)]
        for three in (gates, traub_miles_gates(v_t))
    )
    forms = [(gate.alpha.form, gate.beta.form) for gate in gates]
    if forms == [(gate.alpha.form, gate.beta.form) for gate in traub_miles_gates()] and np.allclose(
        given, known, rtol=1e-15, atol=1e-15
    ):
        return steps.TRAUB_MILES, v_t
    return steps.ANY, 0.0
