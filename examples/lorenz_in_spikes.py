"""The attractor of Lorenz (1963) in 2,000 spiking neurons: a function of three numbers, decoded and fed back.

The neurons represent x, y, z in spikes; decoders of tau f(x) + x through a filter of tau make dx/dt = f(x).
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits.neurons import Record, lorenz
from physlearn import integrate

code = lorenz(2000, rng=1)
kick = {"x.input": lambda t: np.multiply.outer(np.where(t < 0.1, 100.0, 0.0), [1.0, 1.0, -1.0])}  # off the rest at 0
run = integrate(code.network(kick), (0.0, 30.0), dt=1e-3, record={"x.decoded": Record(["x"])})
t, x = run.traces["x.decoded"].t, run.traces["x.decoded"]["x"]
late = t > 2.0


def flow(x):
    return np.array([10 * (x[1] - x[0]), -x[0] * x[2] - x[1], x[0] * x[1] - 8 / 3 * (x[2] + 28)])


exact = np.empty((30_000, 3))  # the equations themselves, by Runge and Kutta's method
exact[0] = 5.0, 5.0, -5.0
for k in range(len(exact) - 1):
    a = flow(exact[k])
    b = flow(exact[k] + 5e-4 * a)
    c = flow(exact[k] + 5e-4 * b)
    exact[k + 1] = exact[k] + 1e-3 / 6 * (a + 2 * b + 2 * c + flow(exact[k] + 1e-3 * c))
both = {"equations": exact[2000:], "spikes": x[late]}
for name, path in both.items():
    wings = np.sum(np.diff(np.sign(path[np.abs(path[:, 0]) > 4, 0])) != 0)
    print(f"{name:10} spread {path.std(0).round(1)}, {wings} crossings between the wings in 28 s")

figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
for ax, (name, path) in zip(axes, both.items(), strict=False):
    ax.plot(path[:, 0], path[:, 2] + 28, lw=0.4, color="k" if name == "equations" else "C0")
    ax.set(xlabel="x", ylabel="z", xlim=(-25, 25), ylim=(0, 55), title=f"{name}, 28 s")
for name, path in both.items():
    axes[2].plot(np.arange(6000) * 1e-3, path[:6000, 0], "k" if name == "equations" else "C0", lw=0.8, label=name)
axes[2].set(xlabel="t / s", ylabel="x", title="two chaotic paths", ylim=(-25, 32))
axes[2].legend(fontsize=8, loc="upper right", ncol=2)
figure.savefig("lorenz_in_spikes.png", dpi=120)
