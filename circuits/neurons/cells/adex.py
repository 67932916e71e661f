"""Adaptive exponential integrate-and-fire neurons.

    C dv/dt     = -g_leak (v - e_leak) + g_leak slope exp((v - v_threshold) / slope) - w + I(t)
    tau_w dw/dt = a (v - e_leak) - w
    v >= v_peak: spike, v = v_reset, w = w + b

v in V, w and I in A.  v_threshold is where the exponential starts to win, not where the spike is counted: that is
v_peak, which the voltage reaches in a finite time by itself.  Where a stage of a step lies beyond v_peak, the field at
v_peak is taken, and the exponent is capped at 20; otherwise the last step before a spike could overflow or throw w far
off.

R. Brette and W. Gerstner, J. Neurophysiol. 94 (2005) 3637, equations 1 to 3.

Methods: ``rk4`` (vectorised; the default), ``exponential_euler``, ``euler``, ``adaptive``.  Spikes lie on the grid,
so that after the first reset all of them are first order in the spike times.
"""
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import carray

from circuits.neurons.cells import two_variables
from circuits.neurons.cells.exponential import exp
from circuits.neurons.cells.linearised import given_state
from circuits.neurons.cells.membrane import system
from circuits.neurons.cells.methods import METHODS, stepper
from circuits.neurons.parameters import check_method, check_numbers, check_shapes, rows_of
from circuits.neurons.program import FINITE, Adaptive, Program, steps_of
from physlearn.brief import brief
from physlearn.checks import array
from physlearn.kernels.jit import FUSED, inlined, kernel
from physlearn.quantities import take_si

_NAMES = ("capacitance", "g_leak", "e_leak", "v_threshold", "slope", "tau_w", "a", "b", "v_reset", "v_peak")
STEEPEST = 20.0  # exponent, held above: from there v passes any v_peak within some 1e-8 of C / g_leak


@dataclass(frozen=True)
class AdEx:
    """An adaptive exponential integrate-and-fire neuron; by default the one of the paper's figure 2.

    Parameters
    ----------
    capacitance : float or (n,) array
        F.
    g_leak, a : float or (n,) array
        Leak and subthreshold adaptation, S.
    e_leak, v_threshold, slope, v_reset, v_peak : float or (n,) array
        V.
    tau_w : float or (n,) array
        s.
    b : float or (n,) array
        Adaptation added by a spike, A.
    refractory : float or (n,) array
        s, whole steps of dt; v is held at v_reset while w evolves.

    Examples
    --------
    Spikes slow down under a constant current:

    >>> import numpy as np
    >>> from circuits.neurons import Constant, Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> network = SpikingNetwork({"n": Population(AdEx(), 1)}, inputs=[Constant("n", 1e-9)])
    >>> times = integrate(network, (0.0, 0.4), dt=1e-5).spikes["n"].times
    >>> bool(np.all(np.diff(times, 2) > 0))
    True
    """

    capacitance: float | np.ndarray = 281e-12
    g_leak: float | np.ndarray = 30e-9
    e_leak: float | np.ndarray = -70.6e-3
    v_threshold: float | np.ndarray = -50.4e-3
    slope: float | np.ndarray = 2e-3
    tau_w: float | np.ndarray = 144e-3
    a: float | np.ndarray = 4e-9
    b: float | np.ndarray = 0.0805e-9
    v_reset: float | np.ndarray = -70.6e-3
    v_peak: float | np.ndarray = 20e-3
    refractory: float | np.ndarray = 0.0

    __repr__ = brief

    variables = ("v", "w")
    units = ("V", "A")
    scales = (1e-2, 1e-11)
    differences = False
    system = system

    def __post_init__(self):
        volts = dict.fromkeys(("e_leak", "v_threshold", "slope", "v_reset", "v_peak"), "V")
        take_si(self, capacitance="F", g_leak="S", a="S", b="A", tau_w="s", refractory="s", **volts)
        positive = ("capacitance", "g_leak", "slope", "tau_w")
        check_numbers(self, (*_NAMES, "refractory"), positive=positive, nonnegative=("refractory",))
        if np.any(np.asarray(self.v_peak) <= np.asarray(self.v_reset)):
            raise ValueError(f"AdEx: v_peak={self.v_peak!r} V is not above v_reset={self.v_reset!r} V; raise v_peak")
        if np.any(np.asarray(self.v_peak) <= np.asarray(self.v_threshold)):
            raise ValueError(f"AdEx: v_peak={self.v_peak!r} V is not above v_threshold={self.v_threshold!r} V")

    def initial(self, n):
        """At the leak potential without adaptation, (2, n): at rest but for the small exponential current."""
        check_shapes(self, (*_NAMES, "refractory"), n)
        return np.array([np.broadcast_to(self.e_leak, (n,)), np.zeros(n)], dtype=float)

    @property
    def voltages(self):
        """Where fixed points are looked for, V: up to ten slopes above v_threshold."""
        low = min(np.min(self.e_leak), np.min(self.v_reset)) - 0.1
        return float(low), float(min(np.max(self.v_peak), np.max(np.add(self.v_threshold, 10.0 * self.slope))))

    @property
    def current_gain(self):
        """Derivative of dv/dt by the current."""
        return 1.0 / self.capacitance

    def velocity(self, x, current):
        """Time derivative of the state below v_peak, (2, ...).

        Parameters
        ----------
        x : (2, ...) array
            v, w.
        current : float or array
            A.

        Examples
        --------
        >>> cell = AdEx()
        >>> bool(abs(cell.velocity(cell.initial(1)[:, 0], 0.0)[0]) < 0.1)
        True
        """
        v, w = given_state(self, "x", x)
        v = np.minimum(v, self.v_peak)
        rise = self.slope * np.exp(np.minimum((v - self.v_threshold) / self.slope, STEEPEST))
        dv = (self.g_leak * (self.e_leak - v + rise) - w + array("current", current)) / self.capacitance
        return np.array(np.broadcast_arrays(dv, (self.a * (v - self.e_leak) - w) / self.tau_w))

    def jacobian(self, x, current=0.0):
        """Derivatives of `velocity` by the state, (..., 2, 2)."""
        v = np.asarray(x, dtype=float)[0]
        y, free = (v - self.v_threshold) / self.slope, v < self.v_peak
        rise = np.where(y < STEEPEST, np.exp(np.minimum(y, STEEPEST)), 0.0)
        out = np.zeros((*v.shape, 2, 2))
        out[..., 0, 0] = free * self.g_leak * (rise - 1.0) / self.capacitance
        out[..., 0, 1] = -1.0 / self.capacitance
        out[..., 1, 0] = free * self.a / self.tau_w
        out[..., 1, 1] = -1.0 / self.tau_w
        return out

    def state_at(self, v, current=0.0):
        """The state with w at rest at a voltage, (2, ...)."""
        return np.array([v, self.a * (np.asarray(v) - self.e_leak)])

    def steady_current(self, v):
        """Current that holds the membrane at v with w at rest, A."""
        v = array("v", v)
        rise = self.slope * np.exp(np.minimum((v - self.v_threshold) / self.slope, STEEPEST))
        return self.g_leak * (v - self.e_leak - rise) + self.a * (v - self.e_leak)

    def below(self, x):
        """Distance of a state (2, ...) to v_peak, V."""
        return self.v_peak - x[0]

    def check(self, n, dt, method):
        """Refuse a step too long for an explicit method, unknown methods."""
        check_method(self, method, ("auto", *METHODS))
        steps_of("AdEx: refractory", self.refractory, dt)
        shortest = min(float(np.min(np.divide(self.capacitance, self.g_leak))), float(np.min(self.tau_w)))
        if dt > shortest and method != "adaptive" and not isinstance(method, Adaptive):
            raise ValueError(
                f"dt: {dt!r} s is longer than the shortest time constant, {shortest:.3g} s; take a shorter step or "
                "method='adaptive'"
            )

    def program(self, n, dt, receptors, method):
        """Compiled step of n neurons; see `circuits.neurons.program.Program`."""
        parameters = rows_of(self, _NAMES, n)
        if method not in ("auto", "rk4"):
            fields, scales = (field, peaked, reset), np.array(self.scales)
            return stepper(fields, parameters.T, scales=scales, dt=dt, method=method, refractory=self.refractory)
        held = np.broadcast_to(steps_of("AdEx: refractory", self.refractory, dt), (n,))
        ints = np.concatenate([np.zeros(n), held]).astype(np.int64)
        return Program(rk4, np.concatenate([[dt], parameters.ravel()]), ints, n, held="middle")


def field(x, current, p, out):
    """Time derivatives of one neuron; p in the order of the class."""
    v = min(x[0], p[9])
    out[0] = (p[1] * (p[2] - v + p[4] * np.exp(min((v - p[3]) / p[4], STEEPEST))) - x[1] + current) / p[0]
    out[1] = (p[6] * (v - p[2]) - x[1]) / p[5]


def peaked(x, p):
    """Whether the voltage has reached v_peak."""
    return x[0] >= p[9]


def reset(x, p):
    """Effect of a spike on the state."""
    x[0] = p[8]
    x[1] += p[7]


@inlined
def _slopes(v, w, current, g, numbers):
    """As `field`, with a vectorisable exponential."""
    c, leak, e, threshold, slope, tau, a, peak = numbers
    v = peak if v > peak else v
    y = (v - threshold) / slope
    rise = slope * exp(STEEPEST if y > STEEPEST else y)
    return (leak * (e - v + rise) - w + current - g * v) / c, (a * (v - e) - w) / tau


@kernel(fastmath=FUSED)
def _advance(dt, state, drive, p, left, spiked):
    v, w, current, g, pull = state[0], state[1], drive[0], drive[1], drive[2]
    c, leak, e, threshold, slope, tau, a = p[0], p[1], p[2], p[3], p[4], p[5], p[6]
    jump, low, peak = p[7], p[8], p[9]
    eventful = 0
    for i in range(v.size):
        x, source = v[i], current[i] + pull[i]
        numbers = c[i], leak[i], e[i], threshold[i], slope[i], tau[i], a[i], peak[i]
        free, y = two_variables.rk4(_slopes, dt, x, w[i], source, g[i], numbers)
        v[i] = x if left[i] > 0 else free
        w[i] = y
        left[i] -= left[i] > 0
        eventful += (not v[i] < peak[i]) | (not abs(v[i]) < FINITE)
    return two_variables.spike(v, w, low, jump, peak, left, spiked) if eventful > 0 else 0


def rk4(step, n, state, drive, floats, ints, spiked, late):
    """Classical Runge-Kutta, all neurons in one loop."""
    f = carray(floats, 1 + 10 * n)
    p = f[1:].reshape(10, n)
    return _advance(f[0], carray(state, (2, n)), carray(drive, (3, n)), p, carray(ints, 2 * n), carray(spiked, n))
