"""Leaky integrate-and-fire neurons that spike by chance: escape noise.

    tau dv/dt = -(v - v_rest) + resistance I,    spikes at the rate  rho(v) = rate exp((v - v_threshold) / slope)

within a step of dt with probability 1 - exp(-rho(v) dt), v that of the step's end; then v = v_reset for `refractory`.
Currents and conductances are held over a step, in which v relaxes exactly.

With a fast membrane it is the neuron that samples in continuous time (`sample(method="spikes")` has it on visits): an
exponential rate of slope alpha and 1 / refractory at threshold is on for the fraction sigma((v - v_threshold) / alpha).
H. E. Plesser and W. Gerstner, Neural Comput. 12, 367 (2000); R. Jolivet, A. Rauch, H.-R. Luscher and W. Gerstner, J.
Comput. Neurosci. 21, 35 (2006); L. Buesing et al., PLoS Comput. Biol. 7, e1002211 (2011), equation 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import carray

from circuits.neurons.parameters import check_numbers, check_shapes
from circuits.neurons.program import FINITE, Program, steps_of
from physlearn.brief import brief
from physlearn.checks import array
from physlearn.kernels.jit import kernel
from physlearn.quantities import take_si
from physlearn.rng import uniform

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

_NAMES = ("tau", "v_rest", "v_threshold", "slope", "rate", "v_reset", "refractory", "resistance")


@dataclass(frozen=True)
class EscapeLIF:
    """A leaky integrator that spikes at a rate which grows exponentially with its voltage.

    Parameters
    ----------
    tau : float or (n,) array
        Membrane time constant, s.
    v_rest, v_threshold, v_reset : float or (n,) array
        V; at v_threshold neurons spike at ``rate``.
    slope : float or (n,) array
        V, over which the rate grows e times.
    rate : float or (n,) array
        Hz.
    refractory : float or (n,) array
        s, whole steps of dt; v is held at v_reset.
    resistance : float or (n,) array
        ohm; 1 where currents are given in volts.

    Examples
    --------
    On for 10 ms after each spike, half of the time at threshold:

    >>> from circuits.neurons import Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> cell = EscapeLIF(tau=1e-4, v_rest=0.0, v_threshold=0.0, slope=1.0, rate=100.0, v_reset=0.0, refractory=10e-3)
    >>> run = integrate(SpikingNetwork({"n": Population(cell, 200)}), (0.0, 5.0), dt=1e-4, rng=0)
    >>> bool(abs(run.spikes["n"].rate() * 10e-3 - 0.5) < 0.01)
    True
    """

    tau: float | np.ndarray
    v_rest: float | np.ndarray
    v_threshold: float | np.ndarray
    slope: float | np.ndarray
    rate: float | np.ndarray
    v_reset: float | np.ndarray
    refractory: float | np.ndarray = 0.0
    resistance: float | np.ndarray = 1.0

    __repr__ = brief

    variables = ("v",)
    units = ("V",)

    def __post_init__(self):
        volts = dict.fromkeys(("v_rest", "v_threshold", "v_reset", "slope"), "V")
        take_si(self, tau="s", refractory="s", rate="Hz", resistance="ohm", **volts)
        check_numbers(
            self, _NAMES, positive=("tau", "resistance", "slope"), nonnegative=("refractory", "rate")
        )  # fmt: skip

    def initial(self, n):
        """At rest, (1, n)."""
        check_shapes(self, _NAMES, n)
        return np.broadcast_to(np.asarray(self.v_rest, float), (n,)).reshape(1, n).copy()

    def hazard(self, v):
        """Rate of spikes at voltages v, Hz, same shape as v.

        Parameters
        ----------
        v : float or array
            V.
        """
        return self.rate * np.exp((array("v", v) - self.v_threshold) / self.slope)

    def check(self, n, dt, method):
        """Refuse parameters that do not fit n neurons or the step."""
        check_shapes(self, _NAMES, n)
        if method not in ("auto", "exponential_euler"):
            raise ValueError(f"method: {method!r} does not fit EscapeLIF; expected 'auto' or 'exponential_euler'")
        steps_of("EscapeLIF: refractory", self.refractory, dt)

    def program(self, n, dt, receptors, method):
        """Compiled step of n neurons; see `Program`."""
        shortest = min([float(np.min(self.tau)), *(tau for receptor in receptors for tau in receptor.taus)])
        if any(receptor.reversal is not None for receptor in receptors) and dt > shortest:
            raise ValueError(
                f"dt: {dt!r} s is longer than the shortest time constant, {shortest!r} s, and conductances are "
                "held over a step; choose a smaller one"
            )
        columns = (
            self.v_reset, self.v_rest, self.resistance, dt / np.asarray(self.tau), self.v_threshold,
            1.0 / np.asarray(self.slope), np.asarray(self.rate) * dt,
        )  # fmt: skip
        floats = np.concatenate([np.broadcast_to(column, (n,)) for column in columns]).astype(float)
        refractory = np.broadcast_to(steps_of("EscapeLIF: refractory", self.refractory, dt), (n,))
        ints = np.concatenate([np.zeros(n + 4), refractory]).astype(np.int64)
        return Program(escaping, floats, ints, n + 4, stream_at=n, name="exponential_euler")


@kernel
def _step(v, drive, f, left, refractory, stream, spiked):
    """A number is drawn for every neuron and step, so that what one does shifts no other's numbers."""
    count = 0
    for i in range(v.size):
        u = uniform(stream)
        if left[i] > 0:
            left[i] -= 1
            v[i] = f[0, i]
            continue
        total = 1.0 + f[2, i] * drive[1, i]
        goal = (f[1, i] + f[2, i] * (drive[0, i] + drive[2, i])) / total
        v[i] = goal + (v[i] - goal) * np.exp(-f[3, i] * total)
        if not abs(v[i]) < FINITE:
            return -(i + 1)
        if u < -np.expm1(-f[6, i] * np.exp((v[i] - f[4, i]) * f[5, i])):
            v[i] = f[0, i]
            left[i] = refractory[i]
            spiked[count] = i
            count += 1
    return count


def escaping(step, n, state, drive, floats, ints, spiked, late):
    """Advance all neurons.

    floats: reset, rest, resistance, dt / tau, threshold, 1 / slope, rate dt, (n,) each.  ints: refractory steps left
    (n), random state (4), refractory steps (n).
    """
    numbers = carray(ints, (2 * n + 4,))
    return _step(
        carray(state, n),
        carray(drive, (3, n)),
        carray(floats, (7, n)),
        numbers[:n],
        numbers[n + 4 :],
        numbers[n : n + 4].view(np.uint64),
        carray(spiked, n),
    )
