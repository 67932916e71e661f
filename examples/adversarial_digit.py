"""Digits changed by a little, so that a network is sure of another one; and a network that was trained against it.

Projected ascent of the cost within eps of every pixel, from random starts, finds the changes (Madry et al. 2018).
TRADES teaches a second copy of the network to answer alike for such changes (Zhang et al. 2019): less clean accuracy,
more robust. Changes that are random, or made for the other network, are never worse.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from physlearn import Adam, CrossEntropy, ExactGradient, learn
from physlearn.learning import Adversary, Trades, pgd
from physlearn.maps import Affine, Chain, Concatenate, Relu
from physlearn.models import PredictionGraph

pixels, digit = load_digits(return_X_y=True)
x, t = pixels / 16, np.eye(10)[digit]
data, new = {"x": x[:1500], "y": t[:1500]}, {"x": x[1500:], "y": t[1500:]}
layer = Chain(Affine(64, "W1", "b1", scale=2**0.5), Relu(), Affine(10, "W2", "b2"))
net = PredictionGraph({"x": 64}, {"y": ("x", layer)}, rng=0)
pair = {"y": ("x", layer), "y'": ("x'", layer), "both": (("y", "y'"), Concatenate())}
twice = PredictionGraph({"x": 64, "x'": 64}, pair, rng=0)

task = dict(rule=ExactGradient(), optimizer=Adam(3e-3), rng=0, progress=False)
plain = learn(net, data, cost=CrossEntropy("y"), epochs=15, batch=64, **task).machine
adversary = Adversary(net, data, "y", 0.1, target="both", batch=64, steps=4, bounds=(0, 1))
done = learn(twice, adversary, cost=Trades("both", 6.0), epochs=400, callback=adversary.follow, **task)
robust = adversary.network

sizes, attack = (0.05, 0.1, 0.15, 0.2), dict(cost=CrossEntropy("y"), steps=20, restarts=3, bounds=(0, 1), rng=0)
figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), layout="constrained", width_ratios=(2, 1, 1, 1))
for name, net in (("plain", plain), ("TRADES", robust)):
    right = [np.mean(net.forward(new["x"])["y"].argmax(1) == digit[1500:])]
    found = {eps: pgd(net, new, eps=eps, **attack) for eps in sizes}
    right += [1 - np.mean(found[eps].fooled) for eps in sizes]
    axes[0].plot((0, *sizes), right, "o-", label=name)
    print(f"{name}: right at eps 0, {', '.join(map(str, sizes))}: {np.round(right, 3)}; step {found[0.1].step:g}")
    if net is plain:
        worst = found[0.1]
other = plain.forward(pgd(robust, new, eps=0.1, **attack).inputs["x"])["y"].argmax(1) != digit[1500:]
print(f"plain, eps 0.1: fooled {np.mean(worst.fooled):.1%}; by what fools the other network {np.mean(other):.1%}")
before = plain.forward(new["x"])["y"].argmax(1)
item = int(np.argmax(np.where(before == digit[1500:], worst.cost, 0)))
seen = before[item], worst.outputs[item].argmax()
pictures = new["x"][item], 5 * (worst.inputs["x"][item] - new["x"][item]), worst.inputs["x"][item]
for axis, picture, name in zip(
    axes[1:], pictures, (f"read as {seen[0]}", "change, times 5", f"read as {seen[1]}"), strict=True
):
    axis.imshow(picture.reshape(8, 8), cmap="RdBu_r", vmin=-1, vmax=1)
    axis.set(title=name, xticks=[], yticks=[])
axes[0].set(xlabel="largest change of a pixel", ylabel="read right", ylim=(0, 1))
axes[0].legend()
figure.savefig("adversarial_digit.png", dpi=130)
