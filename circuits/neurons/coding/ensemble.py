"""An ensemble: LIF neurons that represent a vector x of D numbers in their rates (Eliasmith and Anderson 2003).

Neuron i gets the current

    J_i(x) = gain_i (e_i . x / radius) + bias_i

along its encoder e_i, a unit vector, and fires at an LIF neuron's rate at that current (`lif_rate`).  Gain and bias
follow from what is asked of the tuning curve: the neuron is silent up to its intercept c_i, where e_i . x = c_i radius
and J is the rheobase, and reaches its maximal rate r_i where x = radius e_i.  With Delta the threshold above rest over
the resistance, s the threshold above reset over it,

    J_max = Delta + s / (exp((1/r - t_ref)/tau) - 1),   gain = (J_max - Delta)/(1 - c),   bias = Delta - gain c.

Currents are volts where the neuron's resistance is 1.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from circuits.neurons.analysis.theory import lif_rate
from circuits.neurons.cells.lif import LIF
from circuits.neurons.parameters import fixed
from physlearn.brief import brief
from physlearn.checks import array, count, instance, positive, seen
from physlearn.rng import generator

NEAREST = 25.0  # time constants between two spikes: exp(-25) above the rheobase is 1e-11 of it
STANDARD = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3, exact_times=True)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """n LIF neurons that represent D numbers.

    Parameters
    ----------
    n, dimensions : int
    max_rates : float, (low, high) or (n,) array
        Hz, each below 1/refractory: where x points along the encoder with the length ``radius``.  A tuple of two is a
        range that each is drawn from, uniformly.
    intercepts : float, (low, high) or (n,) array
        Within [-1, 1): component of x/radius along the encoder from which on a neuron fires.
    encoders : (n, D) array, optional
        Preferred directions, of any length but zero; they are made unit vectors.  Default uniform on the sphere.
    radius : float
        Length of the x that are represented, in their unit.
    model : LIF
        By default tau 20 ms, refractory period 2 ms, rest and reset at 0, threshold at 1, exact spike times: on a grid
        of 1 ms an interval would else be rounded up to whole steps, and a decoded 0.5 read 0.39.
    rng : int, Generator or None
        Of what is drawn.

    Attributes
    ----------
    gain, bias : (n,) array
        In the unit of the current.

    Raises
    ------
    ValueError, TypeError
        Rates that the refractory period forbids, intercepts outside, encoders of length zero.

    Examples
    --------
    >>> ensemble = Ensemble(50, 1, rng=1)
    >>> ensemble.tuning([[-1.0], [0.0], [1.0]]).shape
    (3, 50)
    >>> one = Ensemble(1, 1, max_rates=300.0, intercepts=-0.5, encoders=[[1.0]])
    >>> one.tuning([[-0.5], [1.0]]).round(6)
    array([[  0.],
           [300.]])
    """

    n: int
    dimensions: int = 1
    max_rates: Any = (200.0, 400.0)
    intercepts: Any = (-1.0, 0.9)
    encoders: Any = None
    radius: float = 1.0
    model: LIF = STANDARD
    rng: InitVar[Any] = None
    gain: np.ndarray = field(init=False, repr=False)
    bias: np.ndarray = field(init=False, repr=False)

    def __repr__(self):
        return brief(self, **{f.name: getattr(self, f.name) for f in fields(self) if f.init})

    def __post_init__(self, rng):
        n = count("Ensemble: n", self.n, each=8)
        dimensions = count("Ensemble: dimensions", self.dimensions, each=8 * n)
        positive("Ensemble: radius", self.radius)
        instance("Ensemble: model", self.model, LIF, "an LIF, whose tuning curve is known in closed form")
        rng = generator(rng)
        rates = _drawn("Ensemble: max_rates", self.max_rates, n, rng)
        intercepts = _drawn("Ensemble: intercepts", self.intercepts, n, rng)
        self._check_rates(rates)
        outside = (intercepts < -1) | (intercepts >= 1)
        if np.any(outside):
            raise ValueError(
                f"Ensemble: intercepts: got {intercepts[outside][0]:.6g} among them, expected numbers from -1 to below "
                "1, in units of the radius; a neuron with an intercept of 1 never reaches its maximal rate"
            )
        gain, bias = _lines(self.model, rates, intercepts)
        encoders = self._directions(n, dimensions, rng)
        found = dict(max_rates=rates, intercepts=intercepts, encoders=encoders, gain=gain, bias=bias)
        for name, value in found.items():
            object.__setattr__(self, name, fixed(np.ascontiguousarray(value)))

    @classmethod
    def from_currents(cls, scaled_encoders, bias, *, radius=1.0, model=STANDARD):
        """An ensemble from the currents of its neurons, x @ scaled_encoders.T + bias, which it then has exactly.

        Parameters
        ----------
        scaled_encoders : (n, D) array
            Current per unit of each component of x.
        bias : (n,) array
            Current at x = 0.
        radius : float
        model : LIF

        Examples
        --------
        >>> one = Ensemble(20, 2, rng=1)
        >>> again = Ensemble.from_currents(one.scaled_encoders, one.bias)
        >>> bool(np.all(again.tuning([[0.3, 0.4]]) == one.tuning([[0.3, 0.4]])))
        True
        """
        scaled = array("scaled_encoders", scaled_encoders, ndim=2)
        bias = array("bias", bias, shape=(len(scaled),))
        positive("radius", radius)
        instance("model", model, LIF, "an LIF, whose tuning curve is known in closed form")
        gain = radius * np.sqrt((scaled * scaled).sum(1))
        if not np.all(gain > 0):
            raise ValueError(f"scaled_encoders: row {int(np.argmin(gain))} is zero, so its neuron would not see x")
        rheobase = (np.asarray(model.v_threshold) - model.v_rest) / model.resistance
        with np.errstate(divide="ignore"):
            rates = lif_rate(gain + bias, model)
        made = cls(len(gain), scaled.shape[1], rates, (rheobase - bias) / gain, scaled, radius, model)
        for name, value in dict(scaled_encoders=scaled, bias=bias, gain=gain).items():
            made.__dict__[name] = fixed(value)  # what rates and intercepts give back differs in the last digit
        return made

    def _check_rates(self, rates):
        if not np.all(rates > 0):
            raise ValueError(f"Ensemble: max_rates: got {rates.min():.6g} Hz among them, expected positive rates")
        most = np.broadcast_to(1 / np.maximum(self.model.refractory, 1e-300), rates.shape)
        if np.any(rates >= most):
            k = int(np.argmax(rates >= most))
            raise ValueError(
                f"Ensemble: max_rates: got {rates[k]:.6g} Hz among them, expected less than 1/refractory = "
                f"{most[k]:.6g} Hz; lower the rate, or give a model of a shorter refractory period"
            )

        slow = 1 / rates - self.model.refractory > NEAREST * self.model.tau
        if np.any(slow):
            raise ValueError(
                f"Ensemble: max_rates: got {rates[slow][0]:.6g} Hz among them; an LIF neuron of tau = "
                f"{np.max(self.model.tau):.6g} s reaches that at a current that rounding does not tell from its "
                "rheobase; expected a higher rate"
            )

    def _directions(self, n, dimensions, rng):
        if self.encoders is None:
            found = rng.standard_normal((n, dimensions))
        else:
            found = array("Ensemble: encoders", self.encoders, shape=(n, dimensions))
        length = np.sqrt((found * found).sum(1, keepdims=True))
        if not np.all(length > 0):
            raise ValueError(
                f"Ensemble: encoders: number {int(np.argmin(length))} has length zero, so its neuron would not see x; "
                "expected directions"
            )
        return found / length

    @cached_property
    def scaled_encoders(self):
        """Current per unit of each component of x, (n, D): gain e / radius."""
        return fixed(self.encoders * (self.gain / self.radius)[:, None])

    def current(self, x):
        """Current of each neuron at represented values, (m, n).

        Parameters
        ----------
        x : (m, D) array
            In the unit of the radius; (m,) where D is 1.
        """
        return self._points(x) @ self.scaled_encoders.T + self.bias

    def tuning(self, x):
        """Rate of each neuron at represented values, (m, n) Hz: `lif_rate` of the current.

        Parameters
        ----------
        x : (m, D) array
            (m,) where D is 1.

        Examples
        --------
        >>> ensemble = Ensemble(3, 1, max_rates=200.0, intercepts=[-0.5, 0.0, 0.5], encoders=[[1.0], [1.0], [-1.0]])
        >>> ensemble.tuning([-1.0, 0.0, 1.0]).round(3)
        array([[  0.   ,   0.   , 200.   ],
               [100.857,   0.   ,   0.   ],
               [200.   , 200.   ,   0.   ]])
        """
        return lif_rate(self.current(x), self.model)

    def tuning_slope(self, x):
        """Derivative of each rate by its current at represented values, (m, n) Hz per unit of current.

        Zero at and below the rheobase; it grows without bound towards it from above.

        Parameters
        ----------
        x : (m, D) array
            (m,) where D is 1.
        """
        model, current = self.model, self.current(x)
        above = model.resistance * current + model.v_rest - np.asarray(model.v_threshold)
        fires = above > 0
        above = np.where(fires, above, 1.0)
        climb = np.asarray(model.v_threshold) - model.v_reset
        rate = lif_rate(current, model)
        return np.where(fires, rate * rate * (model.tau * model.resistance * climb / (above * (above + climb))), 0.0)

    def _points(self, x):
        x = array("x", x, ndim=(1, 2))
        if x.ndim == 1 and self.dimensions == 1:
            x = x[:, None]
        return array("x", x, shape=("m", self.dimensions))


def _drawn(name, given, n, rng):
    """One number a neuron: given, the same for all, or drawn from a range."""
    found = array(name, given, ndim=(0, 1))
    if isinstance(given, tuple) and found.shape == (2,):
        if not found[0] <= found[1]:
            raise ValueError(f"{name}: got {seen(given)}, expected (low, high) with low at most high")
        return rng.uniform(found[0], found[1], n)
    if found.ndim == 1 and len(found) != n:
        raise ValueError(f"{name}: got {len(found)} numbers, expected one, (low, high), or one for each of {n} neurons")
    return np.array(np.broadcast_to(found, (n,)))


def _lines(model, rates, intercepts):
    """Gain and bias, (n,) each, from maximal rates and intercepts."""
    rheobase = (np.asarray(model.v_threshold) - model.v_rest) / model.resistance
    climb = (np.asarray(model.v_threshold) - model.v_reset) / model.resistance
    gain = climb / np.expm1((1 / rates - model.refractory) / model.tau) / (1 - intercepts)
    return gain, rheobase - gain * intercepts
