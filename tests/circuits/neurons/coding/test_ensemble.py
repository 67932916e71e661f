"""Ensembles: tuning curves against spike trains of the engine, gains and biases against what is asked of them."""

import numpy as np
import pytest

from circuits.neurons import LIF, Constant, Ensemble, Population, SpikingNetwork, lif_rate
from physlearn import integrate

CELL = LIF(
    tau=15e-3, v_rest=-65e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=1e-3, resistance=2e7, exact_times=True
)


@pytest.mark.parametrize("dt", [1e-3, 5e-4, 1e-4])
def test_neurons_fire_at_the_rates_of_their_tuning_curves_at_any_step(dt):
    ensemble = Ensemble(60, 2, rng=4)
    x = np.array([0.3, -0.5])
    network = SpikingNetwork(
        {"a": Population(ensemble.model, 60)}, inputs=[Constant("a", ensemble.current(x[None])[0])]
    )
    spikes = integrate(network, (0.0, 1.0), dt=dt).spikes["a"]
    expected = ensemble.tuning(x[None])[0]
    found = np.array([0.0 if len(t) < 2 else (len(t) - 1) / (t[-1] - t[0]) for t in spikes.trains])
    fast = expected > 3
    assert fast.sum() > 20 and np.all(found[expected == 0] == 0)
    np.testing.assert_allclose(found[fast], expected[fast], rtol=1e-9)
    np.testing.assert_array_equal(expected, lif_rate(ensemble.current(x[None])[0], ensemble.model))


@pytest.mark.parametrize("model", [Ensemble(1).model, CELL], ids=["standard", "in volts and ohms"])
def test_a_neuron_starts_at_its_intercept_and_ends_at_its_maximal_rate(model, tol):
    ensemble = Ensemble(40, 3, rng=2, radius=2.5, model=model)
    along = ensemble.encoders * ensemble.radius
    np.testing.assert_allclose(np.diag(ensemble.tuning(along)), ensemble.max_rates, rtol=1e-9)
    below = np.diag(ensemble.tuning(along * (ensemble.intercepts[:, None] - 1e-6)))
    above = np.diag(ensemble.tuning(along * (ensemble.intercepts[:, None] + 1e-6)))
    assert np.all(below == 0) and np.all(above > 0)
    np.testing.assert_allclose(np.square(ensemble.encoders).sum(1), 1.0, rtol=tol.IDENTITY)
    assert np.all((ensemble.max_rates >= 200) & (ensemble.max_rates <= 400))


@pytest.mark.parametrize("model", [Ensemble(1).model, CELL], ids=["standard", "in volts and ohms"])
def test_the_slope_of_a_tuning_curve_is_that_of_differences(model, tol):
    ensemble = Ensemble(50, 1, rng=1, model=model)
    x, h = np.array([0.37]), 1e-6
    slope = (ensemble.tuning(x + h) - ensemble.tuning(x - h)) / (2 * h)
    exact = ensemble.tuning_slope(x) * ensemble.scaled_encoders[:, 0]
    steady = np.abs(x[0] * ensemble.encoders[:, 0] - ensemble.intercepts) > 1e-3  # it is infinite at the threshold
    np.testing.assert_allclose(slope[0, steady], exact[0, steady], rtol=tol.GRADIENT, atol=1e-6)


def test_one_seed_one_ensemble_and_ranges_numbers_arrays_are_taken():
    a, b = Ensemble(30, 2, rng=7), Ensemble(30, 2, rng=7)
    for name in ("encoders", "gain", "bias", "intercepts", "max_rates"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    given = Ensemble(3, 1, max_rates=[100.0, 200.0, 300.0], intercepts=0.0, encoders=[[2.0], [-1.0], [0.5]])
    assert given.max_rates.tolist() == [100, 200, 300] and given.encoders.ravel().tolist() == [1, -1, 1]
    assert not given.gain.flags.writeable


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dict(max_rates=500.0), r"max_rates: got 500 Hz among them, expected less than 1/refractory = 500 Hz"),
        (dict(max_rates=(100.0, 900.0), rng=0), "shorter refractory period"),
        (dict(max_rates=-1.0), "expected positive rates"),
        (dict(max_rates=1.0), "rounding does not tell from its rheobase"),
        (dict(max_rates=[1.0, 2.0]), "one for each of 4 neurons"),
        (dict(intercepts=1.0), "from -1 to below 1"),
        (dict(intercepts=-1.2), "got -1.2 among them"),
        (dict(intercepts=(0.5, -0.5)), "low at most high"),
        (dict(encoders=[[1.0], [0.0], [1.0], [1.0]]), "number 1 has length zero"),
        (dict(encoders=np.ones((3, 1))), "expected .4, 1."),
        (dict(radius=0.0), "radius: got 0.0, expected a positive"),
        (dict(n=0), "n: got 0"),
        (dict(dimensions=0), "dimensions: got 0"),
    ],
)
def test_what_cannot_be_an_ensemble_is_refused_by_name(bad, message):
    with pytest.raises(ValueError, match=message):
        Ensemble(**{"n": 4, "dimensions": 1} | bad)


def test_other_models_and_points_of_another_dimension_are_refused():
    with pytest.raises(TypeError, match="model: got 3.0, expected an LIF"):
        Ensemble(4, 1, model=3.0)
    with pytest.raises(ValueError, match="x: got the shape .2, 3., expected .m, 2."):
        Ensemble(4, 2).tuning(np.zeros((2, 3)))
