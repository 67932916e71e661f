"""Finite-size scaling: where curves of two sizes cross, and the exponents that make curves of many sizes one.

A quantity scales as Q(T, L) = L^(-y) F((T - T_c) L^(1/nu)): with the right T_c, 1/nu and y all curves collapse
(Fisher and Barber 1972).  The measure of a collapse is each point's distance from a line through its neighbours of the
other sizes, in standard errors (Kawashima and Ito 1993).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.analysis.resampling import Estimate
from physlearn.checks import array, count, number, positive, sequence
from physlearn.rng import generator as generator_of


def crossing(x, first, second, first_error=None, second_error=None, *, degree: int = 3, resamples: int = 200, rng=None):
    """Where two curves cross, such as Binder cumulants of two sizes.

    Parameters
    ----------
    x : (k,) array
        Temperatures, increasing.
    first, second : (k,) arrays
    first_error, second_error : (k,) arrays, optional
        Standard errors; without them the crossing has none.
    degree : int
        Of the polynomial fitted to the difference, weighted by its errors.
    resamples : int
        Draws of the points within their errors, whose crossings' spread is the error.
    rng : int, Generator or None

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        Curves that do not cross within the range, or more than once.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(2.0, 2.6, 7)
    >>> found = crossing(x, 0.6 - (x - 2.27), 0.6 - 2 * (x - 2.27), 0 * x + 1e-3, 0 * x + 1e-3, rng=0)
    >>> bool(abs(found.value - 2.27) < 1e-9), bool(1e-4 < found.error < 2e-3)
    (True, True)
    """
    t = array("x", x, ndim=1)
    if len(t) < 2 or np.any(np.diff(t) <= 0):
        raise ValueError(f"x: got {len(t)} values, expected at least 2, increasing")
    a, b = array("first", first, shape=t.shape), array("second", second, shape=t.shape)
    errors = [
        np.zeros_like(t) if e is None else array(name, e, shape=t.shape, low=0.0)
        for name, e in (("first_error", first_error), ("second_error", second_error))
    ]
    sigma = np.hypot(*errors)
    degree = min(count("degree", degree, 1), len(t) - 1)
    weights = None if np.any(sigma == 0) else 1 / sigma

    def root(gap):
        fit = np.polynomial.Polynomial.fit(t, gap, degree, w=weights)
        roots = [r.real for r in fit.roots() if abs(r.imag) < 1e-9 and t[0] <= r.real <= t[-1]]
        return roots

    here = root(a - b)
    if len(here) != 1:
        raise ValueError(f"first, second: {len(here)} crossings between {t[0]:g} and {t[-1]:g}, expected one; narrow x")
    if not sigma.any():
        return Estimate(here[0], float("nan"), 0)
    generator, spread = generator_of(rng), []
    for _ in range(count("resamples", resamples, 10, most=10**5)):
        there = root(a - b + sigma * generator.standard_normal(len(t)))
        spread += [min(there, key=lambda r: abs(r - here[0]))] if there else []
    return Estimate(here[0], float(np.std(spread, ddof=1)), len(spread))


class Collapse(NamedTuple):
    """Exponents of a collapse with their standard errors, and the mean square distance in standard errors (near 1)."""

    critical: float
    critical_error: float
    inverse_nu: float
    inverse_nu_error: float
    exponent: float
    exponent_error: float
    quality: float


def collapse(
    sizes,
    x,
    values,
    errors,
    *,
    critical,
    inverse_nu=1.0,
    exponent=None,
    within: float = 2.0,
    resamples: int = 20,
    rng=None,
) -> Collapse:
    """Fit the critical point and exponents that make curves of several sizes one.

    Parameters
    ----------
    sizes : (s,) sequence
        L.
    x : sequence of (k,) arrays
        Temperatures of each size.
    values, errors : sequences of (k,) arrays
        Q and its standard errors.
    critical, inverse_nu : float
        Where to start.
    exponent : float, optional
        Where y starts; default: y = 0, held, as for cumulants.
    within : float
        Only points with |x - x_c| L^(1/nu) up to this at the start count.
    resamples : int
        Fits to points drawn within their errors, whose spread is the error.
    rng : int, Generator or None

    Returns
    -------
    Collapse

    Notes
    -----
    Kawashima and Ito, J. Phys. Soc. Japan 62, 435 (1993); Houdayer and Hartmann, Phys. Rev. B 70, 014418 (2004).

    Examples
    --------
    >>> import numpy as np
    >>> sizes, t = [8, 16, 32], np.linspace(2.1, 2.5, 15)
    >>> values = [np.tanh((t - 2.3) * L) for L in sizes]
    >>> found = collapse(sizes, [t] * 3, values, [0 * t + 1e-3] * 3, critical=2.27, rng=0)
    >>> bool(abs(found.critical - 2.3) < 5e-3), bool(abs(found.inverse_nu - 1) < 0.05)
    (True, True)
    """
    from scipy.optimize import minimize

    critical, inverse_nu = number("critical", critical), positive("inverse_nu", inverse_nu)
    if exponent is not None:
        exponent = number("exponent", exponent)
    length = np.array([positive(f"sizes[{k}]", one) for k, one in enumerate(sequence("sizes", sizes))])
    parts = {
        name: [array(f"{name}[{k}]", one, ndim=1) for k, one in enumerate(sequence(name, given))]
        for name, given in (("x", x), ("values", values), ("errors", errors))
    }
    if len(length) < 2 or any(len(given) != len(length) for given in parts.values()):
        raise ValueError(
            f"sizes: got {len(length)}, and {[len(g) for g in parts.values()]} curves, expected as many, at least 2"
        )
    shapes = [[one.shape for one in given] for given in parts.values()]
    if not shapes[0] == shapes[1] == shapes[2]:
        raise ValueError("x, values, errors: curves of different lengths, expected the same for each size")
    which = np.repeat(np.arange(len(length)), [len(one) for one in parts["x"]])
    t, q, sigma = (np.concatenate(parts[name]) for name in ("x", "values", "errors"))
    if np.any(sigma <= 0):
        raise ValueError("errors: got values <= 0, expected the standard error of every point")
    near = np.abs(t - critical) * length[which] ** inverse_nu <= positive("within", within)
    if np.count_nonzero(near) < 6:
        raise ValueError(
            f"within: only {np.count_nonzero(near)} points are that near to {critical:g}, expected at least 6"
        )
    which, t, q, sigma = which[near], t[near], q[near], sigma[near]
    held, repeats = exponent is None, count("resamples", resamples, 2, most=10**4)

    def distance(p, q):
        place = (t - p[0]) * length[which] ** p[1]
        scale = length[which] ** (0.0 if held else p[2])
        return _distance(place, q * scale, sigma * scale, which)

    def fitted(q):
        start = np.array([critical, inverse_nu] if held else [critical, inverse_nu, exponent], float)
        spread = np.array([0.02 * max(abs(critical), 1e-3), 0.1, 0.1][: len(start)])
        simplex = np.vstack([start, start + np.diag(spread)])
        options = {"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000}
        return minimize(distance, start, args=(q,), method="Nelder-Mead", options=options)

    best, generator = fitted(q), generator_of(rng)
    again = [fitted(q + sigma * generator.standard_normal(len(q))).x for _ in range(repeats)]
    spread = np.std(again, axis=0, ddof=1)
    point = np.append(best.x, 0.0) if held else best.x
    spread = np.append(spread, 0.0) if held else spread
    exponents: Any = [float(v) for pair in zip(point, spread, strict=True) for v in pair]
    return Collapse(*exponents, quality=float(best.fun))


def _distance(place, value, sigma, number):
    """Mean square distance of the points from lines through the other sizes' nearest points on either side."""
    order = np.argsort(place, kind="stable")
    place, value, sigma, number = place[order], value[order], sigma[order], number[order]
    total, counted = 0.0, 0
    for k in np.unique(number):
        own, other = number == k, number != k
        p, v, s = place[other], value[other], sigma[other]
        right = np.searchsorted(p, place[own])
        inside = (right > 0) & (right < len(p))
        a, b = right[inside] - 1, right[inside]
        at = place[own][inside]
        gap = p[b] - p[a]
        share = np.where(gap > 0, (at - p[a]) / np.where(gap > 0, gap, 1.0), 0.5)
        line = (1 - share) * v[a] + share * v[b]
        noise = sigma[own][inside] ** 2 + ((1 - share) * s[a]) ** 2 + (share * s[b]) ** 2
        total += np.sum((value[own][inside] - line) ** 2 / noise)
        counted += int(inside.sum())
    return total / counted if counted >= 3 else np.inf
