"""Tuning curves of LIF neurons against theory: without noise in closed form, with noise by Siegert's formula.

Every current has a neuron of its own; one kernel call simulates all of them.
"""

import matplotlib

matplotlib.use("Agg")
import numpy as np

from circuits.neurons import LIF, fi_curve, lif_rate, siegert_rate
from physlearn.plot import plot_fi

cells = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=2e-3, resistance=50e6)
current = np.linspace(0.2e-9, 0.8e-9, 32)  # A; the rheobase is 0.4 nA
still = fi_curve(cells, current, duration=5.0)

# A fresh random current in each step is white noise of deviation R spread sqrt(step / tau)
step, spread = 0.1e-3, 1.4e-9
noisy = fi_curve(cells, np.repeat(current, 10), duration=5.0, transient=0.2, noise=(spread, 1e-6), rng=0)
rate = noisy.rate.reshape(-1, 10)

fine = np.linspace(current[0], current[-1], 400)
deviation = cells.resistance * spread * np.sqrt(step / cells.tau)
theory = {
    "no noise: closed form": (1e9 * fine, lif_rate(fine, cells)),
    "noise: Siegert": (1e9 * fine, siegert_rate(cells.v_rest + cells.resistance * fine, deviation, cells, dt=step)),
}
ax = plot_fi(1e9 * current, still.rate, theory=theory, label="simulated, no noise", unit="nA")
plot_fi(1e9 * current, rate.mean(1), error=rate.std(1) / np.sqrt(10), label="simulated, noise", unit="nA", ax=ax)
ax.set_title(f"LIF neuron, R = 50 M$\\Omega$, $\\tau$ = 20 ms; noise {1e3 * deviation:.1f} mV")
ax.figure.savefig("lif_fi_curve.png", dpi=150)
worst = np.max(np.abs(still.rate - lif_rate(current, cells, dt=step)))
print(f"largest difference from theory on the same grid: {worst:.2e} Hz")
