"""A neuron between its spikes as a `System`: the field of its model, so that the verbs for systems serve every cell.

    dx/dt = velocity(x, current),    x = (v, ...) in the model's units

The layer "x" holds the variables of one neuron; each is a readout by its name, so that ``clamp={"v": [-65e-3]}`` is a
voltage clamp.  Where the current enters dv/dt alone, in proportion, the readout "current" takes more of it, also as a
function of time.  Spikes, resets and refractoriness are no part of a field: where the model would spike and be reset,
the field ends, `integrate` stops and says so, and `relax` calls no state beyond a rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.cells.linearised import check_one
from physlearn import Readout, Real, System
from physlearn.brief import brief
from physlearn.checks import number
from physlearn.quantities import CURRENTS, si


@dataclass(frozen=True)
class Variables(Real):
    """The variables of a cell: real numbers, each in its own unit.

    Parameters
    ----------
    scale : tuple of float
        Size below which each counts as small.
    start : tuple of float
        Where verbs begin without x0.
    """

    scale: Any = 1.0
    start: Any = 0.0

    def random(self, shape, rng):
        """Uniform within a scale of the start."""
        return np.asarray(self.start) + np.asarray(self.scale) * rng.uniform(-1.0, 1.0, shape)


@dataclass(frozen=True, eq=False)
class Membrane:
    """The term of a cell's field.

    Parameters
    ----------
    model : LIF, AdEx, Izhikevich, HodgkinHuxley or Neuron
    current : float
        A (as the model takes it).
    """

    model: Any
    current: float

    __repr__ = brief

    layers = ("x", "x")  # its variables act on each other

    @property
    def differences(self):
        """Whether the jacobian is measured by differences of the field, because the model has no closed form."""
        return self.model.differences

    def field(self, x, theta, layer):
        """dx/dt, (batch, variables); NaN at states that are not finite, which an engine's trial step may reach."""
        states = x["x"]
        fine = np.isfinite(states).all(1)
        if fine.all():
            return np.asarray(self.model.velocity(states.T, self.current)).T
        out = np.full(states.shape, np.nan)
        out[fine] = np.asarray(self.model.velocity(states[fine].T, self.current)).T
        return out

    def response(self, x, theta, weight):
        """Nothing here learns."""
        return {}

    def jacobian(self, x, theta):
        """d field/dx of one state."""
        return self.model.jacobian(x["x"][0], self.current)


@dataclass(frozen=True, eq=False)
class SpikingMembrane(Membrane):
    """The term of a cell that is reset after a spike: its field ends there."""

    __repr__ = brief

    def limit(self, x, theta):
        """How far below a spike the cell is, (batch,), and what happens there."""
        return self.model.below(x["x"].T), f"{type(self.model).__name__} spikes there and is reset"


def system(self, current=0.0):
    """The cell between its spikes at a constant current, as a `System`.

    `relax` finds its rests (any of them; `fixed_points` finds all, with their stability), `integrate` follows it with
    adaptive steps from rest without current, or from ``x0``.  Spikes and resets need a `SpikingNetwork`: where the cell
    would spike and be reset, the run stops.

    Parameters
    ----------
    current : float
        A (A/m^2, V or V/s, as the model takes it).

    Returns
    -------
    System
        One layer "x", (variables,); readouts by the variables' names, and "current": more of it, a force.

    Examples
    --------
    The rest of a squid's axon at 5 uA/cm2, its gates at -50 mV, and how it answers a current that grows:

    >>> from circuits.neurons import HodgkinHuxley
    >>> from physlearn import integrate, relax
    >>> squid = HodgkinHuxley.squid()
    >>> relax(squid.system(0.05)).x.round(4)
    array([-0.0617,  0.0772,  0.4793,  0.3687])
    >>> relax(squid.system(), clamp={"v": [-50e-3]}).x.round(4)
    array([-0.05  ,  0.2508,  0.1534,  0.5508])
    >>> run = integrate(squid.system(), (0.0, 20e-3), clamp={"current": lambda t: [2.5 * t]})
    >>> run.x.shape, round(float(run.final[0]), 4)
    ((101, 4), -0.0609)
    """
    check_one(self, "the system")
    current = number("current", si("current", current, *CURRENTS))
    start, size = self.initial(1)[:, 0], len(self.variables)
    kind = Variables(scale=tuple(map(float, self.scales)), start=tuple(map(float, start)))
    readouts = {name: Readout("x", [k]) for k, name in enumerate(self.variables)}
    if self.current_gain is not None:
        readouts["current"] = Readout("x", rows=[[float(self.current_gain)] + [0.0] * (size - 1)], force=True)
    term = Membrane if self.below is None else SpikingMembrane
    return System({"x": (kind, size)}, [term(self, current)], {}, readouts)
