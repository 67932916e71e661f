"""Angles: the XY model by Bessel sums, Kuramoto's oscillators, what angles refuse."""

import numpy as np
import pytest
from scipy.special import iv, ive, ivp

from physlearn import (
    Angle,
    Energy,
    Readout,
    Real,
    System,
    anneal,
    annealed_importance,
    check_energy,
    enumerate_states,
    integrate,
    relax,
    sample,
    tempering,
)
from physlearn.angles import von_mises
from physlearn.terms import AngleBias, AnglePairs, Bias, Dense, Edges, Pairs, Parabola, PottsBias, Separation, Torque

RING = [(0, 1), (1, 2), (2, 3), (3, 0)]


def ring(k=1.0):
    return Energy({"x": (Angle(), 4)}, [AnglePairs("x", RING)], {"J": np.full(4, k)})


def needles(field):
    return Energy({"x": (Angle(), len(field))}, [AngleBias("x")], {"field": field})


def on_a_ring(k, n):
    """<cos(x_i - x_j)> of neighbours: Z = sum_m I_m(k)^n, one factor of which is differentiated by k."""
    m = np.arange(-40, 41)
    return float(np.sum(iv(m, k) ** (n - 1) * ivp(m, k)) / np.sum(iv(m, k) ** n))


def mean_and_error(values):
    """Mean over chains, (chains, draws), and its standard error."""
    chain = values.mean(1)
    return chain.mean(), chain.std(ddof=1) / len(chain) ** 0.5


@pytest.mark.parametrize("method", ["heatbath", "metropolis", "gibbs", "hmc", "mala"])
def test_xy_ring_of_four(method):
    exact = on_a_ring(1.0, 4)
    assert exact == pytest.approx(0.50519654, abs=5e-9)
    drawn = sample(ring(), temperature=1.0, n_samples=60, chains=64, warmup=30, method=method, rng=0)
    mean, error = mean_and_error(-drawn.energy / 4)
    assert error < 0.015 and abs(mean - exact) < 4 * error, (mean, exact, error)
    assert np.all((drawn.x >= -np.pi) & (drawn.x < np.pi))


def test_langevin_tends_to_the_same():
    drawn = sample(ring(), temperature=1.0, n_samples=100, chains=100, thin=3, method="ula", step=0.02, rng=0)
    mean, error = mean_and_error(-drawn.energy / 4)
    assert abs(mean - on_a_ring(1.0, 4)) < 4 * error + 0.01


def test_tempering_draws_the_ring():
    found = tempering(ring(), temperatures=[0.5, 1.0, 2.0], n_samples=40, chains=32, warmup=30, rng=0)
    for k, temperature in enumerate((0.5, 1.0, 2.0)):
        mean, error = mean_and_error(-found.energy[k] / 4)
        assert abs(mean - on_a_ring(1.0 / temperature, 4)) < 4.5 * error


def test_a_needle_in_a_field_follows_bessel():
    h, t = np.array([[3.0, 4.0], [-0.2, 0.1], [0.0, 0.0]]), 1.7
    drawn = sample(needles(h), temperature=t, n_samples=50, chains=200, rng=0)
    size = np.hypot(*h.T)
    along = np.cos(drawn.x - np.arctan2(h[:, 1], h[:, 0]))
    for i, k in enumerate(size / t):
        mean, error = mean_and_error(along[..., i])
        assert abs(mean - ive(1, k) / ive(0, k)) < 4 * error


def test_chains_do_not_know_each_other():
    for method in ("heatbath", "gibbs"):
        few, many = (
            sample(ring(), temperature=1.0, n_samples=3, chains=n, warmup=3, method=method, rng=5).x for n in (3, 40)
        )
        np.testing.assert_array_equal(few, many[:3])
    split = sample(ring(), temperature=1.0, n_samples=3, chains=40, warmup=3, threads=3, rng=5)
    np.testing.assert_array_equal(split.x, sample(ring(), temperature=1.0, n_samples=3, chains=40, warmup=3, rng=5).x)
    assert split.method == "heat bath (angles)"


def test_a_random_order_draws_the_same_ring():
    drawn = sample(ring(), temperature=1.0, n_samples=60, chains=64, warmup=30, order="random", rng=0)
    mean, error = mean_and_error(-drawn.energy / 4)
    assert abs(mean - on_a_ring(1.0, 4)) < 4 * error


def test_clamped_angles_stay_and_the_others_feel_them():
    """The middle of three is held on both sides: von Mises around the resultant of its neighbours."""
    line = AnglePairs("x", [(0, 1), (1, 2)]), AngleBias("x")
    held = {"ends": Readout("x", [0, 2])}
    field = np.array([[9.0, 9.0], [0.3, 0.0], [9.0, 9.0]])
    energy = Energy({"x": (Angle(), 3)}, line, {"J": [1.0, 2.0], "field": field}, held)
    u, v = np.cos(0.4) + 2 * np.cos(7.0) + 0.3, np.sin(0.4) + 2 * np.sin(7.0)
    k = np.hypot(u, v) / 0.8
    for method in ("heatbath", "gibbs", "hmc"):
        drawn = sample(
            energy, temperature=0.8, n_samples=40, chains=64, clamp={"ends": [0.4, 7.0]}, method=method, rng=0
        )
        mean, error = mean_and_error(np.cos(drawn.x[..., 1] - np.arctan2(v, u)))
        assert abs(mean - ive(1, k) / ive(0, k)) < 4 * error, method
        np.testing.assert_allclose(np.cos(drawn.x[..., [0, 2]]), np.cos([0.4, 7.0]) * np.ones((64, 40, 2)), atol=1e-14)


@pytest.mark.parametrize("concentration", [0.0, 1e-6, 0.3, 2.0, 50.0, 1e4, 1e9])
def test_von_mises_at_any_concentration(concentration, rng):
    x = von_mises(np.full(40_000, concentration), rng)
    fall = 2 * np.sin(x / 2) ** 2  # 1 - cos, whose mean is 1 - I1/I0
    exact = 1 - ive(1, concentration) / ive(0, concentration) if concentration < 1e5 else 0.5 / concentration
    assert abs(fall.mean() - exact) < 4.5 * fall.std() / 200
    assert abs(np.sin(x).mean()) < 4.5 * np.sin(x).std() / 200


def test_relaxed_angles_are_at_rest(rng):
    pairs = [(i, j) for i in range(12) for j in range(i)]
    glass = Energy({"x": (Angle(), 12)}, [AnglePairs("x", pairs)], {"J": rng.standard_normal(len(pairs))})
    check_energy(glass)
    for method in ("auto", "newton", "lbfgs", "flow", "fire"):
        rest = relax(glass, glass.random_state(3, np.random.default_rng(1))["x"], method=method)
        assert rest.converged, method
        assert np.all(np.abs(glass.field({"x": rest.x}, "x")) < 1e-6)
        assert np.all((rest.x >= -np.pi) & (rest.x < np.pi))
    triangle = Energy({"x": (Angle(), 3)}, [AnglePairs("x", [(0, 1), (1, 2), (2, 0)])], {"J": -np.ones(3)})
    assert relax(triangle, [0.1, 1.0, -2.0]).energy == pytest.approx(-1.5)


def test_a_field_alone_is_settled_at_once():
    h = np.array([[3.0, 4.0], [-1.0, 0.0], [0.0, -2.0]])
    rest = relax(needles(h), [[0.0, 3.0, 1.0], [-3.0, 0.0, 1.6]])
    assert rest.method == "descent (blocks)" and rest.steps <= 2
    np.testing.assert_allclose(
        np.stack([np.cos(rest.x), np.sin(rest.x)], -1),
        np.broadcast_to(h / np.hypot(*h.T)[:, None], (2, 3, 2)),
        atol=1e-9,
    )


def test_two_oscillators_lock_and_drift_as_adler_says():
    def pair(omega, k=1.0):
        terms = [AnglePairs("x", [(0, 1)]), Torque("x")]
        return System({"x": (Angle(), 2)}, terms, {"J": [k], "omega": [omega / 2, -omega / 2]})

    check_energy(pair(0.6))
    locked = integrate(pair(1.2), (0.0, 30.0), x0=[0.0, 0.0], tol=1e-9).final
    assert locked[0] - locked[1] == pytest.approx(np.arcsin(0.6), abs=1e-6)
    turn = 2 * np.pi / np.sqrt(3.0**2 - 2.0**2)  # the period of the drift
    drift = integrate(pair(3.0), (0.0, 5 * turn), x0=[0.0, 0.0], tol=1e-10, times=[0.0, turn, 5 * turn]).x
    gap = drift[:, 0] - drift[:, 1]
    np.testing.assert_allclose(gap, [0.0, 2 * np.pi, 10 * np.pi], atol=1e-6)  # turns are counted


def test_many_oscillators_synchronise_as_ott_and_antonsen_say():
    n, gamma, k = 150, 0.5, 4.0
    omega = gamma * np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5))  # quantiles of Cauchy's distribution
    i, j = np.triu_indices(n, 1)
    theta = {"J": np.full(len(i), k / n), "omega": omega}
    soup = System({"x": (Angle(), n)}, [AnglePairs("x", np.stack([i, j], 1)), Torque("x")], theta)
    run = integrate(soup, (0.0, 8.0), x0=np.linspace(0.0, 6.0, n), dt=0.04, times=np.arange(6.0, 8.01, 0.2))
    order = np.abs(np.exp(1j * run.x).mean(1)).mean()
    assert abs(order - np.sqrt(1 - 2 * gamma / k)) < 0.03


def test_noise_in_real_time_draws_the_same():
    run = integrate(
        ring(), (0.0, 40.0), x0=np.zeros((200, 4)), dt=0.04, temperature=1.0, times=[20.0, 30.0, 40.0], rng=0
    )
    mean, error = mean_and_error(-run.energy.T / 4)
    assert abs(mean - on_a_ring(1.0, 4)) < 4 * error + 0.005


@pytest.mark.parametrize(
    "term, theta, says",
    [
        (Pairs("x", RING), {"J": np.ones(4)}, "Pairs.*Angle.*AnglePairs"),
        (Dense(("x", "x"), "J"), {"J": np.zeros((4, 4))}, "Dense.*Angle.*AnglePairs"),
        (Edges("x", RING), {"conductance": np.ones(4)}, "Edges.*Angle.*AnglePairs"),
        (Bias("x"), {"bias": np.ones(4)}, "Bias.*Angle.*AngleBias"),
        (Parabola("x"), {"stiffness": np.ones(4)}, "Parabola.*Angle.*AngleBias"),
        (PottsBias("x"), {"bias": np.ones((4, 3))}, "PottsBias.*Angle"),
        (Separation("x", 3), {"patterns": np.ones((2, 4))}, "Separation.*Angle"),
    ],
)
def test_terms_of_numbers_refuse_angles(term, theta, says):
    with pytest.raises(ValueError, match=says):
        sample(Energy({"x": (Angle(), 4)}, [term], theta), temperature=1.0, n_samples=1)


def test_what_has_no_sense_is_refused_by_name():
    with pytest.raises(ValueError, match="AnglePairs.*Real.*take Angle"):
        relax(Energy({"x": (Real(), 4)}, [AnglePairs("x", RING)], {"J": np.ones(4)}))
    with pytest.raises(ValueError, match="Angle.*no states to count"):
        enumerate_states(ring(), temperature=1.0)
    with pytest.raises(ValueError, match="angles, whose law no Gaussian is"):
        annealed_importance(ring(), temperature=1.0)
    with pytest.raises(ValueError, match="Angle.*pass hot and cold"):
        anneal(ring(), sweeps=10, rng=0)
    assert anneal(ring(), hot=2.0, cold=0.01, sweeps=100, reads=4, rng=0).energy < -3.9
    pushed = Energy(ring().layers, ring().terms, ring().theta, {"wind": Readout("x", [0], force=True)})
    for method in ("auto", "hmc", "gibbs"):
        with pytest.raises(ValueError, match="force is given on the angles"):
            sample(pushed, temperature=1.0, n_samples=1, clamp={"wind": [0.5]}, method=method)
    wind = {"wind": Readout("x", [0], force=True)}
    held = Energy({"x": (Angle(), 1)}, [AngleBias("x")], {"field": [[1.0, 0.0]]}, wind)
    np.testing.assert_allclose(relax(held, clamp={"wind": [0.5]}).x, np.pi / 6, atol=1e-7)  # the field holds it
    with pytest.raises(TypeError, match="Torque has no energy"):
        Energy({"x": (Angle(), 4)}, [Torque("x")], {"omega": np.ones(4)})


def test_the_audit_finds_an_energy_that_a_turn_changes():
    class Well:
        layers = ("x",)

        def energy(self, x, theta):
            return 0.5 * np.sum(x["x"] ** 2, 1)

        def field(self, x, theta, layer):
            return -x["x"]

        def gradient(self, x, theta, weight):
            return {}

    with pytest.raises(ValueError, match="0 Well.*form 'period'.*turned once"):
        check_energy(Energy({"x": (Angle(), 3)}, [Well()], {}))


def test_wrapped_angles_stay_within_one_turn():
    x = np.array([np.pi, -np.pi, 3 * np.pi, -3.5, 1e-17 - np.pi, np.nextafter(-np.pi, -4), 100.0])
    y = Angle().wrap(x)
    assert np.all((y >= -np.pi) & (y < np.pi))
    np.testing.assert_allclose(np.exp(1j * y), np.exp(1j * x), atol=1e-14)


def test_couplings_of_angles_are_learnt_from_samples():
    from physlearn import SGD, PersistentContrastiveDivergence, learn

    data = sample(ring(), temperature=1.0, n_samples=60, chains=20, rng=0).x.reshape(-1, 4)
    start = ring().with_theta({"J": np.zeros(4)})
    done = learn(
        start, {"x": data}, rule=PersistentContrastiveDivergence(), optimizer=SGD(0.5), epochs=20, batch=200, rng=0
    )
    np.testing.assert_allclose(done.theta["J"], 1.0, atol=0.2)
