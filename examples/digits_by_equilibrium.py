"""Handwritten digits learnt by equilibrium propagation: a layered network, its convolutional kin, and resistors.

Three networks that relax see the same 1,400 digits of 8 x 8 pixels.  Each learns from the difference between a free
state and states that are nudged towards the label: no error is sent backwards.  Below: test errors by epoch, and what
the first layer of resistors has become.  Needs scikit-learn for the digits.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from circuits import DeepResistiveNetwork
from physlearn import SGD, Adam, EquilibriumPropagation, SquaredError, learn, relax
from physlearn.models import Convolved, EPNetwork

digits = load_digits()
order = np.random.default_rng(0).permutation(1797)
pixels, labels = digits.data[order] / 16, digits.target[order]
data = {"input": pixels[:1400], "output": np.eye(10)[labels[:1400]]}

resistors = DeepResistiveNetwork((64, 64, 10), gain=30.0, rng=0)
CASES = {
    "layered": (EPNetwork((64, 64, 10), gain=0.5, rng=0), 0.2, Adam(0.005), 64, {"tol": 1e-3}),
    "convolutional": (
        EPNetwork([(8, 8), Convolved(16, 3, pool=2), 10], gain=0.4, rng=0), 0.2, Adam(0.005), 64, {"tol": 1e-3},
    ),
    "resistors and diodes": (
        resistors, 1.0, SGD(0.05, bounds=resistors.bounds), 4, {"max_steps": (6, 4), "unconverged": "ignore"},
    ),
}  # fmt: skip

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for name, (network, nudge, optimizer, batch, settings) in CASES.items():
    errors = []

    def measure(training, errors=errors):
        rest = relax(training.machine, clamp={"input": pixels[1400:]}, tol=1e-4)
        errors.append(100 * np.mean(rest.x["output"].argmax(1) != labels[1400:]))

    told = dict(rule=EquilibriumPropagation(nudge), cost=SquaredError("output"), optimizer=optimizer, batch=batch)
    done = learn(network, data, epochs=12, relax_options=settings, callback=measure, rng=0, **told)
    axes[0].plot(range(1, 13), errors, "o-", label=name)
    print(f"{name}: test error {errors[-1]:.1f} % after 12 epochs")

axes[0].set(xlabel="epoch", ylabel="test error (%)", yscale="log")
axes[0].legend()
lines = done.theta["G1"][:64] - done.theta["G1"][64:]  # conductances from +x less those from -x
tiles = lines[:, :16].T.reshape(4, 4, 8, 8).transpose(0, 2, 1, 3).reshape(32, 32)
shown = axes[1].imshow(tiles, cmap="RdBu_r", vmin=-np.abs(tiles).max(), vmax=np.abs(tiles).max())
axes[1].set(title="16 hidden nodes: weights of the pixels", xticks=[], yticks=[])
figure.colorbar(shown, label="G(+x) - G(-x) (S)")
figure.savefig("digits_by_equilibrium.png", dpi=150, bbox_inches="tight")
