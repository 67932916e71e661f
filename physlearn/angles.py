"""Angle: a direction in the plane, the variable of the XY model and of Kuramoto's oscillators.

Where the energy is a first harmonic in an angle, E(x) = const - h cos(x - phi), its slope f = -dE/dx and curvature
c = d2E/dx2 at one x say all of it: h cos(x - phi) = c and h sin(x - phi) = -f, so that phi = x + atan2(f, c).  At rest
the angle is phi; at T > 0 it has von Mises' distribution around phi, of concentration h/T.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from physlearn.discrete import fitting, sound

TURN = 2.0 * np.pi
LEAST, MOST = 1e-8, 1e300  # concentrations between: below, the distribution is uniform to 1 in 10^8


@dataclass(frozen=True)
class Angle:
    """An angle in radians: x and x + 2 pi are the same state.

    `AnglePairs` couples two by the cosine of their difference, `AngleBias` is a field, `Torque` turns them in a
    `System`; a term of one's own has the period 2 pi, and its ``curvature``, where it has one, says that its energy is
    a first harmonic in every single angle.  `relax` and `sample` answer with angles in [-pi, pi); `integrate` lets them
    count their turns, so that frequencies can be read.

    Examples
    --------
    Three angles that want to differ by half a turn are frustrated; a third of a turn is the best:

    >>> import numpy as np
    >>> from physlearn import Energy, relax
    >>> from physlearn.terms import AnglePairs
    >>> triangle = Energy({"x": (Angle(), 3)}, [AnglePairs("x", [(0, 1), (1, 2), (2, 0)])], {"J": -np.ones(3)})
    >>> round(float(relax(triangle, [0.1, 1.0, -2.0]).energy), 6)
    -1.5
    """

    low: ClassVar[float] = -np.inf
    high: ClassVar[float] = np.inf
    period: ClassVar[float] = TURN

    def wrap(self, x):
        """The same angles in [-pi, pi)."""
        turned = np.mod(x + np.pi, TURN) - np.pi
        return np.where(turned >= np.pi, -np.pi, turned)  # where rounding gave the other end

    def settle(self, f, curvature, x):
        """The minimum of a first harmonic, x + atan2(f, curvature); without a force the angle stays.

        Parameters
        ----------
        f, curvature, x : float or arrays of them
        """
        if not type(f) is type(x) is type(curvature) is np.ndarray:
            f, curvature, x = fitting(f=f, curvature=curvature, x=x)
        sound(f, x)
        return self.wrap(x + np.arctan2(f, curvature))

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath of a first harmonic: von Mises around its minimum, one uniform number a variable from ``rng``."""
        middle, strength = x + np.arctan2(f, curvature), np.hypot(f, curvature) / temperature
        return self.wrap(middle + von_mises(np.broadcast_to(strength, np.shape(middle)), rng))

    def random(self, shape, rng):
        """Uniform in [-pi, pi)."""
        return rng.uniform(-np.pi, np.pi, shape)

    def valid(self, x):
        """Whether every value is finite."""
        return bool(np.all(np.isfinite(x)))


def von_mises(concentration, rng):
    """Angles of von Mises' distribution around 0, by rejection (Best and Fisher 1979), exact at any concentration.

    A draw takes one number of its own stream, which seeds a short stream of its own for the rejections (Steele, Lea and
    Flood 2014, SplitMix64): how many these are concerns no other.

    Parameters
    ----------
    concentration : array
        Not negative, finite.
    rng : Generator or Chains

    Examples
    --------
    >>> x = von_mises(np.full(20_000, 2.0), np.random.default_rng(0))
    >>> bool(abs(np.cos(x).mean() - 0.697775) < 0.01)  # I1(2)/I0(2)
    True
    """
    shape = np.shape(concentration)
    if np.isnan(concentration).any():  # no rejection would end
        raise ValueError("concentration: some entries are NaN, expected numbers of at least 0")
    state = (rng.random(shape) * 2.0**53).astype(np.uint64).ravel()
    k = np.clip(np.ravel(concentration), LEAST, MOST)
    # the envelope, a wrapped Cauchy distribution: rho and (1 + rho^2)/(2 rho) - 1, without cancellation
    root = np.hypot(1.0, 2.0 * k)
    tau = 1.0 + root
    rho = np.sqrt(tau) * (2.0 * k / tau) / (np.sqrt(tau) + np.sqrt(2.0))
    spare = (np.sqrt(2.0 * tau) - 1.0 - 1.0 / (2.0 * k + root)) / (2.0 * k)  # 1 - rho
    spare = np.where(k < 1.0, 1.0 - rho, spare)
    excess = spare * spare / (2.0 * rho)
    out, left = np.empty(k.size), np.arange(k.size)
    while left.size:
        uniform = []
        for _ in range(3):
            state[left], found = _split_mix(state[left])
            uniform.append(found)
        turn, accept, side = uniform
        short = 2.0 * np.sin(0.5 * np.pi * turn) ** 2  # 1 - cos of the envelope's own angle
        fall = excess[left] * short / (excess[left] + 2.0 - short)  # 1 - cos x
        c = k[left] * (excess[left] + fall)
        taken = (c * (2.0 - c) > accept) | (
            np.log(np.maximum(c, 1e-300)) + 1.0 - c >= np.log(np.maximum(accept, 1e-300))
        )
        angle = 2.0 * np.arcsin(np.sqrt(np.minimum(0.5 * fall, 1.0)))
        out[left[taken]] = np.where(side < 0.5, -angle, angle)[taken]
        left = left[~taken]
    return out.reshape(shape)


def _split_mix(state):
    """The next states, and a uniform number in [0, 1) from each."""
    with np.errstate(over="ignore"):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return state, (z >> np.uint64(11)) * 2.0**-53
