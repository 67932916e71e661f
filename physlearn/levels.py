"""Energies of the levels of discrete variables, as engines need them, from whatever the terms say.

The field on a variable of a kind without ``gap`` is one number a level, f(k) = -E(value k, all else) + const.  A term
may give just that: a field with one more axis.  Else it gives its slope -dE/dx, as on `Real` variables, and the levels
follow

    exactly from   f(k) = slope d - curvature d^2/2,   d = value k - x,

where the term says that it is a quadratic in every single variable (`curvature`, or the diagonal of `quadratic`), and
from its own energy, evaluated with the variable at each level in turn, where it does not.
"""

from __future__ import annotations

import numpy as np


def level_field(system, shown, layer, index=None):
    """Sum of the terms' levels on some variables of a layer, (batch, k, q); on all of them (batch, *shape, q).

    Parameters
    ----------
    system : System
    shown : {layer: (batch, *shape)}
        What terms see of the state.
    layer : str
    index : (k,) array of int, optional
        Flat indices of the variables wanted.
    """
    here, batch = system.layers[layer], len(shown[layer])
    terms = [term for term in system.terms if layer in term.layers]
    parts = [levels_of(system, term, shown, layer, index) for term in terms]
    total = np.asarray(sum(parts)) if parts else np.zeros((batch, *here.field_shape))
    if index is not None and total.shape == (batch, *here.field_shape):
        total = total.reshape(batch, here.size, -1)[:, index]
    return total


def levels_of(system, term, shown, layer, index=None):
    """One term's levels: (batch, *shape, q) as the term gives them, or (batch, k, q) of the variables wanted."""
    here, x = system.layers[layer], shown[layer]
    batch, q = len(x), len(here.kind.levels)
    f = np.asarray(term.field(shown, system.theta, layer))
    if f.shape == (batch, *here.field_shape):
        return f if index is None else f.reshape(batch, here.size, q)[:, index]
    if f.shape != x.shape:
        raise ValueError(
            f"{type(term).__name__}: its field on layer {layer!r} has shape {f.shape}, expected "
            f"{(batch, *here.field_shape)}, one number a level of {here.kind}, or the slope, {x.shape}"
        )
    wanted = np.arange(here.size) if index is None else index
    curvature = None if here.kind.coded else single_curvature(system, term, shown, layer)
    if curvature is None:
        out = _by_energy(system, term, shown, layer, wanted)
    else:
        flat = [np.broadcast_to(a, x.shape).reshape(batch, -1)[:, wanted] for a in (f, curvature, x)]
        out = here.kind.sloped(0.0, *flat)
    return out.reshape(batch, *here.field_shape) if index is None else out


def single_curvature(system, term, shown, layer):
    """d2E/dx_i2 of a term that is a quadratic in every single variable of a layer, None of one that does not say so."""
    if hasattr(term, "curvature"):
        found = term.curvature(shown, system.theta, layer)
        if found is not None:
            return found
    if not hasattr(term, "quadratic"):
        return None
    key = "diagonal", term, layer
    if key not in system.numbers:
        a, _ = term.quadratic(system.theta)
        start = 0
        for name in dict.fromkeys(term.layers):
            if name == layer:
                break
            start += system.layers[name].size
        here = system.layers[layer]
        system.numbers[key] = np.asarray(a.diagonal())[start : start + here.size].reshape(here.shape)
    return system.numbers[key]


def _by_energy(system, term, shown, layer, wanted):
    """Minus the term's energy with each of the variables wanted at each level, (batch, k, q)."""
    here, x = system.layers[layer], shown[layer]
    if not hasattr(term, "energy"):
        raise ValueError(
            f"{type(term).__name__}: it has no energy and gives a slope on layer {layer!r}, whose kind {here.kind} "
            "needs one number a level; give its field one more axis"
        )
    batch, levels = len(x), here.kind.levels
    out = []
    state = {name: np.repeat(value, len(levels), 0) for name, value in shown.items()}
    for i in wanted:
        moved = np.repeat(x.reshape(batch, -1), len(levels), 0)
        moved[:, i] = np.tile(levels, batch)
        energy = term.energy({**state, layer: moved.reshape(-1, *here.shape)}, system.theta)
        out.append(-np.reshape(energy, (batch, len(levels))))
    return np.stack(out, 1) if out else np.zeros((batch, 0, len(levels)))
