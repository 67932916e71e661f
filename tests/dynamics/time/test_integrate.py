import numpy as np
import pytest

from physlearn import DivergenceError, Energy, Nudge, Readout, Real, Spin, SquaredError, System, integrate, relax
from physlearn.dynamics.time import fixed_step
from physlearn.terms import Bias, Dense, Edges, Parabola


def well(stiffness=(2.0,), **kind):
    return Energy({"x": (Real(**kind), len(stiffness))}, [Parabola("x")], {"stiffness": list(stiffness)})


class Pendulum:
    """Overdamped rotor, dx/dt = w - sin x: solved by tan(x/2) in closed form."""

    layers = ("x",)

    def energy(self, x, theta):
        return -np.sum(np.cos(x["x"]), 1)

    def field(self, x, theta, layer):
        return -np.sin(x["x"])

    def gradient(self, x, theta, weight):
        return {}

    def jacobian(self, x, theta):
        return -np.diag(np.cos(x["x"][0]))


def pendulum():
    return Energy({"x": (Real(), 1)}, [Pendulum()], {})


def falling(t, x0=2.5):
    return 2.0 * np.arctan(np.tan(x0 / 2.0) * np.exp(-t))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_measured_order(method, order, tol):
    steps = np.array([8, 16, 32, 64])
    errors = [
        abs(integrate(pendulum(), (0, 2), x0=[2.5], dt=2 / n, method=method).final[0] - falling(2.0)) for n in steps
    ]
    slope = -np.polyfit(np.log2(steps), np.log2(errors), 1)[0]
    assert abs(slope - order) < tol.ORDER_ODE


@pytest.mark.parametrize("method", ["adaptive", "stiff"])
def test_adaptive_methods_meet_their_tolerance(method):
    times = np.linspace(0, 5, 11)
    for goal in (1e-4, 1e-7):
        run = integrate(pendulum(), (0, 5), x0=[2.5], times=times, method=method, tol=goal)
        assert np.max(np.abs(run.x[:, 0] - falling(times))) < 50 * goal


def test_stiff_method_takes_few_steps_where_the_explicit_one_takes_many():
    system, x0 = well([1.0, 1e4]), [1.0, 1.0]
    stiff = integrate(system, (0, 1), x0=x0, method="stiff")
    explicit = integrate(system, (0, 1), x0=x0)
    assert 50 * stiff.steps < explicit.steps
    assert np.allclose(stiff.final, [np.exp(-1), 0], atol=1e-5)


def test_driven_rc_circuit_follows_its_closed_form():
    rc = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1.0]}, {"source": Readout("v", [0])})
    omega = 3.0
    source = {"source": lambda t: np.array([np.sin(omega * t)])}
    t = np.linspace(0, 4, 41)
    # v' = (sin wt - v)/tau with tau = 0.5 from v = 0
    w = omega * 0.5
    exact = (np.sin(omega * t) - w * np.cos(omega * t) + w * np.exp(-t / 0.5)) / (1 + w * w)
    for settings in ({"tol": 1e-8}, {"dt": 0.01}):
        run = integrate(rc, (0, 4), clamp=source, tau=0.5, times=t, **settings)
        assert np.max(np.abs(run.x[:, 1] - exact)) < 1e-6
        assert np.allclose(run.x[:, 0], np.sin(omega * t), atol=1e-15)


def test_injected_current_charges_a_capacitor():
    node = Energy({"v": (Real(), 1)}, [Bias("v")], {"bias": [0.0]}, {"current": Readout("v", [0], force=True)})
    run = integrate(node, (0, 2), clamp={"current": lambda t: np.array([2.0 * t])}, tau=4.0, dt=0.1)
    assert np.allclose(run.x[:, 0], run.t**2 / 4.0, rtol=1e-12)


@pytest.mark.parametrize("method", ["adaptive", "stiff"])
@pytest.mark.parametrize("begin", [3.1, 50.0, 77.7])
def test_adaptive_steps_do_not_pass_over_a_pulse(method, begin):
    leak = Energy({"v": (Real(), 1)}, [Parabola("v")], {"stiffness": [1.0]}, {"I": Readout("v", [0], force=True)})
    pulse = {"I": lambda t: [100.0 if begin < t < begin + 0.6 else 0.0]}
    run = integrate(leak, (0, 100.0), clamp=pulse, method=method, times=[0.0, begin + 0.6, 100.0])
    assert run.x[1, 0] == pytest.approx(100 * (1 - np.exp(-0.6)), rel=1e-3)


@pytest.mark.parametrize("method", ["adaptive", "stiff"])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e9])
def test_units_do_not_matter(method, unit):
    decay = integrate(well(), (0, 1), x0=[unit], method=method, tol=1e-8).final
    charge = {"p": Readout("x", [0], force=True)}
    pushed = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [2.0]}, charge)
    constant, driven = {"p": [2 * unit]}, {"p": lambda t: [2 * unit]}
    ends = [integrate(pushed, (0, 1), clamp=clamp, method=method, tol=1e-8).final for clamp in (constant, driven)]
    assert np.allclose(decay / unit, np.exp(-2), rtol=1e-6)
    assert np.allclose(np.array(ends) / unit, 1 - np.exp(-2), rtol=1e-6)


@pytest.mark.parametrize("method", ["adaptive", "stiff"])
def test_small_variables_are_seen_beside_large_ones(method):
    two = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1e-3, 1.0]}, {"big": Readout("x", [0])})
    free = integrate(two, (0, 5), x0=[1e6, 1e-4], method=method, tol=1e-8).final
    held = integrate(two, (0, 5), x0=[0, 1e-4], clamp={"big": [1e6]}, method=method, tol=1e-8).final
    assert np.allclose([free[1], held[1]], 1e-4 * np.exp(-5), rtol=1e-5)


def test_tied_variables_move_with_the_sum_of_their_capacitances():
    pair = Energy(
        {"v": (Real(), 3)},
        [Edges("v", [(0, 1)])],
        {"conductance": [1.0]},
        {"ground": Readout("v", [0]), "battery": Readout("v", rows=[[0.0, 1.0, -1.0]])},
        fixed={"ground": [0.0]},
    )
    run = integrate(pair, (0, 3), x0=[0, 1, 0.5], clamp={"battery": [0.5]}, tau={"v": [9.0, 1.0, 2.0]}, tol=1e-9)
    assert np.allclose(run.x[:, 1], np.exp(-run.t / 3.0), atol=1e-8)
    assert np.allclose(run.x[:, 1] - run.x[:, 2], 0.5)


@pytest.mark.parametrize("settings", [{}, {"dt": 0.01}, {"method": "stiff"}])
def test_a_variable_rests_at_its_bound_until_it_is_pulled_off(settings):
    diode = Energy({"x": (Real(0.0, 1.0), 1)}, [Bias("x")], {"bias": [0.0]}, {"push": Readout("x", [0], force=True)})
    run = integrate(
        diode,
        (0, 6),
        x0=[0.5],
        clamp={"push": lambda t: np.array([1.0 if t < 3 else -0.5])},
        times=[1, 3, 4, 6],
        **settings,
    )
    assert np.allclose(run.x[:, 0], [1.0, 1.0, 0.5, 0.0], atol=2e-2)
    assert np.all((run.x >= 0) & (run.x <= 1))


def test_the_energy_falls_and_the_end_is_what_relax_finds(rng):
    w = rng.standard_normal((6, 6))
    energy = Energy(
        {"x": (Real(), 6)},
        [Dense(("x", "x")), Parabola("x"), Bias("x")],
        {"W": 0.1 * (w + w.T) * (1 - np.eye(6)), "stiffness": np.full(6, 2.0), "bias": rng.standard_normal(6)},
    )
    nudge = Nudge(SquaredError("x"), np.ones(6), 0.3)
    run = integrate(energy, (0, 40), x0=rng.standard_normal((5, 6)), tol=1e-9)
    assert run.x.shape == (101, 5, 6) and np.all(np.diff(run.energy, axis=0) < 1e-9)
    assert np.allclose(run.final, relax(energy).x, atol=1e-7)
    pulled = integrate(energy, (0, 40), nudge=nudge, tol=1e-9)
    assert np.allclose(pulled.final, relax(energy, nudge=nudge).x, atol=1e-7)


def test_stationary_variance_of_both_noisy_schemes(tol):
    # E = k x^2/2: the scheme's own variance in closed form, with a = h k/tau
    k, tau, temperature, h, items = 2.0, 0.5, 0.7, 0.1, 4000
    a, kick = h * k / tau, 2 * temperature * h / tau
    exact = {
        "euler_maruyama": kick / (1 - (1 - a) ** 2),
        "heun": kick * (1 - a / 2) ** 2 / (1 - (1 - a + a * a / 2) ** 2),
    }
    for method, variance in exact.items():
        run = integrate(
            well([k]),
            (0, 3),
            x0=np.zeros((items, 1)),
            dt=h,
            method=method,
            tau=tau,
            temperature=temperature,
            rng=1,
            times=[3],
        )
        x = run.final[:, 0]
        assert abs(np.mean(x)) < tol.STATISTICAL * np.sqrt(variance / items)
        assert abs(np.mean(x**2) - variance) < tol.STATISTICAL * variance * np.sqrt(2 / items)


@pytest.mark.parametrize("method", ["euler_maruyama", "heun"])
def test_strong_order_of_the_noisy_schemes(method, tol, rng, monkeypatch):
    """Against the finest grid on the same Brownian paths: additive noise, so order 1."""
    items, finest = 64, 2048
    fine = rng.standard_normal((finest, items, 1)) / np.sqrt(finest)

    class Path:
        def __init__(self, states):
            self.next, self.per = 0, finest // steps

        def standard_normal(self, shape):
            part = fine[self.next : self.next + self.per].sum(0)
            self.next += self.per
            return np.resize(part, shape) * np.sqrt(steps)  # rows beyond the items fill up a block

    monkeypatch.setattr(fixed_step, "Chains", Path)
    ends = {}
    for steps in (16, 32, 64, 128, finest):
        ends[steps] = integrate(
            pendulum(), (0, 1), x0=np.full((items, 1), 2.5), dt=1 / steps, method=method, temperature=0.5, rng=0
        ).final
    counts = np.array([16, 32, 64, 128])
    errors = [np.mean(np.abs(ends[n] - ends[finest])) for n in counts]
    assert abs(-np.polyfit(np.log2(counts), np.log2(errors), 1)[0] - 1) < tol.ORDER_SDE


def test_an_item_has_the_same_bits_however_many_run(rng):
    x0 = rng.standard_normal((40, 3))
    w = rng.standard_normal((3, 3))
    energy = Energy(
        {"x": (Real(), 3)},
        [Dense(("x", "x")), Parabola("x")],
        {"W": (w + w.T) * (1 - np.eye(3)), "stiffness": np.full(3, 9.0)},
    )
    for settings in ({}, {"temperature": 0.3, "rng": 5}):
        few = integrate(energy, (0, 1), x0=x0[:3], dt=0.05, **settings)
        many = integrate(energy, (0, 1), x0=x0, dt=0.05, **settings)
        assert np.array_equal(few.x, many.x[:, :3])


def test_a_system_without_an_energy_turns_in_circles():
    class Rotor:
        layers = ("x",)

        def field(self, x, theta, layer):
            return x["x"] @ np.array([[0.0, 1.0], [-1.0, 0.0]])

        def response(self, x, theta, weight):
            return {}

    run = integrate(System({"x": (Real(), 2)}, [Rotor()], {}), (0, 2 * np.pi), x0=[1.0, 0.0], tol=1e-9)
    assert np.allclose(run.final, [1.0, 0.0], atol=1e-6) and np.all(np.isnan(run.energy))


def test_divergence_is_reported_and_what_was_reached_is_kept():
    hill = well([-1.0])
    for settings in ({"dt": 1.0}, {}):
        with pytest.warns(RuntimeWarning, match="left the finite numbers"):
            run = integrate(hill, (0, 1000), x0=[[1.0], [0.0]], times=[0, 10, 1000], **settings)
        assert "item 0" in run.stopped and list(run.t) == [0, 10] and np.all(np.isfinite(run.x))
    with pytest.raises(DivergenceError) as caught:
        integrate(hill, (0, 1000), x0=[1.0], dt=1.0, diverged="raise")
    assert len(caught.value.partial.t) > 10


def test_a_machine_may_bring_its_own_time_evolution():
    class Clock:
        def __integrate__(self, t_span, *, tick):
            return t_span, tick

    assert integrate(Clock(), [0, 1], tick=0.1) == ((0.0, 1.0), 0.1)


def test_record_as_dataset():
    data = integrate(well([2.0, 1.0]), (0, 1), x0=np.ones((3, 2)), dt=0.25).to_dataset()
    assert dict(data.sizes) == {"time": 5, "item": 3, "x_dim_0": 2} and data.time.attrs["units"] == "s"


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"t_span": (1, 0)}, "t_span"),
        ({"t_span": (0, np.nan)}, "t_span"),
        ({"dt": 0.3}, "whole number of steps"),
        ({"dt": 0.1, "times": [0.05]}, "whole number of steps"),
        ({"times": [2.0]}, "times"),
        ({"times": [0.5, 0.1]}, "times"),
        ({"dt": -0.1}, "dt"),
        ({"method": "rk4"}, "need one"),
        ({"method": "adaptive", "dt": 0.1}, "choose their own"),
        ({"method": "leapfrog"}, "method"),
        ({"temperature": 1.0, "dt": 0.1, "method": "rk4"}, "noise needs"),
        ({"dt": 0.1, "method": "heun"}, "mean nothing without"),
        ({"temperature": -1.0}, "temperature"),
        ({"tau": 0.0}, "tau"),
        ({"tau": {"y": 1.0}}, "no layer"),
        ({"tol": 0}, "tol"),
        ({"diverged": "ignore"}, "diverged"),
        ({"t_span": (0, 1e-9), "dt": 1.0}, "at most the length of t_span"),
        ({"dt": 1e-320}, "whole number of steps .* at most 1e.12"),
        ({"t_span": (0, 2), "dt": 1.0, "times": [0, 1e-8, 1]}, "less than a step"),
        ({"dt": "fast"}, "dt: got 'fast'"),
        ({"tau": "slow"}, "tau of layer 'x'"),
        ({"temperature": "hot"}, "temperature: got 'hot'"),
        ({"times": [0.5, 1.0 + 1e-8]}, "times"),
    ],
)
def test_bad_input_is_refused(settings, match):
    settings = {"t_span": (0, 1)} | settings
    with pytest.raises((ValueError, TypeError), match=match):
        integrate(well(), settings.pop("t_span"), **settings)


def test_times_may_miss_the_span_by_rounding():
    times = 0.1 * np.arange(4)
    assert times[-1] > 0.3
    for settings in ({"tol": 1e-9}, {"dt": 0.1}, {"dt": 0.1, "method": "euler", "temperature": 0.0}):
        run = integrate(well(), (0, 0.3), x0=[1.0], times=times, **settings)
        assert run.t[-1] == 0.3 and len(run.t) == 4
    assert integrate(well(), (0, 0.3), x0=[1.0], dt=0.1).steps == 3
    late = integrate(well(), (1e6, 1e6 + 0.3), x0=[1.0], dt=0.1)  # a time of which 1e-10 s are rounded away
    assert np.isclose(late.final[0], integrate(well(), (0, 0.3), x0=[1.0], dt=0.1).final[0], rtol=1e-12)
    fine = integrate(well([1e15]), (0, 1e-15), x0=[1.0], dt=1e-18, times=[1e-15])
    assert fine.steps == 1000 and np.isclose(fine.final[0], np.exp(-1), rtol=1e-10)


@pytest.mark.parametrize("settings", [{"tol": 1e-9}, {"method": "stiff", "tol": 1e-9}, {"dt": 0.01}])
def test_complex_states_decay_as_real_ones(settings):
    run = integrate(well(), (0, 1), x0=[1.0 - 2.0j], **settings)
    assert np.allclose(run.final, (1.0 - 2.0j) * np.exp(-2.0), rtol=1e-7)


def test_a_nudge_on_a_readout_of_forces_pulls_at_the_variable(rng):
    held = Energy(
        {"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [2.0, 1.0]}, {"push": Readout("x", [0], force=True)}
    )
    nudge = Nudge(SquaredError("push"), [1.0], 1.0)
    run = integrate(held, (0, 40), x0=[1.0, 1.0], nudge=nudge, tol=1e-9)
    assert np.allclose(run.final, relax(held, nudge=nudge).x, atol=1e-8)


@pytest.mark.parametrize("settings", [{}, {"dt": 0.1}])
@pytest.mark.parametrize(
    ("later", "match"),
    [
        ([np.nan], "NaN or infinite"),
        ([3.0], "not of the kind"),
        ([[1.0], [0.5]], "2 items at t = .* 1 at the start"),
        ([0.1j], "complex at t = "),
        ([1.0, 0.5, 0.2], "3 items at t = "),
        (None, "expected numbers"),
    ],
)
def test_what_a_driving_function_returns_is_checked_at_every_time(later, match, settings):
    pair = Energy({"x": (Real(-1, 1), 2)}, [Parabola("x")], {"stiffness": [1.0, 1.0]}, {"drive": Readout("x", [0])})
    with pytest.raises((ValueError, TypeError), match=match):
        integrate(pair, (0, 1), clamp={"drive": lambda t: [0.5] if t < 0.6 else later}, **settings)


def test_what_has_no_velocity_is_refused():
    spins = Energy({"s": (Spin(), 2)}, [Bias("s")], {"bias": [1.0, 1.0]})
    with pytest.raises(ValueError, match="discrete"):
        integrate(spins, (0, 1))
    pair = Energy(
        {"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1.0]}, {"d": Readout("v", rows=[[1.0, -1.0]])}
    )
    with pytest.raises(ValueError, match="drive single variables"):
        integrate(pair, (0, 1), clamp={"d": lambda t: np.array([t])})
