"""Restricted Boltzmann machines on digits, against scikit-learn's BernoulliRBM.

Digits of 8 x 8 pixels, on where brighter than half; persistent contrastive divergence with one sweep
and one chain for each sample of a batch, as in scikit-learn; from the same scale of start.  Of the 1,797 digits those
that fill whole batches: scikit-learn subtracts the statistics of all its chains, and divides by the samples of the
batch, so that a short last one weighs its chains too much.
Usage: python benchmarks/rbm.py
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

from physlearn import SGD, PersistentContrastiveDivergence, learn
from physlearn.models import RBM

EPOCHS, LR = 20, 0.05


def ours(x, hidden, batch, precision):
    rbm = RBM(x.shape[1], hidden, rng=0)

    def train(epochs):
        rule = PersistentContrastiveDivergence(1, chains=batch, precision=precision)
        return learn(rbm, {"v": x}, rule=rule, optimizer=SGD(LR), epochs=epochs, batch=batch, rng=0)

    train(1)  # compile or load
    began = processor_time()
    done = train(EPOCHS)
    return EPOCHS / (processor_time() - began), done.machine


def theirs(x, hidden, batch):
    model = BernoulliRBM(hidden, learning_rate=LR, batch_size=batch, n_iter=EPOCHS, random_state=0)
    began = processor_time()
    model.fit(x)
    rate = EPOCHS / (processor_time() - began)
    theta = {"W": model.components_.T, "a": model.intercept_visible_, "c": model.intercept_hidden_}
    return rate, RBM(x.shape[1], hidden, theta=theta)


def quality(rbm, x):
    """Mean log-likelihood, by annealed importance sampling."""
    found = rbm.log_likelihood(x, steps=2000, chains=100, rng=1)
    return f"{found.value.mean():.2f} +- {found.error:.2f}"


def main():
    digits = (load_digits().data > 8).astype(float)
    rows = []
    for hidden in (64, 256):
        for batch in (10, 100):
            x = digits[: len(digits) // batch * batch]
            runs = {
                "physlearn, single": lambda x=x, h=hidden, b=batch: ours(x, h, b, "single"),
                "physlearn, double": lambda x=x, h=hidden, b=batch: ours(x, h, b, "double"),
                "scikit-learn, double": lambda x=x, h=hidden, b=batch: theirs(x, h, b),
                "scikit-learn, single": lambda x=x, h=hidden, b=batch: theirs(x.astype(np.float32), h, b),
            }
            rates, machine = {name: [] for name in runs}, {}
            for _ in range(3):  # in turns, so that a busy machine slows all of them
                for name, run in runs.items():
                    rate, machine[name] = run()
                    rates[name].append(rate)
            base = np.median(rates["scikit-learn, double"])
            for name in runs:
                rate = np.median(rates[name])
                rows.append((hidden, batch, name, f"{rate:,.0f}", f"{rate / base:.1f}", quality(machine[name], digits)))
    columns = ("hidden", "batch", "implementation", "epochs per processor second", "ratio", "mean log P(v) (nats)")
    table("Persistent contrastive divergence, digits x 64 pixels, whole batches", rows, columns)


if __name__ == "__main__":
    main()
