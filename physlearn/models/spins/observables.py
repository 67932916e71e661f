"""Observables of spin systems.

Functions of states take arrays whose last ``dims`` axes are the layer's (2 on a square lattice), after any
axes of chains and draws.  Functions of measurements average over all of them, or over ``axis``: per chain
with ``axis=1`` on (chains, draws), so that the scatter between chains gives the error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import count, integer, integers, positive, reals, seen
from physlearn.dynamics.lattice.stencil import slots
from physlearn.kinds import two_values


def magnetisation(s, dims):
    """Mean spin of every state, (...).

    Examples
    --------
    >>> float(magnetisation(np.array([[1.0, 1.0], [1.0, -1.0]]), 2))
    0.5
    """
    s = _measured("s", s)
    return np.mean(s, axis=_last(s, dims))


def order_parameter(codes, dims, q):
    """Potts order parameter (q max_k n_k - 1)/(q - 1) of every state, n_k the fraction of code k, (...).

    Examples
    --------
    >>> float(order_parameter(np.array([0, 0, 1]), 1, q=3))
    0.5
    """
    codes = integers("codes", codes, low=0)
    axes, q = _last(codes, dims, "codes"), count("q", q, least=2)
    integers("codes", codes, low=0, high=q - 1)
    most = np.max([np.mean(codes == k, axis=axes) for k in range(min(q, int(codes.max()) + 1))], axis=0)
    return (q * most - 1.0) / (q - 1.0)


def susceptibility(m, n, temperature, axis=None):
    """n (<m^2> - <|m|>^2)/T of n spins, from the magnetisation of every draw.

    The modulus keeps a finite system's flips of sign out of it; above the critical temperature it is smaller
    than n <m^2>/T by the factor 1 - 2/pi of a Gaussian m.

    Examples
    --------
    >>> float(susceptibility(np.array([0.5, -0.25]), n=16, temperature=2.0))
    0.125
    """
    m, n, temperature = _measured("m", m).astype(float, copy=False), count("n", n), positive("temperature", temperature)
    axis = _over(m, axis)
    return n * (np.mean(m**2, axis) - np.mean(np.abs(m), axis) ** 2) / temperature


def specific_heat(energy, n, temperature, axis=None):
    """Variance of the energy over n T^2, per spin.

    Examples
    --------
    >>> float(specific_heat(np.array([-8.0, -4.0]), n=4, temperature=2.0))
    0.25
    """
    energy = _measured("energy", energy)
    return np.var(energy, _over(energy, axis)) / (count("n", n) * positive("temperature", temperature) ** 2)


def binder(m, axis=None):
    """Binder's cumulant 1 - <m^4>/(3 <m^2>^2) (Binder 1981): 2/3 in order, 0 for a Gaussian m.

    Sizes cross at the critical temperature, at 0.61069 on the square torus.

    Examples
    --------
    >>> f"{binder(np.array([1.0, -1.0])):.4f}"
    '0.6667'
    """
    m = _measured("m", m).astype(float, copy=False)
    axis = _over(m, axis)
    return 1.0 - np.mean(m**4, axis) / (3.0 * np.mean(m**2, axis) ** 2)


def replica_overlap(a, b, dims):
    """Overlap q = mean of a_i b_i of replicas a and b, (...); independent chains at one temperature.

    Examples
    --------
    >>> float(replica_overlap(np.array([1.0, -1.0]), np.array([1.0, 1.0]), 1))
    0.0
    """
    product = _product(a, b)
    return np.mean(product, axis=_last(product, dims, "a"))


def link_overlap(a, b, pairs, dims):
    """Link overlap: mean over couplings (i, j) of a_i a_j b_i b_j, (...).

    In equilibrium with normal couplings of unit variance [u] = -(z/2)(1 - [q_link])/T exactly, z the number
    of neighbours (Contucci and Giardina 2005; Katzgraber, Palassini and Young 2001): a test of equilibration.

    Examples
    --------
    >>> float(link_overlap(np.array([1.0, -1.0]), np.array([-1.0, 1.0]), np.array([[0, 1]]), 1))
    1.0
    """
    product = _product(a, b)
    axes = _last(product, dims, "a")
    flat = product.reshape(*product.shape[: product.ndim - len(axes)], -1)
    i, j = integers("pairs", pairs, shape=("m", 2), low=0, high=flat.shape[-1] - 1).T
    if not len(i):
        raise ValueError("pairs: got none, expected at least one")
    return np.mean(flat[..., i] * flat[..., j], axis=-1)


def frustrated_plaquettes(model: Any):
    """Plaquettes of a square lattice whose four couplings have a negative product (Toulouse 1977).

    Parameters
    ----------
    model : Ising or SpinGlass
        With a layer (rows, columns) and nearest-neighbour couplings.

    Returns
    -------
    frustrated : (rows, columns) array of bool
        By the plaquette's first corner; False where a coupling is missing.  On a torus their number is even.

    Raises
    ------
    ValueError
        For other graphs; for codes, whose couplings frustrate in other ways.

    Examples
    --------
    >>> from physlearn.models import Ising
    >>> J = np.ones(18)
    >>> J[0] = -1.0  # one bond turned round frustrates the two plaquettes beside it
    >>> int(frustrated_plaquettes(Ising.square(3, J)).sum())
    2
    """
    if isinstance(model, type) or not all(hasattr(model, part) for part in ("layers", "pairs", "couplings")):
        raise TypeError(f"model: got {seen(model)}, expected an Ising or SpinGlass, such as Ising.square(3)")
    kind, shape = model.layers["s"]
    if two_values(kind) != (-1.0, 1.0):
        raise ValueError(f"model: its variables are {kind}, expected Spin: a plaquette's sign is a matter of spins")
    slot = slots(shape, *model.pairs.T)[0] if len(shape) == 2 and min(shape) > 2 else None
    if slot is None:
        raise ValueError(
            f"model: layer of shape {shape}, expected nearest neighbours on a square lattice of at least 3 x 3"
        )
    down, across = np.bincount(slot, model.couplings, 2 * shape[0] * shape[1]).reshape(2, *shape)
    down, across = np.sign(down), np.sign(across)  # products of tiny couplings would underflow
    return down * across * np.roll(down, -1, 1) * np.roll(across, -1, 0) < 0


def correlation_length(s, dims):
    """Second-moment correlation length in lattice spacings, from draws on a periodic lattice.

    xi = sqrt(chi(0)/chi(k) - 1) / (2 sin(|k|/2)) with chi(k) = <|sum_r s_r exp(ikr)|^2> and k the smallest
    wave vector along an axis (Cooper, Freedman and Preston 1982); averaged over the axes.  Above the critical
    temperature; take products of replicas for a spin glass.

    Parameters
    ----------
    s : (..., *shape) array
        At least as many draws as it takes for the means to settle.
    dims : int

    Examples
    --------
    >>> from physlearn import sample
    >>> from physlearn.models import Ising
    >>> s = sample(Ising.square(16), temperature=4.0, n_samples=200, chains=16, rng=0).x
    >>> bool(0.6 < correlation_length(s, 2) < 1.4)
    True
    """
    s = _measured("s", s).astype(float, copy=False)
    axes = _last(s, dims)
    total = np.mean(s.sum(axis=axes) ** 2)
    lengths = []
    for axis in axes:
        extent = s.shape[axis]
        line = s.sum(axis=tuple(a for a in axes if a != axis))
        wave = np.mean(np.abs(line @ np.exp(2j * np.pi * np.arange(extent) / extent)) ** 2)
        ratio = total / wave if wave > 1e-12 * total else np.inf  # order alone: no length to see
        lengths.append(np.sqrt(max(ratio - 1.0, 0.0)) / (2.0 * np.sin(np.pi / extent)))
    return float(np.mean(lengths))


def _measured(name, value):
    """Finite numbers, at least one, in the type that they have."""
    value = reals(name, value)
    if not value.size:
        raise ValueError(f"{name}: got the shape {value.shape}, expected at least one number")
    return value


def _last(s, dims, name="s"):
    """The last ``dims`` axes, those of the layer."""
    if not s.size or not s.ndim:
        raise ValueError(f"{name}: got the shape {s.shape}, expected states of at least one variable")
    dims = count("dims", dims)
    if dims > s.ndim:
        raise ValueError(f"{name}: got the shape {s.shape}, expected at least dims = {dims} axes")
    return tuple(range(-dims, 0))


def _over(measured, axis):
    """An axis or None, all of them."""
    return None if axis is None else integer("axis", axis, -measured.ndim, measured.ndim - 1)


def _product(a, b):
    """Replicas multiplied, spin by spin."""
    a, b = _measured("a", a), _measured("b", b)
    if a.shape != b.shape:
        raise ValueError(f"a, b: got the shapes {a.shape} and {b.shape}, expected replicas of one shape")
    return a * b
