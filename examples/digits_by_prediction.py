"""A network from label to image, learnt by predictive coding, writes handwritten digits and completes halves of them.

A free node z beside the label (16 numbers, inferred for every image while learning) lets images of one label differ.
Clamp a label and draw z from its prior: generation.  Clamp a label and the left half of an image and relax: completion.
With the label alone, `relax` would give one image for each label, the most probable one.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from physlearn import Adam, PredictiveCoding, Readout, SquaredError, learn, relax
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Tanh
from physlearn.models import PredictionGraph

CODE, EPOCHS = 16, 20
images, digit = load_digits(return_X_y=True)
images, label = images / 16, np.eye(10)[digit]
train, test = np.split(np.random.default_rng(0).permutation(len(images)), [1500])
image = Chain(Concatenate(), Affine(128, "W1", "b1"), Tanh(), Affine(64, "W2", "b2"))
nodes = {"z": ("label", Affine(CODE, "M", None)), "image": (("label", "z"), image)}
net = PredictionGraph({"label": 10}, nodes, {"image": 0.1}, rng=0)
optimizer = Adam(WarmupCosine(5e-3, EPOCHS), decay={"W1": 3.0, "W2": 3.0})
task = dict(rule=PredictiveCoding(), cost=SquaredError("image"), optimizer=optimizer, epochs=EPOCHS, batch=50, rng=0)
roughly = {"tol": 0.03, "max_steps": 40, "unconverged": "ignore"}
done = learn(net, {"label": label[train], "image": images[train]}, **task, relax_options=roughly)
net, left = done.machine, [k for k in range(64) if k % 8 < 4]
codes = relax(net, clamp={"label": label[train], "image": images[train]}, tol=1e-3).x["z"]
spread = np.var(codes - net.forward(label[train])["z"], 0)  # what is left of z is its prior's variance
half = {"left": Readout("image", left)}
net = PredictionGraph({"label": 10}, nodes, {"image": 0.1, "z": spread}, theta=net.theta, readouts=half)

wanted = np.repeat(np.arange(10), 100)
noise = np.random.default_rng(1).standard_normal((len(wanted), CODE))
z = net.forward(np.eye(10)[wanted])["z"] + np.sqrt(spread) * noise
drawn = image.forward((np.eye(10)[wanted], z), net.theta)[0]
right = SVC().fit(images[train], digit[train]).predict(drawn) == wanted
within = [np.mean([x[d == k].var(0).sum() for k in range(10)]) for x, d in ((drawn, wanted), (images, digit))]
print(f"drawn digits recognised: {np.mean(right):.1%}; spread in a class, of the data's: {within[0] / within[1]:.2f}")

clamp = {"label": label[test], "left": images[test][:, left]}
completed = relax(net, clamp=clamp, tol=1e-3).x["image"]
mean = np.stack([images[train][digit[train] == k].mean(0) for k in range(10)])[digit[test]]
errors = [np.mean(np.delete(x - images[test], left, 1) ** 2) for x in (completed, mean)]
print(f"mean squared error of right halves: {errors[0]:.4f}; by the mean of the class: {errors[1]:.4f}")
seen = np.where(np.isin(np.arange(64), left), images[test], np.nan)
rows = [*(drawn[100 * np.arange(10) + k] for k in range(3)), seen[:10], completed[:10], images[test][:10]]
figure, axes = plt.subplots(6, 10, figsize=(8, 5), layout="constrained")
for axis, picture in zip(axes.ravel(), np.concatenate(rows), strict=True):
    axis.imshow(picture.reshape(8, 8), vmin=0, vmax=1, cmap="viridis")
    axis.set(xticks=[], yticks=[], facecolor="0.85")
for row, name in enumerate(("drawn", "drawn", "drawn", "seen", "completed", "digit")):
    axes[row, 0].set_ylabel(name)
figure.savefig("digits_by_prediction.png", dpi=130)
