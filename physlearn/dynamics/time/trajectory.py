"""Result of `integrate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.dynamics.labels import named


@dataclass(frozen=True, eq=False)
class Trajectory:
    """States of a system at given times.

    Attributes
    ----------
    t : (k,) array
        Times, s.
    x : array or mapping of str to array
        States, (k, batch, *shape), or (k, *shape) for a single item.
    energy : (k, batch) or (k,) array
        Energy without nudges; NaN for a `System`, which has none.
    method : str
        The stepper that was used.
    steps : int
        Steps taken; with an adaptive method, force evaluations of the item that needed most.
    stopped : str or None
        Why the run ended before its time (an item ran away); what was reached until then is here.
    notes : tuple of str
        Terms that lack a form which the method could use.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real, integrate
    >>> from physlearn.terms import Parabola
    >>> spring = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [2.0]})
    >>> run = integrate(spring, (0.0, 1.0), x0=[1.0], times=[0.0, 0.5, 1.0])
    >>> np.round(run.x[:, 0] - np.exp(-2.0 * run.t), 4)
    array([0., 0., 0.])
    """

    t: np.ndarray
    x: Any
    energy: np.ndarray
    method: str
    steps: int
    stopped: str | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self):
        end = f", t={self.t[0]:g}..{self.t[-1]:g} s" if len(self.t) else ""
        why = f", stopped={self.stopped!r}" if self.stopped else ""
        why += f", notes={len(self.notes)}" if self.notes else ""
        return f"Trajectory(method={self.method!r}, steps={self.steps}, times={len(self.t)}{end}{why})"

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    @property
    def final(self):
        """The last state, shaped as ``x0`` takes it."""
        return {name: x[-1] for name, x in self.x.items()} if isinstance(self.x, dict) else self.x[-1]

    def to_dataset(self):
        """As an xarray.Dataset with dims (time, item, ...).

        A layer whose name is taken ("energy", "time", "item") has an underscore behind it.
        """
        import xarray as xr

        lead = ("time", "item")[: self.energy.ndim]
        states = self.x if isinstance(self.x, dict) else {"x": self.x}
        layers = {name: (lead, value) for name, value in states.items()}
        data: Any = named({"energy": (lead, self.energy)}, layers, taken=lead)
        return xr.Dataset(data, coords={"time": ("time", self.t, {"units": "s"})}, attrs={"method": self.method})
