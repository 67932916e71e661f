"""One network learns XOR by every rule: exact gradient, predictive coding three ways, equilibrium propagation.

A graph of maps, 2-8-1, is one energy; the rules differ in which phases they compare.  Below: how far the direction of
each rule's first step is from the exact gradient's, against the strength with which the target pulls.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import (
    Adam,
    EquilibriumPropagation,
    ExactGradient,
    PredictiveCoding,
    SquaredError,
    check_gradient,
    learn,
)
from physlearn.models import PredictionGraph
from physlearn.plot import plot_learning_curve

data = {"x": np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), "y": np.array([[0], [1], [1], [0]], float)}
net, cost = PredictionGraph.layered([2, 8, 1], rng=0), SquaredError("y")
rules = {
    "exact gradient": ExactGradient(),
    "predictive coding, to rest": PredictiveCoding(),
    "predictive coding, 20 steps": PredictiveCoding(steps=20),
    "predictive coding, fixed predictions": PredictiveCoding(fixed=True),
    "equilibrium propagation, one-sided": EquilibriumPropagation(0.1, "positive"),
    "equilibrium propagation, centred": EquilibriumPropagation(0.1),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
for name, rule in rules.items():
    done = learn(net, data, rule=rule, cost=cost, optimizer=Adam(0.05), epochs=150, batch=4, rng=0, progress=False)
    outputs = done.machine.forward(data["x"])["y"].ravel()
    print(f"{name}: {np.round(outputs, 3)}, cost {done.cost[-1]:.1e}, engine {done.method!r}")
    plot_learning_curve(done, label=name, ax=left)
strengths = np.geomspace(1e-3, 0.3, 6)
for name in ("predictive coding, to rest", "equilibrium propagation, one-sided", "equilibrium propagation, centred"):
    check = check_gradient(net, data, rules[name], strengths, cost=cost)
    order = np.polyfit(np.log(strengths[:4]), np.log(check.error[:4]), 1)[0]
    print(f"{name}: the error falls as strength^{order:.2f}")
    right.loglog(check.nudges, check.error, "o-", label=name)
right.set(xlabel="output precision, or nudge", ylabel="relative error of the first step")
right.legend(loc="lower right", fontsize=8)
figure.savefig("xor_every_rule.png", dpi=130)
