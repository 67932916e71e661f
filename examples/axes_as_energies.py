"""Principal axes and whitening of digits, factors of six numbers: each the rest of an energy, beside scikit-learn's.

axes       E = |x - x W W^T|^2/2, a linear autoencoder with tied weights, learnt as any graph of maps
whitening  E = |W x|^2/2 - log |det W|, minus the log-likelihood of a Gaussian, down its natural gradient
factors    E = |z|^2/2 + sum (x - z W - b)^2/2v; `relax` infers z, the curvature says how surely: both renew W and v
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, FactorAnalysis

from physlearn import Adam, ExactGradient, SquaredError, learn, relax
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Constant
from physlearn.models import PredictionGraph

K = 6
x = load_digits().data / 16
x = x[:, x.var(0) > 0.01] - x[:, x.var(0) > 0.01].mean(0)
(n, d), covariance = x.shape, x.T @ x / len(x)

tied = Chain(Affine(K, "W", None), Affine(d, "W", None, transposed=True))
net = PredictionGraph({"x": d}, {"y": ("x", tied)}, rng=0)
task = dict(rule=ExactGradient(), cost=SquaredError("y"), batch=None, epochs=600, progress=False)
done = learn(net, {"x": x, "y": x}, optimizer=Adam(WarmupCosine(0.02, 600)), **task)
W, pca = done.theta["W"], PCA().fit(x)
axes, rest = pca.components_[:K], 0.5 * pca.explained_variance_[K:].sum() * (n - 1) / n
turned = np.linalg.norm(W @ np.linalg.pinv(W) - axes.T @ axes, 2)
print(f"axes: loss {done.cost[-1]:.6f}, half the variance beyond them {rest:.6f}; sine of the angle {turned:.1e}")

white = np.eye(d) / np.sqrt(pca.explained_variance_[0])
for _ in range(60):
    white += 0.5 * (np.eye(d) - white @ covariance @ white.T) @ white
left = np.abs(np.cov((x @ white.T).T, bias=True) - np.eye(d)).max()
print(f"whitening: covariance 1 to {left:.1e}; log |det W| {np.linalg.slogdet(white)[1]:.6f}")

rng = np.random.default_rng(1)
x = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6)) + rng.normal(size=(300, 6)) * rng.uniform(0.3, 1.0, 6)
factors, levels = {"z": ((), Constant(2)), "x": ("z", Affine(6, "W", "b"))}, []
x, W, noise = x - x.mean(0), rng.standard_normal((2, 6)), x.var(0)
for _ in range(120):
    graph = PredictionGraph({}, factors, {"x": noise}, theta={"W": W, "b": np.zeros(6)})
    z = relax(graph, clamp={"x": x}).x["z"]
    surely = np.linalg.inv(np.eye(2) + (W / noise) @ W.T)  # inverse curvature of E in z, the same for every x
    model = W.T @ W + np.diag(noise)
    levels.append(-0.5 * (np.linalg.slogdet(2 * np.pi * model)[1] + np.trace(np.linalg.solve(model, x.T @ x)) / 300))
    W = np.linalg.solve(z.T @ z + 300 * surely, z.T @ x)
    noise = np.mean(x * (x - z @ W), 0)
theirs = FactorAnalysis(2, tol=1e-12, max_iter=5000, svd_method="lapack").fit(x).score(x)
print(f"factors: log-likelihood {levels[-1]:.6f}, never falling {np.all(np.diff(levels) > -1e-9)}; theirs {theirs:.6f}")

plt.figure(figsize=(4.5, 3.4), layout="constrained")
plt.semilogy(theirs - np.array(levels))
plt.gca().set(xlabel="step", ylabel="log-likelihood below scikit-learn's (nats)")
plt.savefig("axes_as_energies.png", dpi=130)
