"""Losses of a diffusion model in bands of steps, beside the exact floor of Gaussian data."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count
from physlearn.models.learned.noising import Batches, time_features
from physlearn.rng import generator

ROWS = 250  # data that go through the map together


class LossBand(NamedTuple):
    """Mean square error of the prediction, per coordinate, over steps from ``first`` to ``last``, both included.

    ``error`` is the mean's standard error over data; ``floor`` the least on Gaussian data, NaN where no covariance is
    given.
    """

    first: int
    last: int
    loss: float
    error: float
    floor: float

    __repr__ = brief


def loss_bands(model, x, c, bands, covariance, rng):
    """The bands of a model's losses on data x with conditions c or None; see `DiffusionModel.losses`."""
    n, rng = len(model.schedule), generator(rng)
    ends = np.linspace(0, n, count("bands", bands, most=n) + 1).astype(int)
    floor = np.full(n, np.nan) if covariance is None else model.schedule.floor(covariance, model.parametrisation)
    batches, term, found = (
        Batches(model, x, c, len(x), 0.0, time_features(n, model.features)),
        model.system.terms[0],
        [],
    )
    for first, last in zip(ends[:-1], ends[1:] - 1, strict=True):
        k = rng.integers(first, last + 1, len(x))
        batch = batches.made(x, c, k, rng)
        inputs = tuple(batch[name].astype(model.dtype) for name in term.parents)
        blocks = [tuple(v[i : i + ROWS] for v in inputs) for i in range(0, len(x), ROWS)]
        got = np.concatenate([term.map.forward(block, model.theta)[0] for block in blocks])
        off = np.mean((got - batch["out"]).reshape(len(x), -1) ** 2, 1)
        off = off / batch["weight"][:, 0] ** 2 if "weight" in batch else off
        error = off.std(ddof=1) / math.sqrt(len(x)) if len(x) > 1 else math.nan
        found.append(LossBand(int(first), int(last), float(off.mean()), float(error), float(floor[k].mean())))
    return found
