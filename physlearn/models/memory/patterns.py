"""Patterns to store, and their damage: flips, erasure, noise.

Patterns are rows, (m, n), of -1 and +1 (`Spin`) or 0 and 1 (`Binary`).  The overlap of a state x with pattern
xi is m = xi.x/n: 1 is recall, -1 recall of the inverse (as deep a minimum where there are no fields), and a
random state has about 1/sqrt(n).
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, choice, count, flag, not_negative, number, seen
from physlearn.rng import generator, seed
from physlearn.threads import on_one_thread


def random_patterns(m, n, *, activity=0.5, values="spin", rng=None):
    """Draw independent patterns, (m, n) float64.

    Parameters
    ----------
    m, n : int
        Patterns and neurons.
    activity : float
        Fraction of +1 (or 1), in expectation, in (0, 1); low activity is the sparse coding of cortex.
    values : {"spin", "binary"}
        -1 and +1, or 0 and 1.
    rng : int, Generator or None

    Examples
    --------
    >>> random_patterns(2, 100, activity=0.1, values="binary", rng=0).mean().round(1)
    np.float64(0.1)
    """
    n = count("n", n, each=8)
    m = count("m", m, each=8 * n)
    if not 0 < number("activity", activity) < 1:
        raise ValueError(f"activity: got {activity}, expected a fraction in (0, 1)")
    choice("values", values, ("spin", "binary"))
    ones = (generator(rng).random((m, n)) < activity).astype(float)
    return ones if values == "binary" else 2.0 * ones - 1.0


def correlated_patterns(m, n, correlation, *, rng=None):
    """Draw -1/+1 patterns that share a hidden template, so that each pair overlaps by ``correlation`` on average.

    Parameters
    ----------
    m, n : int
        Patterns and neurons.
    correlation : float
        Expected overlap of two patterns, in [0, 1].
    rng : int, Generator or None

    Examples
    --------
    >>> overlap_matrix(correlated_patterns(2, 10_000, 0.3, rng=0))[0, 1].round(1)
    np.float64(0.3)
    """
    n = count("n", n, each=8)
    m = count("m", m, each=8 * n)
    correlation = number("correlation", correlation, 0, 1)
    rng = generator(rng)
    template = rng.choice(np.array([-1.0, 1.0]), n)
    # each pattern copies the template with probability (1 + a)/2, and two of them overlap by a^2
    copies = rng.random((m, n)) < 0.5 * (1.0 + np.sqrt(correlation))
    return np.where(copies, template, -template)


def flip(x, fraction, *, rng=None):
    """Invert a fraction of every pattern's values, at random places; shaped like x.

    Parameters
    ----------
    x : (..., n) array
        Of -1 and +1, or 0 and 1.
    fraction : float
        In [0, 1]; the number of flips is rounded to the nearest integer.
    rng : int, Generator or None

    Examples
    --------
    >>> int(np.sum(flip(np.ones(10), 0.3, rng=0) == -1))
    3
    """
    x = _rows(x)
    low, high = value_pair(x, "x")
    where = _places(x, fraction, rng)
    return np.where(where, low + high - x, x)


def erase(x, fraction, *, fill=-1.0, contiguous=False, rng=None):
    """Overwrite a fraction of every pattern; shaped like x.

    Parameters
    ----------
    x : (..., n) array
    fraction : float
        In [0, 1].
    fill : float
        Value written there: -1 or 0 for paper; 0 in a spin pattern means unknown, for continuous memories.
    contiguous : bool
        Erase the last part (the lower part of a picture given row by row) instead of random places.
    rng : int, Generator or None

    Examples
    --------
    >>> erase(np.ones(4), 0.5, contiguous=True)
    array([ 1.,  1., -1., -1.])
    """
    x, fill = _rows(x), number("fill", fill)
    seed(rng)
    if flag("contiguous", contiguous):
        _check_fraction(fraction)
        where = np.broadcast_to(np.arange(x.shape[-1]) >= x.shape[-1] - round(fraction * x.shape[-1]), x.shape)
    else:
        where = _places(x, fraction, rng)
    return np.where(where, fill, x)


def add_noise(x, sd, *, rng=None):
    """Add Gaussian noise of standard deviation ``sd``, for continuous memories; shaped like x.

    Parameters
    ----------
    x : (..., n) array
    sd : float
        At least 0.
    rng : int, Generator or None

    Examples
    --------
    >>> add_noise([1.0, -1.0], 0.1, rng=0).round(2)
    array([ 1.01, -1.01])
    """
    x, sd = array("x", x), not_negative("sd", sd)
    return x + sd * generator(rng).standard_normal(x.shape)


@on_one_thread
def overlap(x, patterns):
    """Overlaps m = xi.x/n of states with patterns, (..., m); 0/1 values count as -1/+1.

    Parameters
    ----------
    x : (..., n) array
        In the patterns' values: between 0 and 1 if these are 0 and 1.
    patterns : (m, n) array

    Examples
    --------
    >>> overlap([1, 1, -1, -1], [[1, 1, 1, 1], [1, 1, -1, -1]])
    array([0., 1.])
    """
    patterns = check_patterns(patterns)
    x = array("x", x, finite=False)
    if x.shape[-1:] != patterns.shape[1:]:
        raise ValueError(f"x: shape {x.shape}, expected (..., {patterns.shape[1]}), as long as a pattern of `patterns`")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"x: {np.sum(~np.isfinite(x))} values are NaN or infinite, expected finite")
    if value_pair(patterns, "patterns")[0] == 0:
        if np.any((x < 0) | (x > 1)):
            raise ValueError("x: some values are outside [0, 1], but the patterns are 0 and 1; pass (x + 1)/2")
        patterns, x = 2.0 * patterns - 1.0, 2.0 * x - 1.0
    elif np.any(x == 0) and np.any(x == 1) and np.all((x == 0) | (x == 1)):
        raise ValueError("x: got 0 and 1, but the patterns are -1 and +1; pass 2*x - 1")
    return x @ patterns.T / patterns.shape[1]


def overlap_matrix(patterns):
    """Overlaps of all pairs of patterns, (m, m) with ones on the diagonal.

    Parameters
    ----------
    patterns : (m, n) array

    Examples
    --------
    >>> overlap_matrix([[1, 1, -1, -1], [1, 1, 1, 1]])
    array([[1., 0.],
           [0., 1.]])
    """
    return overlap(patterns, patterns)


# ---------------------------------------------------------------- checks
def check_patterns(patterns, name="patterns"):
    """Patterns as (m, n) float64; ValueError for NaN, other values or another shape."""
    patterns = np.atleast_2d(array(name, patterns, finite=False))
    if patterns.ndim != 2 or patterns.size == 0:
        raise ValueError(
            f"{name}: shape {patterns.shape}, expected (m, n), one flat pattern a row; flatten pictures with "
            "x.reshape(len(x), -1)"
        )
    value_pair(patterns, name)
    return patterns


def check_memory(memory, patterns):
    """Refuse objects without `recall`, and patterns of another length than the memory's, by name."""
    if not callable(getattr(memory, "recall", None)) or isinstance(memory, type):
        raise TypeError(f"memory: got {seen(memory)}, expected a network that recalls, such as Hopfield or DenseMemory")
    if getattr(memory, "n", patterns.shape[1]) != patterns.shape[1]:
        raise ValueError(
            f"patterns: shape {patterns.shape}, expected (m, {memory.n}), as many values as the memory has"
        )


def refuse_duplicates(patterns):
    """Refuse two equal patterns."""
    _, first, counts = np.unique(patterns, axis=0, return_index=True, return_counts=True)
    if np.any(counts > 1):
        again = int(first[np.argmax(counts)])
        raise ValueError(
            f"patterns: pattern {again} occurs {counts.max()} times, expected different patterns; pass "
            "np.unique(patterns, axis=0)"
        )


def value_pair(x, name):
    """The two values that patterns use: (-1, 1) or (0, 1)."""
    bad = np.sum(~np.isfinite(x))
    if bad:
        raise ValueError(f"{name}: {bad} values are NaN or infinite, expected -1 and +1, or 0 and 1")
    if np.all(np.abs(x) == 1):
        return -1.0, 1.0
    if np.all((x == 0) | (x == 1)):
        return 0.0, 1.0
    other = np.unique(x[(x != 0) & (np.abs(x) != 1)])
    got = f"{other[:3].tolist()}" if other.size else "-1, 0 and +1 together"
    raise ValueError(f"{name}: got {got}, expected only -1 and +1, or only 0 and 1; binarise with np.sign or x > level")


def _rows(x):
    x = np.array(array("x", x))
    if x.ndim == 0:
        raise ValueError(f"x: got the number {x}, expected patterns, (..., n)")
    return x


def _check_fraction(fraction):
    return number("fraction", fraction, 0, 1)


def _places(x, fraction, rng):
    _check_fraction(fraction)
    rank = generator(rng).random(x.shape).argsort(-1).argsort(-1)
    return rank < round(fraction * x.shape[-1])
