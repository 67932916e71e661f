"""k-means is a Potts mixture at T = 0, and fitting Gaussians is the fall of a free energy, beside scikit-learn's.

E(s; mu) = sum_n |x_n - mu_(s_n)|^2/2, one code s_n for every point: a layer of Potts variables.  `relax` gives points
to the nearest centre; the centres of least energy are then the means: Lloyd's steps.  At T > 0 codes are shared, by
r = exp(-E/T)/Z, and the same steps lower F = <E> - T S: expectation maximisation, with covariances in E and T = 1.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn import cluster, mixture

from physlearn import Energy, Potts, Real, relax
from physlearn.terms import Mixture, PottsBias

K, COLD = 3, 1e-3
rng = np.random.default_rng(4)
places = [(-3, 0), (3, 2), (1, -3)]
x = np.concatenate([rng.normal(size=(150, 2)) @ rng.normal(size=(2, 2)) + place for place in places])
n, start = len(x), x[[0, 5, 200]]
fields = lambda mu: -0.5 * ((x[:, None] - mu) ** 2).sum(2)  # noqa: E731  minus the energy of points at codes, (n, K)
path, cold = [start], start
for _ in range(20):
    codes = relax(Energy({"s": (Potts(K), n)}, [PottsBias("s")], {"bias": fields(path[-1])})).x
    path.append(np.array([x[codes == k].mean(0) for k in range(K)]))
    shares = Potts(K).mean(fields(cold)[None], COLD)[0]
    cold = shares.T @ x / shares.sum(0)[:, None]
lloyd = cluster.KMeans(K, init=start, n_init=1, max_iter=20, tol=0, algorithm="lloyd").fit(x).cluster_centers_
gaps = [np.abs(mu - lloyd).max() for mu in (path[-1], cold)]
print(f"centres: {gaps[0]:.1e} from scikit-learn's; at T = {COLD} {gaps[1]:.1e}")

first = {"logits": np.zeros(K), "means": path[-1], "precisions": np.stack([np.eye(2)] * K)}
theta, free, well = first, [], Mixture("x")
law = Energy({"x": (Real(), 2)}, [well], theta)
for _ in range(100):
    r = well.responsibilities({"x": x}, theta)
    free.append(law.with_theta(theta)(x).sum())  # F at the best shares for theta: minus the log-likelihood
    weight, means = r.sum(0), r.T @ x / r.sum(0)[:, None]
    gap = x[:, None] - means
    spread = np.einsum("nk,nki,nkj->kij", r, gap, gap) / weight[:, None, None]
    theta = {"logits": np.log(weight / n), "means": means, "precisions": np.linalg.inv(spread)}
    parts = law.with_theta(theta)(x)[:, None] - np.log(well.responsibilities({"x": x}, theta))  # E at every code
    free.append(np.sum(r * (parts + np.log(r))))  # F at the old shares, with the best theta for them
settings = dict(means_init=path[-1], precisions_init=first["precisions"], weights_init=np.full(K, 1 / K), reg_covar=0)
theirs = mixture.GaussianMixture(K, max_iter=100, tol=1e-14, **settings).fit(x)
ours = -float(law.with_theta(theta)(x).mean())
print(
    f"mixture: F rises at most by {np.diff(free).max():.1e}; log-likelihood {ours:.10f}, theirs {theirs.score(x):.10f}"
)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
axes[0].scatter(*x.T, c=codes, s=6, cmap="viridis", alpha=0.5)
axes[0].plot(*np.moveaxis(path, 2, 0), "o-", color="crimson", ms=3)
axes[0].set(title="centres, step by step", xlabel="x", ylabel="y")
axes[1].semilogy(np.arange(len(free)) / 2, np.array(free) - free[-1] + 1e-9)
axes[1].set(xlabel="step", ylabel="free energy above its end (nats)")
figure.savefig("clusters_as_energies.png", dpi=130)
