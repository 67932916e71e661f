"""Result of a relaxation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.dynamics.labels import named


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A state at rest, with its certificate.

    Attributes
    ----------
    x : array or mapping of str to array
        The state, shaped as it was given: (batch, *shape), or (*shape) for a single item.
    energy : (batch,) array or float
        Energy of each item without nudges; NaN for a `System`, which has none.
    residual : (batch,) array or float
        Largest force left on any free variable (discrete variables: largest energy still to be gained
        by changing one of them), in the energy's units per unit of x; of variables whose kind tells a scale, as of a
        cell's, relative to it.
    steps : int
        Iterations; 1 for a direct solve.
    converged : bool
        Whether every item's residual is within ``tol`` times the size of the forces that balance: the largest
        curvature times the largest value at rest, or sqrt(tol) times the largest at the start, if that is more.
        Where some layers are discrete, that size is the largest sum of the terms' fields on a layer, and a
        discrete variable is at rest where no change gains more than the rounding of its own fields.
    method : str
        The engine that was used.
    notes : tuple of str
        Terms that ran in plain NumPy, each with the form that would open a faster engine.

    Examples
    --------
    >>> from physlearn import Energy, Readout, Real, relax
    >>> from physlearn.terms import Edges
    >>> wire = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 1.0]},
    ...               {"ends": Readout("v", [0, 2])})
    >>> rest = relax(wire, clamp={"ends": [2.0, 0.0]})
    >>> rest.converged, float(rest.x[1]), float(rest.energy)
    (True, 1.0, 1.0)
    """

    x: Any
    energy: Any
    residual: Any
    steps: int
    converged: bool
    method: str
    notes: tuple[str, ...] = ()

    @property
    def final(self):
        """The state, as ``x0`` takes it: the same as ``x``."""
        return self.x

    def to_dataset(self):
        """As an xarray.Dataset with dims (item, ...).

        A layer whose name is taken ("energy", "residual", "item") has an underscore behind it.
        """
        import xarray as xr

        lead = ("item",)[: np.ndim(self.residual)]
        states = self.x if isinstance(self.x, dict) else {"x": self.x}
        own = {name: (lead, np.asarray(getattr(self, name))) for name in ("energy", "residual")}
        data: Any = named(own, {name: (lead, np.asarray(value)) for name, value in states.items()}, taken=("item",))
        return xr.Dataset(data, attrs={"method": self.method, "converged": int(self.converged), "steps": self.steps})

    def __repr__(self):
        worst, more = float(np.max(self.residual, initial=0.0)), f", notes={len(self.notes)}" if self.notes else ""
        numbers = f"converged={self.converged}, steps={self.steps}, residual={worst:.2g}"
        return f"Equilibrium(method={self.method!r}, {numbers}{more})"
