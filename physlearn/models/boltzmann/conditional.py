"""Layers whose variables do not couple among themselves: sums over them, given all other layers, are products.

For such a layer, with x0 the state in which all its variables are at rest (0, -1 for spins, code 0),

    sum_x exp(-E(x, y)/T) = exp(-E(x0, y)/T) prod_i z_i,   z_i = sum_{x_i} exp(-(E_i(x_i) - E_i(x0_i))/T)

exact for discrete layers, and for unbounded `Real` ones with a separable quadratic energy.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, mapping
from physlearn.dynamics.sampling.sample import sample
from physlearn.energy import Energy, Readout
from physlearn.kinds import is_continuous


def rest(kind, shape):
    """The state x0 that sums are taken relative to: the first level, or zero of a continuous variable."""
    return np.full(shape, 0.0 if is_continuous(kind) else kind.levels[0])


def at_rest(energy: Energy, x, layer):
    """The state x with one layer at rest."""
    kind, shape = energy.layers[layer]
    rows = len(next(iter(x.values())))
    return {**x, layer: rest(kind, (rows, *shape))}


def field_at_rest(energy: Energy, x, layer):
    """(field, curvature) of a layer at rest, given the others in x; curvature is None on discrete layers."""
    kind = energy.layers[layer].kind
    x = at_rest(energy, x, layer)
    curvature = None
    if is_continuous(kind):
        curvature = np.broadcast_to(np.asarray(energy.curvature(x, layer)), x[layer].shape)
        if np.any(curvature <= 0):
            raise ValueError(f"energy: the curvature on layer {layer!r} is not positive, so exp(-E/T) has no norm")
    return energy.field(x, layer), curvature


def log_sum(energy: Energy, x, layer, temperature):
    """log sum_x exp(-E/T) over one layer given the others, (batch,)."""
    x = at_rest(energy, x, layer)
    field, curvature = field_at_rest(energy, x, layer)
    factors = energy.layers[layer].kind.log_z(field, temperature, curvature)
    base = -np.asarray(sum(energy.shares(x).values())) / temperature
    return base + factors.sum(tuple(range(1, factors.ndim)))


def conditional_mean(energy: Energy, x, layer, temperature):
    """Mean of one layer given the others."""
    field, curvature = field_at_rest(energy, x, layer)
    return energy.layers[layer].kind.mean(field, temperature, curvature)


def all_states(kind, n, block=1 << 12):
    """Every state of n discrete variables, in blocks (rows, n)."""
    q = len(kind.levels)
    strides = q ** np.arange(n - 1, -1, -1, dtype=np.int64)
    for start in range(0, q**n, block):
        index = np.arange(start, min(start + block, q**n))
        yield kind.levels[index[:, None] // strides % q]


def split_known(known, n, size):
    """Flat indices and values of the numbers in ``known``, (size,) or (n, size), that are not NaN."""
    known = array("known", known, finite=False)
    if known.shape not in ((size,), (n, size)):
        raise ValueError(f"known: shape {known.shape}, expected {(size,)} or {(n, size)}")
    missing = np.isnan(np.atleast_2d(known))
    if np.any(missing != missing[0]):
        raise ValueError("known: rows differ in what is NaN; call generate once for each pattern")
    index = np.flatnonzero(~missing[0])
    return index, known[..., index]


def generate(energy: Energy, layer, n, size, known, temperature, sweeps, rng):
    """The first ``size`` variables of a layer, (n, size), each row from a chain of its own; arguments as of `RBM`."""
    clamp, chains = None, count("n", n, each=8 * sum(part.size for part in energy.layers.values()))
    if known is not None:
        index, values = split_known(known, n, size)
        if not (kind := energy.layers[layer].kind).valid(values):
            raise ValueError(f"known: some values are not of the kind {kind}; NaN is drawn")
        energy = Energy(energy.layers, energy.terms, energy.theta, {"known": Readout(layer, index)})
        clamp = {"known": values} if index.size else None
    warmup = count("sweeps", sweeps) - 1
    drawn = sample(energy, temperature=temperature, n_samples=1, chains=chains, warmup=warmup, clamp=clamp, rng=rng)
    return (drawn.x[layer] if len(energy.layers) > 1 else drawn.x)[:, 0, :size]


def given_theta(start, theta):
    """Parameters with some replaced by what a user gives, shaped as they are."""
    given = {} if theta is None else mapping("theta", theta, start, "a mapping of parameters' names to arrays")
    given = {name: array(f"theta[{name!r}]", value) for name, value in given.items()}
    for name, value in given.items():
        if value.shape != start[name].shape:
            shapes = {key: part.shape for key, part in start.items()}
            raise ValueError(f"theta[{name!r}]: shape {value.shape}, expected among {shapes}")
    return start | given
