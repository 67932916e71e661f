"""Parts of images and sources of mixed signals, found down two energies, beside scikit-learn's.

parts    E = |X - H W|^2/2, H, W >= 0: each step goes to the minimum of a bound that touches E from above where it is,
         h <- h (X W^T)/(H W W^T), so that E never rises (Lee and Seung 2001)
sources  E = <sum_k log cosh (W x)_k> - log |det W|, minus the log-likelihood of independent sources (Bell and Sejnowski
         1995), down its natural gradient dW = (1 - <tanh(s) s^T>) W
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF, FastICA

K = 8
X = load_digits().data[:400] / 16
rng = np.random.default_rng(0)
first = rng.random((len(X), K)) + 0.1, rng.random((K, 64)) + 0.1
H, W = (part.copy() for part in first)
energy, tiny = [], np.finfo(np.float32).eps  # what scikit-learn puts in the place of a zero below the line
for _ in range(200):
    H *= (X @ W.T) / np.maximum(H @ (W @ W.T), tiny)
    energy.append(0.5 * np.sum((X - H @ W) ** 2))
    W *= (H.T @ X) / np.maximum(H.T @ H @ W, tiny)
    energy.append(0.5 * np.sum((X - H @ W) ** 2))
theirs = NMF(K, init="custom", solver="mu", max_iter=200, tol=0)
left = 0.5 * np.sum((X - theirs.fit_transform(X, W=first[0].copy(), H=first[1].copy()) @ theirs.components_) ** 2)
print(f"parts: E rises at most by {np.diff(energy).max():.1e}; {energy[-1]:.6f} left, theirs {left:.6f}")

t = np.linspace(0, 8, 4000)
sources = np.stack(
    [np.sign(np.sin(3 * t)) * rng.exponential(size=t.size), rng.laplace(size=t.size), np.sin(5 * t) ** 9]
)
sources /= sources.std(1, keepdims=True)
x = rng.normal(size=(3, 3)) @ (sources - sources.mean(1, keepdims=True))
white = np.linalg.inv(np.linalg.cholesky(np.cov(x)))
M = np.eye(3)
for _ in range(2000):
    s = M @ white @ x
    M += 0.1 * (np.eye(3) - np.tanh(s) @ s.T / t.size) @ M
fast = FastICA(3, fun="logcosh", whiten="unit-variance", random_state=0, tol=1e-8, max_iter=1000).fit_transform(x.T).T


def found(s):
    """For every source the largest correlation with one that was found."""
    return np.abs(np.corrcoef(sources, s)[:3, 3:]).max(1)


print(f"sources: correlations {found(s).round(4)}, FastICA's {found(fast).round(4)}")
figure, axes = plt.subplots(2, K // 2, figsize=(7, 3.6), layout="constrained")
for axis, part in zip(axes.ravel(), W, strict=True):
    axis.imshow(part.reshape(8, 8), cmap="viridis")
    axis.set(xticks=[], yticks=[])
figure.suptitle("Parts of digits: what sums of them are made of")
figure.savefig("parts_and_sources.png", dpi=130)
