"""A cell linearised at a state: variables at rest at a voltage, and the Jacobian of the velocity."""

from __future__ import annotations

import dataclasses

import numpy as np

from physlearn.checks import array, number, seen

LEVELS = 8  # halvings of the step of a difference, extrapolated to none
STEP = 1e-2  # of a difference, relative to the variable or its scale


def state_at(model, v, current=0.0):
    """The state with all other variables at rest at voltage v: (variables, ...).

    Parameters
    ----------
    model : LIF, AdEx, Izhikevich, HodgkinHuxley or Neuron
    v : float or array
        V.
    current : float
        A (as the model takes it); it matters to a `Neuron` whose other variables feel it.

    Raises
    ------
    ConvergenceError
        A `Neuron` whose other variables find no rest.

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> state_at(HodgkinHuxley.squid(), -65e-3).round(3)
    array([-0.065,  0.053,  0.596,  0.318])
    """
    check_cell(model)
    return model.state_at(array("v", v), number("current", current))


def jacobian(model, state, current=0.0):
    """Derivatives of the model's ``velocity`` by the state, (..., variables, variables), in closed form.

    Of a custom `Neuron` by differences (Ridders' extrapolation), to about ten digits.

    Parameters
    ----------
    model : LIF, AdEx, Izhikevich, HodgkinHuxley or Neuron
    state : (variables, ...) array
        v first.
    current : float
        A (as the model takes it); it matters to a `Neuron` only.

    Examples
    --------
    >>> from circuits.neurons import HodgkinHuxley
    >>> squid = HodgkinHuxley.squid()
    >>> matrix = jacobian(squid, state_at(squid, squid.rest()))
    >>> bool(np.all(np.linalg.eigvals(matrix).real < 0))
    True
    """
    check_cell(model)
    return model.jacobian(given_state(model, "state", state), number("current", current))


def gates_at_rest(model, v):
    """State of a `HodgkinHuxley` neuron with all gates at rest at voltage v: (4, ...)."""
    return np.array([v, model.m.steady(v), model.h.steady(v), model.n.steady(v)])


def gated_jacobian(model, state):
    """Derivatives of `HodgkinHuxley.slope` by the state (4, ...): (..., 4, 4)."""
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


def by_differences(function, x, scales, levels=LEVELS):
    """Derivatives of ``function``, (s, ...) -> (r, ...), at x: (..., r, s).

    Central differences at halved steps, extrapolated; of each number the value with the least error estimate (C.
    Ridders, Adv. Eng. Softw. 4 (1982) 75).
    """
    columns = []
    for j, scale in enumerate(scales):
        step = np.zeros_like(x)
        best, least, row = None, np.inf, []
        for level in range(levels):
            step[j] = STEP * np.maximum(np.abs(x[j]), scale) / 2.0**level
            new = [(function(x + step) - function(x - step)) / (2.0 * step[j])]
            for order, old in enumerate(row, start=1):
                new.append(new[-1] + (new[-1] - old) / (4.0**order - 1.0))
                error = np.maximum(np.abs(new[-1] - new[-2]), np.abs(new[-1] - old))
                error = np.where(np.isnan(error), np.inf, error)
                best = new[-1] if best is None else np.where(error < least, new[-1], best)
                least = np.minimum(least, error)
            row = new
        columns.append(best)
    return np.moveaxis(np.array(columns), (1, 0), (-2, -1))


def given_state(model, name, x, *, finite=True):
    """A state (variables, ...) as an array, or an error that names the argument."""
    x, size = array(name, x, finite=finite), len(model.variables)
    if x.shape[:1] != (size,):
        raise ValueError(f"{name}: got the shape {x.shape}, expected ({size}, ...): {', '.join(model.variables)}")
    return x


def check_cell(model):
    """Refuse what is no cell with a field."""
    needed = ("velocity", "jacobian", "state_at", "scales", "variables")
    if isinstance(model, type) or not all(hasattr(model, name) for name in needed):
        raise TypeError(f"model: got {seen(model)}, expected a cell: LIF, AdEx, Izhikevich, HodgkinHuxley or Neuron")


def check_one(model, what):
    """Refuse what is no cell with a field, and parameters given neuron by neuron."""
    check_cell(model)
    values = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    given = {name: value for name, value in values.items() if name not in ("parameters", "rest", "scales")}
    for name, value in (given | values.get("parameters", {}) | values.get("rest", {})).items():
        if isinstance(value, np.ndarray) and value.ndim:
            raise ValueError(f"model: {name} is an array; {what} is that of one neuron, give one number")
