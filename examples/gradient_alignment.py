"""How far local rules turn from the exact gradient, layer by layer, while a network learns digits.

One network, 64-64-64-10, four ways to bring the error back: predictive coding to rest and by 20 steps, and predictions
held with feedback weights of their own, learnt (Kolen and Pollack 1994) or left as drawn (Lillicrap et al. 2016).  Each
learns by its own rule; every few epochs its next step is compared with the exact gradient at the same weights.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from physlearn import Adam, CrossEntropy, PredictiveCoding, learn
from physlearn.maps import Affine, Chain, FeedbackAffine, Tanh
from physlearn.models import PredictionGraph

digits, order = load_digits(), np.random.default_rng(0).permutation(1797)
x, y = digits.data[order] / 16, np.eye(10)[digits.target[order]]
data, probe, cost = {"x": x[:1400], "y": y[:1400]}, slice(0, 200), CrossEntropy("y")


def network(layer):
    """64-64-64-10; ``layer(units, k)`` makes the affine map of layers 2 and 3."""
    nodes = {"h1": ("x", Chain(Affine(64, "W1", "b1"), Tanh())), "h2": ("h1", Chain(layer(64, 2), Tanh()))}
    return PredictionGraph({"x": 64}, nodes | {"y": ("h2", layer(10, 3))}, rng=1)


symmetric = network(lambda units, k: Affine(units, f"W{k}", f"b{k}"))
apart = network(lambda units, k: FeedbackAffine(units, f"W{k}", f"b{k}", f"B{k}"))
weights, held = ["W1", "W2", "W3"], list(symmetric.theta)
CASES = {
    "coding to rest, p = 0.1": (symmetric, PredictiveCoding(0.1), None),
    "coding, 20 steps": (symmetric, PredictiveCoding(0.1, steps=20), None),
    "feedback learnt": (apart, PredictiveCoding(fixed=True), None),
    "feedback as drawn": (apart, PredictiveCoding(fixed=True), held),
}
figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), sharey=True, layout="constrained")
for axis, (name, (net, rule, trainable)) in zip(axes, CASES.items(), strict=True):
    angles, done = [], None
    for _ in range(6):
        machine = net if done is None else done.machine
        exact = symmetric.with_theta({k: machine.theta[k] for k in held})
        _, true = exact.exact_gradient(cost, {"x": x[probe]}, y[probe])
        _, step = rule.swept(machine, {"x": x[probe]}, y[probe], cost, {"tol": 1e-4})
        cosine = [np.sum(step[w] * true[w]) / np.linalg.norm(step[w]) / np.linalg.norm(true[w]) for w in weights]
        angles.append(np.degrees(np.arccos(np.minimum(cosine, 1))))
        adam = Adam(4e-3, decay={k: 0.3 for k in machine.theta if k[0] in "WB"})
        task = dict(rule=rule, cost=cost, optimizer=adam, trainable=trainable, relax_options={"tol": 1e-2})
        done = learn(net, data, epochs=2, batch=64, rng=0, resume=done, **task)
    error = np.mean(done.machine.forward(x[1400:])["y"].argmax(1) != y[1400:].argmax(1))
    print(f"{name}: angles at last {np.round(angles[-1], 1)} degrees, test error {100 * error:.1f} %")
    for k, w in enumerate(weights):
        axis.plot(2 * np.arange(6), np.array(angles)[:, k], "o-", ms=3, label=w)
    axis.set(title=name, xlabel="epoch", ylim=(0, 95))
axes[0].set_ylabel("angle to the exact gradient (degrees)")
axes[0].legend()
figure.savefig("gradient_alignment.png", dpi=130)
