"""Attention is one step of an associative memory (Ramsauer et al. 2020).

Digits are stored as keys; a damaged digit is the query.  One sweep of `relax` equals softmax attention to the
last digit, and with growing beta the memory's fixed points go from the mean of all to single patterns.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn.models import ModernHopfield, add_noise, attention, digits, erase
from physlearn.plot import plot_attention, plot_patterns

keys = digits().reshape(10, 35)
names = [str(k) for k in range(10)]
query = add_noise(erase(keys, 0.4, fill=0.0, contiguous=True), 0.5, rng=1)  # lower part unknown, the rest noisy

memory = ModernHopfield(keys, beta=1.0)
step = memory.recall(query)
difference = np.max(np.abs(step.x["x"] - attention(query, keys, keys, beta=1.0)))
print(f"one sweep of relax against softmax attention: largest difference {difference:.1e}")
values = np.eye(10)  # what to say of each key: its name
said = attention(query, keys, values, beta=1.0).argmax(1)
print(f"names looked up: {said.tolist()}")

figure = plt.figure(figsize=(10, 6.4), layout="constrained")
upper, lower = figure.subfigures(2, 1)
axes = upper.subplots(2, 10)
plot_patterns(query, (7, 5), names, axes=axes[0])
plot_patterns(step.x["x"], (7, 5), axes=axes[1])
axes[0, 0].set_ylabel("query")
axes[1, 0].set_ylabel("one step")
left, right = lower.subplots(1, 2)
plot_attention(step.x["p"], names, names, ax=left)
left.set_title("attention weights, beta = 1")

betas = np.geomspace(0.03, 1.0, 60)
members = np.array([ModernHopfield(keys, beta).fixed_points(keys)[1] for beta in betas])
right.semilogx(betas, members, color="0.7", linewidth=1)
right.semilogx(betas, members.mean(1), color="C0", linewidth=2)
right.set(xlabel="beta", ylabel="digits that share the weight", title="average, metastable, single pattern")
for beta in (0.03, 0.12, 1.0):
    kinds = ModernHopfield(keys, beta).fixed_points(keys)[0]
    print(f"beta = {beta}: { {kind: int(np.sum(kinds == kind)) for kind in sorted(set(kinds.tolist()))} }")
figure.savefig("attention_as_memory.png", dpi=120)
