"""A flow learns a phi^4 ring from its energy alone; then weights, or a chain that it proposes to, make its law exact.

Left: the effective share of the draws while it learns.  Right: log Z and <phi^2> per site beside the transfer operator.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, learn, sample
from physlearn.learning import ReverseKL, WarmupCosine
from physlearn.maps import Tanh
from physlearn.models import CouplingFlow, ScalarField, reweighted

SITES, STEPS, PART = 12, 2000, 200
ring = ScalarField(SITES, kappa=0.25, lam=0.5)
exact = ring.ring()
flow = CouplingFlow(SITES, couplings=6, hidden=(32,), activation=Tanh(), rng=0)
rate = Adam(WarmupCosine(1e-2, STEPS, 50))
done, steps, shares, log_z = None, [], [], []
for part in range(STEPS // PART):
    done = learn(flow, flow.noise(200), rule=ReverseKL(ring), optimizer=rate, epochs=PART, rng=0, resume=done)
    draws = reweighted(done.machine, ring, 4000, rng=part)
    steps.append(done.epochs)
    shares.append(draws.effective / 4000)
    log_z.append((draws.log_z.value, draws.log_z.error, -done.cost[-PART // 3 :].mean()))
chain = sample(ring, temperature=1.0, n_samples=100, chains=64, method="independence", proposal=done.machine, rng=1)
hmc = sample(ring, temperature=1.0, n_samples=100, chains=64, method="hmc", target=0.9, rng=1)
draws = reweighted(done.machine, ring, 6400, rng=2)
rows = {"exact": (exact.square, 0.0), "weights": draws.mean(lambda x: np.mean(x**2, 1))}
for name, drawn in (("flow proposes", chain), ("HMC", hmc)):
    means = np.mean(drawn.x**2, (1, 2))
    rows[name] = means.mean(), means.std(ddof=1) / 8
plain = np.mean(draws.x**2)
rows["flow, no weights"] = plain, np.std(np.mean(draws.x**2, 1)) / 80
print(f"log Z {draws.log_z.value:.4f} +- {draws.log_z.error:.4f}, exact {exact.log_z:.4f}")
print(f"effective share {draws.effective / 6400:.2f}, accepted {chain.acceptance.mean():.2f}")
for name, (value, error) in rows.items():
    print(f"{name:17} <phi^2> {value:.4f} +- {error:.4f}")

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
left.plot(steps, shares, "o-")
left.set(xlabel="step", ylabel="effective share of draws", ylim=(0, 1))
value, error, bound = np.array(log_z).T
middle.errorbar(steps, value, error, fmt="o", label="by weights")
middle.plot(steps, bound, "s", mfc="none", label="variational bound")
middle.axhline(exact.log_z, color="k", lw=1, label="transfer operator")
middle.set(xlabel="step", ylabel="log Z")
middle.legend(loc="lower right")
right.errorbar(
    range(1, len(rows)), [v for v, _ in list(rows.values())[1:]], [e for _, e in list(rows.values())[1:]], fmt="o"
)
right.axhline(exact.square, color="k", lw=1)
right.set_xticks(range(1, len(rows)), list(rows)[1:], rotation=20)
right.set(ylabel="<phi^2>", title="line: transfer operator", xlim=(0.5, len(rows) - 0.5))
figure.savefig("flow_against_an_energy.png", dpi=120)
