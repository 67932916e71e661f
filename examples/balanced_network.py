"""Spikes that fall down an energy: a network that fires only where that helps is wrong by 1/N, not by 1/sqrt(N).

Neurons of the efficient balanced network (Boerlin, Machens and Deneve 2013) spike where it lowers |x - y|^2.  Beside
them Poisson neurons that fire at the same rates, decoded in the same way.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits.neurons import BalancedNetwork
from physlearn import integrate


def signal(t):
    return 0.5 + 0.4 * np.sin(2 * np.pi * t)


def poisson(network, t, dt, rng):
    """Estimate by independent spikes: those of positive weight fire at the rate that the signal needs."""
    tau, weight = network.tau, network.decoders[0, 0]
    rate = np.maximum(signal(t) / tau + 0.8 * np.pi * np.cos(2 * np.pi * t), 0) / weight
    jumps, y = weight * rng.poisson(rate * dt), np.zeros(len(t))
    for k in range(1, len(t)):
        y[k] = y[k - 1] * np.exp(-dt / tau) + jumps[k]
    return y


sizes, dt, errors = np.array([10, 20, 40, 80, 160, 320, 640]), 1e-4, []
for n in sizes:
    network = BalancedNetwork.spread(n)
    run = integrate(network, (0.0, 4.0), dt=dt, signal=signal, rng=1)
    late, by_chance = run.t > 0.5, poisson(network, run.t, dt, np.random.default_rng(1))
    errors.append([np.sqrt(np.mean((y - run.x[:, 0])[late] ** 2)) for y in (run.estimate[:, 0], by_chance)])
    if n == 40:
        shown, chance = run, by_chance
errors = np.array(errors)
print("error x N, spikes down the energy:", *(errors[:, 0] * sizes).round(3))
print("error x sqrt(N), Poisson spikes:  ", *(errors[:, 1] * np.sqrt(sizes)).round(3))

figure, (path, raster, scaling) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
path.plot(shown.t, chance, color="0.7", label="40 Poisson neurons")
path.plot(shown.t, shown.estimate[:, 0], "C0", label="40 balanced neurons")
path.plot(shown.t, shown.x[:, 0], "k--", lw=1, label="signal x")
path.set(xlabel="t / s", xlim=(0.5, 2.5), ylim=(-0.1, 1.6), title="decoded value")
path.legend(fontsize=8, loc="upper right")
raster.plot(shown.spikes.times, shown.spikes.ids, "k|", ms=3)
raster.set(xlabel="t / s", ylabel="neuron", xlim=(0.5, 2.5), title="each spike lowers |x - y|$^2$")
scaling.loglog(sizes, errors[:, 1], "o", color="0.6", label="Poisson")
scaling.loglog(sizes, errors[:, 0], "C0o", label="down the energy")
scaling.loglog(sizes, errors[0, 1] * np.sqrt(10 / sizes), "0.6", lw=1, label="$N^{-1/2}$")
scaling.loglog(sizes, errors[0, 0] * 10 / sizes, "C0", lw=1, label="$N^{-1}$")
scaling.set(xlabel="neurons N", ylabel="rms error", title=f"at {shown.spikes.rate():.1f} Hz a neuron")
scaling.legend(fontsize=8)
figure.savefig("balanced_network.png", dpi=120)
