"""Escape noise: rates in closed form, and its law as a sampler."""

import numpy as np
import pytest

from circuits.neurons import Constant, EscapeLIF, Exponential, Population, Projection, Record, SpikingNetwork, connect
from physlearn import integrate

CELL = {
    "tau": 1e-4,
    "v_rest": 0.0,
    "v_threshold": 0.0,
    "slope": 1.0,
    "rate": 100.0,
    "v_reset": 0.0,
    "refractory": 10e-3,
}


def test_rates_are_those_of_a_renewal_process(tol):
    """Where v rests: 1 / (refractory + dt / p), p = 1 - exp(-rho dt)."""
    u = np.repeat([-2.0, 0.0, 1.5], 100)
    network = SpikingNetwork({"n": Population(EscapeLIF(**CELL | {"v_rest": u, "v_reset": u}), 300)})
    spikes = integrate(network, (0.0, 10.0), dt=1e-3, rng=1).spikes["n"]
    rates = spikes.rates().reshape(3, 100)
    p = -np.expm1(-100.0 * np.exp([-2.0, 0.0, 1.5]) * 1e-3)
    expected = 1.0 / (10e-3 + 1e-3 / p)
    assert np.all(np.abs(rates.mean(1) - expected) < tol.STATISTICAL * rates.std(1, ddof=1) / 10 + 0.05)
    gaps = spikes.select(np.arange(100, 200)).isi()
    assert gaps.min() == pytest.approx(11e-3)  # ten steps held, then the first chance
    assert (gaps - 10e-3).mean() == pytest.approx(1e-3 / p[1], rel=0.03)


def test_it_is_on_as_a_logistic_of_its_voltage(tol):
    """In the limit of small steps the fraction of time within a refractory period of a spike is sigma(u)."""
    u = np.repeat(np.linspace(-3.0, 3.0, 7), 60)
    network = SpikingNetwork({"n": Population(EscapeLIF(**CELL | {"v_rest": u, "v_reset": u}), len(u))})
    on = (integrate(network, (0.0, 5.0), dt=1e-4, rng=2).spikes["n"].rates() * 10e-3).reshape(7, 60)
    expected = 1.0 / (1.0 + np.exp(-np.linspace(-3.0, 3.0, 7)))
    assert np.all(np.abs(on.mean(1) - expected) < tol.STATISTICAL * on.std(1, ddof=1) / np.sqrt(60) + 6e-3)


def test_the_membrane_relaxes_exactly_and_pieces_are_one_run():
    cell = EscapeLIF(**CELL | {"tau": 20e-3, "rate": 0.0})
    quiet = SpikingNetwork({"n": Population(cell, 2)}, inputs=[Constant("n", [0.5, -0.3])])
    v = integrate(quiet, (0.0, 0.05), dt=1e-3, record={"n": Record(["v"])}).traces["n"]
    np.testing.assert_allclose(v["v"], -np.expm1(-v.t / 20e-3)[:, None] * [0.5, -0.3], rtol=1e-12)
    noisy = SpikingNetwork(
        {"n": Population(EscapeLIF(**CELL), 30, receptors={"s": Exponential(5e-3)})},
        [Projection("n", "n", connect.fixed_probability(0.2), weight=0.3, delay=1e-3)],
    )
    whole = integrate(noisy, (0.0, 0.2), dt=5e-4, rng=4).spikes["n"]
    first = integrate(noisy, (0.0, 0.07), dt=5e-4, rng=4)
    rest = integrate(noisy, (0.07, 0.2), dt=5e-4, x0=first.final).spikes["n"]
    np.testing.assert_array_equal(np.concatenate([first.spikes["n"].times, rest.times]), whole.times)


def test_what_does_not_fit_is_named():
    for change, message in (
        ({"slope": 0.0}, "EscapeLIF: slope=0.0, expected positive"),
        ({"rate": -1.0}, "EscapeLIF: rate=-1.0"),
        ({"tau": [1.0, 2.0], "slope": [1.0, 2.0, 3.0]}, "different lengths"),
    ):
        with pytest.raises(ValueError, match=message):
            EscapeLIF(**CELL | change)
    network = SpikingNetwork({"n": Population(EscapeLIF(**CELL), 2)})
    with pytest.raises(ValueError, match="does not fit EscapeLIF"):
        integrate(network, (0.0, 0.01), dt=1e-3, method="rk4")
    with pytest.raises(ValueError, match="refractory"):
        integrate(network, (0.0, 0.012), dt=4e-3)
