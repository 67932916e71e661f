"""Checks that `check_energy` makes of a term's optional forms: each is the same function computed a faster way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from physlearn.audit.measure import another, flat_field, moved, named, noise, slope, unit
from physlearn.audit.potentials import potential
from physlearn.audit.rows import rowwise
from physlearn.energy import Energy, batch_size
from physlearn.kernels.cfuncs import COMMIT, GAP, address_of, commit_at, compiled, gap_at
from physlearn.kernels.checked import failure, in_python
from physlearn.kinds import is_discrete


def curvature(scene, part, x):
    """E(x + d) = E - f d + c d^2/2, for single variables and whole blocks; of angles E - f sin d + c (1 - cos d)."""
    if part.energy is None or not hasattr(part.term, "curvature"):
        return
    energies = part.energy(x, scene.theta)
    for layer, step in scene.step.items():
        kind, shape = scene.system.layers[layer]
        if layer not in part.layers or hasattr(kind, "activation"):
            continue
        c = part.term.curvature(x, scene.theta, layer)
        if c is None:
            continue
        c, field = np.broadcast_to(c, x[layer].shape), part.field(x, scene.theta, layer)
        picked = scene.sample(scene.system.layers[layer].size)
        directions = [unit(x, layer, i) for i in picked]
        if part.term.layers.count(layer) == 1:
            directions.append(scene.rng.uniform(-1.0, 1.0, shape))
        # away from the nearer bound, and two lengths: a quadratic has one curvature
        near = x[layer] - kind.low > kind.high - x[layer]
        room = np.where(near, kind.low - x[layer], kind.high - x[layer])
        far = np.sign(room) * np.minimum(300.0 * step, np.abs(room))
        got, expected = [], []
        for v in directions:
            for length in (1.0, 0.5):
                d = length * far * np.abs(v)
                scale = np.sum((far * v).reshape(len(d), -1) ** 2, 1) / 2.0 * length**2
                change = part.energy(moved(x, layer, d), scene.theta) - energies
                along, bow = (d, d) if not hasattr(kind, "wrap") else (np.sin(d), 2.0 * np.sin(0.5 * d))
                got.append(np.sum((c * bow**2 / 2.0).reshape(len(d), -1), 1) / scale)
                expected.append((change + np.sum((field * along).reshape(len(d), -1), 1)) / scale)

        def where(k, layer=layer, shape=shape, picked=picked):
            which, item = k // (2 * len(energies)), k % len(energies)
            if which < len(picked):
                return f"{named(layer, shape, picked[which])}, item {item}"
            return f"{layer} along a random direction, item {item}"

        smallest = 0.25 * (300.0 * step) ** 2 / 2.0
        spare = 2 * len(energies) * (len(directions) - len(picked))
        yield scene.compare(part.name, "curvature", got, expected, where, noise(energies, smallest), spare)


def quadratic(scene, part, x):
    """A symmetric; x.A.x/2 - b.x has the energy's differences; b - A x is the field on Real layers."""
    if part.energy is None or not hasattr(part.term, "quadratic"):
        return
    a, b = part.term.quadratic(scene.theta)
    a = _dense(a)
    n = sum(scene.system.layers[name].size for name in part.layers)
    if a.shape != (n, n) or np.shape(b) != (n,):
        raise ValueError(f"A has shape {a.shape} and b {np.shape(b)}, expected {(n, n)} and {(n,)}, the term's layers")
    name = _namer(scene, part)
    yield scene.compare(
        part.name, "quadratic", a, a.T, lambda k: f"A[{name(k // n)}, {name(k % n)}] against its mirror"
    )
    other = scene.system.random_state(batch_size(x), scene.rng)
    flats = [_concatenated(part, state) for state in (x, scene.system.shown(other))]
    forms = [0.5 * np.sum(y * (y @ a), 1) - y @ b for y in flats]
    energies = [part.energy(state, scene.theta) for state in (x, scene.system.shown(other))]
    allowed = noise(np.concatenate([*energies, *forms]), 1.0)
    difference = forms[0] - forms[1]
    yield scene.compare(
        part.name,
        "quadratic",
        difference,
        energies[0] - energies[1],
        lambda k: f"energy difference of item {k}",
        allowed,
    )
    if all(layer in scene.step for layer in part.layers):
        force, batch = b - flats[0] @ a, batch_size(x)
        yield scene.compare(
            part.name,
            "quadratic",
            force,
            _fields(part, x, scene.theta),
            lambda k: f"(b - A x)[{name(k % (force.size // batch))}]",
            allowed,
        )


def jacobian(scene, part, x):
    """Columns against differences of the field of one state; symmetric for an energy."""
    if not hasattr(part.term, "jacobian") or not all(layer in scene.step for layer in part.layers):
        return
    one, name = {key: value[:1] for key, value in x.items()}, _namer(scene, part)
    j = _dense(part.term.jacobian(one, scene.theta))
    n = sum(scene.system.layers[layer].size for layer in part.layers)
    if j.shape != (n, n):
        raise ValueError(f"shape {j.shape}, expected {(n, n)}, the term's layers concatenated")
    fields = _fields(part, one, scene.theta)
    picked, start, columns, size = scene.sample(n), 0, [], np.inf
    for layer in part.layers:
        count = scene.system.layers[layer].size
        for i in picked[(picked >= start) & (picked < start + count)] - start:
            step = unit(one, layer, i)
            columns.append(
                slope(
                    lambda s, v=step, at=layer: _fields(part, moved(one, at, s * v), scene.theta)[0],
                    scene.step[layer],
                )
            )
        size, start = min(size, scene.step[layer]), start + count

    def where(k):
        return f"d field of {name(k % n)} / d {name(picked[k // n])}"

    yield scene.compare(part.name, "jacobian", j[:, picked].T, columns, where, noise(fields, size))
    if isinstance(scene.system, Energy):
        yield scene.compare(
            part.name, "jacobian", j, j.T, lambda k: f"[{name(k // n)}, {name(k % n)}] against its mirror"
        )


def moments(scene, part, x):
    """`gradient_moments` of a few columns is `gradient` of their combinations."""
    if not hasattr(part.term, "gradient_moments"):
        return
    rng, n = scene.rng, sum(scene.system.layers[layer].size for layer in part.layers)
    basis, c, weight = rng.standard_normal((4, n)), rng.standard_normal((5, 4)), rng.uniform(-1.0, 2.0, 5)
    c[:, 0] = 1.0
    states, start = {}, 0
    for layer in part.layers:
        size = scene.system.layers[layer].size
        states[layer] = (c @ basis[:, start : start + size]).reshape(5, *x[layer].shape[1:])
        start += size
    got = part.term.gradient_moments(basis, c.T @ (weight[:, None] * c), scene.theta)
    for key, value in part.term.gradient(states, scene.theta, weight).items():
        if key not in got or np.shape(got[key]) != value.shape:
            raise ValueError(f"{key!r} has shape {np.shape(got.get(key))}, expected {value.shape}")
        shape = value.shape
        yield scene.compare(
            part.name,
            "gradient_moments",
            got[key],
            value,
            lambda k, key=key, shape=shape: f"theta {named(key, shape, k)}",
        )


def holomorphic(scene, part, x):
    """Derivatives along i are i times those along the real axis; the field is -dE/dz at complex z."""
    if not getattr(part.term, "holomorphic", False):
        return
    real = [layer for layer in part.layers if layer in scene.step]
    h = min((scene.step[layer] for layer in real), default=1.0)
    z, v = dict(x), {}
    for layer in real:
        v[layer] = scene.rng.uniform(-1.0, 1.0, x[layer].shape)
        z[layer] = x[layer] + 200j * scene.step[layer] * scene.rng.uniform(-1.0, 1.0, x[layer].shape)

    def along(f, by):
        return slope(lambda s: f({**z, **{layer: z[layer] + s * by * v[layer] for layer in real}}), h)

    weight = np.ones(batch_size(x))
    functions: dict[str, Callable] = {
        f"field of {layer}": (lambda y, at=layer: part.field(y, scene.theta, at)) for layer in part.layers
    }
    if part.energy is not None:
        functions["energy"] = lambda y: part.energy(y, scene.theta)
    if part.gradient is not None:
        for key in part.gradient(x, scene.theta, weight):
            functions[f"gradient of {key}"] = lambda y, key=key: part.gradient(y, scene.theta, weight)[key]
    for what, f in functions.items():
        allowed = noise(f(z), h)
        yield scene.compare(
            part.name,
            "holomorphic",
            along(f, 1j),
            1j * along(f, 1.0),
            lambda k, what=what: f"{what}, entry {k}, along i",
            allowed,
        )
    if part.energy is not None and real:
        work = sum(np.sum((part.field(z, scene.theta, layer) * v[layer]).reshape(len(weight), -1), 1) for layer in real)
        fall = -along(functions["energy"], 1.0)
        yield scene.compare(
            part.name,
            "holomorphic",
            work,
            fall,
            lambda k: f"field at complex x against the energy, item {k}",
            noise(part.energy(z, scene.theta), h),
        )


def multilinear(scene, part, x):
    """Twice a layer has twice the energy, layer by layer."""
    if part.energy is None or not getattr(part.term, "multilinear", False):
        return
    energies = part.energy(x, scene.theta)
    for layer in part.layers:
        doubled = part.energy({**x, layer: 2 * x[layer]}, scene.theta)
        yield scene.compare(
            part.name,
            "multilinear",
            doubled,
            2 * energies,
            lambda k, layer=layer: f"energy at twice {layer}, item {k}",
            noise(energies, 1.0),
        )


def local(scene, part, x):
    """`gap` against the field, before and after commits, as plain Python and compiled."""
    form = getattr(part.term, "local", None)
    if form is None or len(part.layers) != 1:
        return
    layer = part.layers[0]
    kind, shape = scene.system.layers[layer]
    if not is_discrete(kind) or not (kind.gap or kind.coded):
        return
    plain = [in_python(f) for f in (form.gap, form.commit)]
    fast = [
        partial(_checked_call, kernel, address_of(compiled(function, signature)), name, function)
        for name, function, signature, kernel in (
            ("gap", form.gap, GAP, gap_at),
            ("commit", form.commit, COMMIT, commit_at),
        )
    ]
    for form_name, gap, commit in (("local", *plain), ("local (compiled)", *fast)):
        flat = x[layer][0].ravel().astype(float)
        arrays = form.prepare(flat.copy(), scene.theta)
        for array, dtype in zip(arrays, (np.float64, np.int64, np.float64), strict=True):
            if (
                not isinstance(array, np.ndarray)
                or array.dtype != dtype
                or array.ndim != 1
                or not array.flags.c_contiguous
            ):
                raise ValueError(
                    f"prepare returned {getattr(array, 'dtype', type(array))}, expected "
                    "1-d contiguous arrays of float64, int64 and float64"
                )
        arrays = [np.require(array, requirements="W") for array in arrays]  # theta handed on is read-only
        got, expected, labels = [], [], []
        for commits in range(4):
            picked = scene.rng.choice(flat.size, min(flat.size, 6), replace=False)
            state = {layer: flat.reshape(1, *shape).astype(x[layer].dtype)}
            field = flat_field(part, state, scene.theta, layer)[0]
            for i in picked:
                got.append(_told(gap, kind, i, flat, arrays))
                told = np.atleast_1d(field[i])
                expected.append(told - told.mean() if kind.coded else told)
                labels += [f"{named(layer, shape, i)} after {commits} commits"] * told.size
            new = float(another(scene, {layer: flat[None]}, layer, flat.shape)[0, picked[0]])
            commit(int(picked[0]), new, flat, *arrays)
            flat[picked[0]] = new
        yield scene.compare(
            part.name,
            form_name,
            np.concatenate(got),
            np.concatenate(expected),
            lambda k, at=labels: at[k],
            noise(expected, 1.0),
        )


FORMS = (
    ("curvature", curvature),
    ("quadratic", quadratic),
    ("jacobian", jacobian),
    ("gradient_moments", moments),
    ("holomorphic", holomorphic),
    ("multilinear", multilinear),
    ("rowwise", rowwise),
    ("local", local),
    ("potential", potential),
)


def _checked_call(kernel, address, name, function, *args):
    """Value of a compiled function, or the error that ended it."""
    said = kernel(address, *args)
    if said < 0:
        raise failure("local (compiled)", {name: function}, {name: [args]}) or ValueError(
            f"{name} failed or returned {said}: an index outside its array, or a division by zero"
        )
    return said


def _told(gap, kind, i, flat, arrays):
    """Result of `gap` for one variable, as a field: (1,), or (q,) less its mean for codes."""
    q = len(kind.levels)
    codes, f = np.zeros(max(q, 2), np.int64), np.zeros(max(q, 2))
    m = gap(int(i), flat, *arrays, codes, f)
    if not kind.coded:
        return f[:1].copy()
    field = np.zeros(q)
    np.add.at(field, codes[:m], f[:m])
    return field - field.mean()


def _fields(part, x, theta):
    return np.concatenate([part.field(x, theta, layer).reshape(batch_size(x), -1) for layer in part.layers], 1)


def _concatenated(part, x):
    return np.concatenate([x[layer].reshape(len(x[layer]), -1) for layer in part.layers], 1).astype(float)


def _dense(a):
    return a.toarray() if hasattr(a, "toarray") else np.asarray(a)


def _namer(scene, part):
    """Names of the entries of the term's layers concatenated."""
    table = [(layer, i) for layer in part.layers for i in range(scene.system.layers[layer].size)]
    return lambda k: named(table[k][0], scene.system.layers[table[k][0]].shape, table[k][1])
