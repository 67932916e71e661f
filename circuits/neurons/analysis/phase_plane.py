"""The phase plane of a cell of two variables, and of the Hodgkin-Huxley neuron reduced to two.

Where a cell has two variables, v and another (w, u), its nullclines are where dv/dt = 0 and where the other stands
still; they meet in the fixed points.  A Hodgkin-Huxley neuron is reduced to v and n with m = m_inf(v) and h = h_0 -
slope (n - n_0), where h_0, n_0 are the values at rest and ``slope`` is 1 unless given (R. FitzHugh, J. Gen. Physiol. 43
(1960) 867; W. Gerstner et al., Neuronal Dynamics (2014), section 4.2).
"""

from __future__ import annotations

import numpy as np

from circuits.neurons.analysis.fixed_points import FixedPoint, HopfPoint, fixed_points, hopf_points, roots
from circuits.neurons.cells.linearised import check_one, jacobian, state_at
from physlearn.checks import array, number

__all__ = [  # what was here before fixed points had a file of their own stays importable from here
    "FixedPoint", "HopfPoint", "fixed_points", "hopf_points", "jacobian", "nullclines", "reduced_slope", "state_at",
]  # fmt: skip
STEPS = 60  # of Newton's method for a nullcline
CLOSE = 1e-12  # a step this short, relative to the variable, is the last


def nullclines(model, current, v, *, slope=1.0):
    """Nullclines in the plane of v and the other variable (w, u; n of the reduced Hodgkin-Huxley neuron).

    Parameters
    ----------
    model : AdEx, Izhikevich, HodgkinHuxley, or a Neuron of two variables
        With parameters shared by all neurons.
    current : float
        A (as the model takes it).
    v : (k,) array
        V.
    slope : float
        Of a Hodgkin-Huxley neuron: h follows n by h = h_0 - slope (n - n_0), with h_0, n_0 at rest without current.

    Returns
    -------
    of_v, of_other : (k,) arrays
        The other variable where dv/dt = 0, and where it stands still itself; NaN where no such value is found.  Of n:
        in [0, 1], the lowest where there are several.

    Raises
    ------
    ValueError
        A model of one or of more than two variables, parameters per neuron.

    Examples
    --------
    They meet at rest:

    >>> from circuits.neurons import AdEx, HodgkinHuxley
    >>> squid = HodgkinHuxley.squid()
    >>> of_v, of_n = nullclines(squid, 0.0, np.array([squid.rest()]))
    >>> bool(abs(of_v[0] - of_n[0]) < 1e-9)
    True
    >>> nullclines(AdEx(), 0.0, [-60e-3])[1] / (4e-9 * 10.6e-3)
    array([1.])
    """
    gated = _plane(model, slope)
    v, current, slope = np.atleast_1d(array("v", v, ndim=(0, 1))), number("current", current), number("slope", slope)
    if not gated:
        return _still(model, v, current), model.state_at(v, current)[1]
    of_v = np.full(v.shape, np.nan)
    origin = _origin(model)
    for k, x in enumerate(v):
        found = roots(lambda n, x=x: _reduced(model, x, n, current, slope, origin)[0], np.linspace(0.0, 1.0, 401))
        if len(found):
            of_v[k] = found[0]
    return of_v, model.n.steady(v)


def reduced_slope(model, v, n, current, *, slope=1.0):
    """Time derivatives (dv/dt, dn/dt) in the phase plane, for arrows and trajectories.

    Parameters
    ----------
    model : AdEx, Izhikevich, HodgkinHuxley, or a Neuron of two variables
    v, n : float or arrays
        V, and the other variable in its unit.
    current : float
        A (as the model takes it).
    slope : float
        See `nullclines`.

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley, Izhikevich
    >>> squid = HodgkinHuxley.squid()
    >>> dv, dn = reduced_slope(squid, -65e-3, 0.3, 0.0)
    >>> float(dv) > 0, float(dn) > 0
    (True, True)
    >>> dv, du = reduced_slope(Izhikevich(), [[-80e-3, -70e-3]], [[-15.0], [-14.0]], 0.0)
    >>> dv.round(9)
    array([[11.,  1.],
           [10.,  0.]])
    """
    gated = _plane(model, slope)
    v, n, current, slope = array("v", v), array("n", n), number("current", current), number("slope", slope)
    if gated:
        return _reduced(model, v, n, current, slope, _origin(model))
    return tuple(model.velocity(np.array(np.broadcast_arrays(v, n), dtype=float), current))


def _plane(model, slope):
    """Whether a model is a Hodgkin-Huxley neuron, which is reduced to a plane; others must have two variables."""
    check_one(model, "the phase plane")
    gated = tuple(model.variables) == ("v", "m", "h", "n") and not model.differences
    if not gated and len(model.variables) != 2:
        raise ValueError(
            f"model: {type(model).__name__} has the variables {list(model.variables)}, expected two, the axes of the "
            "plane; fixed_points and hopf_points take any number"
        )
    if not gated and slope != 1.0:
        raise ValueError(
            f"slope: got {slope!r} for {type(model).__name__}; only a HodgkinHuxley neuron is reduced by it"
        )
    return gated


def _still(model, v, current):
    """The other variable where dv/dt = 0 at each voltage, by Newton's method from where it rests; NaN where none is."""
    w, scale = np.array(model.state_at(v, current)[1], dtype=float), model.scales[1]
    w = np.where(np.isfinite(w), w, model.initial(1)[1, 0])
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            state = np.array([v, w])
            step = -model.velocity(state, current)[0] / model.jacobian(state, current)[..., 0, 1]
            w = w + step
            close = np.abs(step) <= CLOSE * (np.abs(w) + scale)
            if np.all(close | ~np.isfinite(w)):
                break
    return np.where(close, w, np.nan)


def _origin(model):
    rest = model.rest()
    return model.h.steady(rest), model.n.steady(rest)


def _reduced(model, v, n, current, slope, origin):
    h = np.clip(origin[0] - slope * (n - origin[1]), 0.0, 1.0)
    derivatives = model.slope(np.broadcast_arrays(v, model.m.steady(v), h, n), current)
    return derivatives[0], derivatives[3]
