"""Neuron models as Brian2 equations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from circuits.neurons.cells.adex import STEEPEST, AdEx
from circuits.neurons.cells.hodgkin_huxley import HodgkinHuxley
from circuits.neurons.cells.izhikevich import Izhikevich
from circuits.neurons.cells.lif import LIF
from circuits.neurons.cells.neuron import Neuron
from circuits.neurons.interop.brian2_names import rows_of, unit_of
from circuits.neurons.interop.brian2_text import METHODS, written
from circuits.neurons.program import steps_of
from circuits.neurons.synapses.receptors import NMDA, Delta


class Membrane(NamedTuple):
    """The parts of a `brian2.NeuronGroup`; ``rows`` are (variable, unit) of the state, None where it has none."""

    equations: list
    threshold: str | None
    reset: str | None
    refractory: Any
    method: str
    parameters: dict
    rows: list


def membrane(population, method, dt, name):
    """Equations of a population.

    Raises
    ------
    ValueError
        Models and receptors that are not translated.
    """
    builders = {LIF: _lif, HodgkinHuxley: _hodgkin_huxley, AdEx: _adex, Izhikevich: _izhikevich, Neuron: _text}
    builder = builders.get(type(population.model))
    if builder is None:
        raise ValueError(
            f"{name}: {type(population.model).__name__} is not translated, expected {[k.__name__ for k in builders]}"
        )
    population.model.check(population.n, dt, method)
    return builder(population, method, dt, name)


def _receptors(population, name, exact):
    """Equations, parameters and rows of the receptors, and the current that they inject."""
    equations, parameters, rows, current = [], {}, [], []
    for label, receptor in population.receptors.items():
        if isinstance(receptor, Delta):
            rows.append((None, "volt"))
            continue
        if isinstance(receptor, NMDA):
            raise ValueError(f"{name}: receptor {label!r}: NMDA is not translated: its block is held over a step here")
        if len(receptor.taus) > 1 and not exact:
            raise ValueError(
                f"{name}: receptor {label!r}: Brian2 has no exact step for the {type(receptor).__name__} kernel beside "
                "this membrane; use Exponential"
            )
        names, unit, before = rows_of(label, receptor), unit_of(receptor), ""
        for k, row in enumerate(names):
            # one symbol for one value: Brian2's exact solution divides by differences of time constants
            symbol = next((s for s, (value, _) in parameters.items() if value == receptor.taus[k]), f"tau_{row}")
            parameters[symbol] = (receptor.taus[k], "second")
            fed = f" + {names[k - 1]}/{before}" if k else ""
            equations.append(f"d{row}/dt = -{row}/{symbol}{fed} : {unit}")
            rows.append((row, unit))
            before = symbol
        if receptor.reversal is None:
            current.append(names[-1])
        else:
            parameters[f"E_{names[-1]}"] = (receptor.reversal, "volt")
            current.append(f"{names[-1]}*(E_{names[-1]} - v)")
    return equations, parameters, rows, "".join(f" + {term}" for term in current)


def _lif(population, method, dt, name):
    model = population.model
    if model.exact_times:
        raise ValueError(f"{name}: Brian2 finds spikes on its grid only; set exact_times=False")
    linear = all(receptor.reversal is None for receptor in population.receptors.values())
    exact = linear and method in ("auto", "exact")
    equations, parameters, rows, current = _receptors(population, name, exact)
    tau = "tau"
    if np.ndim(model.tau) == 0:
        tau = next((symbol for symbol, (value, _) in parameters.items() if value == model.tau), "tau")
    elif any(np.any(np.asarray(model.tau) == r.taus[0]) for r in population.receptors.values() if r.taus):
        raise ValueError(
            f"{name}: tau equals a receptor's time constant in some neurons only; Brian2 would divide by 0"
        )
    held = steps_of("refractory", model.refractory, dt)
    refractory = bool(np.any(held > 0))
    volts = ("v_rest", "v_threshold", "v_reset")
    parameters |= {tau: (model.tau, "second"), "resistance": (model.resistance, "ohm")}
    parameters |= {k: (getattr(model, k), "volt") for k in volts}
    if refractory:
        parameters |= {"hold": ((held + 1) * dt if held.ndim else (int(held) + 1) * dt, "second")}
        parameters |= {"held": (np.broadcast_to(held, population.n), "1")}
    if refractory and any(
        np.any(np.asarray(model.tau) == tau) for r in population.receptors.values() for tau in r.taus
    ):
        raise ValueError(
            f"{name}: tau equals a receptor's time constant, and Brian2's exact step of a refractory membrane then "
            "divides by 0; change one of them slightly"
        )
    slope = f"(v_rest - v + resistance*(I_injected{current}))/{tau}"
    if refractory and any(isinstance(receptor, Delta) for receptor in population.receptors.values()):
        # the flag would also keep out jumps that arrive at the very end of the refractory period
        membrane_equation = f"dv/dt = int(not_refractory)*{slope} : volt"
    else:
        membrane_equation = f"dv/dt = {slope} : volt{' (unless refractory)' * refractory}"
    return Membrane(
        [membrane_equation, "I_injected : amp", *equations],
        "v >= v_threshold",
        "v = v_reset",
        "hold" if refractory else False,
        "exact" if exact else "exponential_euler",
        parameters,
        [("v", "volt"), *rows],
    )


def _hodgkin_huxley(population, method, dt, name):
    model = population.model
    methods = {"exponential_euler": "exponential_euler", "rk4": "rk4"}
    if method not in methods:
        raise ValueError(f"method: {method!r} of {name} has no counterpart in Brian2, expected one of {list(methods)}")
    if method == "rk4" and any(receptor.taus for receptor in population.receptors.values()):
        raise ValueError(
            f"{name}: receptors of HodgkinHuxley are held over a step of rk4 here, and part of the field of "
            "Runge-Kutta there; take method='exponential_euler', or Delta receptors"
        )
    equations, parameters, rows, current = _receptors(population, name, False)
    parameters |= {k: (getattr(model, k), "siemens") for k in ("g_na", "g_k", "g_leak")}
    parameters |= {k: (getattr(model, k), "volt") for k in ("e_na", "e_k", "e_leak", "threshold")}
    parameters["capacitance"] = (model.capacitance, "farad")
    channels = "g_na*m**3*h*(e_na - v) + g_k*n**4*(e_k - v) + g_leak*(e_leak - v)"
    pairs = {gate: getattr(model, gate) for gate in "mhn"}
    gates = [f"d{k}/dt = ({_rate(g.alpha)})*(1 - {k}) - ({_rate(g.beta)})*{k} : 1" for k, g in pairs.items()]
    return Membrane(
        [f"dv/dt = ({channels} + I_injected{current})/capacitance : volt", *gates, "I_injected : amp", *equations],
        "v >= threshold",
        None,
        "v >= threshold",  # an upward crossing: no spike while above
        methods[method],
        parameters,
        [("v", "volt"), *((gate, "1") for gate in "mhn"), *rows],
    )


def _adex(population, method, dt, name):
    model = population.model
    exponent = f"clip((v_seen - v_threshold)/slope, -1000, {STEEPEST!r})"
    amperes = f"g_leak*(e_leak - v_seen + slope*exp({exponent}))"
    parameters = {k: (getattr(model, k), "volt") for k in ("e_leak", "v_threshold", "slope", "v_reset", "v_peak")}
    parameters |= {k: (getattr(model, k), "siemens") for k in ("g_leak", "a")}
    parameters |= {"capacitance": (model.capacitance, "farad"), "tau_w": (model.tau_w, "second"), "b": (model.b, "amp")}
    equations = [
        "v_seen = clip(v, -1e6*volt, v_peak) : volt",
        "dw_adapt/dt = (a*(v_seen - e_leak) - w_adapt)/tau_w : amp",  # w is the weight of a synapse there
        f"dv/dt = ({amperes} - w_adapt + I_injected{{current}})/capacitance : volt",
    ]
    return _two(population, method, name, equations, "v = v_reset\nw_adapt += b", parameters, ("w_adapt", "amp"))


def _izhikevich(population, method, dt, name):
    model = population.model
    parameters = {"a": (model.a, "hertz"), "b": (model.b, "hertz"), "d": (model.d, "volt/second")}
    parameters |= {"c": (model.c, "volt"), "v_peak": (model.v_peak, "volt"), "ohm_per_second": (1.0, "ohm/second")}
    parameters |= {"square": (model.square, "1/volt/second"), "linear": (model.linear, "hertz")}
    parameters |= {"constant": (model.constant, "volt/second")}
    equations = [
        "du/dt = a*(b*v - u) : volt/second",
        "dv/dt = square*v**2 + linear*v + constant - u + ohm_per_second*(I_injected{current}) : volt",
    ]
    return _two(population, method, name, equations, "v = c\nu += d", parameters, ("u", "volt/second"))


def _two(population, method, name, equations, reset, parameters, second):
    """A model of v and a second variable that spikes at v_peak."""
    methods = {"auto": "rk4", "rk4": "rk4", "euler": "euler"}
    if method not in methods:
        raise ValueError(f"method: {method!r} of {name} has no counterpart in Brian2, expected one of {list(methods)}")
    if np.any(np.asarray(population.model.refractory) > 0.0):
        raise ValueError(f"{name}: refractory: Brian2 lets {second[0]} follow another v while v is held; set it to 0")
    if any(receptor.reversal is None for receptor in population.receptors.values() if receptor.taus) or any(
        receptor.reversal is not None for receptor in population.receptors.values()
    ):
        raise ValueError(
            f"{name}: receptors of {type(population.model).__name__} are held over a step here, and part of the "
            "field of Runge-Kutta there; only Delta receptors are translated"
        )
    _, more, rows, current = _receptors(population, name, False)
    return Membrane(
        [*(line.replace("{current}", current) for line in equations), "I_injected : amp"],
        "v >= v_peak",
        reset,
        False,
        methods[method],
        parameters | more,
        [("v", "volt"), second, *rows],
    )


def _text(population, method, dt, name):
    model = population.model
    if method not in METHODS:
        raise ValueError(f"method: {method!r} of {name} has no counterpart in Brian2, expected one of {list(METHODS)}")
    if model.refractory > 0.0:
        raise ValueError(
            f"{name}: refractory: Brian2 lets the other variables follow another v while v is held; set it to 0"
        )
    if any(not isinstance(receptor, Delta) for receptor in population.receptors.values()):
        raise ValueError(
            f"{name}: receptors of Neuron are held over a step here, and part of the field of Runge-Kutta there; only "
            "Delta receptors are translated"
        )
    lines, threshold, reset, values, state = written(model, name)
    _, more, rows, _ = _receptors(population, name, False)
    crossing = threshold if reset is None and threshold is not None else False  # no spike while above
    return Membrane(
        [*lines, "I_injected : amp"], threshold, reset, crossing, METHODS[method], values | more, [*state, *rows]
    )


def _rate(rate):
    """A gate's rate against v, 1/s."""
    y = f"(v - {float(rate.midpoint)!r}*volt)/({float(rate.scale)!r}*volt)"
    course = {"exponential": f"*exp({y})", "sigmoid": f"/(1 + exp(-{y}))", "linoid": f"/exprel(-{y})"}
    return f"{float(rate.rate)!r}*hertz{course[rate.form]}"
