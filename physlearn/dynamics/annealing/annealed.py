"""Result of an optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.checks import number
from physlearn.dynamics.labels import named


@dataclass(frozen=True)
class Annealed:
    """Independent reads of an optimiser.

    Attributes
    ----------
    x : array or mapping of str to array
        The best state, (*shape).
    energy : float
        Its energy.
    states : array or mapping of str to array
        The best state of every read, (reads, *shape): of lowest energy at the end of any sweep.
    energies : (reads,) array
        Their energies.
    temperatures : (sweeps,) array
        The schedule; zeros for a descent.
    method : str
        The engine that moved the state.
    """

    x: Any
    energy: float
    states: Any
    energies: np.ndarray
    temperatures: np.ndarray
    method: str

    def __repr__(self):
        reads, sweeps = len(self.energies), len(self.temperatures)
        return f"Annealed(energy={self.energy:.6g}, reads={reads}, sweeps={sweeps}, method={self.method!r})"

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    @property
    def final(self):
        """The best state of every read, as ``x0`` takes it: the same as ``states``."""
        return self.states

    def to_dataset(self):
        """As an xarray.Dataset with dims (read, ...), and the schedule along "sweep".

        A layer whose name is taken ("energy", "temperature", "read", "sweep") has an underscore behind it.
        """
        import xarray as xr

        states = self.states if isinstance(self.states, dict) else {"x": self.states}
        own = {"energy": (("read",), self.energies), "temperature": (("sweep",), self.temperatures)}
        layers = {name: (("read",), value) for name, value in states.items()}
        data: Any = named(own, layers, taken=("read", "sweep"))
        return xr.Dataset(data, attrs={"method": self.method})

    def time_to_solution(self, target, confidence=0.99):
        """Sweeps after which a read at or below ``target`` has been seen with probability ``confidence``.

        sweeps * ln(1 - confidence) / ln(1 - p), and no fewer than one read, with p the fraction of reads that
        reached the target (Ronnow et al. 2014, eq. 3); infinite where none did.

        Parameters
        ----------
        target : float
            Energy; differences within 1e-9 of its magnitude, and rounding errors, count as reached.
        confidence : float
            In (0, 1).

        Examples
        --------
        >>> from physlearn import Energy, Spin, anneal
        >>> from physlearn.terms import Pairs
        >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
        >>> found = anneal(pair, [0.1, 0.1], reads=4, rng=0)
        >>> found.time_to_solution(-1.0), found.time_to_solution(-2.0)  # every read reaches -1, none -2
        (2.0, inf)
        """
        number("target", target)
        if not 0.0 < number("confidence", confidence, 0, 1) < 1.0:
            raise ValueError(f"confidence: got {confidence!r}, expected a number between 0 and 1")
        rounding = 4 * np.finfo(float).eps * float(np.max(np.abs(self.energies), initial=0.0))  # in the energies' unit
        p = float(np.mean(self.energies <= target + (1e-9 * abs(target) + rounding)))
        sweeps = float(len(self.temperatures))
        if p == 0.0:
            return np.inf
        return sweeps if p >= confidence else sweeps * max(1.0, np.log1p(-confidence) / np.log1p(-p))


def annealed(states, energies, temperatures, method):
    """`Annealed` of the reads' best states {layer: (reads, *shape)} and energies (reads,); temperatures (sweeps,)."""
    best = int(np.argmin(energies))
    top = {name: value[best].copy() for name, value in states.items()}
    one = len(states) == 1
    return Annealed(
        next(iter(top.values())) if one else top,
        float(energies[best]),
        next(iter(states.values())) if one else states,
        energies,
        temperatures,
        method,
    )
