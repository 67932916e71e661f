"""Hodgkin-Huxley neurons through the public interface: a scan of 1,000, the network COBAHH, one neuron as a whole
process.

The peers' times were measured on the same machine (AMD EPYC, one thread, processor time of the loop).
"""

import subprocess
import sys

import common  # first: it sets thread counts before NumPy is imported
import numpy as np

import physlearn
from circuits.neurons import Constant, Exponential, HodgkinHuxley, Population, Projection, SpikingNetwork, connect

ONE = """
from circuits.neurons import Constant, HodgkinHuxley, Population, SpikingNetwork
from physlearn import integrate
network = SpikingNetwork({"axon": Population(HodgkinHuxley.squid(), 1)}, inputs=[Constant("axon", 0.1)])
assert len(integrate(network, (0.0, 0.1), dt=1e-5).spikes["axon"].times) == 7
"""


def scan(method, dt):
    """1,000 squid neurons under 0 to 20 uA/cm2 for 1 s: processor time, mean rate."""
    inputs = [Constant("axon", np.linspace(0.0, 0.2, 1000))]
    network = SpikingNetwork({"axon": Population(HodgkinHuxley.squid(), 1000)}, inputs=inputs)
    physlearn.integrate(network, (0.0, 10 * dt), dt=dt, method=method)  # compiles
    spent, run = common.seconds(lambda: physlearn.integrate(network, (0.0, 1.0), dt=dt, method=method), repeats=3)
    return spent, len(run.spikes["axon"].times) / 1000


def cobahh(method, dt):
    """Benchmark 3 of Brette et al. 2007, 4,000 neurons for 1 s: processor time, mean rate."""
    receptors = {"exc": Exponential(5e-3, reversal=0.0), "inh": Exponential(10e-3, reversal=-80e-3)}
    initial = {"v": lambda rng, n: -60e-3 + 1e-3 * (5.0 * rng.standard_normal(n) - 5.0)}
    populations = {
        name: Population(HodgkinHuxley.traub_miles(), n, receptors=receptors, initial=initial)
        for name, n in (("E", 3200), ("I", 800))
    }
    projections = [
        Projection(a, b, connect.fixed_probability(0.02), weight=weight, receptor=receptor)
        for a, weight, receptor in (("E", 6e-9, "exc"), ("I", 67e-9, "inh"))
        for b in ("E", "I")
    ]
    network = SpikingNetwork(populations, projections, seed=1)
    physlearn.integrate(network, (0.0, 10 * dt), dt=dt, method=method, rng=0)  # compiles, draws the synapses
    spent, run = common.seconds(
        lambda: physlearn.integrate(network, (0.0, 1.0), dt=dt, method=method, rng=0), repeats=3
    )
    return spent, sum(len(run.spikes[name].times) for name in "EI") / 4000


def main():
    rows = []
    for method, dt in (("exponential_euler", 1e-5), ("strang", 1e-5), ("strang", 2e-5), ("rk4", 1e-5)):
        spent, rate = scan(method, dt)
        rows.append((f"{method}, dt {1e3 * dt:g} ms", f"{spent:.2f} s", f"{spent * dt * 1e6:.1f} ns", f"{rate:.2f} Hz"))
    rows += [
        (
            "Arbor 0.12 / Brian2 2.9 / NEURON 9.0, dt 0.01 ms",
            "2.5 / 7.9 / 9.9 s",
            "25 / 79 / 99 ns",
            "- / 50.94 / 51.31 Hz",
        )
    ]
    columns = ("what", "processor time", "per neuron update", "mean rate")
    common.table("1,000 squid neurons, 1 s", rows, columns)
    rows = []
    for method, dt in (("exponential_euler", 1e-4), ("strang", 1e-4), ("strang", 2e-5)):
        spent, rate = cobahh(method, dt)
        rows.append(
            (f"{method}, dt {1e3 * dt:g} ms", f"{spent:.2f} s", f"{spent * dt / 4e-6:.1f} ns", f"{rate:.1f} Hz")
        )
    rows += [("Brian2 2.9 / NEURON 9.0, dt 0.1 ms", "5.0 / 18 s", "125 / 446 ns", "36.5 / 43.9 Hz")]
    common.table("COBAHH, 4,000 Traub-Miles neurons, 1 s", rows, columns)
    subprocess.run([sys.executable, "-c", ONE], check=True)
    spent, _ = common.seconds(lambda: subprocess.run([sys.executable, "-c", ONE], check=True))
    rows = [("whole process, warm cache", f"{spent:.2f} s"), ("NEURON 9.0 / Arbor / Brian2 2.9", "0.43 / 0.53 / 6 s")]
    common.table("One squid neuron, 100 ms at dt 0.01 ms", rows, ("what", "processor time"))


if __name__ == "__main__":
    main()
