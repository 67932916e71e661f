import numpy as np
import pytest

from physlearn import Energy, Real, crooks, integrate, jarzynski, work


class Tether:
    """A spring of stiffness k between a bead and a trap."""

    layers = ("bead", "trap")
    rowwise = True

    def energy(self, x, theta):
        return 0.5 * theta["k"] * np.sum((x["bead"] - x["trap"]) ** 2, 1)

    def field(self, x, theta, layer):
        pull = theta["k"] * (x["trap"] - x["bead"])
        return pull if layer == "bead" else -pull

    def gradient(self, x, theta, weight):
        return {"k": np.asarray(0.5 * weight @ np.sum((x["bead"] - x["trap"]) ** 2, 1))}


def drag(k, speed, temperature, h, steps, paths, seed=1, method="euler_maruyama"):
    well = Energy({"bead": (Real(), 1), "trap": (Real(), 1)}, [Tether()], {"k": k})
    start = np.sqrt(temperature / k) * np.random.default_rng(seed).standard_normal((paths, 1))
    run = integrate(
        well,
        (0.0, steps * h),
        x0={"bead": start, "trap": 0 * start},
        clamp={"trap": lambda t: [speed * t]},
        temperature=temperature,
        dt=h,
        rng=seed,
        method=method,
    )
    return work(well, run, "trap"), well, run


def scheme(k, speed, temperature, h, steps):
    """Mean and variance of the work of the discrete scheme, which is linear in Gaussian numbers."""
    a, d = 1 - k * h, speed * h
    y = np.zeros(steps + 1)  # x - trap after each move of the trap, as weights of start and noise
    y[0], mean_y, mean, weights = np.sqrt(temperature / k), 0.0, 0.0, np.zeros(steps + 1)
    for n in range(steps):
        y, mean_y = a * y, a * mean_y
        y[n + 1] = np.sqrt(2 * temperature * h)
        mean += k * (0.5 * d * d - d * mean_y)  # E after less E before: ((y - d)^2 - y^2) k/2
        weights -= k * d * y
        mean_y -= d
    return mean, weights @ weights


def test_work_on_a_dragged_well_has_the_moments_of_the_scheme(tol):
    for speed, h in ((1.0, 0.02), (3.0, 0.1)):
        done, _, _ = drag(2.0, speed, 0.7, h, 100, 10_000)
        mean, variance = scheme(2.0, speed, 0.7, h, 100)
        assert abs(done.mean() - mean) < tol.STATISTICAL * np.sqrt(variance / 10_000)
        assert abs(done.var() - variance) < tol.STATISTICAL * variance * np.sqrt(2 / 10_000)
    # fine steps: v^2 (t - (1 - e^-kt)/k) of friction 1, and variance 2T times it (Mazonka and Jarzynski 1999)
    mean, variance = scheme(2.0, 1.0, 0.7, 1e-3, 2000)
    exact = 2 - (1 - np.exp(-4.0)) / 2
    assert abs(mean / exact - 1) < 2e-3 and abs(variance / (1.4 * exact) - 1) < 2e-3


def test_jarzynski_and_crooks_find_no_free_energy_in_a_move(tol):
    there, _, _ = drag(2.0, 1.0, 0.7, 0.01, 150, 8000)
    back, _, _ = drag(2.0, -1.0, 0.7, 0.01, 150, 8000, seed=2)
    assert there.mean() > 1.0  # dissipated
    for found in (jarzynski(there, 0.7), crooks(there, back, 0.7)):
        assert abs(found.value) < tol.STATISTICAL * found.error + 0.01 and 0 < found.error < 0.1
    assert crooks(there, back, 0.7).error < jarzynski(there, 0.7).error
    # Crooks: the log ratio of both histograms at W is (W - dF)/T
    edges = np.linspace(-0.6, 0.6, 5)
    p, q = np.histogram(there, edges)[0], np.histogram(-back, edges)[0]
    middle = (edges[1:] + edges[:-1]) / 2
    assert np.all(np.abs(np.log(p / q) - middle / 0.7) < tol.STATISTICAL * np.sqrt(1 / p + 1 / q) + 0.05)


def test_estimates_against_closed_forms(rng, tol):
    """Gaussian work of variance s^2 = 2T (mean - dF) obeys both relations."""
    t, df, s2 = 0.5, -1.3, 1.1
    f = rng.normal(df + s2 / (2 * t), np.sqrt(s2), 20_000)
    b = rng.normal(-df + s2 / (2 * t), np.sqrt(s2), 5000)
    for found in (jarzynski(f, t), crooks(f, b, t)):
        assert abs(found.value - df) < tol.STATISTICAL * found.error and 1 < found.paths <= 20_000
    several = [crooks(rng.normal(0.5, 1, 500), rng.normal(0.5, 1, 500), 1.0) for _ in range(200)]
    spread = np.std([found.value for found in several])
    assert 0.85 < np.mean([found.error for found in several]) / spread < 1.15


def test_a_single_path_and_what_is_refused():
    done, well, run = drag(2.0, 1.0, 0.7, 0.1, 20, 5)
    one = integrate(
        well, (0.0, 1.0), x0={"bead": [0.0], "trap": [0.0]}, clamp={"trap": lambda t: [t]}, dt=0.1, method="euler"
    )
    assert np.ndim(work(well, one, "trap")) == 0 and done.shape == (5,)
    with pytest.raises(ValueError, match="driven: there is no layer 'lever'"):
        work(well, run, "lever")
    sparse = integrate(
        well, (0.0, 1.0), x0={"bead": [0.0], "trap": [0.0]}, clamp={"trap": lambda t: [t]}, dt=0.1, times=[0.0, 1.0]
    )
    with pytest.raises(ValueError, match="run: keeps 2 states of 10 steps, expected every step"):
        work(well, sparse, "trap")
    with pytest.raises(ValueError, match=r"work: got 1 path\(s\)"):
        jarzynski([1.0], 1.0)
    with pytest.raises(ValueError, match="temperature: got 0"):
        crooks([1.0, 2.0], [1.0, 2.0], 0)
