"""Tuning (f-I) curves: the firing rate of a neuron against the current that it gets, all currents in one run.

Every current has its own neuron, which starts from rest.  Where a model is bistable, as the squid axon between
about 6.3 and 9.8 uA/cm2, the curve is that of a current switched on at rest; a current that grows slowly, or falls,
would give another.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from circuits.neurons.drive.currents import Constant
from circuits.neurons.drive.noise import OrnsteinUhlenbeck
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.population import Population
from circuits.neurons.spikes import Spikes
from physlearn import integrate
from physlearn.brief import brief
from physlearn.checks import array, not_negative, positive
from physlearn.quantities import CURRENTS, si


class TuningCurve(NamedTuple):
    """Rates of neurons, one for each current.

    Attributes
    ----------
    current : (k,) array
        A (or the model's own unit, such as A/m^2).
    rate : (k,) array
        Hz; 1/mean interval of the spikes after the transient, 0 with fewer than two.
    cv : (k,) array
        Coefficient of variation of the intervals; NaN with fewer than five spikes.
    spikes : Spikes
        All of them, transient included; neuron i got current i.
    """

    current: np.ndarray
    rate: np.ndarray
    cv: np.ndarray
    spikes: Spikes

    __repr__ = brief

    def to_dataset(self):
        """Rates and CVs as an xarray.Dataset along "current"."""
        import xarray

        data = {"rate": (("current",), self.rate, {"units": "Hz"}), "cv": (("current",), self.cv)}
        return xarray.Dataset(data, {"current": self.current})


def fi_curve(
    model, current, *, duration=1.0, dt=1e-4, transient=0.0, noise=None, method="auto", rng=None
) -> TuningCurve:
    """Firing rate against constant current.

    Parameters
    ----------
    model : LIF, AdEx, Izhikevich, HodgkinHuxley or Neuron
        Parameters may be (k,) arrays: one for each current.
    current : (k,) array
        A; V where the resistance is 1; A/m^2 for membranes per area.
    duration, dt : float
        s.
    transient : float
        s at the start that are not counted.
    noise : (float, float), optional
        Standard deviation (in the unit of the current) and correlation time (s) of Ornstein-Uhlenbeck noise on each
        current.
    method : str
        Of the model.
    rng : int, Generator or None
        Of the noise.

    Returns
    -------
    TuningCurve

    Examples
    --------
    >>> from circuits.neurons import LIF, lif_rate
    >>> cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3, exact_times=True)
    >>> fi_curve(cells, [9e-3, 10.5e-3, 20e-3]).rate.round(3)
    array([ 0.   , 15.901, 63.04 ])
    >>> lif_rate([9e-3, 10.5e-3, 20e-3], cells).round(3)
    array([ 0.   , 15.901, 63.04 ])
    """
    current = si("current", current, *CURRENTS)
    duration, dt, transient = (
        si(name, value, "s") for name, value in (("duration", duration), ("dt", dt), ("transient", transient))
    )
    current = np.atleast_1d(array("current", current))
    if current.ndim != 1 or not current.size:
        raise ValueError(f"current: shape {current.shape}, expected (k,) finite numbers")
    duration, transient = positive("duration", duration), not_negative("transient", transient)
    if not 0 <= transient < duration:
        raise ValueError(f"transient: got {transient} s of {duration} s, expected 0 or more and less than duration")
    inputs: list = [Constant("cells", current)]
    if noise is not None:
        deviation, tau = array("noise", noise, shape=(2,), low=0.0).tolist()
        inputs.append(OrnsteinUhlenbeck("cells", mean=0.0, sigma=deviation, tau=tau))
    network = SpikingNetwork({"cells": Population(model, len(current))}, inputs=inputs)
    run: Any = integrate(network, (0.0, duration), dt=dt, method=method, rng=rng)
    spikes = run.spikes["cells"]
    late = spikes.between(transient, duration) if transient else spikes
    rate = np.zeros(len(current))
    for i, train in enumerate(late.trains):
        if len(train) > 1:
            rate[i] = (len(train) - 1) / (train[-1] - train[0])
    return TuningCurve(current, rate, late.cv(), spikes)
