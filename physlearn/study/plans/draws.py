"""Points drawn at random, or spread evenly by low-discrepancy sequences (scipy.stats.qmc)."""

from __future__ import annotations

import numpy as np

from physlearn.checks import MOST, count, instance, seen
from physlearn.study.plans.axes import Axis, Between, Zip
from physlearn.study.plans.identity import plain
from physlearn.study.plans.space import Space

MOST_SOBOL = 2**30  # points of a sequence of 30 bits


def between(low: float, high: float, *, scale: str = "linear", integer: bool = False, units: str | None = None):
    """A range to draw from; whole numbers, both ends included, if ``integer``.

    Parameters
    ----------
    low, high : float
    scale : {"linear", "log"}
    integer : bool
    units : str, optional

    Examples
    --------
    >>> between(1e-3, 1, scale="log").scale
    'log'
    """
    low, high = plain(low, "low"), plain(high, "high")
    if not all(type(end) in (int, float) for end in (low, high)):
        raise TypeError(f"between: low, high: got {low!r} to {high!r}, expected two numbers")
    if not isinstance(integer, bool):
        raise TypeError(f"integer: got {integer!r}, expected True or False")
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(
            f"between: low, high: got {low} to {high}, expected finite numbers, the first below the second"
        )
    if units is not None:
        instance("units", units, str, "a unit, or None")
    if not isinstance(scale, str) or scale not in ("linear", "log") or (scale == "log" and low <= 0):
        raise ValueError(f"low, scale: got {scale!r} for {low} to {high}, expected 'linear', or 'log' above zero")
    if integer:
        if low != int(low) or high != int(high):
            raise ValueError(f"between: got {low} to {high}, expected whole numbers with integer=True")
        low, high = int(low), int(high)
    return Between(low, high, scale, integer, units)


def random(n: int, /, *, sample_seed: int = 0, **ranges) -> Space:
    """Draw n independent uniform points; ``(low, high)`` or `between` is a range, anything else is fixed.

    Points that are drawn twice, as can happen with whole numbers, are kept once: the space then has fewer than n.

    Parameters
    ----------
    n : int
        Number of points, at least 1.
    sample_seed : int
        At least 0.
    **ranges : ranges, or anything
        One for each parameter.

    Examples
    --------
    >>> space = random(5, T=(1.0, 3.0), J=1.0)
    >>> len(space), space.fixed
    (5, {'J': 1.0})
    """
    return _sampled("random", n, sample_seed, ranges)


def latin_hypercube(n: int, /, *, sample_seed: int = 0, **ranges) -> Space:
    """n points, one in each of the n slices of every range (McKay et al. 1979); see `random`.

    Parameters
    ----------
    n : int
        Number of points, at least 1.
    sample_seed : int
        At least 0.
    **ranges : ranges, or anything
        One for each parameter.

    Examples
    --------
    >>> space = latin_hypercube(4, T=(0.0, 4.0))
    >>> sorted(int(T) for T in space.axes["T"].values)
    [0, 1, 2, 3]
    """
    return _sampled("latin_hypercube", n, sample_seed, ranges)


def sobol(n: int, /, *, sample_seed: int = 0, **ranges) -> Space:
    """n points of a scrambled Sobol sequence (Owen 1998), balanced where n is a power of two; see `random`.

    Parameters
    ----------
    n : int
        Number of points, at least 1.
    sample_seed : int
        At least 0.
    **ranges : ranges, or anything
        One for each parameter.

    Examples
    --------
    >>> space = sobol(8, T=(1.0, 3.0), n=between(8, 64, integer=True), J=1.0)
    >>> len(space), sorted(space[0])
    (8, ['J', 'T', 'n'])
    """
    return _sampled("sobol", n, sample_seed, ranges)


def _sampled(kind, n, sample_seed, ranges) -> Space:
    from scipy.stats import qmc

    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"{kind}: n: got {seen(n)} points, expected a whole number of at least 1")
    drawn = {name: _range_of(name, r) for name, r in ranges.items() if _is_range(name, r)}
    fixed = {name: plain(value, name) for name, value in ranges.items() if name not in drawn}
    if not drawn:
        raise ValueError(
            f"{kind}: no range to draw from among {list(ranges)}; give a parameter as (low, high) or between(...)"
        )
    count("n", n, most=MOST_SOBOL if kind == "sobol" else MOST, each=100 * len(drawn))
    if not isinstance(sample_seed, int | np.integer) or isinstance(sample_seed, bool) or not 0 <= sample_seed < 2**64:
        raise ValueError(f"sample_seed: got {seen(sample_seed)}, expected a whole number of at least 0")
    rng = np.random.default_rng(sample_seed)
    if kind == "random":
        unit = rng.random((n, len(drawn)))
    else:
        engine = qmc.Sobol if kind == "sobol" else qmc.LatinHypercube
        unit = engine(len(drawn), rng=rng).random(n)
    columns = {name: _stretch(r, unit[:, k]) for k, (name, r) in enumerate(drawn.items())}
    if any(r.integer for r in drawn.values()):  # may coincide
        rows = dict.fromkeys(zip(*(a.values for a in columns.values()), strict=True))
        kept = zip(*rows, strict=True)
        columns = {name: a._replace(values=values) for (name, a), values in zip(columns.items(), kept, strict=True)}
    kept = {name: r._asdict() for name, r in drawn.items()}
    return Space({"point": columns}, fixed, {"kind": kind, "sample_seed": int(sample_seed), "ranges": kept})


def _range_of(name, value) -> Between:
    """A range; its errors name the parameter."""
    if isinstance(value, Between):
        return value
    if len(value) != 2:
        raise ValueError(f"{name}: got {seen(value)}, expected (low, high), between(...) or a fixed value")
    try:
        return between(*value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def _is_range(name, value) -> bool:
    if isinstance(value, Between):
        return True
    if isinstance(value, Axis | Zip | list | np.ndarray):
        raise TypeError(f"{name}: got {value!r}; a sampled space takes (low, high), between(...) or a fixed value")
    return isinstance(value, tuple)


def _stretch(r: Between, unit) -> Axis:
    top = r.high + 1 if r.integer else r.high
    if r.scale == "log":
        values = np.exp(np.log(r.low) + unit * (np.log(top) - np.log(r.low)))
    else:
        values = r.low + unit * (top - r.low)
    values = np.clip(np.floor(values).astype(int), r.low, r.high) if r.integer else np.clip(values, r.low, r.high)
    return Axis(tuple(values.tolist()), r.units, r.scale)
