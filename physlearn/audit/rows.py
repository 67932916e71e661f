"""The check that `check_energy` makes of terms that say `rowwise`: every row has the same bits in any company."""

from __future__ import annotations

from collections.abc import Callable

from physlearn.audit.measure import Check, named
from physlearn.energy import batch_size

ROWS = 67  # more than a block of a matrix product, and no multiple of one


def rowwise(scene, part, x):
    """Rows of the energy and of every field, in twos and among `ROWS`."""
    if not getattr(part.term, "rowwise", False):
        return
    company = [k % batch_size(x) for k in range(ROWS)]
    row = batch_size(x) - 1
    many, two = ({name: v[rows] for name, v in x.items()} for rows in (company, [row, 0]))
    functions: dict[str, Callable] = {
        f"field of {layer}": (lambda y, at=layer: part.field(y, scene.theta, at)) for layer in part.layers
    }
    if part.energy is not None:
        functions["energy"] = lambda y: part.energy(y, scene.theta)
    for what, f in functions.items():
        together, by_itself = f(many)[row :: batch_size(x)], f(two)[0]
        wrong = (together != by_itself).reshape(len(together), -1)
        if not wrong.any():
            yield Check(part.name, "rowwise", what, 0.0, 0.0, 0.0, 0.0)
            continue
        copy, k = (int(i) for i in next(zip(*wrong.nonzero(), strict=True)))
        at = f"{named(what, by_itself.shape, k)} of item {row}, among 2 and among {ROWS}"
        got, expected = together[copy].ravel()[k], by_itself.ravel()[k]
        yield Check(part.name, "rowwise", at, got, expected, float(abs(got - expected)), 0.0)
