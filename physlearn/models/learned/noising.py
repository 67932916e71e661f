"""Batches of noised data, made anew for every step of a training; the time as a map sees it; a weighted map."""

from __future__ import annotations

import numpy as np

from physlearn.maps.compose import shape_after
from physlearn.maps.map import Map, back, slope
from physlearn.models.learned.parametrisation import Parametrisation, made_of
from physlearn.rng import generator


def features_of(u, features) -> np.ndarray:
    """Sines and cosines of pi 2^m u of times u (n,) from 0 to 1, (n, features)."""
    angles = u[:, None] * (np.pi * 2.0 ** np.arange(features // 2))
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)


def time_features(steps, features) -> np.ndarray:
    """Those of (k + 1)/N of every step k, (N, features)."""
    return features_of(np.arange(1, steps + 1) / steps, features)


def started(map, shapes, wanted, rng):
    """First parameters of a map from parents of these shapes; one that does not take or give them is refused."""
    try:
        first = map.start(shapes, generator(rng)) if hasattr(map, "start") else {}
        made = tuple(map.shape(shapes)) if hasattr(map, "shape") else wanted
    except ValueError as error:
        raise ValueError(f"map: it does not take parents of the shapes {list(shapes)}: {error}") from None
    if made != wanted:
        raise ValueError(f"map: gives the shape {made}, expected {wanted}, that of a datum")
    return first


class Batches:
    """data(rng, step) -> batch: noised data for every step of a training."""

    def __init__(self, model, x, c, size, drop, table):
        self.model, self.x, self.c, self.size, self.drop, self.table = model, x, c, size, drop, table

    def __repr__(self):
        return f"Batches({len(self.x)} data, size={self.size})"

    def __call__(self, rng, step):
        """The batch of a step."""
        pick = rng.integers(0, len(self.x), self.size)
        k = rng.integers(0, len(self.table), self.size)
        c = None if self.c is None else self.c[pick]
        if self.drop and c is not None:
            c[rng.random(self.size) < self.drop] = 0.0
        return {name: value.reshape(self.size, -1) for name, value in self.made(self.x[pick], c, k, rng).items()}

    def made(self, x, c, k, rng):
        """The batch of data x at steps k."""
        kind, schedule = self.model.parametrisation, self.model.schedule
        eps = rng.standard_normal(x.shape)
        a, s = (v[k].reshape(-1, *(1,) * (x.ndim - 1)) for v in (schedule.signal, schedule.noise))
        batch = {"x": a * x + s * eps, "time": self.table[k]}
        if c is not None:
            batch["condition"] = c
        if kind is Parametrisation.SCORE:
            return batch | {"weight": schedule.noise[k][:, None], "out": -eps}
        return batch | {"out": made_of(x, eps, a, s, kind)}


class Weighted(Map):
    """weight * map(other parents), the weight being the last parent, (batch, 1)."""

    def __init__(self, map):
        self.map, self.parameters = map, tuple(getattr(map, "parameters", ()))

    def shape(self, shapes):
        """The map's."""
        return shape_after(self.map, shapes[:-1])

    def forward(self, parents, theta):
        """Weight times the map's value."""
        *inner, w = parents
        value, tape = self.map.forward(tuple(inner), theta)
        w = w.reshape(-1, *(1,) * (value.ndim - 1))
        return w * value, (tape, value, w)

    def back(self, tape, cotangent, theta):
        """The map's own, weighted; the weight's is c . value."""
        inner, value, w = tape
        by_weight = np.sum((cotangent * value).reshape(len(value), -1), 1, keepdims=True)
        return (*back(self.map, inner, w * cotangent, theta), by_weight)

    def slope(self, tape, cotangent, theta):
        """The map's own, weighted."""
        return slope(self.map, tape[0], tape[2] * cotangent, theta)
