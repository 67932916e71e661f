"""A small transformer reads English letter by letter, and writes some; who looks where.

The text is Python's documentation of its language, which every installation has.  A block sees the letters before, by
attention with a causal mask, and says which comes next: in bits a letter, beside frequencies of letters and of pairs.
"""

from pydoc_data.topics import topics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, learn
from physlearn.learning import TokenCrossEntropy, WarmupCosine
from physlearn.maps import Affine, Chain, Each, Embedding, LayerNorm, Positions, TransformerBlock
from physlearn.models import PredictionGraph, positional_encoding

T, D, STEPS = 32, 48, 500
text = " ".join("\n".join(topics[k] for k in sorted(topics)).lower().split())
letters = " abcdefghijklmnopqrstuvwxyz.,"
V, code = len(letters), np.array([letters.index(c) for c in text if c in letters][:200_000])
train, held = code[:180_000], code[180_000:]
blocks = [TransformerBlock(4, 4 * D, f"b{k}", causal=True) for k in (1, 2)]
start = Chain(Embedding(V, D, scale=1.0), Positions(positional_encoding(T, D)))
layer = Chain(start, *blocks, LayerNorm("g", "s"), Each(Affine(V, "W", "b")))
first = PredictionGraph({"x": T}, {"y": ("x", layer)}, rng=0).theta
net = PredictionGraph({"x": T}, {"y": ("x", layer)}, theta={name: v.astype(np.float32) for name, v in first.items()})


def windows(places):
    seen = code[places[:, None] + np.arange(T + 1)]
    return {"x": seen[:, :-1].astype(float), "y": np.eye(V)[seen[:, 1:]].reshape(len(seen), -1)}


cost = TokenCrossEntropy("y", V)
task = dict(rule=ExactGradient(), cost=cost, optimizer=Adam(WarmupCosine(4e-3, STEPS, 30)), epochs=STEPS, rng=0)
done = learn(net, lambda rng, k: windows(rng.integers(0, len(train) - T - 1, 16)), progress=False, **task)
net, new = done.machine, windows(np.arange(180_000, 200_000 - T - 1, T))
said = np.asarray(net.forward(new["x"])["y"], float).reshape(len(new["y"]), -1)
bits = cost.value(said, new["y"]).mean() / np.log(2)
one = np.bincount(train, minlength=V) / len(train)
two = 0.1 + np.bincount(V * train[:-1] + train[1:], minlength=V * V).reshape(V, V)
others = [-np.mean(np.log2(p)) for p in (one[held], (two / two.sum(1, keepdims=True))[held[:-1], held[1:]])]
print(f"bits a letter: {bits:.2f}; by frequencies of letters {others[0]:.2f}, of pairs {others[1]:.2f}")

rng, said = np.random.default_rng(0), list(held[:T])
for _ in range(100):
    odds = np.exp(2 * np.asarray(net.forward(np.array(said[-T:], float))["y"][-1], float))
    said.append(rng.choice(V, p=odds / odds.sum()))
print("".join(letters[c] for c in said[T:]))
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
axes[0].set(xlabel="step", ylabel="bits a letter")
axes[0].plot(done.cost / np.log(2))
x = Chain(start, blocks[0].parts[0][0]).forward((new["x"][:1],), net.theta)[0]
axes[1].imshow(blocks[0].parts[0][1].weights((x,), net.theta)[0, 0], cmap="viridis")
axes[1].set(xlabel="looked at", ylabel="letter", title="weights of the first head of the first block")
figure.savefig("letters_by_transformer.png", dpi=130)
