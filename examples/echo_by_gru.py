"""A gated recurrent network echoes a number 40 steps after it has heard it; how far back gradients reach.

A number comes at some time, and 40 steps later a bell: say it now.  Gates that start half open forget in a few steps,
and gradients with them: nothing is learnt.  Update gates that start at memories of 1 to 60 steps (Tallec and Ollivier
2018) let some reach.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, SquaredError, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import GRU, Affine, Chain, Each
from physlearn.models import PredictionGraph

T, LAG, UNITS, STEPS = 60, 40, 32, 250
gru = GRU(UNITS)
nodes = {"y": ("x", Chain(gru, Each(Affine(1, "V", "c"))))}


def batch(rng, step, n=32):
    """Numbers and bells, two channels, and when to say what."""
    x, y, item = np.zeros((n, T, 2)), np.zeros((n, T)), np.arange(n)
    when, number = rng.integers(0, T - LAG, n), rng.uniform(-1, 1, n)
    x[item, when, 0] = y[item, when + LAG] = number
    x[item, when + LAG, 1] = 1.0
    return {"x": x.reshape(n, -1), "y": y}


figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
new = batch(np.random.default_rng(1), 0, 500)
for name in ("half open", "long memories"):
    theta = dict(PredictionGraph({"x": (T, 2)}, nodes, rng=0).theta)
    if name == "long memories":
        theta["gru.b"] = theta["gru.b"].copy()
        theta["gru.b"][UNITS : 2 * UNITS] = np.log(np.random.default_rng(0).uniform(1, T, UNITS))  # block z
    value, tape = gru.forward((new["x"].reshape(-1, T, 2),), theta)
    pull = np.zeros_like(value)
    pull[:, -1] = 1.0
    norms = np.linalg.norm(gru.adjoints(tape, pull, theta), axis=2).mean(0)
    net = PredictionGraph({"x": (T, 2)}, nodes, theta={key: v.astype(np.float32) for key, v in theta.items()})
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=Adam(WarmupCosine(0.01, STEPS)), rng=0)
    done = learn(net, batch, epochs=STEPS, progress=False, **task)
    said = done.machine.forward(new["x"])["y"].reshape(-1, T)
    left = np.sum((said - new["y"]) ** 2) / np.sum(new["y"] ** 2)
    print(f"{name}: a gradient {LAG} steps back is {norms[-1 - LAG] / norms[-1]:.1e} of the last; error {left:.1%}")
    axes[0].semilogy(norms, label=name)
    axes[1].semilogy(done.cost, label=name)
axes[2].plot(new["x"].reshape(-1, T, 2)[0, :, 0], label="heard")
axes[2].plot(said[0], label="said")
axes[0].set(xlabel="step", ylabel="norm of the gradient by the state")
axes[1].set(xlabel="step of learning", ylabel="cost")
axes[2].set(xlabel="step")
for axis in axes:
    axis.legend()
figure.savefig("echo_by_gru.png", dpi=130)
