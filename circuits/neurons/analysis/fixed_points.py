"""Fixed points of a cell, their stability, and where it changes: saddle-node and Hopf points.

Every cell has, for each voltage, the current that holds it there with all other variables at rest; its fixed points
under a current I are where that current is I.  Stability is that of the full system: eigenvalues of its Jacobian
(`circuits.neurons.jacobian`), in closed form but for a custom `Neuron`.  Along the branch of fixed points a complex
pair crosses the imaginary axis at a Hopf point, and a real eigenvalue crosses zero at a saddle-node point, where the
current has an extremum.

A custom `Neuron` is followed from its ``rest``; where its other variables have several rests at one voltage, those of
that branch are found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.neurons.cells.at_rest import steady_current
from circuits.neurons.cells.linearised import check_one, jacobian, state_at
from physlearn.brief import brief
from physlearn.checks import array, number


@dataclass(frozen=True)
class FixedPoint:
    """A state at rest, and how small displacements behave.

    Attributes
    ----------
    state : (variables,) array
        v (V), then the others: m, h, n of a Hodgkin-Huxley neuron, w, u.
    current : float
        A (as the model takes it).
    eigenvalues : (variables,) complex array
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
        A (as the model takes it).
    v : float
        V.
    frequency : float
        Hz, of the pair on the imaginary axis.
    """

    current: float
    v: float
    frequency: float

    __repr__ = brief


@dataclass(frozen=True)
class SaddleNode:
    """Where two fixed points meet and vanish.

    Attributes
    ----------
    current : float
        A (as the model takes it): the rheobase, where the point is the end of the resting state.
    v : float
        V.
    """

    current: float
    v: float

    __repr__ = brief


def fixed_points(model, current, *, v_range=None):
    """All states at rest under a constant current, by rising voltage.

    Parameters
    ----------
    model : AdEx, Izhikevich, HodgkinHuxley or Neuron
        With parameters shared by all neurons.
    current : float
        A (as the model takes it).
    v_range : (float, float), optional
        V; where to look.  By default the model's own (Hodgkin-Huxley: -0.15 to 0.15); a `Neuron` has none.

    Returns
    -------
    list of FixedPoint

    Raises
    ------
    ValueError
        Parameters per neuron, a range that does not rise, a `Neuron` without a range.

    Examples
    --------
    >>> from circuits.neurons import AdEx, HodgkinHuxley
    >>> [(float(1e3 * p.state[0]), p.stable) for p in fixed_points(HodgkinHuxley.squid(), 0.1)]
    [(-59.571, False)]
    >>> [(round(float(1e3 * p.state[0]), 2), p.kind) for p in fixed_points(AdEx(), 0.5e-9)]
    [(-55.77, 'node'), (-47.21, 'saddle')]
    """
    _check(model)
    grid, current = grid_of(model, v_range), number("current", current)

    def excess(v):
        if model.differences:  # its other variables may feel the current, too
            return np.ravel(model.velocity(state_at(model, v, current), current)[0])
        return model.steady_current(v) - current

    return [_point(model, v, current) for v in roots(excess, grid)]


def hopf_points(model, *, v_range=None):
    """Hopf points along the branch of fixed points, by rising voltage.

    Parameters
    ----------
    model : AdEx, Izhikevich, HodgkinHuxley or Neuron
        With parameters shared by all neurons.
    v_range : (float, float), optional
        V; where to look.  By default the model's own (Hodgkin-Huxley: -0.09 to -0.02); a `Neuron` has none.

    Returns
    -------
    list of HopfPoint

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> [round(100 * point.current, 3) for point in hopf_points(HodgkinHuxley.squid())]  # uA/cm2
    [9.775, 154.522]
    """
    _check(model)

    def growth(v):
        """Real part of the rightmost complex pair; NaN where there is none."""
        values = _along(model, v)
        pairs = [x[np.abs(np.imag(x)) > 1e-9 * np.abs(x)] for x in values]
        return np.array([x[0].real if len(x) else np.nan for x in pairs])

    points = []
    for v in roots(growth, grid_of(model, v_range, 701, hopf=True)):
        values = _along(model, v)[0]
        pair = values[np.abs(np.imag(values)) > 1e-9 * np.abs(values)][0]
        points.append(HopfPoint(float(model.steady_current(v)), float(v), float(abs(np.imag(pair)) / (2.0 * np.pi))))
    return points


def saddle_nodes(model, *, v_range=None):
    """Saddle-node points along the branch of fixed points, by rising voltage.

    Parameters
    ----------
    model : AdEx, Izhikevich, HodgkinHuxley or Neuron
        With parameters shared by all neurons.
    v_range : (float, float), optional
        V; where to look.  By default the model's own; a `Neuron` has none.

    Returns
    -------
    list of SaddleNode

    Examples
    --------
    In closed form, v = v_threshold + slope log(1 + a / g_leak) (Touboul and Brette 2008):

    >>> from circuits.neurons import AdEx
    >>> point, = saddle_nodes(AdEx())
    >>> round(1e3 * point.v, 3), round(1e9 * point.current, 4)
    (-50.15, 0.6273)
    """
    _check(model)

    def fold(v):
        return np.real(np.prod(_along(model, v), -1))

    found = roots(fold, grid_of(model, v_range, 701))
    return [SaddleNode(float(model.steady_current(v)), float(v)) for v in found]


def _check(model):
    """Refuse what has no branch of fixed points to follow."""
    check_one(model, "the phase plane")
    if len(model.variables) == 1 and not model.differences:
        raise ValueError(
            f"model: {type(model).__name__} is linear below threshold and has one rest; find it by "
            "relax(model.system(current))"
        )


def grid_of(model, v_range, points=3001, *, hopf=False):
    """Voltages to look at: those given, or the model's own."""
    if v_range is None:
        v_range = getattr(model, "hopf_voltages", None) if hopf else None
        v_range = v_range or getattr(model, "voltages", None)
        if v_range is None:
            raise ValueError(
                f"v_range: a {type(model).__name__} may have voltages of any unit; give the two between which to look"
            )
    low, high = array("v_range", v_range, shape=(2,))
    if not low < high:
        raise ValueError(f"v_range: got {v_range!r}, expected two rising voltages, V")
    return np.linspace(low, high, points)


def _along(model, v):
    """Eigenvalues on the branch of fixed points at voltages (k,), (k, variables), largest real part first."""
    v = np.atleast_1d(v)
    state, current = steady_current(model, v) if model.differences else (model.state_at(v), 0.0)
    found = np.flatnonzero(np.isfinite(state).all(0) & np.isfinite(current))
    current = np.broadcast_to(current, v.shape)[found]
    values = np.full((len(v), len(model.variables)), np.nan, complex)
    for k, matrix in zip(found, model.jacobian(state[:, found], current), strict=True):
        values[k] = _sorted(np.linalg.eigvals(matrix))
    return values


def _sorted(values):
    return values[np.argsort(-np.real(values), kind="stable")].astype(complex)


def _point(model, v, current):
    state = np.asarray(state_at(model, v, current))
    return FixedPoint(state, float(current), _sorted(np.linalg.eigvals(jacobian(model, state, current))))


def roots(function, grid):
    """Where a function changes sign, by bisection between points of a grid; NaN separates."""
    values = function(grid)
    found = list(grid[values == 0.0])
    for k in np.flatnonzero(values[:-1] * values[1:] < 0.0):
        low, high, sign = grid[k], grid[k + 1], values[k]
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.ravel(function(middle))[0] * sign > 0.0 else (low, middle)
        found.append(0.5 * (low + high))
    return np.sort(found)
