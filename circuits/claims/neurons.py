"""Claims on neurons and networks of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from physlearn.claims.claim import Claim, over_chains

UNIT = 1e-2  # A/m2 in a uA/cm2
PERIODS = "the firing is cut at one second"


def _lif():
    from circuits.neurons import LIF

    return LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3, exact_times=True)


def _lapicque(drive):
    """Rate at a constant drive R I in mV, by the closed form."""
    return 1 / (2e-3 + 20e-3 * math.log(drive / (drive - 10.0)))


def _lif_rate(drive):
    def measure(scale, rng):
        from circuits.neurons import fi_curve

        isi = np.diff(fi_curve(_lif(), [drive * 1e-3], duration=2.0).spikes.times)
        return float(1 / isi.mean())

    return measure


def rest(scale, rng):
    """Potential at rest, mV."""
    from circuits.neurons import HodgkinHuxley

    return 1e3 * float(np.ravel(HodgkinHuxley.squid().rest())[0])


def _hopf(which, read):
    def measure(scale, rng):
        from circuits.neurons import HodgkinHuxley, hopf_points

        found = hopf_points(HodgkinHuxley.squid(e_leak=-54.4e-3))[which]
        return found.frequency if read == "frequency" else found.current / UNIT

    return measure


def rheobase(scale, rng):
    """Least current step from rest that fires again and again, by bisection."""
    from circuits.neurons import HodgkinHuxley, fi_curve

    low, high = 5.0, 8.0
    for _ in range(3):
        currents = np.linspace(low, high, 32)
        fires = (
            fi_curve(HodgkinHuxley.squid(e_leak=-54.387e-3), currents * UNIT, duration=1.0, dt=1e-5, transient=0.5).rate
            > 0
        )
        first = int(np.argmax(fires))
        low, high = currents[first - 1], currents[first]
    return high


def _squid_rate(current):
    def measure(scale, rng):
        from circuits.neurons import HodgkinHuxley, fi_curve

        times = fi_curve(HodgkinHuxley.squid(), [current * UNIT], duration=2.0, dt=5e-6, transient=0.5).spikes.times
        return float(1 / np.diff(times[times > 0.5]).mean())

    return measure


def siegert(scale, rng):
    """Rate of LIF neurons under white noise in steps of 0.01 ms, against Siegert with the threshold's shift."""
    from circuits.neurons import LIF, fi_curve

    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    dt, n = 1e-5, 160 * scale
    spread = 7.683e-3 / math.sqrt(2) * math.sqrt(2 * 20e-3 / dt)
    found = fi_curve(cells, np.full(n, 21.025e-3), duration=2.0, dt=dt, transient=0.2, noise=(spread, 1e-9), rng=rng)
    return over_chains(found.rate[:, None])


def brunel_theory(scale, rng):
    """Self-consistent rate of Brunel's network."""
    from circuits.neurons import LIF, mean_field

    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    J = 0.1e-3
    found = mean_field(
        cells, indegree=[[1000, 250]] * 2, weight=[[J, -5 * J]] * 2, external_rate=20e3, external_weight=J
    )
    return float(found.rate[0])


def brunel(scale, rng):
    """Rate of Brunel's network at full size, g = 5, twice the threshold's drive, after 0.2 s."""
    from circuits.neurons import LIF, Delta, Poisson, Population, Projection, SpikingNetwork, connect
    from physlearn import integrate

    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    populations = {name: Population(cells, n, receptors={"in": Delta()}) for name, n in (("E", 10_000), ("I", 2_500))}
    wires = [
        Projection(source, target, connect.fixed_indegree(k), weight=w, delay=1.5e-3)
        for source, k, w in (("E", 1000, 0.1e-3), ("I", 250, -0.5e-3))
        for target in populations
    ]
    drive = [Poisson(name, rate=20e3, weight=0.1e-3) for name in populations]
    rates = []
    for _ in range(2):
        network = SpikingNetwork(populations, wires, drive, seed=int(rng.integers(2**31)))
        run: Any = integrate(network, (0.0, 0.5 * scale), dt=1e-4, rng=rng)
        spikes = run.spikes["E"]
        rates.append(spikes.between(0.2, 0.5 * scale).rate())
    return over_chains(np.array(rates)[:, None])


def cuba(scale, rng):
    """Mean rate of the self-sustained network over the first second."""
    from circuits.neurons import LIF, Exponential, Population, Projection, SpikingNetwork, connect
    from physlearn import integrate

    cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    receptors = {"exc": Exponential(5e-3), "inh": Exponential(10e-3)}
    start = {"v": lambda generator, n: generator.uniform(-60e-3, -50e-3, n)}
    groups = {name: Population(cells, n, receptors=receptors, initial=start) for name, n in (("E", 3200), ("I", 800))}
    wires = [
        Projection(a, b, connect.fixed_probability(0.02), weight=weight, receptor=receptor)
        for a, weight, receptor in (("E", 1.62e-3, "exc"), ("I", -9e-3, "inh"))
        for b in groups
    ]
    rates = []
    for _ in range(4 * scale):
        network = SpikingNetwork(groups, wires, seed=int(rng.integers(2**31)))
        run: Any = integrate(network, (0.0, 1.0), dt=1e-4, rng=rng)
        spikes = run.spikes
        rates.append((4 * spikes["E"].rate() + spikes["I"].rate()) / 5)
    return over_chains(np.array(rates)[:, None])


def poisson_fano(scale, rng):
    """Variance of Poisson counts over their mean."""
    from circuits.neurons import PoissonSource, Population, SpikingNetwork
    from physlearn import integrate

    network = SpikingNetwork({"in": Population(PoissonSource(rate=20.0), 2000)}, seed=int(rng.integers(2**31)))
    run: Any = integrate(network, (0.0, 2.0 * scale), dt=1e-4, rng=rng)
    groups = run.spikes["in"].counts.reshape(20, -1)
    return over_chains((groups.var(1, ddof=1) / groups.mean(1))[:, None])


def fitzhugh(scale, rng):
    """Current of FitzHugh-Nagumo's lower Hopf point, from its closed form's model."""
    from circuits.neurons import Neuron, hopf_points

    def field(x, current, p, out):
        out[0] = x[0] - x[0] * x[0] * x[0] / 3 - x[1] + current
        out[1] = 0.08 * (x[0] + 0.7 - 0.8 * x[1])

    cell = Neuron(field, variables=("v", "w"), rest={"v": -1.1994, "w": -0.6243})
    return hopf_points(cell, v_range=(-2.0, 0.0))[0].current


def _fitzhugh_hopf():
    v = -math.sqrt(1 - 0.08 * 0.8)  # trace of the Jacobian: 1 - v^2 - 0.064 = 0
    return v**3 / 3 - v + (v + 0.7) / 0.8


NEURONS = (
    *(
        Claim(
            f"lif-{drive:g}",
            f"leaky neuron, R I = {drive:g} mV over a threshold of 10 mV: rate",
            "Lapicque 1907; closed form",
            _lapicque(drive),
            _lif_rate(drive),
            unit="Hz",
        )
        for drive in (10.5, 20.0, 40.0)
    ),
    Claim(
        "hh-rest",
        "squid axon: potential at rest",
        "Hodgkin and Huxley 1952, rest at -65 mV",
        -65.0,
        rest,
        0.005,
        "their leak, rounded to 0.001 mV, leaves 4 uV",
        unit="mV",
    ),
    Claim(
        "hopf-1",
        "squid axon, leak at -54.4 mV: current of the first Hopf point",
        "Rinzel and Miller 1980",
        9.78,
        _hopf(0, "current"),
        0.005,
        "two digits printed",
        unit="uA/cm2",
    ),
    Claim(
        "hopf-2",
        "squid axon, leak at -54.4 mV: current of the second Hopf point",
        "Hassard 1978; Rinzel and Miller 1980",
        154.5,
        _hopf(1, "current"),
        0.05,
        "one digit printed",
        unit="uA/cm2",
    ),
    Claim(
        "hh-rheobase",
        "squid axon: least current step that fires between 0.5 and 1 s after it",
        "SciPy LSODA, relative error 1e-9, by bisection",
        6.2595,
        rheobase,
        4e-4,
        "both are bisections, to 1e-4 and 2e-4",
        unit="uA/cm2",
    ),
    *(
        Claim(
            f"hh-rate-{current:g}",
            f"squid axon at {current:g} uA/cm2: rate",
            "SciPy LSODA, relative error 1e-9",
            rate,
            _squid_rate(current),
            0.02,
            "two digits, steps of 5 us",
            unit="Hz",
        )
        for current, rate in ((10.0, 68.32), (20.0, 86.47))
    ),
    Claim(
        "fitzhugh-hopf",
        "FitzHugh-Nagumo: current of the lower Hopf point",
        "FitzHugh 1961; closed form",
        _fitzhugh_hopf(),
        fitzhugh,
        1e-6,
        "root finding",
    ),
    Claim(
        "siegert",
        "leaky neuron under white noise: rate, mean 21 mV, spread 7.7 mV",
        "Siegert 1951",
        37.95,
        siegert,
        0.9,
        "the threshold is looked at every 0.01 ms",
        unit="Hz",
    ),
    Claim(
        "brunel-theory",
        "Brunel's network, g = 5, twice the threshold's drive: mean field",
        "Brunel 2000 (37.7 Hz, a figure quoted from memory)",
        37.7,
        brunel_theory,
        0.3,
        "three digits, read off a figure",
        unit="Hz",
    ),
    Claim(
        "brunel",
        "Brunel's network of 12,500 neurons, the same point: excitatory rate",
        "Brunel 2000 (37.7 Hz)",
        37.7,
        brunel,
        2.0,
        "NEST gives 37.3 and Brian2 38.7 Hz for their draws",
        unit="Hz",
    ),
    Claim(
        "cuba",
        "CUBA network of 4,000 neurons without input: mean rate",
        "Brette et al. 2007, benchmark 2 (Brian2: 5.6 Hz)",
        5.6,
        cuba,
        0.5,
        "simulators and draws differ from 5.0 to 6.0",
        unit="Hz",
    ),
    Claim("poisson", "Poisson sources: variance of counts over their mean", "Poisson 1837", 1.0, poisson_fano),
)
