"""check_map: audit a map's pullback and its optional forms against differences of its forward.

Everything that graphs assume of a map is checked here: shapes, items that do not see each other, arguments left alone,
both halves of the pullback against the dense Jacobian, complex parents, the determinant and the inverse.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.audit.check import Audit
from physlearn.audit.measure import EPS, Check
from physlearn.checks import array, count, integers, mapping, positive, sequence
from physlearn.maps.compose import check_is_map, shape_after
from physlearn.rng import generator
from physlearn.threads import on_one_thread

STEP = 1e-3  # of a fourth-order difference, relative to the size of what is moved


@on_one_thread
def check_map(map, shapes, theta=None, *, x=None, rng=0, batch=3, coordinates=50, rtol=1e-6) -> Audit:
    """Audit a map: its value, its pullback against the dense Jacobian, and every optional form.

    Parameters
    ----------
    map : map
        See `physlearn.maps.map`.
    shapes : sequence of tuple of int
        Shapes of its parents, without the batch.
    theta : mapping of str to array, optional
        Parameters; default those that its ``start`` gives, moved at random.
    x : sequence of arrays, optional
        The parents to test at, (batch, *shape) each; default normal numbers.
    rng : int, Generator or None
    batch : int
        Number of items.
    coordinates : int
        Most entries of a parent and of a parameter that are moved one by one; a random direction through all of them is
        tested besides.
    rtol : float
        Largest error, relative to the largest entry of the tested array; rounding is allowed for.

    Returns
    -------
    Audit
        A table of all checks.

    Raises
    ------
    ValueError
        When a check fails; names the form, the worst coordinate, the value there and the expected one.

    Notes
    -----
    A map with kinks fails where a difference straddles one: pass an ``x`` away from them.  Of a map with ``fixed`` the
    map for one batch is audited besides.

    Examples
    --------
    >>> from physlearn import check_map
    >>> from physlearn.maps import Affine, Chain, Tanh
    >>> report = check_map(Chain(Affine(4), Tanh()), [3])
    >>> sorted({check.form for check in report.checks})
    ['back', 'batch', 'complex', 'gradient of W', 'gradient of b', 'parent 0', 'shapes', 'single', 'slope']
    """
    check_is_map("map", map)
    shapes = tuple(
        tuple(int(n) for n in np.atleast_1d(integers("shapes", shape, ndim=(0, 1), low=1)))
        for shape in sequence("shapes", shapes, expected="a sequence of the parents' shapes")
    )
    count("batch", batch)
    count("coordinates", coordinates)
    positive("rtol", rtol)
    rng = generator(rng)
    theta = _theta(map, shapes, theta, rng)
    if hasattr(map, "shape"):
        map.shape(shapes)  # refuses shapes that do not fit
    if x is None:
        x = tuple(rng.standard_normal((batch, *shape)) for shape in shapes)
    else:
        x = tuple(array(f"x[{k}]", value) for k, value in enumerate(sequence("x", x, expected="one array per parent")))
        if tuple(value.shape[1:] for value in x) != shapes:
            raise ValueError(f"x: got parents of shapes {[v.shape[1:] for v in x]}, expected {list(shapes)}")
    checks = _checks(type(map).__name__, map, shapes, theta, x, rng, coordinates, rtol)
    if hasattr(map, "fixed"):
        held, measured = map.fixed(x, theta, np.random.default_rng(1))
        checks += _checks(f"{type(map).__name__}, fixed", held, shapes, theta, x, rng, coordinates, rtol)
        unknown = [name for name in measured if name not in getattr(map, "measured", ())]
        checks.append(Check(type(map).__name__, "measured", "-", unknown, [], float(len(unknown)), 0.0))
    failed = [c for c in checks if not c.ok]
    if failed:
        lines = [
            f"{c.part}, form {c.form!r}: worst at {c.where}: got {c.got}, expected {c.expected} "
            f"(error {c.error:.3g}, tolerance {c.tolerance:.3g})"
            for c in failed
        ]
        raise ValueError("\n".join([f"check_map: {len(failed)} of {len(checks)} checks failed", *lines]))
    return Audit(tuple(checks))


def _theta(map, shapes, theta, rng):
    names = tuple(getattr(map, "parameters", ()))
    if theta is not None:
        theta = {
            name: array(f"theta[{name!r}]", v) for name, v in mapping("theta", theta, expected="a mapping").items()
        }
    elif hasattr(map, "start"):
        try:
            first = map.start(shapes, rng)
        except ValueError as error:
            raise ValueError(f"shapes: the map does not take {shapes}: {error}") from None
        theta = {name: v + 0.1 * rng.standard_normal(np.shape(v)) for name, v in first.items()}
        measured = set(getattr(map, "measured", ()))
        theta = {name: np.abs(v) + 0.5 if name in measured else v for name, v in theta.items()}
    else:
        theta = {}
    missing = [name for name in names if name not in theta]
    if missing:
        raise ValueError(
            f"theta: parameters {missing} are missing, and {type(map).__name__} has no `start`; got {list(theta)}"
        )
    return theta


def _checks(part, map, shapes, theta, x, rng, coordinates, rtol):
    kept = tuple(v.copy() for v in x), {name: v.copy() for name, v in theta.items()}
    value, tape = map.forward(x, theta)
    items = len(x[0]) if x else 1
    expected = (items, *shape_after(map, shapes)) if hasattr(map, "shape") or len(shapes) == 1 else np.shape(value)
    if np.shape(value) != expected or not np.all(np.isfinite(value)):
        return [
            Check(
                part,
                "shapes",
                "value",
                f"shape {np.shape(value)}, finite {np.all(np.isfinite(value))}",
                expected,
                np.inf,
                0,
            )
        ]
    pull = rng.standard_normal(value.shape)
    backs, slopes = map.pullback(tape, pull, theta)
    found = [Check(part, "shapes", "-", 0.0, 0.0, 0.0, 0.0)]
    got = [*(np.shape(b) for b in backs), *(np.shape(slopes[name]) for name in slopes)]
    wanted = [*(v.shape for v in x), *(np.shape(theta[name]) if name in theta else name for name in slopes)]
    if got != wanted:
        return [Check(part, "shapes", "pullback", got, wanted, np.inf, 0.0)]
    changed = [k for k, v in enumerate(x) if not np.array_equal(v, kept[0][k])]
    changed += [name for name, v in theta.items() if not np.array_equal(v, kept[1][name])]
    if changed:
        return [Check(part, "shapes", f"{changed}", "changed in place", "arguments left alone", np.inf, 0.0)]
    scene = (part, map, theta, x, pull, rng, coordinates, rtol)
    returning = getattr(map, "returning", ())  # by which cotangents come back, which are then no gradient
    for k in range(0 if returning else len(x)):
        found.append(_along(*scene, backs[k], ("parent", k)))
    for name in theta:
        if name in returning:
            continue
        if name in slopes or (name in getattr(map, "parameters", ()) and name not in getattr(map, "measured", ())):
            found.append(_along(*scene, slopes.get(name, np.zeros_like(theta[name])), ("gradient of", name)))
    if x and not getattr(map, "across_batch", False):
        beside = [
            tuple(np.where(np.arange(items).reshape(-1, *(1,) * (v.ndim - 1)) == b, v, v[::-1] - 0.5) for v in x)
            for b in range(items)
        ]
        alone = [map.forward(others, theta)[0][b] for b, others in enumerate(beside)]
        found.append(_compare(part, "batch", value, np.array(alone), 1e-12))
    if hasattr(map, "back"):
        again = map.back(tape, pull, theta)
        flat = [np.concatenate([np.ravel(v) for v in (*vs, [0.0])]) for vs in (again, backs)]
        found.append(_compare(part, "back", flat[0], flat[1], 1e-12))
    if hasattr(map, "slope"):
        again = map.slope(tape, pull, theta)
        flat = [np.concatenate([np.ravel(vs[name]) for name in slopes] + [[float(len(vs))]]) for vs in (again, slopes)]
        found.append(_compare(part, "slope", flat[0], flat[1], 1e-12))
    if not x and not theta:
        return found
    single = map.forward(
        tuple(v.astype(np.float32) for v in x), {name: v.astype(np.float32) for name, v in theta.items()}
    )
    found.append(
        Check(part, "single", "dtype", str(single[0].dtype), "float32", float(single[0].dtype != np.float32), 0.0)
    )
    if getattr(map, "holomorphic", False) and x and not returning:
        v = tuple(rng.standard_normal(p.shape) for p in x)
        complex_step = map.forward(tuple(p + 1e-30j * d for p, d in zip(x, v, strict=True)), theta)[0].imag / 1e-30
        got = sum(np.sum(b * d) for b, d in zip(backs, v, strict=True))
        found.append(_compare(part, "complex", np.array([got]), np.array([np.sum(pull * complex_step)]), 1e-10))
    if hasattr(map, "logdet"):
        found.append(_determinant(part, map, theta, x, value, rtol))
    if hasattr(map, "with_logdet"):
        found += _both(scene, value)
    if hasattr(map, "inverse"):
        parents = map.inverse(value, theta)
        got = np.concatenate([np.ravel(p) for p in parents])
        found.append(_compare(part, "inverse", got, np.concatenate([np.ravel(p) for p in x]), 1e-9))
    return found


def _along(part, map, theta, x, pull, rng, coordinates, rtol, got, what):
    """One parent's or parameter's share of the pullback against differences, coordinate by coordinate."""
    kind, which = what
    base = x[which] if kind == "parent" else theta[which]
    h = STEP * (float(np.max(np.abs(base), initial=0.0)) or 1.0)

    def f(s, v):
        moved = base + s * v
        if kind == "parent":
            return float(np.sum(pull * map.forward((*x[:which], moved, *x[which + 1 :]), theta)[0]))
        return float(np.sum(pull * map.forward(x, {**theta, which: moved})[0]))

    picked = np.arange(base.size) if base.size <= coordinates else rng.choice(base.size, coordinates, replace=False)
    directions = []
    for k in picked:
        unit = np.zeros(base.size)
        unit[k] = 1.0
        directions.append(unit.reshape(base.shape))
    directions.append(rng.uniform(-1.0, 1.0, base.shape))
    slopes = [(8 * (f(h, v) - f(-h, v)) - (f(2 * h, v) - f(-2 * h, v))) / (12 * h) for v in directions]
    noise = 64 * EPS * float(np.sum(np.abs(pull * map.forward(x, theta)[0]))) / h
    names = [f"entry {tuple(int(i) for i in np.unravel_index(k, base.shape))}" for k in picked]
    got = [float(np.sum(got * v)) for v in directions]
    return _compare(
        part, f"{kind} {which}", np.array(got), np.array(slopes), rtol, noise, [*names, "a random direction"]
    )


def _determinant(part, map, theta, x, value, rtol):
    (parent,) = x
    n = math.prod(parent.shape[1:])
    expected = []
    for item in range(len(parent)):
        jacobian = np.empty((n, n))
        tape = map.forward((parent[item : item + 1],), theta)[1]
        for k in range(n):
            unit = np.zeros(n)
            unit[k] = 1.0
            (row,), _ = map.pullback(tape, unit.reshape(1, *value.shape[1:]), theta)
            jacobian[k] = row.ravel()
        expected.append(np.linalg.slogdet(jacobian)[1])
    return _compare(part, "logdet", np.asarray(map.logdet(x, theta)), np.array(expected), rtol)


def _both(scene, value):
    """Value and determinant in one pass, and the pullback of both, against the two apart and against differences."""
    part, map, theta, x, pull, rng, coordinates, rtol = scene
    again, logdet, tape = map.with_logdet(x, theta)
    weight = rng.standard_normal(len(logdet))
    (back,), slopes = map.pull_both(tape, pull, weight, theta)
    single = _Both(map, pull, weight)
    alone = (part, single, theta, x, np.ones(len(x[0])), rng, coordinates, rtol)
    found = [
        _compare(part, "with_logdet", again, value, 1e-12),
        _compare(part, "with_logdet", logdet, map.logdet(x, theta), 1e-12),
        _along(*alone, back, ("parent", 0)),
    ]
    found += [_along(*alone, slopes[name], ("gradient of", name)) for name in slopes]
    return [Check(part, f"pull_both, {c.form}" if k > 1 else c.form, *c[2:]) for k, c in enumerate(found)]


class _Both:
    """c . y + l . logdet as a map, for differences."""

    def __init__(self, map, pull, weight):
        self.map, self.pull, self.weight = map, pull, weight

    def forward(self, parents, theta):
        y, logdet, _ = self.map.with_logdet(parents, theta)
        return np.sum((self.pull * y).reshape(len(y), -1), 1) + self.weight * logdet, None


def _compare(part, form, got, expected, rtol, noise=0.0, names=None):
    got, expected = np.ravel(got), np.ravel(expected)
    if got.shape != expected.shape:
        return Check(part, form, "shape", got.shape, expected.shape, np.inf, 0.0)
    if not got.size:
        return Check(part, form, "-", 0.0, 0.0, 0.0, 0.0)
    error = np.abs(got - expected)
    error = np.where(np.isfinite(error), error, np.inf)
    tolerance = rtol * max(1e-300, float(np.max(np.abs(expected))), float(np.max(np.abs(got)))) + noise
    worst = int(np.argmax(error))
    where = names[worst] if names else f"entry {worst}"
    return Check(part, form, where, float(got[worst]), float(expected[worst]), float(error[worst]), tolerance)
