"""A double well: its law falls from a wall, and its slow mode is an RC time (Kramers 1940).

The Fokker-Planck equation on a grid is a network of resistors with capacitors.  A density that starts high in a wall
slides down within a second and then leaks over the barrier, at the rate of the slowest mode; one over the passage time
from a well to the barrier is the same rate.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import commute_time, fokker_planck, integrate, passage_time


def wells(x):
    return x[:, 0] ** 4 / 4 - x[:, 0] ** 2 / 2


grid = np.linspace(-2.4, 2.4, 401)
machine = fokker_planck(wells, grid, 0.05)
start = np.exp(-((grid + 2.1) ** 2) / 0.004)
start /= start.sum() * machine.volume
run = integrate(machine, (0.0, 3000.0), x0=start, times=[0.0, 0.05, 0.3, 2.0, 100.0, 3000.0])
print(f"mass lost: {abs(run.final.sum() * machine.volume - 1):.1e}, least free energy reached: {run.energy[-1]:.4f}")

figure, (law, spectrum, rate) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
for t, p in zip(run.t, run.x, strict=True):
    law.semilogy(grid, np.maximum(p, 1e-30), label=f"t = {t:g}")
law.semilogy(grid, machine.stationary, "k--", lw=1, label="law at rest")
law.set(xlabel="x", ylabel="density", ylim=(1e-12, 20), title="from the wall to rest, T = 0.05")
law.legend(fontsize=7)
found = machine.spectrum(5)
for k, mode in enumerate(found.modes):
    spectrum.plot(grid, mode / np.abs(mode).max() + 1.5 * k, label=f"{found.rates[k]:.3g}/s")
spectrum.set(xlabel="x", yticks=[], title="modes and their rates")
spectrum.set_xlim(right=4.6)
spectrum.legend(fontsize=7, loc="right")
inverse = np.linspace(4.0, 40.0, 10)
at = [fokker_planck(wells, grid, 1 / b) for b in inverse]
slow = np.array([m.spectrum(2).rates[1] for m in at])
rate.semilogy(inverse, slow, "k", label="slowest mode")
rate.semilogy(inverse, [4 / commute_time(m, -1.0, 1.0) for m in at], "o", label="4/commute time (RC)")
rate.semilogy(inverse, [1 / passage_time(m, -1.0, 0.0) for m in at], "x", label="1/passage to the barrier")
rate.semilogy(inverse, np.sqrt(2) / np.pi * np.exp(-inverse / 4), ":", label="Kramers")
rate.set(xlabel="1/T", ylabel="rate, 1/s", title="over the barrier")
rate.legend(fontsize=7)
print(f"slowest rate/Kramers at T = 0.025: {slow[-1] / (np.sqrt(2) / np.pi * np.exp(-10)):.3f}")
figure.savefig("double_well_law.png", dpi=120)
