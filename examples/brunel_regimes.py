"""Regimes of a network of excitatory and inhibitory LIF neurons (Brunel 2000): a small phase diagram.

Relative inhibition g against external drive eta, in units of what brings the mean to threshold.  1,250 neurons, a tenth
of the original; each gets half as many synapses as there, with weights larger by sqrt(2): the same fluctuations.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from circuits.neurons import LIF, Delta, Poisson, Population, Projection, SpikingNetwork, connect
from physlearn import integrate

cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
weight = np.sqrt(2) * 0.1e-3  # V
populations = {name: Population(cells, n, receptors={"in": Delta()}) for name, n in (("E", 1000), ("I", 250))}


def run(g, eta):
    wires = [
        Projection(source, target, connect.fixed_indegree(k), weight=w, delay=1.5e-3)
        for source, k, w in (("E", 500, weight), ("I", 125, -g * weight))
        for target in populations
    ]
    rate = eta * cells.v_threshold / (weight * cells.tau)
    drive = [Poisson(name, rate=rate, weight=weight) for name in populations]
    network = SpikingNetwork(populations, wires, drive, seed=1)
    spikes = integrate(network, (0.0, 0.4), dt=1e-4, record={"E": "spikes"}, rng=0).spikes["E"].between(0.1, 0.4)
    counts, cv = spikes.binned(1e-3).sum(1), spikes.cv(min_intervals=2)
    irregularity = np.mean(cv[np.isfinite(cv)]) if np.any(np.isfinite(cv)) else np.nan
    return spikes, spikes.rate(), counts.var() / counts.mean(), irregularity


strengths, drives = np.linspace(2.5, 7.0, 8), np.linspace(0.9, 4.0, 7)
found = np.array([[run(g, eta)[1:] for g in strengths] for eta in drives])

figure, axes = plt.subplot_mosaic("ac;ad;be;bf", figsize=(10, 7), width_ratios=(1, 1.2), layout="constrained")
for name, values, norm, label in (
    ("a", found[..., 1], LogNorm(10, 300), "synchrony: Fano factor of the\npopulation's spikes per ms"),
    ("b", found[..., 2], None, "irregularity: CV of a neuron's intervals"),
):
    image = axes[name].pcolormesh(strengths, drives, values, norm=norm, cmap="magma", shading="nearest")
    lines = axes[name].contour(strengths, drives, found[..., 0], levels=[10, 30, 100], colors="white", linewidths=0.8)
    axes[name].clabel(lines, fmt="%g Hz", fontsize=8)
    axes[name].set(xlabel="inhibition / excitation g", ylabel="drive eta")
    figure.colorbar(image, ax=axes[name], label=label)
for name, (g, eta) in {"c": (3.0, 2.0), "d": (6.0, 4.0), "e": (5.0, 2.0), "f": (4.5, 0.9)}.items():
    spikes, rate, fano, cv = run(g, eta)
    axes[name].plot(1e3 * spikes.times, spikes.ids, ".", ms=1.5, color="#1f3b73")
    title = f"g = {g:g}, eta = {eta:g}: {rate:.1f} Hz, CV {cv:.2f}, Fano {fano:.1f}"
    axes[name].set(xlim=(250, 400), ylim=(0, 100), yticks=[], title=title)
axes["f"].set_xlabel("time (ms)")
figure.savefig("brunel_regimes.png", dpi=150)
print(f"{found[..., 0].size} networks: {found[..., 0].min():.2f} to {found[..., 0].max():.0f} Hz")
