"""Neurons whose spikes last draw from the same law as Gibbs sampling (Buesing, Bill, Nessler and Maass 2011).

A unit that has spiked stays on for tau visits and cannot spike again meanwhile; it spikes with the probability that
makes the law exact.  Longer spikes decorrelate more slowly: the same law, at a price.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Binary, Energy, enumerate_states, sample
from physlearn.terms import Bias, Pairs

rng = np.random.default_rng(3)
n = 6
pairs = [(i, j) for i in range(n) for j in range(i)]
theta = {"J": rng.normal(0.0, 1.2, len(pairs)), "bias": rng.normal(0.0, 0.5, n)}
machine = Energy({"s": (Binary(), n)}, [Pairs("s", pairs), Bias("s")], theta)
exact = enumerate_states(machine, temperature=1.0)
codes = 1 << np.arange(n - 1, -1, -1)
numbers = (exact.states() > 0).astype(int) @ codes


def law(method, **settings):
    """Frequencies of all states, and the states of all chains."""
    run = sample(machine, temperature=1.0, n_samples=120, chains=1500, warmup=20, method=method, rng=0, **settings)
    on = (run.x > 0).astype(int)
    return np.bincount((on @ codes).ravel(), minlength=2**n)[numbers] / on[..., 0].size, on


engines = {"Gibbs": ("heatbath", {})} | {f"spikes, tau = {tau}": ("spikes", {"tau": tau}) for tau in (3, 10)}
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
for k, (name, (method, settings)) in enumerate(engines.items()):
    p, on = law(method, **settings)
    seen = p > 0
    divergence = np.sum(p[seen] * np.log(p[seen] / exact.probability[seen]))
    print(f"{name:16} KL(drawn || exact) = {divergence:.1e}")
    left.loglog(exact.probability, p, ".", ms=7 - 2 * k, label=name)
    centred = on - on.mean((0, 1))
    lags = np.arange(40)
    correlation = [np.mean(centred[:, : on.shape[1] - lag] * centred[:, lag:]) for lag in lags]
    right.plot(lags, correlation / correlation[0], label=name)
    if method == "spikes" and settings["tau"] == 10:
        middle.imshow(on[0].T, aspect="auto", cmap="Greys", interpolation="nearest")
line = exact.probability[[exact.probability.argmin(), exact.probability.argmax()]]
left.loglog(line, line, "k", lw=0.7)
left.set(xlabel="probability by enumeration", ylabel="frequency", title=f"all {2**n} states")
middle.set(xlabel="sweep", ylabel="unit", title="states, tau = 10: black while a spike lasts")
right.set(xlabel="sweeps", ylabel="autocorrelation", title="the price of long spikes")
for ax in (left, right):
    ax.legend(fontsize=8)
figure.savefig("sampling_by_spikes.png", dpi=120)
