"""Minima of a memory: patterns, their inverses, mixtures of patterns, spin-glass states."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, number
from physlearn.models.memory.patterns import check_memory, check_patterns, overlap, value_pair
from physlearn.rng import generator


@dataclass(frozen=True)
class StateKind:
    """Identity of a state in a memory.

    Attributes
    ----------
    kind : {"pattern", "inverse", "mixture", "spurious"}
        A mixture is near sign(+-xi_a +- xi_b +- xi_c) of an odd number of patterns.
    members : tuple of int
        The patterns it is made of; of a spurious state the nearest one.
    signs : tuple of int
        +1 or -1 for each member.
    overlap : float
        With the pattern or the mixture; of a spurious state with the nearest pattern.
    """

    kind: str
    members: tuple[int, ...]
    signs: tuple[int, ...]
    overlap: float

    __repr__ = brief


def classify_states(x, patterns, *, threshold=0.95, largest=5):
    """Identity of each state: a pattern, an inverse, a mixture of patterns, or spurious.

    Parameters
    ----------
    x : (batch, n) or (n,) array
    patterns : (m, n) array
        Of -1 and +1, or 0 and 1.
    threshold : float
        Overlap from which a state counts as the pattern or mixture.
    largest : int
        Largest number of patterns in a mixture that is looked for (odd numbers from 3), among the
        ``largest`` patterns of largest overlap and two more.

    Returns
    -------
    list of StateKind

    Notes
    -----
    Mixtures of 2k+1 patterns are the symmetric stable states of Amit, Gutfreund and Sompolinsky 1985; those of
    three overlap by 1/2 with each member, and are stable below T = 0.46 at low load.

    Examples
    --------
    >>> from physlearn.models import random_patterns
    >>> xi = random_patterns(5, 1000, rng=0)
    >>> classify_states(np.sign(xi[0] + xi[1] - xi[3]), xi)[0].members
    (0, 1, 3)
    """
    patterns = check_patterns(patterns)
    if not 0 < number("threshold", threshold) <= 1:
        raise ValueError(f"threshold: got {threshold}, expected a number in (0, 1]")
    largest, x = count("largest", largest), np.atleast_2d(array("x", x, finite=False))
    if x.ndim > 2:
        raise ValueError(f"x: shape {x.shape}, expected (batch, n) or (n,); pass x.reshape(-1, x.shape[-1])")
    overlaps = overlap(x, patterns)
    if value_pair(patterns, "patterns")[0] == 0:
        patterns, x = 2.0 * patterns - 1.0, 2.0 * x - 1.0
    return [_classify(row, m, patterns, threshold, largest) for row, m in zip(x, overlaps, strict=True)]


def _classify(x, overlaps, patterns, threshold, largest):
    near = np.argsort(-np.abs(overlaps), kind="stable")
    best, sign = int(near[0]), 1 if overlaps[near[0]] >= 0 else -1
    if abs(overlaps[best]) >= threshold:
        return StateKind("pattern" if sign > 0 else "inverse", (best,), (sign,), float(abs(overlaps[best])))
    for size in range(3, min(largest, len(patterns)) + 1, 2):
        for chosen in itertools.combinations(sorted(near[: largest + 2]), size):
            signs = np.where(overlaps[list(chosen)] >= 0, 1, -1)
            agreement = float(np.mean(np.sign(signs @ patterns[list(chosen)]) * x))
            if agreement >= threshold:
                return StateKind("mixture", tuple(map(int, chosen)), tuple(map(int, signs)), agreement)
    return StateKind("spurious", (best,), (sign,), float(abs(overlaps[best])))


def survey(memory, patterns, *, starts=1000, threshold=0.95, rng=None):
    """Count the states that random starts fall into.

    Parameters
    ----------
    memory : Hopfield or DenseMemory
        Anything whose ``recall(x, rng=...)`` gives states ``.x``.
    patterns : (m, n) array
    starts : int
    threshold : float
        See `classify_states`.
    rng : int, Generator or None

    Returns
    -------
    dict of str to int
        Numbers of starts that end in a "pattern", "inverse", "mixture" or "spurious" state.

    Examples
    --------
    >>> from physlearn.models import Hopfield
    >>> from physlearn.models import random_patterns
    >>> xi = random_patterns(2, 100, rng=0)
    >>> found = survey(Hopfield.store(xi), xi, starts=20, rng=0)
    >>> found["pattern"] + found["inverse"]
    20
    """
    rng, patterns = generator(rng), check_patterns(patterns)
    low, high = value_pair(patterns, "patterns")
    check_memory(memory, patterns)
    starts, threshold = count("starts", starts, each=8 * patterns.shape[1]), number("threshold", threshold)
    cues = rng.choice(np.array([low, high]), (starts, patterns.shape[1]))
    found = classify_states(memory.recall(cues, rng=rng).x, patterns, threshold=threshold)
    return {kind: sum(f.kind == kind for f in found) for kind in ("pattern", "inverse", "mixture", "spurious")}
