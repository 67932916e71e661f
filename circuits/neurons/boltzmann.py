"""Boltzmann machines as networks of leaky integrate-and-fire neurons: sampling in the high-conductance state.

A neuron stands for a variable z that is 1 for ``tau`` after each of its spikes, its refractory period.  Its membrane is
fast and follows a noisy current (an Ornstein-Uhlenbeck process of correlation time tau and size sigma), so that at a
mean potential u it is on for a fraction of time that is nearly sigma((u - u_0) / alpha); u_0 and alpha are measured on
single neurons.  With weights W and biases b of the energy -z W z / 2 - b z, at temperature T,

    v_rest = u_0 + alpha b / T,    peak of a synaptic current = alpha W / (T m)

where m is the mean over tau of the voltage that a current exp(-t/tau) of peak 1 gives.  Synapses renew themselves (each
spike sets the current to its peak).  The law is near the Boltzmann distribution and not equal to it: the divergence
KL(drawn || exact) of 5 neurons is some 4e-3 to 8e-3 for weights of size 1, where the membrane is fast.
`sample(method="spikes")` is exact.

M. A. Petrovici, J. Bill, I. Bytschok, J. Schemmel and K. Meier, Phys. Rev. E 94, 042312 (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from circuits.neurons import connect
from circuits.neurons.cells.lif import LIF
from circuits.neurons.drive.noise import OrnsteinUhlenbeck
from circuits.neurons.engine.recording import Recording
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.population import Population
from circuits.neurons.synapses.plasticity import ShortTermPlasticity
from circuits.neurons.synapses.projection import Projection
from circuits.neurons.synapses.receptors import Exponential
from physlearn.brief import brief
from physlearn.checks import count, instance, not_negative, positive
from physlearn.kinds import Binary, Spin
from physlearn.systems import energy_of
from physlearn.terms import Bias, Dense, Pairs

DT, TAU, FAST, SIGMA = 1e-4, 10e-3, 1e-4, 2e-3  # s, s, s, V
POINTS, EACH, SECONDS, FARTHEST = 25, 20, 8.0, 3.0  # of the calibration: voltages, neurons each, run, range in sigma


@dataclass(frozen=True, eq=False)
class LIFBoltzmann:
    """A network of neurons that samples from a Boltzmann machine; made by `lif_boltzmann`.

    Parameters
    ----------
    network : SpikingNetwork
        One population, "z", of copies side by side; its projection is "z->z".
    n, copies : int
        Variables; copies of the machine.
    low : float
        Value of a variable that is off: 0, or -1 of spins.
    tau : float
        s that a spike lasts.
    u_0, alpha : float
        V; activation sigma((u - u_0) / alpha) of single neurons.
    misfit : float
        Largest distance of the measured activation from it.
    """

    network: SpikingNetwork
    n: int
    copies: int
    low: float
    tau: float
    u_0: float
    alpha: float
    misfit: float

    __repr__ = brief

    dt = DT

    def states(self, recording, *, every=None, start=0.1):
        """States of all copies at successive times of a run, (times, copies, n).

        Parameters
        ----------
        recording : Recording
            Of ``integrate(sampler.network, t_span, dt=sampler.dt)``.
        every : float, optional
            s between two states; tau by default.
        start : float
            s after the start of the run.
        """
        spikes = instance("recording", recording, Recording, "the Recording of a run of its network").spikes["z"]
        every = self.tau if every is None else positive("every in s", every)
        first = spikes.t_start + not_negative("start in s", start)
        if first >= spikes.t_stop:
            raise ValueError(f"start: got {start!r} s, expected less than the run's {spikes.duration} s")
        at = np.arange(first, spikes.t_stop, every)
        on = np.zeros((len(at), spikes.n), bool)
        for k, train in enumerate(spikes.trains):
            if len(train):
                last = np.searchsorted(train, at, side="right") - 1
                on[:, k] = (last >= 0) & (at - train[np.maximum(last, 0)] < self.tau - 1e-6 * DT)
        return np.where(on, 1.0, self.low).reshape(len(at), self.copies, self.n)


def lif_boltzmann(machine, *, temperature=1.0, copies=1, tau=TAU, membrane=FAST, sigma=SIGMA, rng=0):
    """A network of LIF neurons that samples from a Boltzmann machine; see the module.

    Parameters
    ----------
    machine : Machine or Energy
        One layer of `Binary` or `Spin` variables under Pairs, Dense and Bias.
    temperature : float
        T, in the energy's units.
    copies : int
        Machines side by side, which do not see each other.
    tau : float
        s that a spike lasts, whole steps of 0.1 ms: refractory period, time constant of noise and synapses.
    membrane : float
        Time constant of the membranes, s; the law is better the faster they are.
    sigma : float
        Size of the noise, V (the neurons' resistance is 1).
    rng : int
        Of the calibration, which is kept for the next machine.

    Returns
    -------
    LIFBoltzmann

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Binary, Energy, integrate
    >>> from physlearn.terms import Bias, Pairs
    >>> pair = Energy({"z": (Binary(), 2)}, [Pairs("z", [(0, 1)]), Bias("z")], {"J": [1.0], "bias": [-0.5, -0.5]})
    >>> sampler = lif_boltzmann(pair, copies=20)
    >>> run = integrate(sampler.network, (0.0, 2.0), dt=sampler.dt, rng=0)
    >>> z = sampler.states(run)
    >>> bool(abs(z.mean() - 0.5) < 0.05), z.shape
    (True, (190, 20, 2))
    """
    weights, biases, low = _parts(machine)
    temperature, copies = positive("temperature", temperature), count("copies", copies)
    for name, value in (("tau in s", tau), ("membrane in s", membrane), ("sigma in V", sigma)):
        positive(name, value)
    rng = count("rng", rng, 0)
    u_0, alpha, misfit = _calibrated(tau, membrane, sigma, rng)
    n = len(biases)
    rest = u_0 + alpha * biases / temperature
    peaks = np.kron(np.eye(copies), alpha * weights / (temperature * _mean_response(tau, membrane)))
    cells = Population(_cell(np.tile(rest, copies), tau, membrane), n * copies, receptors={"s": Exponential(tau)})
    renewing = ShortTermPlasticity(1.0, tau_recovery=tau)
    network = SpikingNetwork(
        {"z": cells},
        [Projection("z", "z", connect.from_matrix(peaks), receptor="s", plasticity=renewing)],
        [OrnsteinUhlenbeck("z", 0.0, sigma, tau)],
    )
    return LIFBoltzmann(network, n, copies, low, tau, u_0, alpha, misfit)


def _parts(machine):
    """Weights (n, n) and biases (n,) of the machine's energy over 0/1 variables, and the value that stands for 0."""
    energy = energy_of(machine, ", so no Boltzmann distribution to sample from")
    kinds = [layer.kind for layer in energy.layers.values()]
    if len(kinds) != 1 or not isinstance(kinds[0], Binary | Spin):
        raise ValueError(f"machine: layers of {kinds}, expected one of Binary or Spin variables")
    other = [type(term).__name__ for term in energy.terms if type(term) not in (Pairs, Dense, Bias)]
    if other:
        raise ValueError(f"machine: {other[0]} is no coupling of two variables; expected Pairs, Dense and Bias")
    from physlearn.dynamics.sites.fields import total_couplings

    couplings, biases = total_couplings(energy)
    weights = couplings.toarray()
    if isinstance(kinds[0], Spin):  # s = 2 z - 1
        return 4.0 * weights, 2.0 * biases - 2.0 * weights.sum(axis=1), -1.0
    return weights, np.asarray(biases), 0.0


def _cell(rest, tau, membrane):
    return LIF(tau=membrane, v_rest=rest, v_threshold=0.0, v_reset=-1e-6, refractory=tau)


def _mean_response(tau, membrane):
    """Mean over tau of the voltage that a current exp(-t/tau) of peak 1 gives."""
    slow, fast = tau * -np.expm1(-1.0), membrane * -np.expm1(-tau / membrane)
    return (slow - fast) / (tau - membrane)


@lru_cache(maxsize=8)
def _calibrated(tau, membrane, sigma, rng):
    """Middle and slope of the activation of single neurons, and the largest misfit of the logistic function."""
    from scipy.optimize import curve_fit

    from physlearn.dynamics.time.integrate import integrate

    u = np.linspace(-FARTHEST, FARTHEST, POINTS) * sigma
    cells = Population(_cell(np.repeat(u, EACH), tau, membrane), POINTS * EACH)
    network = SpikingNetwork({"z": cells}, inputs=[OrnsteinUhlenbeck("z", 0.0, sigma, tau)])
    run: Any = integrate(network, (0.0, SECONDS), dt=DT, rng=rng, progress=False)
    on = (run.spikes["z"].rates() * tau).reshape(POINTS, EACH).mean(axis=1)

    def logistic(x, middle, slope):
        return 1.0 / (1.0 + np.exp(-(x - middle) / slope))

    (middle, slope), _ = curve_fit(logistic, u / sigma, on, p0=(0.0, 1.0))
    misfit = np.max(np.abs(logistic(u / sigma, middle, slope) - on))
    return float(middle * sigma), float(slope * sigma), float(misfit)
