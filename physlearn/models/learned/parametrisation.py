r"""Parametrisation: what a diffusion model's map stands for, as one choice, and the table from each to the others.

With x_k = a x0 + s eps, a^2 + s^2 = 1 (`NoiseSchedule`), a prediction of one of these four gives the others:

    given     x0                   eps              v = a eps - s x0      score = -eps/s
    eps       (x - s eps)/a        eps              from the pair         from the pair
    x0        x0                   (x - a x0)/s     (x0, eps) by its      by its definition
    v         a x - s v            s x + a v        definition
    score     (x + s^2 score)/a    -s score

An error of eps by d is one of x0 by s d/a, of v by d/a, of the score by d/s: so the same loss weighs times differently,
and a sampler that takes one for another draws from no law at all.  v: Salimans and Ho 2022.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from physlearn.checks import array, choice


class Parametrisation(StrEnum):
    """One of "eps", "x0", "v" and "score".

    Examples
    --------
    >>> parametrisation("v") is Parametrisation.V
    True
    """

    EPS = "eps"
    X0 = "x0"
    V = "v"
    SCORE = "score"


def parametrisation(value, name="parametrisation") -> Parametrisation:
    """The parametrisation of this name; ValueError for any other.

    Parameters
    ----------
    value : Parametrisation or str
    name : str
        The argument's name, for errors.

    Examples
    --------
    >>> parametrisation("eps")
    <Parametrisation.EPS: 'eps'>
    """
    return Parametrisation(choice(name, value, [p.value for p in Parametrisation]))


def converted(value, x, signal, noise, given, wanted) -> np.ndarray:
    """A prediction as another of the four.

    Parameters
    ----------
    value : array
        What was predicted at x, shaped like it.
    x : array
        The noised data a x0 + s eps.
    signal, noise : float or array
        a and s, both positive, a^2 + s^2 = 1; arrays against the shape of x.
    given, wanted : Parametrisation or str
        What ``value`` is, and what it is to be.

    Examples
    --------
    >>> import numpy as np
    >>> x0, eps, a, s = np.array([[2.0]]), np.array([[-1.0]]), 0.8, 0.6
    >>> converted(eps, a * x0 + s * eps, a, s, "eps", "x0")
    array([[2.]])
    >>> converted(a * eps - s * x0, a * x0 + s * eps, a, s, "v", "score").round(6)
    array([[1.666667]])
    """
    given, wanted = parametrisation(given, "given"), parametrisation(wanted, "wanted")
    value, x = array("value", value), array("x", x)
    if value.shape != x.shape:
        raise ValueError(f"value: got the shape {value.shape}, expected {x.shape}, that of x")
    a, s = array("signal", signal, low=0.0, high=1.0), array("noise", noise, low=0.0, high=1.0)
    if not np.allclose(a * a + s * s, 1.0, rtol=0.0, atol=1e-9):
        raise ValueError("signal, noise: expected a^2 + s^2 = 1; take both from one NoiseSchedule")
    if given is wanted:
        return value
    return made_of(*pair_of(value, x, a, s, given), a, s, wanted)


def pair_of(value, x, a, s, given):
    """(x0, eps) of a prediction, unchecked."""
    if given is Parametrisation.EPS:
        return (x - s * value) / a, value
    if given is Parametrisation.X0:
        return value, (x - a * value) / s
    if given is Parametrisation.V:
        return a * x - s * value, s * x + a * value
    return (x + s * s * value) / a, -s * value


def made_of(x0, eps, a, s, wanted):
    """What a map that is right gives for (x0, eps), unchecked."""
    if wanted is Parametrisation.EPS:
        return eps
    if wanted is Parametrisation.X0:
        return x0
    return a * eps - s * x0 if wanted is Parametrisation.V else -eps / s


def error_scale(a, s, wanted):
    """Error of a prediction beside that of eps."""
    one = np.ones_like(np.asarray(a, float))
    return {"eps": one, "x0": s / a, "v": 1 / a, "score": 1 / s}[parametrisation(wanted).value]
