"""Losses as powers of time, size, data and compute, beside what can be solved; and two published laws that are one.

Random features with power-law spectra follow their exponents, kernel regression its self-consistent equation; networks
of two layers have exponents that only a measurement gives, with errors.  Kaplan et al. (2020) found the best size to
grow as C^0.73, Hoffmann et al. (2022) as C^0.5 or so: the same law, counted without embeddings and with.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn.models import RandomFeatures, best_size, power_law
from physlearn.tasks import ScalingParams, run_scaling

figure, axes = plt.subplots(1, 4, figsize=(14, 3.4), layout="constrained")
in_time, in_size, _ = RandomFeatures.exponents(0.8, 0.3)
t, sizes = np.logspace(0, 5, 26), (16, 32, 64, 128, 256)
models = [RandomFeatures(d, 1200, alpha=0.8, beta=0.3, rng=0) for d in sizes]
for model in models:
    axes[0].plot(t, model.loss(t), label=f"d = {model.features}")
middle = (t >= 10) & (t <= 1e3)
p, error = power_law(t[middle], models[-1].loss(t[middle]) - models[-1].floor)
q, _ = power_law(sizes, [model.floor for model in models])
print(f"features: in time {p:.3f} +- {error:.3f}, theory {-in_time:.3f}; in size {q:.2f}, theory {-in_size:.2f}")
axes[0].plot(t, 0.3 * t**-in_time, "k--", lw=0.8, label=f"power {-in_time:.2f}")
axes[0].set(xscale="log", yscale="log", xlabel="time", ylabel="loss", title="random features", ylim=(1e-3, None))

data = np.array([8, 16, 32, 64, 128])
kernel = ScalingParams(model="kernel", alpha=1.0, beta=0.5, variables=600)
points = [kernel.model_copy(update={"samples": int(n)}) for n in data]
runs = [[run_scaling(point, np.random.default_rng(r)) for r in range(8)] for point in points]
loss = np.array([[run["loss"] for run in each] for each in runs])
axes[1].errorbar(data, loss.mean(1), loss.std(1), fmt="o", label="measured")
axes[1].plot(data, [each[0]["theory"] for each in runs], label="equation")
axes[1].set(xscale="log", yscale="log", xlabel="samples", ylabel="error", title="kernel regression")
widths, samples = (4, 8, 16, 32), (50, 100, 200, 400)
mlp = {"parameters": [ScalingParams(model="mlp", size=n, samples=4000, time=1000) for n in widths]}
mlp["samples"] = [ScalingParams(model="mlp", size=48, samples=n, time=1000) for n in samples]
for name, points in mlp.items():
    found = [run_scaling(point, np.random.default_rng(0)) for point in points]
    where = [run["parameters"] for run in found] if name == "parameters" else samples
    p, error = power_law(where, [run["loss"] for run in found])
    axes[2].plot(where, [run["loss"] for run in found], "o-", label=f"{name}: {p:.2f} +- {error:.2f}")
axes[2].set(xscale="log", yscale="log", xlabel="parameters, or samples", ylabel="loss", title="networks")

compute = np.logspace(13, 26, 100)
for embeddings, name in ((True, "all parameters"), (False, "without embeddings")):
    size, _ = best_size(compute, embeddings=embeddings)
    seen = (size > 768) & (size < 1.5e9) if not embeddings else slice(None)  # what Kaplan et al. trained
    p, _ = power_law(compute[seen], size[seen])
    axes[3].plot(compute, size, label=f"{name}: C^{p:.2f}")
axes[3].set(
    xscale="log", yscale="log", xlabel="compute C (operations)", ylabel="best size", title="one law, counted twice"
)
for axis in axes:
    axis.legend(fontsize=7)
figure.savefig("scaling_laws.png", dpi=130)
