import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from physlearn import Energy, Real, fokker_planck, integrate, sample
from physlearn.dynamics.density.implicit import BEST, WORSE, Line, Net
from physlearn.models import OUProcess
from physlearn.terms import Parabola


def wells(x):
    return x[:, 0] ** 4 / 4 - x[:, 0] ** 2 / 2


def bump(x, at, variance):
    return np.exp(-((x - at) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def generator(machine):
    """dp/dt = A p, dense, from the rates alone."""
    a = np.zeros((machine.potential.size,) * 2)
    for (i, j), there, back in zip(machine.pairs, machine.there, machine.back, strict=True):
        a[[j, i], [i, i]] += there, -there
        a[[i, j], [j, j]] += back, -back
    return a


@pytest.mark.parametrize("temperature", [0.1, 0.02])
@pytest.mark.parametrize("start", [-2.3, 2.1, 0.0])
def test_starts_in_the_walls_are_right(temperature, start):
    """Against the exponential of the generator; in voltages, p exp(V/T), this is wrong by 2 %."""
    machine = fokker_planck(wells, np.linspace(-2.5, 2.5, 121), temperature)
    p = bump(machine.axes[0], start, 0.01)
    run, a = integrate(machine, (0.0, 5.0), x0=p, times=[0.0, 0.3, 5.0]), generator(machine)
    largest = np.max(run.x)
    for density, t in zip(run.x, run.t, strict=True):
        assert np.max(np.abs(density - expm(a * t) @ p)) < 1e-8 * largest
    assert np.max(np.abs(run.x.sum(1) * machine.volume - p.sum() * machine.volume)) < 1e-10


def test_a_start_in_the_wall_against_an_independent_integration():
    machine = fokker_planck(wells, np.linspace(-2.5, 2.5, 61), 0.02)
    p, a = bump(machine.axes[0], -2.3, 0.02), generator(machine)
    run = integrate(machine, (0.0, 2.0), x0=p, times=[0.3, 2.0])
    other = solve_ivp(lambda t, p: a @ p, (0, 2), p, method="BDF", jac=a, rtol=1e-10, atol=1e-13, t_eval=[0.3, 2.0])
    assert np.max(np.abs(run.x - other.y.T)) < 1e-8 * np.max(run.x)


def test_mass_positivity_and_free_energy_over_twelve_decades():
    machine = fokker_planck(wells, np.linspace(-2.2, 2.2, 201), 0.05)
    p = bump(machine.axes[0], 1.8, 0.004)
    run = integrate(machine, (0.0, 1e6), x0=p, times=np.concatenate([[0.0], np.logspace(-6, 6, 25)]))
    assert np.max(np.abs(run.x.sum(1) - p.sum())) < 1e-9 * p.sum() and run.x.min() > -1e-10
    assert np.all(np.diff(run.energy) < 1e-10) and run.steps < 2000
    assert np.max(np.abs(run.final - p.sum() * machine.volume * machine.stationary)) < 1e-8
    least = -0.05 * np.log(np.sum(np.exp(-machine.potential / 0.05)) * machine.volume)
    assert abs(machine.free_energy(machine.stationary) - least) < 1e-12


def test_the_stationary_law_is_exact_on_any_grid(tol):
    for cells in (12, 77):
        machine = fokker_planck(wells, np.linspace(-2.5, 2.5, cells), 0.1)
        law = np.exp(-(machine.potential - machine.potential.min()) / 0.1)
        assert np.allclose(machine.stationary, law / (law.sum() * machine.volume), rtol=tol.IDENTITY)
        flow = generator(machine) @ machine.stationary.ravel()
        assert np.max(np.abs(flow)) < tol.IDENTITY * np.max(machine.there) * machine.stationary.max()
        there, back = machine.there * law[machine.pairs[:, 0]], machine.back * law[machine.pairs[:, 1]]
        assert np.allclose(there, back, rtol=1e-11) and np.allclose(machine.conductance, there, rtol=1e-11)


def test_spectrum_against_published_digits_and_a_dense_matrix():
    """Lowest rates of the quartic double well on 2,201 cells; all rates on few cells."""
    for temperature, rate in ((0.1, 3.354539e-2), (0.05, 2.776163e-3), (0.025, 1.958963e-5)):
        found = fokker_planck(wells, np.linspace(-2.2, 2.2, 2201), temperature).spectrum(2).rates
        kramers = np.sqrt(2) / np.pi * np.exp(-0.25 / temperature)
        assert found[0] == 0 and abs(found[1] - rate) < 4e-5 * rate and 0.9 < found[1] / kramers < 0.97
    machine = fokker_planck(wells, np.linspace(-2.0, 2.0, 40), 0.1)
    spectrum = machine.spectrum(40)
    assert np.allclose(spectrum.rates, np.sort(-np.linalg.eigvals(generator(machine)).real), rtol=1e-9, atol=1e-9)
    weight = machine.volume / machine.stationary
    assert np.allclose(spectrum.modes * weight @ spectrum.modes.T, np.eye(40), atol=1e-9)
    assert np.allclose(spectrum.modes[0], machine.stationary, rtol=1e-6, atol=1e-9)
    p = bump(machine.axes[0], 1.0, 0.05)
    run = integrate(machine, (0.0, 2.0), x0=p, times=[0.5, 2.0])
    parts = np.exp(-np.outer(run.t, spectrum.rates)) * (spectrum.modes * weight @ p)
    assert np.allclose(run.x, parts @ spectrum.modes, atol=1e-8)


def test_a_parabola_is_the_ornstein_uhlenbeck_process():
    """Rates 0, kappa, 2 kappa ..., and the exact transition, at second order in the cells."""
    process, errors = OUProcess(1.5, 0.8), []
    for cells in (101, 201):
        machine = fokker_planck(process.system(1), np.linspace(-2.6, 2.6, cells), process.temperature)
        x = machine.axes[0]
        run = integrate(machine, (0.0, 0.7), x0=bump(x, 0.5, 0.02), times=[0.7])
        exact = bump(x, 0.5 * np.exp(-1.05), process.variance(0.7, 0.02))
        rates = machine.spectrum(4).rates
        assert np.max(np.abs(rates - 1.5 * np.arange(4))) < 1e-3
        errors.append(np.max(np.abs(run.final - exact)))
    assert abs(np.log2(errors[0] / errors[1]) - 2) < 0.2 and errors[1] < 2e-3


def test_beside_simulated_paths(tol):
    energy = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0, 4.0]})
    axes = np.linspace(-3.6, 3.6, 61), np.linspace(-2.0, 2.0, 61)
    machine = fokker_planck(energy, axes, 0.3)
    x, y = np.meshgrid(*axes, indexing="ij")
    p = bump(x, 1.0, 0.04) * bump(y, -0.5, 0.04)
    run = integrate(machine, (0.0, 0.4), x0=p, times=[0.2, 0.4], tol=1e-8)
    rng = np.random.default_rng(3)
    paths = integrate(
        energy,
        (0.0, 0.4),
        x0=np.array([1.0, -0.5]) + 0.2 * rng.standard_normal((40_000, 2)),
        dt=0.005,
        times=[0.2, 0.4],
        temperature=0.3,
        rng=4,
    )
    for density, points in zip(run.x, paths.x, strict=True):
        assert abs(density.sum() * machine.volume - p.sum() * machine.volume) < 1e-10
        for power in ((1, 0), (0, 1), (2, 0), (0, 2), (1, 1)):
            mean = np.sum(density * x ** power[0] * y ** power[1]) * machine.volume
            drawn = points[:, 0] ** power[0] * points[:, 1] ** power[1]
            assert abs(drawn.mean() - mean) < tol.STATISTICAL * drawn.std() / 200 + 2e-3
    spectrum = machine.spectrum(4)
    assert np.allclose(spectrum.rates, [0, 1, 2, 3], atol=0.02)
    drawn = sample(energy, temperature=0.3, n_samples=2000, chains=4, rng=1).x.reshape(-1, 2)
    second = np.sum(machine.stationary * x**2) * machine.volume
    assert abs(np.mean(drawn[:, 0] ** 2) - second) < tol.STATISTICAL * 0.3 * np.sqrt(2 / 8000) + 2e-3


def test_one_and_two_dimensions_agree(rng):
    """A strip in which nothing depends on the second coordinate."""
    x, y = np.linspace(-2.2, 2.2, 61), np.linspace(0.0, 1.0, 5)
    line, strip = fokker_planck(wells, x, 0.1), fokker_planck(wells, (x, y), 0.1, walls=True)
    p = bump(x, -1.5, 0.02)
    one = integrate(line, (0.0, 3.0), x0=p, times=[1.0, 3.0])
    two = integrate(strip, (0.0, 3.0), x0=np.repeat(p[:, None], 5, 1), times=[1.0, 3.0])
    assert np.max(np.abs(two.x - one.x[..., None])) < 1e-8
    assert np.allclose(strip.spectrum(2).rates, line.spectrum(2).rates, atol=1e-8)
    solve, b = Line(61, line.pairs, line.there, line.back), rng.random(61)
    net = Net(61, line.pairs, line.there, line.back)
    dense = np.linalg.solve(np.eye(61) - 0.3 * generator(line), b)
    for found in (solve(b, 0.3, 1), net(b, 0.3, 1)):
        assert np.allclose(found, dense, rtol=1e-10)
    assert abs(BEST.sum() - 1) < 1e-12 and abs(WORSE.sum() - 1) < 1e-12


def test_batches_of_densities_and_the_default_times():
    machine = fokker_planck(wells, np.linspace(-2.2, 2.2, 61), 0.1)
    p = np.stack([bump(machine.axes[0], at, 0.05) for at in (-1.0, 0.5)])
    both = integrate(machine, (0.0, 1.0), x0=p)
    assert both.x.shape == (101, 2, 61) and both.energy.shape == (101, 2)
    assert np.array_equal(both.x[:, 1], integrate(machine, (0.0, 1.0), x0=p[1]).x)


def test_what_is_refused():
    grid = np.linspace(-2.2, 2.2, 61)
    machine = fokker_planck(wells, grid, 0.1)
    for message, arguments in {
        "temperature: got 0": (wells, grid, 0.0),
        "has no normalisation on this grid": (lambda x: -(x[:, 0] ** 2), grid, 0.1),
        "does not fit this grid": (wells, np.linspace(-1.2, 1.2, 61), 0.1),
        "within half a cell .* more than exponentials hold": (lambda x: 1e5 * x[:, 0] ** 4, grid, 0.1),
        "V is not finite": (lambda x: np.where(x[:, 0] > 1, np.inf, 0.0), grid, 0.1),
        "equally spaced": (wells, grid**3, 0.1),
        r"grid: got 3 axes": (wells, (grid, grid, grid), 0.1),
        "has 2 variables": (Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1, 1]}), grid, 0.1),
    }.items():
        with pytest.raises(ValueError, match=message):
            fokker_planck(*arguments)
    for message, settings in {
        "x0: got the shape": {"x0": np.ones(60)},
        "negative numbers or no mass": {"x0": -np.ones(61)},
        "tol: got 1e-20": {"x0": np.ones(61), "tol": 1e-20},
        "times": {"x0": np.ones(61), "times": [0.5, 0.2]},
    }.items():
        with pytest.raises(ValueError, match=message):
            integrate(machine, (0.0, 1.0), **settings)
    with pytest.warns(RuntimeWarning, match="not resolved"):
        fokker_planck(wells, grid, 0.006).spectrum(2)
