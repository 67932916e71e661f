"""Noise sets the error that learning ends at: of updates and of measured drops, 1e-5 to 3e-2, six networks each."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import Hardware, ResistorNetwork, square_lattice
from physlearn import SGD, CoupledLearning, SquaredError, learn

x = np.random.default_rng(0).uniform(-1, 1, (20, 2))


def final_cost(seed, **parts):
    """Mean cost of the last epochs, relative to that at the start."""
    rng, graph = np.random.default_rng(seed), square_lattice(4, 4, periodic=True)
    ground, a, b, c, d = rng.permutation(16)[:5].tolist()
    made = [
        ResistorNetwork(graph, conductance=rng.uniform(*span, 32), ground=ground, inputs=[a, b], outputs=[c, d])
        for span in ((0.2, 3.0), (0.5, 2.0))
    ]
    teacher, network = made
    data = {"input": x, "output": teacher.read(teacher.solve({"input": x}).x, "output")}
    lab = Hardware(network, bounds=(0.01, 10.0), rng=seed, **parts)
    settings = dict(rule=CoupledLearning(eta=0.1), optimizer=SGD(lr=0.5), cost=SquaredError("output"), rng=seed)
    cost = learn(lab, data, epochs=500, **settings).cost
    return np.mean(cost[-150:]) / cost[0]


strengths = 10 ** np.arange(-5, -1.4, 0.5)
figure, ax = plt.subplots(figsize=(5.5, 4), layout="constrained")
for name, label in (("update_noise", "of updates (S)"), ("measurement_noise", "of measured drops (V)")):
    found = np.array([[final_cost(seed, **{name: size}) for seed in range(6)] for size in strengths])
    middle, low, high = np.median(found, 1), *np.quantile(found, [0.25, 0.75], axis=1)
    ax.errorbar(strengths, middle, [middle - low, high - middle], marker="o", capsize=2, label=f"noise {label}")
    slope = np.polyfit(np.log(strengths[:5]), np.log(middle[:5]), 1)[0]  # below where learning fails
    print(
        f"noise {label}: cost {middle[0]:.1e} at {strengths[0]:.0e}, {middle[-1]:.1e} at {strengths[-1]:.0e}, ", end=""
    )
    print(f"exponent {slope:.2f}")
ax.set(xscale="log", yscale="log", xlabel="standard deviation of the noise", ylabel="final cost / cost at the start")
ax.legend(loc="upper left")
figure.savefig("noise_floor.png", dpi=150)
