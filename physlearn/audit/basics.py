"""Checks that `check_energy` makes of every term and of the sum: shapes, batches, fields and gradients."""

from __future__ import annotations

import numpy as np

from physlearn.audit.measure import Check, another, flat_field, moved, named, noise, replaced, slope, unit
from physlearn.energy import batch_size
from physlearn.kinds import is_discrete


def shapes(scene, part, x):
    """Shapes, types, and that nothing writes into its arguments."""
    batch, before = batch_size(x), {name: value.copy() for name, value in x.items()}
    seen, bad = [], []
    if part.energy is not None:
        seen.append(("energy", part.energy(x, scene.theta), (batch,)))
    for layer in part.layers:
        shape = (batch, *scene.system.layers[layer].field_shape)
        seen.append((f"field of {layer}", part.field(x, scene.theta, layer), shape))
    if part.gradient is not None:
        for name, value in part.gradient(x, scene.theta, np.ones(batch)).items():
            if name in scene.theta:
                seen.append((f"gradient of {name}", value, scene.theta[name].shape))
            else:
                bad.append(("gradient", f"parameter {name!r}", f"one of {list(scene.theta)}"))
    for what, value, shape in seen:
        value = np.asarray(value)
        if value.shape != shape:
            bad.append((what, f"shape {value.shape}", f"{shape}"))
        elif value.dtype.kind not in "fiu" or not np.all(np.isfinite(value)):
            got = f"dtype {value.dtype}, {np.sum(~np.isfinite(value))} not finite"
            bad.append((what, got, "finite real numbers"))
    for name, value in x.items():
        if not np.array_equal(value, before[name]):
            bad.append((name, "a state that was changed in place", "arguments left alone"))
    if not bad:
        return [Check(part.name, "shapes", "-", 0.0, 0.0, 0.0, 0.0)]
    return [Check(part.name, "shapes", where, got, expected, np.inf, 0.0) for where, got, expected in bad]


def batches(scene, part, x):
    """Items alone as in the batch; the gradient is the weighted sum over them."""
    batch, theta = batch_size(x), scene.theta
    alone = [{name: value[b : b + 1] for name, value in x.items()} for b in range(batch)]
    pairs = []
    if part.energy is not None:
        single = [part.energy(item, theta)[0] for item in alone]
        pairs.append(("energy", part.energy(x, theta), single))
    for layer in part.layers:
        single = np.concatenate([part.field(item, theta, layer) for item in alone])
        pairs.append((f"field of {layer}", part.field(x, theta, layer), single))
    if part.gradient is not None:
        weight = scene.rng.uniform(-1.0, 2.0, batch)
        parts = [part.gradient(item, theta, weight[b : b + 1]) for b, item in enumerate(alone)]
        for name, value in part.gradient(x, theta, weight).items():
            pairs.append((f"gradient of {name}", value, sum(p[name] for p in parts)))
    worst = [
        scene.compare(part.name, "batch", together, single, lambda k, what=what: f"{what}, entry {k}")
        for what, together, single in pairs
    ]
    if worst:
        yield max(worst, key=lambda c: c.error / (c.tolerance or 1.0))


def fields(scene, part, x):
    """Field against the energy's differences, layer by layer."""
    if part.energy is None:
        return
    for layer in part.layers:
        kind = scene.system.layers[layer].kind
        if layer in scene.step:
            yield _field_real(scene, part, x, layer)
        elif is_discrete(kind) and kind.gap:
            yield _field_two(scene, part, x, layer, kind.levels[::-1])
        elif is_discrete(kind):
            yield _field_levels(scene, part, x, layer, kind.levels)


def _field_real(scene, part, x, layer):
    size, h = scene.system.layers[layer].size, scene.step[layer]
    field, energies = part.field(x, scene.theta, layer), part.energy(x, scene.theta)
    picked = scene.sample(size)
    directions = [unit(x, layer, i) for i in picked] + [scene.rng.uniform(-1.0, 1.0, x[layer].shape[1:])]
    got = [np.sum((field * part.lift(x, layer, v)).reshape(len(energies), -1), 1) for v in directions]
    expected = [-slope(lambda s, v=v: part.energy(moved(x, layer, s * v), scene.theta), h) for v in directions]

    def where(k):
        item = k % len(energies)
        if k // len(energies) == len(picked):
            return f"{layer} along a random direction, item {item}"
        return f"{named(layer, x[layer].shape[1:], picked[k // len(energies)])}, item {item}"

    return scene.compare(part.name, "field", got, expected, where, noise(energies, h), len(energies))


def _field_two(scene, part, x, layer, values):
    shape = x[layer].shape[1:]
    picked, batch = scene.sample(scene.system.layers[layer].size), batch_size(x)
    got, expected, size = [], [], 0.0
    for i in picked:
        states = [replaced(x, layer, i, value) for value in values]
        up, down = (part.energy(state, scene.theta) for state in states)
        size = max(size, float(np.max(np.abs(up))))
        # The gap must not depend on where the variable itself is.
        got += [part.field(state, scene.theta, layer).reshape(batch, -1)[:, i] for state in states]
        expected += 2 * [-(up - down) / (values[0] - values[1])]

    def where(k):
        at = values[(k // batch) % 2]
        return f"{named(layer, shape, picked[k // batch // 2])} = {at:g}, item {k % batch}"

    return scene.compare(part.name, "field", got, expected, where, noise(size, 1.0))


def _field_levels(scene, part, x, layer, levels):
    shape, picked, batch = x[layer].shape[1:], scene.sample(scene.system.layers[layer].size), batch_size(x)
    codes = scene.sample(len(levels))
    got, expected = [], []
    for i in picked:
        field = part.field(x, scene.theta, layer).reshape(batch, -1, len(levels))[:, i, codes]
        energies = np.stack([part.energy(replaced(x, layer, i, levels[code]), scene.theta) for code in codes], 1)
        got.append(field - field.mean(1, keepdims=True))
        expected.append(energies.mean(1, keepdims=True) - energies)

    def where(k):
        site, item, code = np.unravel_index(k, (len(picked), batch, len(codes)))
        return f"{named(layer, shape, picked[site])} = {levels[codes[code]]:g}, item {item}"

    return scene.compare(part.name, "field", got, expected, where, noise(part.energy(x, scene.theta), 1.0))


def gradients(scene, part, x):
    """dE/dtheta against the energy's differences, parameter by parameter."""
    if part.energy is None or part.gradient is None:
        return
    weight = scene.rng.uniform(-1.0, 2.0, batch_size(x))
    gradient = part.gradient(x, scene.theta, weight)
    size = float(np.sum(np.abs(weight * part.energy(x, scene.theta))))
    for name, value in scene.theta.items():
        # Steps are relative, so that a positive parameter stays positive.
        scale = np.where(value != 0, np.abs(value), float(np.max(np.abs(value), initial=0.0)) or 1.0)
        picked = scene.sample(value.size) if name in gradient else []
        directions = [unit({name: value[None]}, name, i) for i in picked]
        directions.append(scene.rng.uniform(-1.0, 1.0, value.shape))

        def energy(s, name=name, value=value, v=0.0):
            return weight @ part.energy(x, {**scene.theta, name: value + s * v})

        got = [np.sum(gradient.get(name, 0.0) * scale * v) for v in directions]
        expected = [slope(lambda s, v=v, e=energy, c=scale: e(s, v=c * v), 1e-3) for v in directions]
        if name not in gradient and abs(expected[0]) <= noise(size, 1e-3):
            continue

        def where(k, name=name, value=value, picked=picked):
            if k < len(picked):
                return f"theta {named(name, value.shape, picked[k])}"
            return f"theta {name} along a random direction" + (
                "" if name in gradient else " (missing from the gradient)"
            )

        # per unit of the parameter; along the random direction per unit of the largest
        by = np.append(scale.ravel()[np.asarray(picked, dtype=int)], scale.max(initial=0.0) or 1.0)
        got, expected = np.array(got) / by, np.array(expected) / by
        yield scene.compare(part.name, "gradient", got, expected, where, noise(size, 1e-3) / by, 1)


def layers(scene, part, x):
    """A layer that a term names once has no coupling within: its variables' fields ignore each other."""
    for layer in part.layers:
        if part.term is None or part.term.layers.count(layer) > 1:
            continue
        size, batch = scene.system.layers[layer].size, batch_size(x)
        picked = scene.rng.choice(size, min(size, 5), replace=False)
        field, others = flat_field(part, x, scene.theta, layer), another(scene, x, layer)
        got, expected = [], []
        for i in picked:
            held = x[layer].reshape(batch, -1)[:, i]
            state = replaced({layer: others}, layer, i, held)
            got.append(flat_field(part, {**x, **state}, scene.theta, layer)[:, i])
            expected.append(field[:, i])

        def where(k, layer=layer, picked=picked, each=got[0].size):
            at = named(layer, x[layer].shape[1:], picked[k // each])
            return f"{at} with the rest of {layer} changed; name {layer!r} twice in `layers`"

        yield scene.compare(part.name, "layers", got, expected, where)


BASICS = (("shapes", shapes), ("batch", batches), ("field", fields), ("gradient", gradients), ("layers", layers))
