"""The smallest voltages that fool a trained circuit, from the forces on its clamped inputs.

A network of resistors and diodes reads digits, pixels being voltages.  Nudge its outputs one way and the other, and the
currents that the sources must supply change: by how much is the gradient of the cost by the voltages, with nothing sent
backwards.  Along it go the attacks.  Bisection finds for every digit the least change of all voltages that is fatal.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from circuits import DeepResistiveNetwork
from physlearn import SGD, EquilibriumPropagation, SquaredError, learn, relax
from physlearn.learning import Margin, pgd

ITEMS = 20
pixels, digit = load_digits(return_X_y=True)
x, t = pixels / 16, np.eye(10)[digit]
circuit = DeepResistiveNetwork((64, 32, 10), gain=30.0, rng=0)
cost, settings = SquaredError("output"), {"max_steps": (6, 4), "unconverged": "ignore"}
task = dict(rule=EquilibriumPropagation(1.0), cost=cost, optimizer=SGD(0.05, bounds=circuit.bounds), batch=4, rng=0)
circuit = learn(circuit, {"input": x[:1400], "output": t[:1400]}, epochs=5, relax_options=settings, **task).machine
outputs = relax(circuit, clamp={"input": x[1400:]}, tol=1e-6).x["output"]
right = np.flatnonzero(outputs.argmax(1) == digit[1400:])
print(f"digits read right: {len(right) / len(outputs):.1%}")

data = {"input": x[1400:][right[:ITEMS]], "output": t[1400:][right[:ITEMS]]}
attack = dict(cost=Margin("output", 2.0), steps=6, restarts=1, start="clean", nudge=0.1, relax_options={"tol": 1e-8})
low, high, changed = np.zeros(ITEMS), np.full(ITEMS, 0.8), data["input"].copy()
for _ in range(6):
    eps = 0.5 * (low + high)
    for size in np.unique(eps):
        pick = np.flatnonzero(eps == size)
        found = pgd(circuit, {name: value[pick] for name, value in data.items()}, eps=float(size), **attack)
        low[pick[~found.fooled]], high[pick[found.fooled]] = size, size
        changed[pick[found.fooled]] = found.inputs["input"][found.fooled]
random = data["input"] + high[:, None] * np.random.default_rng(0).choice([-1.0, 1.0], data["input"].shape)
missed = relax(circuit, clamp={"input": random}, tol=1e-6).x["output"].argmax(1) != data["output"].argmax(1)
print(
    f"least fatal change of the voltages: median {np.median(high):.3f} V, between {high.min():.3f} and {high.max():.3f}"
)
print(f"random changes of the same sizes fool it in {np.mean(missed):.0%} of all cases")

item = int(np.argsort(high)[ITEMS // 2])
seen = [relax(circuit, clamp={"input": v[item]}, tol=1e-6).x["output"].argmax() for v in (data["input"], changed)]
figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), layout="constrained", width_ratios=(2, 1, 1, 1))
axes[0].hist(high, bins=12)
axes[0].set(xlabel="least fatal change (V)", ylabel="digits")
pictures = data["input"][item], 5 * (changed - data["input"])[item], changed[item]
for axis, picture, name in zip(
    axes[1:], pictures, (f"read as {seen[0]}", "change, times 5", f"read as {seen[1]}"), strict=True
):
    axis.imshow(picture.reshape(8, 8), cmap="RdBu_r", vmin=-1, vmax=1)
    axis.set(title=name, xticks=[], yticks=[])
figure.savefig("adversarial_circuit.png", dpi=130)
