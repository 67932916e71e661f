"""A restricted Boltzmann machine learns handwritten digits and fills in the half of an image that it does not see.

1,797 digits of 8 x 8 pixels that come with scikit-learn (`pip install "physlearn-sim[sklearn]"`), on where brighter
than half.  The upper half of digits kept from training is clamped, and block Gibbs sampling draws the rest.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from physlearn import SGD, PersistentContrastiveDivergence, learn
from physlearn.models import RBM

EPOCHS, KEPT, COPIES = 120, 200, 30
digits = (load_digits().data > 8).astype(float)
train, test = digits[KEPT:], digits[:KEPT]

rbm = RBM(64, 100, scale=0.05, rng=0)
rule = PersistentContrastiveDivergence(k=1, chains=100, precision="single")
settings = dict(rule=rule, optimizer=SGD(lambda epoch: 0.1 * (1 - epoch / EPOCHS)), batch=20, rng=0)
before = rbm.log_likelihood(test, steps=500, rng=0).value.mean()
rbm = learn(rbm, {"v": train}, epochs=EPOCHS, **settings).machine
after = rbm.log_likelihood(test, steps=2000, rng=0)
print(f"log-likelihood of unseen digits: {before:.1f} -> {after.value.mean():.1f} +- {after.error:.1f} nats")

upper = np.arange(64) < 32
clamped = np.where(upper, test, np.nan)
drawn = rbm.generate(COPIES * KEPT, known=np.repeat(clamped, COPIES, 0), sweeps=60, rng=1)
means = drawn.reshape(KEPT, COPIES, 64).mean(1)
right = np.mean((means > 0.5)[:, ~upper] == test[:, ~upper])
guess = np.mean((train.mean(0) > 0.5)[~upper] == test[:, ~upper])
print(f"pixels of the lower half: {right:.1%} right; {guess:.1%} by the commoner value of each pixel")

shown = [4, 5, 8, 10, 12, 13, 15, 17, 22, 36]
figure, axes = plt.subplots(4, len(shown), figsize=(9, 3.9), layout="constrained")
names = ("seen", "one draw", f"mean of {COPIES}", "digit")
for row, (name, images) in enumerate(zip(names, (clamped, drawn[::COPIES], means, test), strict=True)):
    for axis, k in zip(axes[row], shown, strict=True):
        axis.imshow(images[k].reshape(8, 8), cmap="viridis", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        axis.set_facecolor("0.85")
    axes[row, 0].set_ylabel(name)
figure.savefig("rbm_half_images.png", dpi=150)
