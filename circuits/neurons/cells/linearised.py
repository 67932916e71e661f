"""A Hodgkin-Huxley neuron linearised at a state: gates at rest, and the Jacobian of the slope in closed form."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, seen


def state_at(model, v):
    """The state with all gates at rest at voltage v: (4, ...).

    Parameters
    ----------
    model : HodgkinHuxley
    v : float or array
        V.

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> state_at(HodgkinHuxley.squid(), -65e-3).round(3)
    array([-0.065,  0.053,  0.596,  0.318])
    """
    check_membrane(model)
    v = array("v", v)
    return np.array([v, model.m.steady(v), model.h.steady(v), model.n.steady(v)])


def jacobian(model, state):
    """Derivatives of `HodgkinHuxley.slope` by the state, (..., 4, 4); they do not depend on the current.

    Parameters
    ----------
    model : HodgkinHuxley
    state : (4, ...) array
        v, m, h, n.

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> squid = HodgkinHuxley.squid()
    >>> matrix = jacobian(squid, state_at(squid, squid.rest()))
    >>> bool(np.all(np.linalg.eigvals(matrix).real < 0))
    True
    """
    check_membrane(model)
    state = array("state", state)
    if state.shape[:1] != (4,):
        raise ValueError(f"state: got the shape {state.shape}, expected (4, ...): v, m, h, n")
    v, m, h, n = state
    sodium, potassium = model.g_na * m**2 * (v - model.e_na), model.g_k * n**3 * (v - model.e_k)
    out = np.zeros((*np.shape(sodium), 4, 4))
    out[..., 0, 0] = -(model.g_na * m**3 * h + model.g_k * n**4 + model.g_leak) / model.capacitance
    for j, value in enumerate((-3.0 * sodium * h, -sodium * m, -4.0 * potassium), start=1):
        out[..., 0, j] = value / model.capacitance
    for j, (gate, x) in enumerate(((model.m, m), (model.h, h), (model.n, n)), start=1):
        out[..., j, 0] = gate.alpha.slope(v) * (1.0 - x) - gate.beta.slope(v) * x
        out[..., j, j] = -(gate.alpha(v) + gate.beta(v))
    return out


def check_membrane(model):
    """Refuse anything but a Hodgkin-Huxley neuron."""
    if isinstance(model, type) or not all(hasattr(model, name) for name in ("m", "h", "n", "steady_current")):
        raise TypeError(f"model: got {seen(model)}, expected a HodgkinHuxley")
