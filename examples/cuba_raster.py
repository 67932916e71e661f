"""A self-sustained network of 4,000 LIF neurons (Vogels and Abbott 2005; Brette et al. 2007, benchmark 2).

No input arrives: rest lies 1 mV above threshold, and recurrent inhibition keeps the network irregular.
"""

import matplotlib

matplotlib.use("Agg")
import numpy as np

from circuits.neurons import LIF, Exponential, Population, Projection, SpikingNetwork, connect
from physlearn import integrate
from physlearn.plot import plot_raster

cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
receptors = {"exc": Exponential(5e-3), "inh": Exponential(10e-3)}
start = {"v": lambda generator, n: generator.uniform(-60e-3, -50e-3, n)}
populations = {name: Population(cells, n, receptors=receptors, initial=start) for name, n in (("E", 3200), ("I", 800))}
wires = [
    Projection(a, b, connect.fixed_probability(0.02), weight=weight, receptor=receptor)
    for a, weight, receptor in (("E", 1.62e-3, "exc"), ("I", -9e-3, "inh"))
    for b in populations
]
network = SpikingNetwork(populations, wires, seed=1)
spikes = integrate(network, (0.0, 1.0), dt=1e-4).spikes

ax = plot_raster(spikes, width=5e-3, neurons=150)
ax.set_title("CUBA: 4,000 LIF neurons, 320,000 synapses, no input")
ax.figure.savefig("cuba_raster.png", dpi=150)
for name, train in spikes.items():
    late = train.between(0.1, 1.0)
    print(f"{name}: {late.rate():.2f} Hz, CV of intervals {np.nanmean(late.cv()):.2f}")
