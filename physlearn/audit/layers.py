"""Checks that `check_energy` makes of the layers' kinds: what a kind does in a field is what its levels say."""

from __future__ import annotations

import numpy as np

from physlearn.audit.measure import Check, moved, named, noise, unit
from physlearn.kinds import is_continuous, is_discrete, unstated

FIELDS, TEMPERATURE = 40, 0.7
DRAWS, ROOM = 100_000, 2_000_000  # draws whose frequencies are counted, fewer where there are many levels
DOUBT = 6.0  # standard deviations of a frequency


def kinds(scene):
    """The checks of every discrete layer; a kind that states no values is refused by name."""
    for name, layer in scene.system.layers.items():
        if is_discrete(layer.kind):
            yield from _discrete(scene, f"layer {name}", layer.kind)
        elif not is_continuous(layer.kind) and not getattr(layer.kind, "slope", False):
            raise ValueError(f"check_energy: {unstated(name, layer.kind)}")


def turns(scene, part, x):
    """A turn of any angle changes nothing: the energy, or the field of a system without one."""
    for layer in part.layers:
        period = getattr(scene.system.layers[layer].kind, "period", None)
        if period is None:
            continue
        shape = x[layer].shape[1:]
        picked = scene.sample(scene.system.layers[layer].size)
        see = part.energy or (lambda y, theta, at=layer: part.field(y, theta, at))
        here = see(x, scene.theta)
        there = [see(moved(x, layer, period * unit(x, layer, i)), scene.theta) for i in picked]

        def where(k, layer=layer, shape=shape, picked=picked, each=here.size):
            return f"{named(layer, shape, picked[k // each])} turned once"

        expected = np.broadcast_to(here, np.shape(there))
        yield scene.compare(part.name, "period", there, expected, where, noise(here, 0.01))


def _discrete(scene, name, kind):
    """Mean, sum, rest and draws in random fields against the levels' energies."""
    rng, levels = np.random.default_rng(0), kind.levels
    q = len(levels)
    f = rng.standard_normal(FIELDS if kind.gap else (FIELDS, q))
    energies = -f[:, None] * levels if kind.gap else -f
    low = energies.min(1, keepdims=True)
    p = np.exp((low - energies) / TEMPERATURE)
    log_z = np.log(p.sum(1)) + (energies[:, 0] - low[:, 0]) / TEMPERATURE
    p /= p.sum(1, keepdims=True)

    def compare(form, got, expected, noise=0.0):
        return scene.compare(name, form, got, expected, lambda k: f"in random field {k}", noise)

    yield compare("log_z", kind.log_z(f, TEMPERATURE), log_z)
    yield compare("mean", kind.mean(f, TEMPERATURE), p if kind.coded else p @ levels)
    x = kind.random(FIELDS, rng)
    lowest = levels[energies.argmin(1)]
    yield compare("settle", kind.settle(f, None, x), lowest)
    gain = np.take_along_axis(energies, kind.number(x)[:, None], 1)[:, 0] - low[:, 0]
    yield compare("gain", np.maximum(kind.gain(f, x), 0.0), gain)
    one, p = f[:1], p[0]
    draws = min(DRAWS, ROOM // q + 1000)
    shape = (draws, 1) if kind.gap else (draws, 1, q)
    drawn = kind.draw(np.broadcast_to(one, shape), None, np.broadcast_to(x[:1], (draws, 1)), TEMPERATURE, rng)
    seen = np.mean(np.reshape(drawn, (draws, 1)) == levels, 0)
    yield scene.compare(
        name,
        "draw",
        seen,
        p,
        lambda k: f"frequency of {levels[k]:g}",
        np.max(DOUBT * np.sqrt(p * (1 - p) / draws)) + 1.0 / draws,
    )
    good = kind.valid(levels) and kind.valid(x) and np.all(np.isin(x, levels))
    if not good:
        yield Check(name, "values", "-", "values that `valid` refuses or `levels` lacks", "all of them", np.inf, 0.0)
