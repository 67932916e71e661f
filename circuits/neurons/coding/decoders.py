"""Decoders: weights of the rates whose sum is a function of what an ensemble represents (Eliasmith and Anderson 2003).

The decoders D of a function f minimise, on average over the ball |x| <= radius,

    <|f(x) - a(x) D|^2> + s^2 |D|^2,     s = regularisation x the largest maximal rate,

which is the mean squared error if every rate has independent noise of standard deviation s (Hz).  The average is a sum
over points with weights w (`circuits.neurons.coding.quadrature`).  With A the rates at the points, each row times the
root of its weight, and F the values of f likewise,

    D = (A'A + s^2)^-1 A'F    (n x n),      D = A'(AA' + s^2)^-1 F    (points x points),

of which the smaller is factorised, once for all functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from circuits.neurons.coding.ensemble import Ensemble
from circuits.neurons.coding.quadrature import ball, default_count
from physlearn.brief import brief
from physlearn.checks import array, count, function as callable_of, instance, not_negative, seen
from physlearn.threads import one_blas_thread

TOGETHER = 1 << 14  # rates that are computed together: what they are made of stays in the cache
ILL = 1e12  # condition number beyond which decoders have few correct digits


class Decoders(NamedTuple):
    """Decoders of one function, and how good they are.

    Attributes
    ----------
    values : (n, k) array
        Unit of f per Hz: the decoded value is ``rates @ values``.
    distortion : (k,) array
        Root mean square of f - a D over the ball, at other points than those of the fit; unit of f.
    noise : (k,) array
        Root mean square of the error that independent noise of standard deviation ``deviation`` on every rate adds.
    deviation : float
        Hz; s of the regulariser.
    condition : float
        Condition number (1-norm, estimated) of the matrix that was factorised.
    """

    values: np.ndarray
    distortion: np.ndarray
    noise: np.ndarray
    deviation: float
    condition: float

    __repr__ = brief


def decoders(ensemble, function=None, *, regularisation=0.1, points=None) -> Any:
    """Regularised decoders of one or several functions.

    Parameters
    ----------
    ensemble : Ensemble
    function : function, or mapping of str to function, optional
        ``f(x) -> (m, k)`` or ``(m,)`` of all points x (m, D) at once, in the ensemble's unit.  Default x itself.
        A mapping shares one factorisation.
    regularisation : float
        Standard deviation of the noise on the rates that the decoders expect, in units of the largest maximal rate.
    points : int or (m, D) array, optional
        Number of quadrature points of the ball, or points of one's own, which count alike.  By default as many as the
        tuning curves need.

    Returns
    -------
    Decoders
        A dictionary of them for a mapping.

    Raises
    ------
    ValueError
        A matrix that is singular to rounding, with its condition number.

    Warns
    -----
    UserWarning
        Above a condition number of 1e12.

    Examples
    --------
    >>> from circuits.neurons import Ensemble
    >>> import numpy as np
    >>> ensemble = Ensemble(200, 1, rng=1)
    >>> found = decoders(ensemble, {"value": None, "square": lambda x: x**2})
    >>> found["square"].values.shape
    (200, 1)
    >>> x = np.array([-0.5, 0.5])
    >>> (ensemble.tuning(x) @ found["square"].values).round(2)
    array([[0.24],
           [0.24]])
    """
    instance("ensemble", ensemble, Ensemble, "an Ensemble")
    reg = not_negative("regularisation", regularisation)
    named: Any = function if isinstance(function, Mapping) else {"function": function}
    if not named:
        raise ValueError("function: got an empty mapping, expected at least one function")
    for name, f in named.items():
        if f is not None:
            if isinstance(f, type):
                raise TypeError(f"{_title(function, name)}: got {seen(f)}, expected a function of points x (m, D)")
            callable_of(_title(function, name), f, 1, "a function of points x (m, D)")
    x, weight, test, share = _points(ensemble, points, reg)
    targets = [values_of(_title(function, name), f, x) for name, f in named.items()]
    ends = np.concatenate([[0], np.cumsum([target.shape[1] for target in targets])])
    deviation = reg * float(ensemble.max_rates.max())
    with one_blas_thread():
        solved, condition = _solve(ensemble, x, weight, np.concatenate(targets, 1), deviation)
        wanted = np.concatenate([values_of(_title(function, name), f, test) for name, f in named.items()], 1)
        missed = np.sqrt(share @ np.square(wanted - _decoded(ensemble, test, solved)))
    noise = deviation * np.sqrt(np.square(solved).sum(0))
    found = {
        name: Decoders(np.ascontiguousarray(solved[:, a:b]), missed[a:b], noise[a:b], deviation, condition)
        for name, a, b in zip(named, ends[:-1], ends[1:], strict=True)
    }
    return found if isinstance(function, Mapping) else found["function"]


def values_of(name, function: Callable | None, x):
    """Values of a function at points, (m, k); the points themselves without one."""
    if function is None:
        return x
    found = array(f"{name}(x)", function(x.copy()), ndim=(1, 2))
    if len(found) != len(x):
        raise ValueError(
            f"{name}(x): got the shape {found.shape} for {len(x)} points of {x.shape[1]} numbers, expected "
            f"({len(x)},) or ({len(x)}, k); it is called with all points at once: x[:, 0] is their first component"
        )
    return found.reshape(len(x), -1)


def _title(function, name):
    return f"function[{name!r}]" if isinstance(function, Mapping) else "function"


def _points(ensemble, given, regularisation):
    """Points and weights of the fit, and others to test it."""
    if given is None or not np.ndim(given):
        dimensions = ensemble.dimensions
        m = default_count(dimensions, ensemble.n, regularisation) if given is None else count("points", given, 2)
        count("points", m, each=8 * (ensemble.n + dimensions))
        x, weight = ball(dimensions, m)
        test, share = ball(dimensions, len(x) + 1 if dimensions == 1 else (3 if dimensions < 4 else 4) * len(x) // 2)
        if dimensions > 3:  # the first half of Sobol' points are those of the fit
            test, share = test[len(x) :], 2 * share[len(x) :]
        return x * ensemble.radius, weight, test * ensemble.radius, share
    x = array("points", given, shape=("m", ensemble.dimensions))
    if not len(x):
        raise ValueError(f"points: got {seen(given)}, expected at least one")
    weight = np.full(len(x), 1 / len(x))
    return x, weight, x, weight


def _solve(ensemble, x, weight, target, deviation):
    """Decoders of all targets, (n, k), and the condition number."""
    import scipy.linalg

    lapack: Any = scipy.linalg.lapack

    root = np.sqrt(weight)[:, None]
    rates = np.empty((len(x), ensemble.n))
    for some in _blocks(ensemble, x):
        np.multiply(ensemble.tuning(x[some]), root[some], out=rates[some])
    dual = len(x) < ensemble.n
    gram = rates @ rates.T if dual else rates.T @ rates
    gram.flat[:: len(gram) + 1] += deviation * deviation
    norm = np.abs(gram).sum(0).max()
    right = root * target if dual else rates.T @ (root * target)
    factor, bad = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    inverse = lapack.dpocon(factor, norm, uplo="L")[0] if not bad else 0.0
    condition = 1 / inverse if inverse > 0 else np.inf
    if bad or not np.isfinite(condition) or condition > 1e15:
        raise ValueError(
            f"decoders: the rates of {ensemble.n} neurons at {len(x)} points have a condition number of "
            f"{condition if not bad else np.inf:.1e}: the decoders are not determined; raise regularisation above "
            f"{deviation / ensemble.max_rates.max():.3g}"
        )
    if condition > ILL:
        warnings.warn(
            f"decoders: ill-conditioned, condition number {condition:.1e}: about "
            f"{max(0, 16 - np.log10(condition)):.0f} of their digits are correct; raise regularisation",
            UserWarning,
            stacklevel=3,
        )
    solved, _ = lapack.dpotrs(factor, right, lower=1)
    return (rates.T @ solved if dual else solved), condition


def _decoded(ensemble, x, values):
    """Decoded values at points, (m, k)."""
    return np.concatenate([ensemble.tuning(x[some]) @ values for some in _blocks(ensemble, x)])


def _blocks(ensemble, x):
    rows = max(1, TOGETHER // ensemble.n)
    return [slice(low, low + rows) for low in range(0, len(x), rows)]
