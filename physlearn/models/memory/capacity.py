"""Capacity of memories, measured: overlap against load, basins, phase diagrams, dense memories.

The transition is rounded at one size; curves of several sizes sharpen towards it (`half_load` against
n).  The theory to compare with is in `physlearn.models.memory.mean_field`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, number, positive, reals
from physlearn.models.curves import RETRIEVED, OverlapCurve, fall
from physlearn.models.memory.hopfield import Hopfield
from physlearn.models.memory.patterns import check_memory, check_patterns, flip, overlap, random_patterns
from physlearn.models.memory.retrieval import by_overlaps
from physlearn.models.memory.wiring import RULES
from physlearn.rng import children, generator

BLOCK = 2_000_000  # entries of the patterns that are drawn at once


@dataclass(frozen=True, eq=False)
class CapacityCurve(OverlapCurve):
    """Recall against load at one size.

    Attributes
    ----------
    n : int
    loads : (k,) array
        Patterns per neuron.
    overlaps : (k, seeds) array
        Final overlap with the pattern of the cue, mean over the cues of a seed.
    retrieved : (k, seeds) array
        Fraction of cues that end with an overlap above 0.9.
    """

    n: int
    loads: np.ndarray
    overlaps: np.ndarray
    retrieved: np.ndarray

    __repr__ = brief

    @property
    def half_load(self):
        """Load at which half of the cues are retrieved, between the loads around it; NaN if outside."""
        rate = self.retrieved.mean(1)
        k = fall(rate)
        if k is None:
            return float("nan")
        return float(np.interp(0.5, [rate[k + 1], rate[k]], [self.loads[k + 1], self.loads[k]]))


def capacity_curve(n, loads, *, rule="hebb", seeds=20, cues=1, flipped=0.0, max_sweeps=200, rng=None) -> CapacityCurve:
    """Measure recall of random patterns against their number.

    Parameters
    ----------
    n : int
        Neurons.
    loads : array of float
        Patterns per neuron, rising; numbers of patterns are rounded, to at least 1.
    rule : str
        A rule of `Hopfield.store` that makes its patterns rest; Hebb's couplings are never formed, so that n may be
        large.
    seeds, cues : int
        Independent sets of patterns, and cues tried of each.
    flipped : float
        Fraction of a cue's neurons that are inverted.
    rng : int, Generator or None

    Examples
    --------
    >>> curve = capacity_curve(200, [0.05, 0.3], seeds=5, rng=0)
    >>> curve.mean[0] > 0.99 > 0.7 > curve.mean[1]
    np.True_
    """
    loads, n, cues = _check_loads(loads), count("n", n, least=2), count("cues", cues)
    seeds, max_sweeps, moving = count("seeds", seeds, least=2), count("max_sweeps", max_sweeps), 0
    count("n", n, each=loads[-1] * n)  # a set of patterns, of int8
    flipped = number("flipped", flipped, 0, 1)
    if choice("rule", rule, RULES) == "sequence":
        raise ValueError("rule: 'sequence' leads away from a pattern, which no recall measures; use another rule")
    overlaps, retrieved = np.empty((len(loads), seeds)), np.empty((len(loads), seeds))
    roots = children(rng, len(loads) * seeds)
    for place, child in zip(np.ndindex(overlaps.shape), roots, strict=True):
        draw = np.random.default_rng(child)
        m = max(1, round(float(loads[place[0]]) * n))
        tried = min(cues, m)
        if rule == "hebb":
            xi = (2 * draw.integers(0, 2, (n, m), np.int8) - 1).astype(np.int8)
            start = flip(xi.T[:tried].astype(float), flipped, rng=draw)
            found, rests = (
                np.array(part) for part in zip(*(_fall(row, xi, draw, max_sweeps) for row in start), strict=True)
            )
            reached, moving = np.sum(found * xi.T[:tried], 1) / n, moving + np.sum(~rests)
        else:
            xi = random_patterns(m, n, rng=draw)
            start = flip(xi[:tried], flipped, rng=draw)
            found = Hopfield.store(xi, rule).recall(start, max_sweeps=max_sweeps, rng=draw).x
            reached = np.sum(found * xi[:tried], 1) / n
        overlaps[place], retrieved[place] = reached.mean(), np.mean(reached > RETRIEVED)
    if moving:
        warnings.warn(
            f"capacity_curve: {moving} cues still move after {max_sweeps} sweeps; raise max_sweeps",
            RuntimeWarning,
            stacklevel=2,
        )
    return CapacityCurve(int(n), loads, overlaps, retrieved)


def _check_loads(loads):
    loads = np.atleast_1d(array("loads", loads, finite=False))
    good = loads.ndim == 1 and loads.size and np.all((loads > 0) & np.isfinite(loads)) and np.all(np.diff(loads) > 0)
    if not good:
        raise ValueError(f"loads: got {loads}, expected rising positive numbers of patterns per neuron; sort them")
    return loads


def _fall(cue, xi, draw, max_sweeps):
    x = cue.astype(np.float32)
    _, _, rests = by_overlaps(x, xi, draw.permutation(len(x)), max_sweeps)
    return x, rests


def extrapolate(sizes, values, *, exponent=1.0):
    """Limit of values at infinite size and its standard error, from a fit of value = limit + a n^-exponent.

    Parameters
    ----------
    sizes : (k,) array
        At least 3.
    values : (k,) array

    Examples
    --------
    >>> limit, error = extrapolate([100, 200, 400], [0.15, 0.145, 0.1425])
    >>> round(limit, 6)
    0.14
    """
    sizes, values = array("sizes", sizes, finite=False), array("values", values, finite=False)
    exponent = positive("exponent", exponent)
    if sizes.shape != values.shape or sizes.ndim != 1 or len(sizes) < 3 or not np.all(np.isfinite(values)):
        raise ValueError(f"sizes, values: shapes {sizes.shape}, {values.shape}; expected 3 or more finite pairs")
    if not np.all((sizes > 0) & np.isfinite(sizes)) or len(np.unique(sizes)) < 3:
        raise ValueError(f"sizes: got {sizes.tolist()}, expected 3 or more different positive numbers")
    design = np.stack([np.ones_like(sizes), sizes**-exponent], 1)
    fit, _, _, _ = np.linalg.lstsq(design, values, rcond=None)
    variance = np.sum((values - design @ fit) ** 2) / (len(values) - 2)
    return float(fit[0]), float(np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0]))


def basin_size(memory, patterns, fractions=None, *, trials=20, threshold=0.95, rng=None):
    """Damage that a memory repairs.

    Parameters
    ----------
    memory : Hopfield or DenseMemory
    patterns : (m, n) array
        The patterns that cues are made of.
    fractions : (k,) array, optional
        Fractions of neurons inverted, rising; default 0, 0.05 .. 0.5.
    trials : int
        Cues per pattern and fraction.
    threshold : float
        Final overlap that counts as recall.
    rng : int, Generator or None

    Returns
    -------
    rate : (k,) array
        Fraction of cues recalled.
    radius : float
        Largest fraction up to which at least half are; 0 if none is.

    Examples
    --------
    >>> xi = random_patterns(3, 200, rng=0)
    >>> rate, radius = basin_size(Hopfield.store(xi), xi, [0.1, 0.3, 0.5], trials=4, rng=0)
    >>> radius
    0.3
    """
    patterns, rng = check_patterns(patterns), generator(rng)
    fractions = (
        np.linspace(0.0, 0.5, 11) if fractions is None else np.atleast_1d(array("fractions", fractions, low=0, high=1))
    )
    check_memory(memory, patterns)
    if not fractions.size or not 0 < number("threshold", threshold) <= 1:
        raise ValueError(f"fractions, threshold: got {fractions}, {threshold}; expected at least one, and in (0, 1]")
    if fractions.ndim != 1 or not np.all(np.diff(fractions) > 0):
        raise ValueError(f"fractions: got {fractions}, expected rising fractions; sort them")
    rate, trials = np.empty(len(fractions)), count("trials", trials)
    wanted = np.repeat(patterns, trials, 0)
    for k, fraction in enumerate(fractions):
        found = memory.recall(flip(wanted, fraction, rng=rng), rng=rng).x
        own = overlap(found, patterns)[np.arange(len(wanted)), np.repeat(np.arange(len(patterns)), trials)]
        rate[k] = np.mean(own >= threshold)
    lost = np.flatnonzero(rate < 0.5)
    first = lost[0] if lost.size else len(fractions)
    return rate, float(fractions[first - 1]) if first else 0.0


def phase_diagram(n, loads, temperatures, *, seeds=4, sweeps=100, rng=None):
    """Overlap with a pattern that remains after ``sweeps`` at each load and temperature, Hebb's rule.

    Parameters
    ----------
    n : int
    loads : (k,) array
        Rising.
    temperatures : (l,) array
        0 falls to a fixed point.
    seeds : int
        Sets of patterns; four patterns of each are starts.

    Returns
    -------
    (l, k) array
        Mean overlap of the final state with the pattern, the second half of the sweeps averaged.

    Examples
    --------
    >>> phase_diagram(100, [0.02, 0.5], [0.1], seeds=2, sweeps=20, rng=0)[0].round(0)
    array([1., 0.])
    """
    loads, temperatures = _check_loads(loads), np.atleast_1d(array("temperatures", temperatures, finite=False))
    n, seeds, sweeps = count("n", n, least=2), count("seeds", seeds), count("sweeps", sweeps)
    count("n", n, each=8 * n)
    if temperatures.ndim != 1 or not np.all((temperatures >= 0) & np.isfinite(temperatures)):
        raise ValueError(f"temperatures: got {temperatures}, expected finite numbers of at least 0")
    out = np.zeros((len(temperatures), len(loads)))
    for child in children(rng, seeds):
        draw = np.random.default_rng(child)
        for k, load in enumerate(loads):
            xi = random_patterns(max(1, round(float(load) * n)), n, rng=draw)
            memory, start = Hopfield.store(xi), xi[:4]
            for row, temperature in enumerate(temperatures):
                if temperature == 0:
                    m = np.mean(memory.recall(start, max_sweeps=10 * sweeps, rng=draw).x * start)
                else:
                    path = memory.recall(start, temperature=temperature, max_sweeps=sweeps, trace=True, rng=draw).trace
                    m = np.mean(path[len(path) // 2 :] * start)
                out[row, k] += m / seeds
    return out


def dense_errors(n, counts, power, *, beta=1.0, trials=20, rng=None):
    """Fraction of a stored pattern's neurons that are unstable in a dense memory, against the number of patterns.

    Parameters
    ----------
    n : int
        Neurons.
    counts : (k,) array of int
        Numbers of patterns, rising.
    power : int or None
        See `DenseMemory`; None for the exponential.
    beta : float
    trials : int
        Independent sets of patterns.

    Returns
    -------
    (k,) array
        Each as if it had been asked for alone.

    Examples
    --------
    >>> dense_errors(50, [5, 500], 2, trials=4, rng=0).round(1)
    array([0. , 0.5])

    Notes
    -----
    For small errors the crosstalk is Gaussian, and errors stay the same along K ~ n^(power - 1); K = n^(power -
    1)/(2 (2 power - 3)!! ln n) has none (Krotov and Hopfield 2016).
    """
    counts, n, trials = reals("counts", counts), count("n", n, least=2, each=8), count("trials", trials)
    whole = counts.dtype.kind in "iu" and counts.ndim == 1 and counts.size > 0
    if not whole or counts[0] < 1 or np.any(np.diff(counts) <= 0):
        raise ValueError(f"counts: got {counts}, expected rising numbers of patterns, from 1")
    power, beta = None if power is None else count("power", power, least=2), positive("beta", beta)
    wrong = np.zeros(len(counts))
    block = BLOCK // n + 1
    for child in children(rng, trials):
        draw = np.random.default_rng(child)
        x = _signs(draw, 1, n)[0]
        gap, done = _shares(x[None], x, power, beta)[0], 1  # the pattern itself
        for k, wanted in enumerate(counts):
            while done < wanted:  # patterns are seen once, and added one by one: what is asked alters no digit
                xi = _signs(draw, int(min(wanted - done, block)), n)
                shares = _shares(xi, x, power, beta)
                shares[0] += gap
                gap, done = shares.sum(0), done + len(xi)
            wrong[k] += np.mean(gap * x < 0) / trials
    return wrong


def _signs(draw, rows, n):
    """Random signs (rows, n); a row is whole words of the stream: it does not matter how many are drawn at once."""
    words = draw.integers(0, 2**64, (rows, -(-n // 64)), np.uint64)
    return 2.0 * np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, count=n) - 1.0


def _shares(xi, x, power, beta):
    """Contribution of each pattern to the gap of each neuron, (K, n), up to one factor."""
    n = len(x)
    c = (xi @ x)[:, None] - xi * x  # overlaps without the neuron
    if power is None:
        return xi * np.exp(beta * (c - n))
    return xi * (((c + 1.0) / n) ** power - ((c - 1.0) / n) ** power)
