import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov
from scipy.stats import norm

from physlearn import integrate
from physlearn.models import OUProcess, buffer_ratio, buffered_plant

DT, SPAN = 0.05, 30.0


def noisy(process, mean, items, seed):
    """Production that wanders about a mean, (steps + 1, items, 1), exactly at the grid's times."""
    rng = np.random.default_rng(seed)
    path = [np.sqrt(process.stationary) * rng.standard_normal((items, 1))]
    for _ in range(round(SPAN / DT)):
        path.append(process.transition(path[-1], DT, rng))
    return mean + np.array(path)


def follow(plant, production, settings):
    """Dilute and total concentration after the first quarter, (times, items)."""
    run = integrate(
        plant,
        (0.0, SPAN),
        x0={name: np.full((production.shape[1], 1), v) for name, v in (("c", 0.3), ("d", 0.3), ("a", 0.0), ("i", 0.0))}
        | {"p": production[0], "settings": np.broadcast_to(settings, (production.shape[1], 4))},
        clamp={"p": lambda t: production[min(round(t / DT), len(production) - 1)], "settings": np.asarray(settings)},
        dt=DT,
        method="euler",
        times=np.arange(SPAN / 4, SPAN, 0.5),
    )
    return run.x["c"][..., 0], run.x["c"][..., 0] + run.x["d"][..., 0]


def test_the_ratio_is_that_of_a_clipped_gaussian():
    for mean, sd, s in ((1.0, 0.2, 0.9), (0.5, 0.1, 0.7), (2.0, 1.0, 0.0)):
        x = norm(mean, sd).ppf((np.arange(200_000) + 0.5) / 200_000)
        assert buffer_ratio(mean, sd, s) == pytest.approx(np.minimum(x, s).var() / x.var(), abs=2e-4)
    with pytest.raises(ValueError, match="deviation: got 0"):
        buffer_ratio(1.0, 0.0, 1.0)


@pytest.mark.parametrize("saturation", [0.4, 0.6, 0.75])
def test_fast_exchange_lets_through_what_the_binodal_does(saturation):
    """The total is a filtered OU process, whatever condenses: variance sigma^2/(gamma (gamma + kappa))."""
    plant, process = buffered_plant(decay=1.0, target=0.6, lag=0.1), OUProcess(0.5, 0.15)
    production = noisy(process, 0.6, 250, 1)
    dilute, total = follow(plant, production, [saturation, 15.0, 0.0, 0.0])
    variance = process.stationary / (1.0 * 1.5)
    assert total.var() == pytest.approx(variance, rel=0.1)
    wanted = buffer_ratio(0.6, np.sqrt(variance), saturation)
    assert abs(dilute.var() / total.var() - wanted) < 0.03
    slow, same = follow(plant, production, [saturation, 1e-6, 0.0, 0.0])
    assert np.allclose(same, total, atol=1e-9) and slow[-1].var() > 0.9 * same[-1].var()


def test_control_has_the_variance_of_its_linear_equations():
    """Stationary covariance of (p, c, a, i) by Lyapunov's equation, where no production is cut off."""
    plant, process, gains = buffered_plant(decay=1.0, target=0.6, lag=0.3), OUProcess(0.5, 0.1), (1.5, 0.8)
    dilute, total = follow(plant, noisy(process, 0.6, 250, 2), [9.0, 0.0, *gains])
    a = np.array(
        [
            [-0.5, 0.0, 0.0, 0.0],
            [1.0, -1.0, 1.0, 0.0],
            [0.0, -gains[0] / 0.3, -1 / 0.3, gains[1] / 0.3],
            [0.0, -1.0, 0.0, 0.0],
        ]
    )
    exact = solve_continuous_lyapunov(a, -np.diag([0.1**2, 0, 0, 0]))[1, 1]
    assert dilute.var() == pytest.approx(exact, rel=0.1)
    assert exact < 0.5 * process.stationary / 1.5


def test_what_is_refused():
    with pytest.raises(ValueError, match="lag: got 0"):
        buffered_plant(decay=1.0, target=0.5, lag=0.0)
