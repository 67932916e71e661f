"""A plane cut through an energy landscape, to be drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, not_negative
from physlearn.kinds import is_continuous
from physlearn.machine import Machine
from physlearn.systems import energy_of


class Plane(NamedTuple):
    """Energies on a plane through three states.

    ``u`` (k,) and ``v`` (l,): coordinates along corners[1] - corners[0] and corners[2] - corners[0], 1 at
    that corner; ``energy`` (l, k); ``corners`` (3, n).
    """

    u: np.ndarray
    v: np.ndarray
    energy: np.ndarray
    corners: np.ndarray

    __repr__ = brief

    def project(self, x):
        """Coordinates (..., 2) of the point of the plane nearest to states x (..., n).

        Examples
        --------
        >>> from physlearn.models import ModernHopfield
        >>> plane = energy_plane(ModernHopfield(np.eye(3)), np.eye(3), resolution=2)
        >>> plane.project([0.0, 1.0, 0.0]).round(6) + 0.0
        array([1., 0.])
        """
        axes = self.corners[1:] - self.corners[0]
        x = array("x", x)
        if x.shape[-1:] != self.corners.shape[1:]:
            raise ValueError(f"x: shape {x.shape}, expected (..., {self.corners.shape[1]})")
        flat = x - self.corners[0]
        return np.linalg.lstsq(axes.T, flat.reshape(-1, axes.shape[1]).T, rcond=None)[0].T.reshape(*flat.shape[:-1], 2)


def energy_plane(energy: Machine, corners, *, resolution=60, margin=0.4) -> Plane:
    """Energy of one continuous layer on the plane through three states.

    Parameters
    ----------
    energy : Machine or Energy
        Of a single layer of a continuous kind.
    corners : (3, n) array
        Such as two memories and a cue; they must span a plane.
    resolution : int
        Points along each side.
    margin : float
        Margin around the corners, in units of their distance.

    Returns
    -------
    Plane
        For `physlearn.plot.plot_landscape`.

    Examples
    --------
    >>> from physlearn.models import ModernHopfield
    >>> memory = ModernHopfield([[1.0, 0.0], [0.0, 1.0]], beta=8.0)
    >>> energy_plane(memory, [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], resolution=5).energy.shape
    (5, 5)
    """
    energy = energy_of(energy, ", so that there is no landscape")
    resolution = count("resolution", resolution, least=2)
    margin = not_negative("margin", margin)
    if len(energy.layers) != 1:
        raise ValueError(f"energy: has layers {list(energy.layers)}, expected one, whose plane is drawn")
    kind = next(iter(energy.layers.values())).kind
    if not is_continuous(kind):
        raise ValueError(f"energy: its layer is {kind}; between discrete states there is nothing to draw")
    corners = array("corners", corners)
    size = next(iter(energy.layers.values())).size
    count("resolution", resolution, each=16 * size * resolution)
    axes = corners[1:] - corners[0] if corners.ndim == 2 and len(corners) == 3 else np.zeros((2, 1))
    if np.linalg.matrix_rank(axes) < 2:
        raise ValueError(f"corners: shape {corners.shape}, expected three finite states that are not on a line")
    u = np.linspace(-margin, 1.0 + margin, resolution)
    grid = np.stack(np.meshgrid(u, u), -1).reshape(-1, 2)
    return Plane(u, u, np.asarray(energy(corners[0] + grid @ axes)).reshape(len(u), len(u)), corners)
