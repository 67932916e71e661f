"""Spiking networks beside their best peers: CUBA, Brunel's network, cost against size.

Loop processor time of one biological second at dt = 0.1 ms through the public API, spikes recorded; the network is
drawn before.  Brian2's C++ standalone mode is run beside it where Brian2 and a compiler are installed
(``--peers``: minutes of g++); rates show that both simulate the same network.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time

import common  # first: it sets thread counts before NumPy is imported
import numpy as np

from circuits.neurons import (
    LIF,
    Delta,
    Exponential,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

PEERS = {"CUBA, 4,000": (4000, 0.02), "CUBA, 20,000": (20000, 0.004)}


def cuba(n=4000, p=0.02):
    """Brette et al. 2007, benchmark 2."""
    cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    receptors = {"exc": Exponential(5e-3), "inh": Exponential(10e-3)}
    start = {"v": lambda generator, n: generator.uniform(-60e-3, -50e-3, n)}
    sizes = {"E": 4 * n // 5, "I": n - 4 * n // 5}
    populations = {k: Population(cells, m, receptors=receptors, initial=start) for k, m in sizes.items()}
    synapses = {"E": (1.62e-3, "exc"), "I": (-9e-3, "inh")}
    rule = connect.fixed_probability(p)
    projections = [Projection(a, b, rule, weight=synapses[a][0], receptor=synapses[a][1]) for a in "EI" for b in "EI"]
    return SpikingNetwork(populations, projections, seed=1)


def brunel(g=5.0, eta=2.0, j=0.1e-3):
    """Brunel 2000, 12,500 neurons, 10 % connectivity, delay 1.5 ms."""
    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    populations = {k: Population(cells, m, receptors={"d": Delta()}) for k, m in {"E": 10000, "I": 2500}.items()}
    rule, rate = connect.fixed_probability(0.1), eta * 20e-3 / (j * 20e-3)
    weights = {"E": j, "I": -g * j}
    projections = [Projection(a, b, rule, weight=weights[a], delay=1.5e-3) for a in "EI" for b in "EI"]
    return SpikingNetwork(populations, projections, [Poisson(k, rate, j) for k in populations], seed=1)


def feed():
    """Poisson spikes of 2,000 sources, each to 1,000 of 10,000 neurons: 1e8 synaptic events per second."""
    cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1e3, v_reset=0.0)
    populations = {
        "s": Population(PoissonSource(50.0), 2000),
        "t": Population(cell, 10_000, receptors={"d": Delta()}),
    }
    return SpikingNetwork(populations, [Projection("s", "t", connect.fixed_probability(0.1), weight=1e-6)], seed=1)


def timed(network, t=1.0, repeats=5, **settings):
    """Processor and wall seconds, rate and synaptic events of a run, after one that compiles and draws."""
    integrate(network, (0.0, 1e-3), dt=1e-4, rng=1, **settings)
    wall = time.perf_counter()
    spent, out = common.seconds(lambda: integrate(network, (0.0, t), dt=1e-4, rng=1, **settings), repeats)
    wall = (time.perf_counter() - wall) / repeats
    events = 0
    for index, projection in enumerate(network.projections):
        fan = sum(np.diff(rows.starts) for rows in network.wiring(index)[0].rows)
        events += int(np.sum(fan[out.spikes[projection.source].ids]))
    n = sum(population.n for population in network.populations.values())
    return spent, wall, sum(len(s.times) for s in out.spikes.values()) / n / t, events


BRIAN = """
import sys
from brian2 import *
kind, n, p = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
set_device("cpp_standalone", directory=sys.argv[4], build_on_run=False)
defaultclock.dt = 0.1 * ms
if kind == "cuba":
    G = NeuronGroup(n, '''dv/dt = (ge + gi - (v + 49*mV))/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : volt
        dgi/dt = -gi/(10*ms) : volt''', threshold="v > -50*mV", reset="v = -60*mV", refractory=5*ms, method="exact")
    G.v = "-60*mV + rand()*10*mV"
    parts = [(f"i < {4*n//5}", "ge += 1.62*mV", 0*ms), (f"i >= {4*n//5}", "gi -= 9*mV", 0*ms)]
    extra = []
else:
    G = NeuronGroup(n, "dv/dt = -v/(20*ms) : volt (unless refractory)", threshold="v > 20*mV", reset="v = 10*mV",
                    refractory=2*ms, method="exact")
    parts = [(f"i < {4*n//5}", "v_post += 0.1*mV*int(not_refractory_post)", 1.5*ms),
             (f"i >= {4*n//5}", "v_post -= 0.5*mV*int(not_refractory_post)", 1.5*ms)]
    extra = [PoissonInput(G, "v", N=1000, rate=20*Hz, weight=0.1*mV)]
synapses = []
for condition, on_pre, delay in parts:
    synapses.append(Synapses(G, G, on_pre=on_pre, delay=delay))
    synapses[-1].connect(condition, p=p)
M = SpikeMonitor(G)
Network(G, M, *synapses, *extra).run(1*second)
device.build(directory=sys.argv[4], compile=True, run=True)
print(device._last_run_time, M.num_spikes / n)
"""


def brian(kind, n, p):
    """Processor time of Brian2's loop and its rate, or None."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", BRIAN, kind, str(n), str(p), folder]
        done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode else tuple(float(x) for x in done.stdout.split()[-2:])


def row(name, spent, rate, wall, events, peer):
    there = "" if peer is None else f"{peer[0]:.3f} s ({peer[1]:.1f} Hz)"
    ratio = "" if peer is None else f"{peer[0] / spent:.1f}"
    return name, f"{spent:.4f}", f"{wall:.3f}", f"{rate:.2f}", f"{1e9 * spent / events:.2f}", there, ratio


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", action="store_true", help="run Brian2 beside (minutes of C++ compilation)")
    options = parser.parse_args()
    rows, start = [], time.process_time()
    integrate(cuba(), (0.0, 1.0), dt=1e-4)
    first = time.process_time() - start
    for name, (n, p) in PEERS.items():
        spent, wall, rate, events = timed(cuba(n, p))
        rows.append(row(name, spent, rate, wall, events, brian("cuba", n, p) if options.peers else None))
    network = brunel()
    spent, wall, rate, events = timed(network, repeats=3)
    rows.append(
        row("Brunel, 12,500", spent, rate, wall, events, brian("brunel", 12500, 0.1) if options.peers else None)
    )
    spent, wall, rate, events = timed(network, repeats=3, threads=2)
    rows.append(row("Brunel, two threads", spent, rate, wall, events, None))
    columns = ("network", "processor s", "wall s", "Hz", "ns/event", "Brian2 standalone", "times faster")
    common.table("One biological second, dt 0.1 ms", rows, columns)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nCUBA, build and first run: {first:.2f} s of processor time.  Peak memory so far: {memory:.0f} MB.")
    network, rows = feed(), []
    once = timed(network, 1e-4, 20)[0]
    for t in (1e-3, 1e-2, 1e-1, 1.0):
        spent, _, _, events = timed(network, t, 3 if t == 1.0 else 10)
        rows.append(
            (f"{events:.2e}", f"{spent:.4f}", f"{1e9 * spent / events:.2f}", f"{1e9 * (spent - once) / events:.2f}")
        )
    columns = ("events", "processor s", "ns/event", f"without the {1e3 * once:.1f} ms of a call")
    common.table("Cost against synaptic events, everything included", rows, columns)


if __name__ == "__main__":
    main()
