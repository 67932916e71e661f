"""A deep set learns the spread of a sample of any size, and has never seen one as large as those it is tried on.

y = g(mean of f(x_1), ..., f(x_n)) sees no order by how it is made (Zaheer et al. 2017); a mask tells which places are
empty. For few numbers it beats the formula for a Gaussian's spread, since it has learnt which spreads there are.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, SquaredError, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Each, Pool, Relu
from physlearn.models import PredictionGraph

MOST, STEPS = 20, 1500
inner = Each(Chain(Affine(32, "W1", "b1"), Relu(), Affine(32, "W2", "b2")))
outer = Chain(Affine(32, "W3", "b3"), Relu(), Affine(1, "W4", "b4"))


def graph(places, theta=None):
    """The set with room for so many numbers; its parameters do not know how many."""
    nodes = {"f": ("x", inner), "mean": (("f", "mask"), Pool("mean", masked=True)), "y": ("mean", outer)}
    return PredictionGraph({"x": (places, 1), "mask": places}, nodes, theta=theta, rng=0)


def samples(rng, n, least, most):
    """Normal numbers of unknown spread, and its logarithm."""
    log = rng.uniform(-1.0, 1.0, (n, 1))
    x = np.exp(log) * rng.normal(size=(n, most))
    mask = (np.arange(most) < rng.integers(least, most + 1, (n, 1))).astype(float)
    return {"x": x * mask, "mask": mask, "y": log}


task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=Adam(WarmupCosine(3e-3, STEPS)), rng=0)
net = graph(MOST, {name: value.astype(np.float32) for name, value in graph(MOST).theta.items()})
done = learn(net, lambda rng, step: samples(rng, 64, 5, MOST), epochs=STEPS, progress=False, **task)

figure, axis = plt.subplots(figsize=(4.5, 4), layout="constrained")
for size in (5, 20, 60):
    new = samples(np.random.default_rng(size), 1000, size, size)
    net = graph(size, done.theta)
    found = net.forward({name: new[name] for name in ("x", "mask")})["y"]
    order = np.random.default_rng(0).permutation(size)
    turned = net.forward({"x": new["x"][:, order], "mask": new["mask"]})["y"]
    formula = 0.5 * np.log(np.mean(new["x"] ** 2, 1, keepdims=True))
    errors = [np.sqrt(np.mean((guess - new["y"]) ** 2)) for guess in (found, formula)]
    print(f"{size} numbers: error {errors[0]:.3f}, of the formula {errors[1]:.3f}; ", end="")
    print(f"reordered, it moves by {np.abs(turned - found).max():.0e}")
    axis.plot(new["y"][:200], found[:200], ".", ms=3, label=f"{size} numbers")
axis.plot([-1, 1], [-1, 1], "k", lw=0.8)
axis.set(xlabel="log of the standard deviation", ylabel="found by the deep set")
axis.legend()
figure.savefig("deep_set.png", dpi=130)
