"""Izhikevich's simple neurons, in SI units.

    dv/dt = square v^2 + linear v + constant - u + I(t)
    du/dt = a (b v - u)
    v >= v_peak: spike, v = c, u = u + d

These are the equations of E. M. Izhikevich, IEEE Trans. Neural Netw. 14 (2003) 1569, (1) to (3), which are in mV and
ms: v in V; u, I and d in V/s, whose numbers are those of the paper (1 mV/ms = 1 V/s); a and b in 1/s are 1000 times
the paper's, c in V.  The quadratic 0.04 v^2 + 5 v + 140 of the paper is the default; 0.04 v^2 + 4.1 v + 108 serves
two of the patterns of E. M. Izhikevich, IEEE Trans. Neural Netw. 15 (2004) 1063, figure 1, and a < 0 two others.  The
model has no capacitance, so conductances pull with g in 1/s.

Methods: ``rk4`` (vectorised; the default), ``euler``, ``exponential_euler``, ``adaptive``.  The paper's own scheme
(two half steps of 0.5 ms for v) is not offered: at 1 ms its spike times are wrong by milliseconds.  Spikes lie on the
grid.
"""
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import carray

from circuits.neurons.cells import two_variables
from circuits.neurons.cells.linearised import given_state
from circuits.neurons.cells.membrane import system
from circuits.neurons.cells.methods import METHODS, stepper
from circuits.neurons.parameters import check_method, check_numbers, check_shapes, one_number_each, rows_of
from circuits.neurons.program import FINITE, Adaptive, Program, steps_of
from physlearn.brief import brief
from physlearn.checks import array
from physlearn.kernels.jit import FUSED, inlined, kernel
from physlearn.quantities import take_si

_NAMES = ("a", "b", "c", "d", "v_peak")
_QUADRATIC = ("square", "linear", "constant")


@dataclass(frozen=True)
class Izhikevich:
    """A simple neuron that spikes, bursts or adapts by four numbers; regular spiking by default.

    Parameters
    ----------
    a, b : float or (n,) array
        Rate of recovery and its coupling to v, 1/s.  With a < 0, u runs away from b v.
    c : float or (n,) array
        Voltage after a spike, V.
    d : float or (n,) array
        Increment of u at a spike, V/s.
    v_peak : float or (n,) array
        V.
    refractory : float or (n,) array
        s, whole steps of dt; 0 in the paper.
    square, linear, constant : float
        Coefficients of the quadratic, 1/(V s), 1/s and V/s: 1e6, 1e3 and 1 times those in mV and ms.

    Examples
    --------
    >>> Izhikevich(c=-50e-3, d=2.0) == Izhikevich.chattering()
    True
    >>> from circuits.neurons import Constant, Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> network = SpikingNetwork({"n": Population(Izhikevich.fast_spiking(), 1)}, inputs=[Constant("n", 10.0)])
    >>> len(integrate(network, (0.0, 0.5), dt=1e-4).spikes["n"].times)
    68
    """

    a: float | np.ndarray = 20.0
    b: float | np.ndarray = 200.0
    c: float | np.ndarray = -65e-3
    d: float | np.ndarray = 8.0
    v_peak: float | np.ndarray = 30e-3
    refractory: float | np.ndarray = 0.0
    square: float = 4e4
    linear: float = 5e3
    constant: float = 140.0

    __repr__ = brief

    variables = ("v", "u")
    units = ("V", "V/s")
    scales = (1e-2, 1.0)
    differences = False
    current_gain = 1.0  # derivative of dv/dt by the current
    system = system

    def __post_init__(self):
        take_si(self, a="Hz", b="Hz", c="V", d="V/s", v_peak="V", refractory="s")
        take_si(self, square="1/(V s)", linear="Hz", constant="V/s")
        one_number_each(self, _QUADRATIC)  # arrays of them made the default kernel a fifth slower
        check_numbers(self, (*_NAMES, *_QUADRATIC, "refractory"), positive=("square",), nonnegative=("refractory",))
        if np.any(np.asarray(self.v_peak) <= np.asarray(self.c)):
            raise ValueError(f"Izhikevich: v_peak={self.v_peak!r} V is not above c={self.c!r} V; raise v_peak")

    @classmethod
    def intrinsically_bursting(cls):
        """Figure 2 of the paper, IB."""
        return cls(20.0, 200.0, -55e-3, 4.0)

    @classmethod
    def chattering(cls):
        """Figure 2 of the paper, CH."""
        return cls(20.0, 200.0, -50e-3, 2.0)

    @classmethod
    def fast_spiking(cls):
        """Figure 2 of the paper, FS."""
        return cls(100.0, 200.0, -65e-3, 2.0)

    @classmethod
    def low_threshold_spiking(cls):
        """Figure 2 of the paper, LTS."""
        return cls(20.0, 250.0, -65e-3, 2.0)

    def initial(self, n):
        """The lower fixed point without current, (2, n); where there is none, v = -65 mV and u = b v."""
        check_shapes(self, (*_NAMES, "refractory"), n)
        linear = self.linear - np.broadcast_to(np.asarray(self.b, dtype=float), (n,))
        root = linear**2 - 4.0 * self.square * self.constant
        v = np.where(root >= 0.0, (-linear - np.sqrt(np.maximum(root, 0.0))) / (2.0 * self.square), -65e-3)
        return np.array([v, self.b * v])

    @property
    def voltages(self):
        """Where fixed points are looked for, V."""
        return float(min(np.min(self.c), -self.linear / (2.0 * self.square))) - 0.1, float(np.max(self.v_peak))

    def velocity(self, x, current):
        """Time derivative of the state below v_peak, (2, ...).

        Parameters
        ----------
        x : (2, ...) array
            v, u.
        current : float or array
            V/s.

        Examples
        --------
        >>> Izhikevich().velocity([-70e-3, -15.0], 1.0).round(9)
        array([ 2., 20.])
        """
        v, u = given_state(self, "x", x)
        dv = (self.square * v + self.linear) * v + self.constant - u + array("current", current)
        return np.array(np.broadcast_arrays(dv, self.a * (self.b * v - u)))

    def jacobian(self, x, current=0.0):
        """Derivatives of `velocity` by the state, (..., 2, 2)."""
        v = np.asarray(x, dtype=float)[0]
        out = np.zeros((*v.shape, 2, 2))
        out[..., 0, 0] = 2.0 * self.square * v + self.linear
        out[..., 0, 1] = -1.0
        out[..., 1, 0] = self.a * self.b
        out[..., 1, 1] = -self.a
        return out

    def state_at(self, v, current=0.0):
        """The state with u at rest at a voltage, (2, ...)."""
        return np.array([v, self.b * np.asarray(v)])

    def steady_current(self, v):
        """Current that holds the membrane at v with u at rest, V/s."""
        v = array("v", v)
        return self.b * v - ((self.square * v + self.linear) * v + self.constant)

    def below(self, x):
        """Distance of a state (2, ...) to v_peak, V."""
        return self.v_peak - x[0]

    def check(self, n, dt, method):
        """Refuse a step too long for an explicit method, unknown methods."""
        check_method(self, method, ("auto", *METHODS))
        steps_of("Izhikevich: refractory", self.refractory, dt)
        fastest = float(np.max(np.abs(self.a)))
        shortest = min(1e-3, 1.0 / fastest) if fastest > 0.0 else 1e-3
        if dt > shortest and method != "adaptive" and not isinstance(method, Adaptive):
            raise ValueError(
                f"dt: {dt!r} s is longer than the shortest time constant, {shortest:.3g} s; take a shorter step or "
                "method='adaptive'"
            )

    def program(self, n, dt, receptors, method):
        """Compiled step of n neurons; see `circuits.neurons.program.Program`."""
        if method not in ("auto", "rk4"):
            fields, scales = (field, peaked, reset), np.array(self.scales)
            parameters = rows_of(self, (*_NAMES, *_QUADRATIC), n)
            return stepper(fields, parameters.T, scales=scales, dt=dt, method=method, refractory=self.refractory)
        held = np.broadcast_to(steps_of("Izhikevich: refractory", self.refractory, dt), (n,))
        ints = np.concatenate([np.zeros(n), held]).astype(np.int64)
        shared = [dt, self.square, self.linear, self.constant]
        return Program(rk4, np.concatenate([shared, rows_of(self, _NAMES, n).ravel()]), ints, n, held="middle")


def field(x, current, p, out):
    """Time derivatives of one neuron; p in the order of the class."""
    out[0] = (p[5] * x[0] + p[6]) * x[0] + p[7] - x[1] + current
    out[1] = p[0] * (p[1] * x[0] - x[1])


def peaked(x, p):
    """Whether the voltage has reached v_peak."""
    return x[0] >= p[4]


def reset(x, p):
    """Effect of a spike on the state."""
    x[0] = p[2]
    x[1] += p[3]


@inlined
def _slopes(v, u, current, g, numbers):
    """As `field`."""
    a, b, (square, linear, constant) = numbers
    return (square * v + linear) * v + constant - u + current - g * v, a * (b * v - u)


@kernel(fastmath=FUSED)
def _advance(dt, quadratic, state, drive, p, left, spiked):
    v, u, current, g, pull = state[0], state[1], drive[0], drive[1], drive[2]
    a, b, low, jump, peak = p[0], p[1], p[2], p[3], p[4]
    eventful = 0
    for i in range(v.size):
        x, source = v[i], current[i] + pull[i]
        free, y = two_variables.rk4(_slopes, dt, x, u[i], source, g[i], (a[i], b[i], quadratic))
        v[i] = x if left[i] > 0 else free
        u[i] = y
        left[i] -= left[i] > 0
        eventful += (not v[i] < peak[i]) | (not abs(v[i]) < FINITE)
    return two_variables.spike(v, u, low, jump, peak, left, spiked) if eventful > 0 else 0


def rk4(step, n, state, drive, floats, ints, spiked, late):
    """Classical Runge-Kutta, all neurons in one loop."""
    f = carray(floats, 4 + 5 * n)
    p, quadratic = f[4:].reshape(5, n), (f[1], f[2], f[3])
    state, drive = carray(state, (2, n)), carray(drive, (3, n))
    return _advance(f[0], quadratic, state, drive, p, carray(ints, 2 * n), carray(spiked, n))
