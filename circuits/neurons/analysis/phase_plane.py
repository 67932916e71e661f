"""The phase plane of a Hodgkin-Huxley neuron: nullclines of the reduced system, fixed points, stability, Hopf points.

Reduced to v and n with m = m_inf(v) and h = h_0 - slope (n - n_0), the membrane has two nullclines in the plane (v,
n); h_0, n_0 are the values at rest and ``slope`` is 1 unless given (R. FitzHugh, J. Gen. Physiol. 43 (1960) 867; W.
Gerstner et al., Neuronal Dynamics (2014), section 4.2).  Fixed points and their stability are those of the full
system of four variables: eigenvalues of its Jacobian, which is analytic here.  At a Hopf point a complex pair crosses
the imaginary axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.neurons.cells.linearised import check_membrane, jacobian, state_at
from physlearn.brief import brief
from physlearn.checks import array, number


@dataclass(frozen=True)
class FixedPoint:
    """A state at rest, and how small displacements behave.

    Attributes
    ----------
    state : (4,) array
        v (V), m, h, n.
    current : float
        A (or A/m^2).
    eigenvalues : (4,) complex array
        Of the Jacobian, 1/s, largest real part first.
    """

    state: np.ndarray
    current: float
    eigenvalues: np.ndarray

    __repr__ = brief

    @property
    def stable(self):
        """Whether all displacements decay."""
        return bool(self.eigenvalues[0].real < 0.0)

    @property
    def kind(self):
        """One of "node", "focus", "saddle": real eigenvalues, a leading complex pair, or signs of both sorts."""
        real = np.real(self.eigenvalues)
        leading = self.eigenvalues[0]
        if abs(np.imag(leading)) > 1e-9 * abs(leading):
            return "focus"
        return "saddle" if real[0] > 0.0 > real[-1] else "node"


@dataclass(frozen=True)
class HopfPoint:
    """Where a fixed point loses or gains stability to an oscillation.

    Attributes
    ----------
    current : float
        A (or A/m^2).
    v : float
        V.
    frequency : float
        Hz, of the pair on the imaginary axis.
    """

    current: float
    v: float
    frequency: float

    __repr__ = brief


def fixed_points(model, current, *, v_range=(-0.15, 0.15)):
    """All states at rest under a constant current, by rising voltage.

    Parameters
    ----------
    model : HodgkinHuxley
        With parameters shared by all neurons.
    current : float
        A (or A/m^2).
    v_range : (float, float)
        V; where to look.

    Returns
    -------
    list of FixedPoint

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> [(float(1e3 * p.state[0]), p.stable) for p in fixed_points(HodgkinHuxley.squid(), 0.1)]
    [(-59.571, False)]
    """
    _shared(model)
    grid, current = _grid(v_range), number("current", current)
    voltages = _roots(lambda v: model.steady_current(v) - current, grid)
    return [_point(model, v, current) for v in voltages]


def hopf_points(model, *, v_range=(-0.09, -0.02)):
    """Hopf points along the branch of fixed points, by rising voltage.

    Parameters
    ----------
    model : HodgkinHuxley
        With parameters shared by all neurons.
    v_range : (float, float)
        V; where to look.

    Returns
    -------
    list of HopfPoint

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> [round(100 * point.current, 3) for point in hopf_points(HodgkinHuxley.squid())]  # uA/cm2
    [9.775, 154.522]
    """
    _shared(model)

    def growth(v):
        """Real part of the rightmost complex pair; NaN where there is none."""
        values = [_eigenvalues(model, x) for x in np.atleast_1d(v)]
        pairs = [x[np.abs(np.imag(x)) > 1e-9 * np.abs(x)] for x in values]
        return np.array([x[0].real if len(x) else np.nan for x in pairs])

    points = []
    for v in _roots(growth, _grid(v_range, 701)):
        values = _eigenvalues(model, v)
        pair = values[np.abs(np.imag(values)) > 1e-9 * np.abs(values)][0]
        points.append(HopfPoint(float(model.steady_current(v)), float(v), float(abs(np.imag(pair)) / (2.0 * np.pi))))
    return points


def nullclines(model, current, v, *, slope=1.0):
    """Nullclines of the reduced system in the plane (v, n).

    Parameters
    ----------
    model : HodgkinHuxley
        With parameters shared by all neurons.
    current : float
        A (or A/m^2).
    v : (k,) array
        V.
    slope : float
        How h follows n: h = h_0 - slope (n - n_0), with h_0 and n_0 at rest without current.

    Returns
    -------
    of_v, of_n : (k,) arrays
        n where dv/dt = 0 (NaN where there is none in [0, 1]; the lowest where there are several), and n where
        dn/dt = 0.

    Examples
    --------
    They meet at rest:

    >>> from circuits.neurons import HodgkinHuxley
    >>> squid = HodgkinHuxley.squid()
    >>> of_v, of_n = nullclines(squid, 0.0, np.array([squid.rest()]))
    >>> bool(abs(of_v[0] - of_n[0]) < 1e-9)
    True
    """
    _shared(model)
    v, current, slope = np.atleast_1d(array("v", v, ndim=(0, 1))), number("current", current), number("slope", slope)
    of_v = np.full(v.shape, np.nan)
    origin = _origin(model)
    for k, x in enumerate(v):
        found = _roots(lambda n, x=x: _reduced(model, x, n, current, slope, origin)[0], np.linspace(0.0, 1.0, 401))
        if len(found):
            of_v[k] = found[0]
    return of_v, model.n.steady(v)


def reduced_slope(model, v, n, current, *, slope=1.0):
    """Time derivatives (dv/dt, dn/dt) of the reduced system, for arrows and trajectories in the plane.

    Parameters
    ----------
    model : HodgkinHuxley
    v, n : float or arrays
        V and 1.
    current : float
        A (or A/m^2).
    slope : float
        See `nullclines`.

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> squid = HodgkinHuxley.squid()
    >>> dv, dn = reduced_slope(squid, -65e-3, 0.3, 0.0)
    >>> float(dv) > 0, float(dn) > 0
    (True, True)
    """
    _shared(model)
    v, n, current, slope = array("v", v), array("n", n), number("current", current), number("slope", slope)
    return _reduced(model, v, n, current, slope, _origin(model))


def _origin(model):
    rest = model.rest()
    return model.h.steady(rest), model.n.steady(rest)


def _reduced(model, v, n, current, slope, origin):
    h = np.clip(origin[0] - slope * (n - origin[1]), 0.0, 1.0)
    derivatives = model.slope(np.broadcast_arrays(v, model.m.steady(v), h, n), current)
    return derivatives[0], derivatives[3]


def _shared(model):
    check_membrane(model)
    for name in ("capacitance", "g_na", "g_k", "g_leak", "e_na", "e_k", "e_leak"):
        if np.ndim(getattr(model, name)):
            raise ValueError(f"model: {name} is an array; the phase plane is that of one neuron, give one number")


def _grid(v_range, points=3001):
    low, high = array("v_range", v_range, shape=(2,))
    if not low < high:
        raise ValueError(f"v_range: got {v_range!r}, expected two rising voltages, V")
    return np.linspace(low, high, points)


def _eigenvalues(model, v):
    values = np.linalg.eigvals(jacobian(model, state_at(model, v)))
    return values[np.argsort(-np.real(values), kind="stable")].astype(complex)


def _point(model, v, current):
    return FixedPoint(state_at(model, v), float(current), _eigenvalues(model, v))


def _roots(function, grid):
    """Where a function changes sign, by bisection between points of a grid; NaN separates."""
    values = function(grid)
    roots = list(grid[values == 0.0])
    for k in np.flatnonzero(values[:-1] * values[1:] < 0.0):
        low, high, sign = grid[k], grid[k + 1], values[k]
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.ravel(function(middle))[0] * sign > 0.0 else (low, middle)
        roots.append(0.5 * (low + high))
    return np.sort(roots)
