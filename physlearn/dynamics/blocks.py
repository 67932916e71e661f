"""A batch cut into blocks, so that an item's bits depend neither on how many items there are nor on threads.

The last bits of a row of a matrix product depend on how many rows there are.  So terms see blocks of a fixed number of
rows, the last one filled up with copies of the first item.  A term that says ``rowwise = True`` makes every row of its
energy and field from that row alone, with the same bits in any company (elementwise arithmetic, sums along a row,
sparse products): where all terms say so, a block is as long as the cache likes.  Only a single row gets a copy beside
it, because NumPy's einsum adds up one row in another order than two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from physlearn.dynamics.frame import separate

NUMBERS = 32768  # in a block of rowwise terms: beyond, calling the terms costs little beside their arithmetic
PRODUCT = 4096  # in a block of terms with products: a product of that many costs about as much as calling a term


def rowwise(problem) -> bool:
    """Whether all that acts on the problem's items makes each row from that row alone."""
    kinds = [problem.system.layers[name].kind for name in problem.activated]
    said = all(getattr(part, "rowwise", False) for part in (*problem.system.terms, *kinds))
    return said and not problem.nudges


def rows_of_products(m) -> int:
    """Rows of a block for terms with products of m free variables: 16 to 256, whatever the batch.

    >>> rows_of_products(2), rows_of_products(64), rows_of_products(784)
    (256, 64, 16)
    """
    return int(np.clip(PRODUCT // max(m, 1) // 16 * 16, 16, 256))


def padded(items, rows):
    """Numbers of the items, filled up to whole blocks of ``rows`` with copies of the first."""
    return np.concatenate([np.arange(items), np.zeros(-items % rows, np.int64)])


def blocks_of(problem, rows) -> list[Block]:
    """The problem's items in blocks of ``rows`` rows, or of as many as the cache likes where it is `rowwise`."""
    alone = rowwise(problem)
    size = max(NUMBERS // max(problem.frame.m, 1) // 2 * 2, 2) if alone else rows
    item = padded(problem.batch, 2 if alone else rows)
    return [Block(problem, item[k : k + size], slice(k, min(k + size, len(item)))) for k in range(0, len(item), size)]


class Block:
    """Some rows of a problem, which its terms see together.

    Attributes
    ----------
    items : (rows,) array
        Which item of the problem each row is; behind ``real`` of them, copies.
    where : slice
        The rows among those of all blocks.
    """

    def __init__(self, problem, items: Sequence[int] | np.ndarray, where: slice):
        self.items, self.where = np.asarray(items), where
        self.real = max(min(problem.batch - where.start, len(self.items)), 0)
        self.part: Any = problem.rows(self.items)
        whole = problem.frame.m == len(problem.frame.cluster)
        given = problem.push.any() or problem.base.any() or problem.nudges or problem.activated
        given = given or problem.scale is not None
        self.plain = whole and not given and not problem.clamps  # z is the state, and its fields all forces
        name, layer = next(iter(problem.system.layers.items()))
        lone = self.plain and len(problem.system.layers) == 1 and not layer.by_level
        self.lone = (name, (-1, *layer.shape)) if lone else None  # the only layer: terms are called directly

    def force(self, z):
        """Force on z, (rows, m)."""
        if not self.plain:
            return self.part.force(z)
        system = self.part.system
        if self.lone is not None:
            name, shape = self.lone
            x = {name: z.reshape(shape)}
            fields = [term.field(x, system.theta, name) for term in system.terms]
            return np.asarray(fields[0] if len(fields) == 1 else sum(fields)).reshape(z.shape)
        x = separate(system, z)
        parts = [system.field(x, name).reshape(len(z), -1) for name in system.layers]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)

    def energy(self, z):
        """Energy with the work of given forces, (rows,)."""
        if not self.plain:
            return self.part.energy(z)
        return np.asarray(sum(self.part.system.shares(separate(self.part.system, z)).values()))
