"""Effective draws a second of Hamiltonian Monte Carlo, beside blackjax's NUTS: python benchmarks/posteriors.py

A Gaussian of 10 dimensions, scales 0.1 to 10, correlations 0.9^|i-j|, and eight schools (Rubin 1981), not centred.
Processor time of one thread, warm-up counted and compilation not.  Effective draws are Geyer's, of all chains together,
by the same lines for everyone.
"""

import os

import common  # first: it sets thread counts before NumPy is imported

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np

from physlearn import Energy, Real, sample
from physlearn.terms import Compiled

D = 10
SCALES = np.logspace(-1, 1, D)
COVARIANCE = 0.9 ** np.abs(np.subtract.outer(np.arange(D), np.arange(D))) * np.outer(SCALES, SCALES)
PRECISION = np.linalg.inv(COVARIANCE)
EFFECT, ERROR = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0])


def gaussian(x, ints, floats, f):
    energy = 0.0
    for i in range(x.size):
        pull = 0.0
        for k in range(x.size):
            pull += floats[i * x.size + k] * x[k]
        f[i] = -pull
        energy += 0.5 * x[i] * pull
    return energy


def schools(x, ints, floats, f):
    mu, tau = x[0], np.exp(x[1])
    energy = mu * mu / 50.0 - x[1] + np.log1p(tau * tau / 25.0)
    f[0] = -mu / 25.0
    f[1] = 1.0 - 2.0 * tau * tau / (25.0 + tau * tau)
    for i in range(8):
        z, error = x[2 + i], floats[8 + i]
        r = (floats[i] - mu - tau * z) / error
        energy += 0.5 * z * z + 0.5 * r * r
        f[0] += r / error
        f[1] += r / error * tau * z
        f[2 + i] = r / error * tau - z
    return energy


class Gaussian:
    layers = ("x", "x")

    def energy(self, x, theta):
        return 0.5 * np.sum((x["x"] @ PRECISION) * x["x"], 1)

    def field(self, x, theta, layer):
        return -x["x"] @ PRECISION

    def gradient(self, x, theta, weight):
        return {}


class Schools:
    layers = ("x",)

    def energy(self, x, theta):
        q, tau = x["x"], np.exp(x["x"][:, 1])
        r = (EFFECT - q[:, :1] - tau[:, None] * q[:, 2:]) / ERROR
        prior = q[:, 0] ** 2 / 50 + 0.5 * np.sum(q[:, 2:] ** 2, 1) - q[:, 1] + np.log1p(tau**2 / 25)
        return prior + 0.5 * np.sum(r**2, 1)

    def field(self, x, theta, layer):
        q, tau = x["x"], np.exp(x["x"][:, 1])
        g = (EFFECT - q[:, :1] - tau[:, None] * q[:, 2:]) / ERROR**2
        slope = 1 - 2 * tau**2 / (25 + tau**2) + tau * np.sum(g * q[:, 2:], 1)
        return np.column_stack([g.sum(1) - q[:, 0] / 25, slope, g * tau[:, None] - q[:, 2:]])

    def gradient(self, x, theta, weight):
        return {}


def effective(x):
    """Effective draws of (chains, n): sums of neighbouring autocorrelations, positive and falling (Geyer 1992)."""
    chains, n = x.shape
    x = x - x.mean()
    power = np.abs(np.fft.rfft(x, 2 * n, axis=1)) ** 2
    rho = np.fft.irfft(power, axis=1)[:, :n].mean(0)
    pairs = (rho / rho[0])[: n // 2 * 2].reshape(-1, 2).sum(1)
    ends = np.flatnonzero(pairs <= 0)
    pairs = np.minimum.accumulate(pairs[: ends[0] if ends.size else None])
    return chains * n / max(2 * pairs.sum() - 1, 1e-3)


def blackjax_nuts(target):
    """A function that runs 4 chains of 1,000 + 1,000 moves."""
    import blackjax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    precision, effect, error = jnp.asarray(PRECISION), jnp.asarray(EFFECT), jnp.asarray(ERROR)

    def log_gaussian(x):
        return -0.5 * x @ precision @ x

    def log_schools(q):
        tau = jnp.exp(q[1])
        r = (effect - q[0] - tau * q[2:]) / error
        return -((q[0] / 5) ** 2) / 2 - q[2:] @ q[2:] / 2 - r @ r / 2 + q[1] - jnp.log1p((tau / 5) ** 2)

    log_density = log_gaussian if target == "gaussian" else log_schools

    def chain(key):
        warm, place, draw = jax.random.split(key, 3)
        adapt = blackjax.window_adaptation(blackjax.nuts, log_density)
        (state, found), _ = adapt.run(warm, jax.random.normal(place, (D,)), num_steps=1000)
        step = blackjax.nuts(log_density, **found).step

        def move(state, key):
            state, _ = step(key, state)
            return state, state.position

        return jax.lax.scan(move, state, jax.random.split(draw, 1000))[1]

    run = jax.jit(lambda key: jax.lax.map(chain, jax.random.split(key, 4)))
    return lambda seed: np.asarray(run(jax.random.key(seed)))


def cases(target):
    """Names, and functions that make a run from a seed."""
    compiled, plain = {
        "gaussian": (Compiled("x", gaussian, floats=PRECISION), Gaussian()),
        "eight schools": (Compiled("x", schools, floats=[*EFFECT, *ERROR]), Schools()),
    }[target]

    def run(term, chains, n, warmup):
        energy = Energy({"x": (Real(), D)}, [term], {})
        x0 = np.random.default_rng(0).standard_normal((chains, D))
        options = {"temperature": 1.0, "n_samples": n, "chains": chains, "warmup": warmup, "x0": x0}
        return lambda seed: sample(energy, **options, method="hmc", metric="diagonal", rng=seed).x

    return [
        ("physlearn, compiled term, 4 chains", lambda: run(compiled, 4, 1000, 1000)),
        ("physlearn, compiled term, 4 chains x 10,000", lambda: run(compiled, 4, 10_000, 1000)),
        ("physlearn, term in NumPy, 4 chains", lambda: run(plain, 4, 1000, 1000)),
        ("physlearn, term in NumPy, 256 chains x 200", lambda: run(plain, 256, 200, 160)),
        ("blackjax NUTS, 4 chains", lambda: blackjax_nuts(target)),
    ]


def measured(make):
    """Time of a run, least effective draws of x and of x^2: medians over seeds that are taken in turn."""
    call = make()
    call(0)
    turns = []
    for seed in range(1, 6):
        spent, x = common.seconds(lambda seed=seed: call(seed), 1)
        columns = [x[..., k] for k in range(D)]
        turns.append((spent, min(map(effective, columns)), min(effective(c**2) for c in columns)))
    return np.median(turns, 0)


def main():
    for target in ("gaussian", "eight schools"):
        found = {}
        for name, make in cases(target):
            try:
                found[name] = measured(make)
            except Exception as error:
                found[name] = f"skipped: {type(error).__name__}: {error}"[:90]
        *_, peer = found.values()
        rows = []
        for name, value in found.items():
            if isinstance(value, str):
                rows.append((name, value, "", "", "", ""))
                continue
            spent, least, squares = value
            ratio = "" if isinstance(peer, str) else f"{least / spent / (peer[1] / peer[0]):.2f}"
            draws = f"{least:,.0f}", f"{squares:,.0f}", f"{least / spent:,.0f}"
            rows.append((name, f"{1e3 * spent:.0f} ms", *draws, ratio))
        columns = ("sampler", "time", "least effective draws", "of squares", "a second", "ratio to NUTS")
        common.table(f"Posterior: {target}, warm-up counted", rows, columns)


if __name__ == "__main__":
    main()
