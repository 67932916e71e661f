"""Readouts y = R x, a system's contact with the outside: read, clamped, nudged.  `physlearn.energy` re-exports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, flag, reals, seen, text

State = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Readout:
    """A linear function of the state that is read, clamped or nudged: y = R x.

    Parameters
    ----------
    layer : str
        The layer that is read.
    index : array of int, optional
        Flat indices of the variables read; default all of them.
    rows : (k, n) array or sparse matrix, optional
        General linear readout, such as one +1 and one -1 a row for the drop across a node pair.
    force : bool
        Whether the force conjugate to y (currents into nodes) is given instead of y itself.

    Examples
    --------
    >>> import numpy as np
    >>> drop = Readout("v", rows=[[1.0, 0.0, -1.0]])
    >>> drop.read({"v": np.array([[3.0, 1.0, 0.5]])})
    array([[2.5]])
    """

    layer: str
    index: Any = None
    rows: Any = None
    force: bool = False

    __repr__ = brief

    def __post_init__(self):
        text("layer", self.layer, "the name of a layer")
        flag("force", self.force)
        # copies: what engines have worked out would not notice a later change of the caller's arrays
        if self.rows is not None:
            entries = self.rows.data if hasattr(self.rows, "toarray") else self.rows
            found = reals("rows", entries)
            rows = self.rows.copy() if hasattr(self.rows, "shape") else np.array(found, dtype=float)
            if len(rows.shape) != 2:
                raise ValueError(f"rows: shape {rows.shape}, expected (k, n), one row for each number that is read")
            object.__setattr__(self, "rows", rows)
        if self.index is not None:
            try:
                index = np.asarray(self.index)
            except ValueError:  # rows that differ in length
                index = np.zeros(())
            if index.ndim != 1 or index.size and index.dtype.kind not in "iu":
                raise TypeError(f"index: got {seen(self.index)}, expected a list of integers, such as [2]")
            object.__setattr__(self, "index", index.astype(np.int64))

    def read(self, x: State) -> np.ndarray:
        """y of shape (batch, k).

        Parameters
        ----------
        x : mapping of any names of layers to arrays
            A state; layers that are not read are not looked at.
        """
        try:
            flat = x[self.layer].reshape(len(x[self.layer]), -1)
        except (AttributeError, IndexError, KeyError, TypeError):
            raise TypeError(f"x: got {seen(x)}, expected a state, {{{self.layer!r}: (batch, *shape) array}}") from None
        if self.rows is not None:
            return (self.rows @ flat.T).T
        return flat if self.index is None else flat[:, self.index]

    def pull(self, y: np.ndarray, size: int) -> np.ndarray:
        """R^T y of shape (batch, size): the force on the layer that a force y on the readout exerts."""
        if self.rows is not None:
            return (self.rows.T @ y.T).T
        if self.index is None:
            return y
        out = np.zeros((len(y), size), y.dtype)
        np.add.at(out.T, np.asarray(self.index), y.T)
        return out


@dataclass(frozen=True, eq=False)
class Nudge:
    """A cost added to the energy with weight ``strength``.

    ``cost`` has the name of its ``readout`` and answers ``value(y, target) -> (batch,)``,
    ``gradient(y, target) -> (batch, k)`` and ``hessian(y, target) -> (batch, k, k)``.  With ``at``
    (outputs, (batch, k)) the cost is replaced by its tangent there: the linearised nudge.

    Parameters
    ----------
    cost : cost
    target : (batch, k) or (k,) array
    strength : float or complex
    at : (batch, k) float or complex array, optional

    Examples
    --------
    A unit spring pulled at its end towards 1 with as much strength as it has itself rests halfway:

    >>> from physlearn import Energy, Nudge, Readout, Real, SquaredError, relax
    >>> from physlearn.terms import Edges
    >>> spring = Energy({"x": (Real(), 2)}, [Edges("x", [(0, 1)])], {"conductance": [1.0]},
    ...                 {"foot": Readout("x", [0]), "end": Readout("x", [1])}, fixed={"foot": [0.0]})
    >>> relax(spring, nudge=Nudge(SquaredError("end"), [1.0], 1.0)).x
    array([0. , 0.5])
    """

    cost: Any
    target: np.ndarray
    strength: complex
    at: np.ndarray | None = None

    __repr__ = brief

    def __post_init__(self):
        if isinstance(self.cost, type) or not isinstance(getattr(self.cost, "readout", None), str):
            raise TypeError(f"cost: got {seen(self.cost)}, expected a cost, such as SquaredError('output')")
        array("target", self.target)
        if not np.isfinite(array("strength", self.strength, finite=False, shape=(), dtype=None)):
            raise ValueError(f"nudge.strength: got {self.strength}, expected a finite number")
        if self.at is not None:
            array("at", self.at, finite=False, dtype=None)

    def value(self, y):
        """Added energy, (batch,)."""
        if self.at is None:
            return self.strength * self.cost.value(y, self.target)
        return self.strength * np.sum(self.cost.gradient(self.at, self.target) * y, -1)

    def force(self, y):
        """Force on the readout, (batch, k)."""
        return -self.strength * self.cost.gradient(y if self.at is None else self.at, self.target)
