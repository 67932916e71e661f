"""Hodgkin-Huxley neurons beside their best peers: a scan of 1,000, the network COBAHH, one neuron as a whole process.

Processor time of the loop on one thread, through the public interface, networks drawn before.  With ``--peers`` the
same run times Brian2 (C++ standalone: minutes of g++), NEURON and Arbor by `hh_peers.py`, under the Python that has
them (``--python``); rates show that all simulate the same neurons.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import common  # first: it sets thread counts before NumPy is imported
import numpy as np

import physlearn
from circuits.neurons import Constant, Exponential, HodgkinHuxley, Population, Projection, SpikingNetwork, connect

PEERS = Path(__file__).with_name("hh_peers.py")
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


def peer(pythons, simulator, workload):
    """The first Python that has a simulator, its loop's processor time and mean rate; None where none has it."""
    for python in pythons:
        if subprocess.run([python, "-c", f"import {simulator}"], capture_output=True).returncode == 0:
            break
    else:
        print(f"\n{simulator} is skipped: none of {pythons} can import it (see --python)", file=sys.stderr)
        return None
    command = [python, str(PEERS), simulator, workload]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return command, tuple(float(x) for x in done.stdout.split()[-2:])


def rows_of(runs, updates):
    """Table rows of (what, (processor seconds, rate)); `updates` neuron updates per second of dt."""
    return [
        (what, f"{spent:.2f} s", f"{1e9 * spent * dt / updates:.1f} ns", f"{rate:.2f} Hz")
        for what, dt, (spent, rate) in runs
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", action="store_true", help="run Brian2, NEURON and Arbor beside")
    parser.add_argument("--python", action="append", help="a Python that has peers (again for another; default: this)")
    options = parser.parse_args()
    pythons = options.python or [sys.executable]

    def peers(workload, simulators):
        found = {name: peer(pythons, name, workload) for name in simulators if options.peers}
        return {name: result for name, result in found.items() if result is not None}

    columns = ("what", "processor time", "per neuron update", "mean rate")
    runs = [
        (f"{method}, dt {1e3 * dt:g} ms", dt, scan(method, dt))
        for method, dt in (("exponential_euler", 1e-5), ("strang", 1e-5), ("strang", 2e-5), ("rk4", 1e-5))
    ]
    others = peers("scan", ("arbor", "brian2", "neuron"))
    runs += [(f"{name}, dt 0.01 ms", 1e-5, result) for name, (_, result) in others.items()]
    common.table("1,000 squid neurons, 1 s", rows_of(runs, 1000), columns)
    runs = [
        (f"{method}, dt {1e3 * dt:g} ms", dt, cobahh(method, dt))
        for method, dt in (("exponential_euler", 1e-4), ("strang", 1e-4), ("strang", 2e-5))
    ]
    runs += [(f"{name}, dt 0.1 ms", 1e-4, result) for name, (_, result) in peers("cobahh", ("brian2",)).items()]
    common.table("COBAHH, 4,000 Traub-Miles neurons, 1 s", rows_of(runs, 4000), columns)
    commands = {"this project, warm cache": [sys.executable, "-c", ONE]}
    commands |= {name: command for name, (command, _) in peers("one", ("arbor", "brian2", "neuron")).items()}
    rows = []
    for name, command in commands.items():
        subprocess.run(command, check=True, capture_output=True)  # fills caches
        spent, _ = common.seconds(lambda c=command: subprocess.run(c, check=True, capture_output=True))
        rows.append((name, f"{spent:.2f} s"))
    common.table("One squid neuron, 100 ms at dt 0.01 ms, the whole process", rows, ("what", "processor time"))


if __name__ == "__main__":
    main()
