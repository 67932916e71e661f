"""STDP finds correlated inputs: of 200 synapses onto one neuron, those that spike together win (Song et al. 2000).

Half of the inputs share events (each takes part in a common one with probability c), the others are independent; all
fire at 15 Hz.  Nobody tells the neuron which are which.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits.neurons import (
    LIF,
    STDP,
    Exponential,
    Population,
    Projection,
    Record,
    SpikeSource,
    SpikingNetwork,
    connect,
)  # fmt: skip
from physlearn import integrate

n, rate, duration, share, dt = 200, 15.0, 60.0, 0.3, 2e-4
rng = np.random.default_rng(1)
steps = int(duration / dt)
common = np.flatnonzero(rng.random(steps) < rate * dt)  # times of common events, in steps
trains = []
for i in range(n):
    together = i < n // 2
    own = np.flatnonzero(rng.random(steps) < rate * dt * (1 - share * together))
    joined = common[rng.random(len(common)) < share] if together else common[:0]
    trains.append(np.unique(np.concatenate([own, joined])) + 1)
ids = np.repeat(np.arange(n), [len(train) for train in trains])
source = SpikeSource(np.concatenate(trains) * dt, ids)

top = 0.7e-3  # V: weights are peaks of the synaptic current times the resistance
rule = STDP(tau_plus=20e-3, tau_minus=20e-3, a_plus=0.005 * top, a_minus=0.00525 * top, w_max=top)
cell = LIF(tau=20e-3, v_rest=-74e-3, v_threshold=-54e-3, v_reset=-60e-3, refractory=2e-3)
populations = {"in": Population(source, n), "out": Population(cell, 1, receptors={"exc": Exponential(20e-3)})}
synapses = Projection("in", "out", connect.all_to_all(), weight=0.5 * top, delay=dt, plasticity=rule)
network = SpikingNetwork(populations, [synapses])
record = {"in->out": Record(["w"], every=0.5)}
kept = integrate(network, (0.0, duration), dt=dt, record=record).traces["in->out"]["w"]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
image = left.imshow(kept.T / top, aspect="auto", origin="lower", extent=(0, duration, 0, n), vmin=0, vmax=1)
left.axhline(n / 2, color="white", lw=1)
left.set(xlabel="time (s)", ylabel="input (correlated below the line)")
figure.colorbar(image, ax=left, label="weight / largest")
bins = np.linspace(0, 1, 21)
right.hist([kept[-1][: n // 2] / top, kept[-1][n // 2 :] / top], bins, label=["correlated", "independent"])
right.set(xlabel="weight / largest", ylabel="synapses", title=f"after {duration:g} s")
right.legend(frameon=False)
figure.savefig("stdp_correlated_inputs.png", dpi=150)
together, alone = (half.mean() / top for half in np.split(kept[-1], 2))
print(f"mean weight: correlated {together:.2f}, independent {alone:.2f}")
