"""R-hat and effective sample size by ArviZ, and what they are where nothing moves.

There both are 0/0 or rounding errors divided by each other, so the two cases are told apart by looking at the draws:
what is the same in all chains tells nothing (NaN); chains that each stay where they are and disagree have not mixed at
all (infinity), and every place that a chain has kept is worth one draw.  Chains are looked at in halves, as R-hat does.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

ROUNDING = 64 * np.finfo(float).eps  # relative to the largest draw: values that are no further apart are equal


def diagnosed(draws):
    """(r_hat, ess), two `xarray.Dataset`, of one with dims (chain, draw, ...); needs ArviZ."""
    import arviz

    for name, value in draws.items():
        if value.dtype.kind == "c":
            raise TypeError(f"diagnostics: {name!r} is complex, which has no order; observe its parts, or its modulus")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 0/0 where nothing moves
        bulk: Any = arviz.rhat(draws, method="z_scale")
        tail: Any = arviz.rhat(draws, method="folded")
        size: Any = arviz.ess(draws)
    for name, value in draws.items():
        halves = in_halves(np.asarray(value.transpose("chain", "draw", ...), dtype=float))
        folded = np.abs(halves - np.median(halves, axis=(0, 1)))
        scale = np.max(np.abs(halves), axis=(0, 1))
        known, spread = bulk[name].values, tail[name].values
        at_rest, same, kept = rest_of(halves, scale)
        known = np.where(at_rest, np.where(same, np.nan, np.inf), known)
        still, alike, _ = rest_of(folded, scale)
        spread = np.where(still, np.where(alike, np.nan, np.inf), spread)
        bulk[name].values = np.fmax(known, spread)
        size[name].values = np.where(same, np.nan, np.where(at_rest, kept, size[name].values))
    return bulk, size


def in_halves(draws):
    """First halves of the chains, then second halves: (2, chains, draws // 2, ...) as (2 chains, draws // 2, ...)."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def rest_of(halves, scale):
    """Whether every half keeps its value, whether all keep the same, and how many places the chains have kept."""
    near = ROUNDING * scale
    low, high = halves.min(axis=1), halves.max(axis=1)
    at_rest = np.all(high - low <= near, axis=0)
    first, second = np.split(low, 2)
    return at_rest, at_rest & (low.max(0) - low.min(0) <= near), len(first) + np.sum(np.abs(first - second) > near, 0)
