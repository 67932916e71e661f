"""A blurred signal, sharpened: the most probable one, its uncertainty, and how rough signals are, by the evidence.

y = K x + noise, with a blur K over some points.  A priori the change from one point to the next has the density
sech(d/s)/(pi s), of heavy tails: mostly nothing happens, sometimes a jump.  `relax` gives the most probable signal,
compiled Hamiltonian Monte Carlo the posterior (T = 1), and annealed importance the evidence of every roughness s.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Energy, Real, annealed_importance, bayes_factor, relax, sample
from physlearn.terms import Compiled

N, NOISE = 40, 0.05
at = np.arange(N)
blur = np.exp(-0.5 * ((at[:, None] - at) / 1.5) ** 2)
blur /= blur.sum(1, keepdims=True)
signal = np.where((at > 8) & (at < 18), 1.0, 0.0) + np.where(at >= 26, 0.5, 0.0)
y = blur @ signal + NOISE * np.random.default_rng(4).standard_normal(N)


def posterior(x, ints, floats, f):
    """-log likelihood - log prior; floats: s, y, the blur."""
    n, s, energy = x.size, floats[0], 0.5 * x[0] ** 2 + 0.5 * np.log(2 * np.pi)
    f[:] = 0.0
    f[0] = -x[0]
    for i in range(1, n):
        d = (x[i] - x[i - 1]) / s
        energy += abs(d) + np.log1p(np.exp(-2 * abs(d))) + np.log(0.5 * np.pi * s)
        f[i] -= np.tanh(d) / s
        f[i - 1] += np.tanh(d) / s
    r = (floats[1 : n + 1] - floats[n + 1 :].reshape(n, n) @ x) / NOISE
    f += floats[n + 1 :].reshape(n, n).T @ r / NOISE
    return energy + 0.5 * np.sum(r * r) + n * np.log(np.sqrt(2 * np.pi) * NOISE)


models, evidence = {}, {}
for k, s in enumerate([0.03, 0.1, 0.3]):
    models[s] = Energy({"x": (Real(), N)}, [Compiled("x", posterior, floats=[s, *y, *blur.ravel()])], {})
    evidence[s] = annealed_importance(models[s], temperature=1.0, steps=40, chains=40, rng=k)
    print(f"s = {s:g}: log evidence {evidence[s].value:.2f} +- {evidence[s].error:.2f}")
best = max(evidence, key=lambda s: evidence[s].value)
print(f"s = {best:g} against 0.3: log Bayes factor {bayes_factor(evidence[best], evidence[0.3]).value:.1f}")
likely = relax(models[best], x0=y)
options = {"n_samples": 1500, "warmup": 800, "x0": likely.x, "method": "hmc", "metric": "dense"}
x = sample(models[best], temperature=1.0, rng=0, **options).x.reshape(-1, N)
errors = ", ".join(f"{np.sqrt(np.mean((z - signal) ** 2)):.3f}" for z in (y, likely.x, x.mean(0)))
print("error of the data, of the most probable signal, of the posterior's mean:", errors)

plt.figure(figsize=(8, 4), layout="constrained").add_subplot(xlabel="place", ylabel="signal")
plt.fill_between(at, *np.quantile(x, [0.05, 0.95], axis=0), color="0.85", label="90 % of the posterior")
lines = {"data": (y, "."), "truth": (signal, "k:"), "most probable": (likely.x, "-"), "mean": (x.mean(0), "--")}
for label, (line, style) in lines.items():
    plt.plot(at, line, style, label=label)
plt.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.12))
plt.savefig("deconvolution.png", dpi=120)
