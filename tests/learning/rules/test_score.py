"""Denoising score matching: its gradient, its order, a mixture learnt from samples and drawn from."""

import numpy as np
import pytest

from physlearn import SGD, Adam, DenoisingScoreMatching, Energy, Readout, Real, Spin, System, learn, sample
from physlearn.learning.rules.score import denoising_contrast, whole_states
from physlearn.terms import Bias, Edges, Mixture


def mixture(means, logits=None, precisions=None):
    means = np.asarray(means, dtype=float)
    k = len(means)
    theta = {
        "logits": np.zeros(k) if logits is None else logits,
        "means": means,
        "precisions": np.ones(k) if precisions is None else precisions,
    }
    return Energy({"x": (Real(), means.shape[1])}, [Mixture("x")], theta)


def spring():
    readouts = {"end": Readout("x", [0, 1]), "wall": Readout("x", [2])}
    terms = [Edges("x", [(0, 1), (1, 2)]), Bias("x")]
    theta = {"conductance": [1.0, 2.0], "bias": [0.3, -0.2, 0.0]}
    return Energy({"x": (Real(), 3)}, terms, theta, readouts, {"wall": [0.5]})


def contrast(energy, x, rule, seed=0):
    gradient, cost = denoising_contrast(energy, x, rule, np.random.default_rng(seed))
    return {name: g / rule.temperature for name, g in gradient.items()}, float(np.mean(cost))


def differences(energy, x, rule, step=1e-5):
    out = {}
    for name, value in energy.theta.items():
        out[name] = np.zeros_like(value)
        for i in np.ndindex(value.shape):
            change = np.zeros_like(value)
            change[i] = step
            ends = [contrast(energy.with_theta({name: value + s * change}), x, rule)[1] for s in (1, -1)]
            out[name][i] = (ends[0] - ends[1]) / (2 * step)
    return out


@pytest.mark.parametrize("temperature", [1.0, 1.7])
@pytest.mark.parametrize("machine", ["mixture", "spring"])
def test_gradient_is_that_of_the_objective(machine, temperature, rng, tol):
    """With the same random numbers, against differences of the objective."""
    if machine == "mixture":
        energy = mixture(rng.normal(size=(3, 2)), rng.normal(size=3), rng.uniform(0.5, 2.0, (3, 2)))
        x = {"x": rng.normal(size=(20, 2))}
    else:
        energy = spring()
        x = whole_states(energy, {"end": rng.normal(size=(20, 2))})
    rule = DenoisingScoreMatching(0.5, temperature)
    found, expected = contrast(energy, x, rule)[0], differences(energy, x, rule)
    for name in energy.theta:
        scale = np.max(np.abs(expected[name]))
        assert np.max(np.abs(found[name] - expected[name])) < tol.GRADIENT * scale


def test_error_is_of_second_order_in_h(rng, tol):
    energy, x = mixture(rng.normal(size=(3, 2))), {"x": rng.normal(size=(20, 2))}
    exact = contrast(energy, x, DenoisingScoreMatching(0.5, h=1e-5))[0]["means"]
    steps = np.array([0.01, 0.02, 0.04])
    errors = [np.linalg.norm(contrast(energy, x, DenoisingScoreMatching(0.5, h=h))[0]["means"] - exact) for h in steps]
    assert abs(np.polyfit(np.log(steps), np.log(errors), 1)[0] - 2.0) < tol.ORDER_ODE


def test_no_error_on_a_quadratic_energy(rng):
    x = whole_states(spring(), {"end": rng.normal(size=(20, 2))})
    small, large = (contrast(spring(), x, DenoisingScoreMatching(0.5, h=h))[0] for h in (1e-4, 10.0))
    assert np.allclose(small["conductance"], large["conductance"], rtol=1e-9)


def test_clamped_variables_are_not_blurred(rng):
    energy = spring()
    x = whole_states(energy, {"end": rng.normal(size=(6, 2))})
    assert np.all(x["x"][:, 2] == 0.5)
    assert contrast(energy, x, DenoisingScoreMatching(0.5))[0]["bias"][2] == 0


def test_a_mixture_is_learnt_from_samples_and_drawn_from(tol):
    """The learnt score against that of the blurred truth; annealed Langevin finds every well."""
    truth = mixture(3.0 * np.array([[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]]), np.log([0.5, 0.3, 0.2]), np.full(3, 2.0))
    term, sigma, rng = truth.terms[0], 0.4, np.random.default_rng(0)
    data = term.draw(truth.theta, 6000, rng)
    energy = mixture(rng.normal(size=(3, 2)))
    optimizer = Adam(lambda epoch: 0.03 if epoch < 15 else 0.003, bounds={"precisions": (0.05, 20.0)})
    for width in (2.0, 1.0, sigma):  # a wide blur first: wells that start together part
        done = learn(
            energy, {"x": data}, rule=DenoisingScoreMatching(width), optimizer=optimizer, batch=100, epochs=20, rng=1
        )
        assert done.method == "sample" and done.cost[-1] < done.cost[0]
        energy = done.system
    blurred = truth.with_theta(term.blurred(truth.theta, sigma))
    at = {"x": term.draw(blurred.theta, 4000, rng)}
    gap = energy.field(at, "x") - blurred.field(at, "x")
    assert np.sqrt(np.sum(gap**2) / np.sum(blurred.field(at, "x") ** 2)) < 0.05
    x = rng.uniform(-6, 6, (256, 2))
    for temperature in np.geomspace(20.0, 1.0, 12):
        options = {"n_samples": 1, "warmup": 100, "chains": 256, "method": "ula", "step": 0.05, "rng": rng}
        x = sample(energy, temperature=temperature, x0=x, **options).final["x"]
    weights = np.bincount(term.responsibilities({"x": x}, blurred.theta).argmax(1), minlength=3) / 256
    expected = np.array([0.5, 0.3, 0.2])
    assert np.all(np.abs(weights - expected) < tol.STATISTICAL * np.sqrt(expected * (1 - expected) / 256))


def test_training_resumes_and_repeats(rng):
    energy, data = mixture(rng.normal(size=(3, 2))), {"x": rng.normal(size=(40, 2))}
    options = {"rule": DenoisingScoreMatching(0.5), "optimizer": SGD(0.01), "batch": 10}
    whole = learn(energy, data, epochs=4, rng=3, **options)
    half = learn(energy, data, epochs=2, rng=3, **options)
    resumed = learn(energy, data, epochs=2, resume=half, **options)
    for name in energy.theta:
        assert np.array_equal(whole.theta[name], resumed.theta[name])
        assert not np.array_equal(whole.theta[name], half.theta[name])
    assert np.array_equal(whole.cost, resumed.cost)


@pytest.mark.parametrize("given", [{"sigma": 0.0}, {"sigma": 1.0, "temperature": -1.0}, {"sigma": 1.0, "h": 0.0}])
def test_settings_are_checked(given):
    name = list(given)[-1]
    with pytest.raises(ValueError, match=f"{name}: got .*, expected a positive finite number"):
        DenoisingScoreMatching(**given)


def test_refusals(rng):
    options = {"rule": DenoisingScoreMatching(0.5), "optimizer": SGD(0.1)}
    with pytest.raises(ValueError, match="leave 1 variables open, but score matching needs the whole state"):
        learn(
            Energy({"x": (Real(), 2)}, [Edges("x", [(0, 1)])], {"conductance": [1.0]}, {"a": Readout("x", [0])}),
            {"a": np.zeros((3, 1))},
            **options,
        )
    spins = Energy({"s": (Spin(), 2)}, [Bias("s")], {"bias": np.zeros(2)})
    with pytest.raises(ValueError, match="unbounded Real layers"):
        learn(spins, {"s": np.ones((3, 2))}, **options)
    bounded = Energy({"x": (Real(0.0), 2)}, [Bias("x")], {"bias": np.zeros(2)})
    with pytest.raises(ValueError, match="unbounded Real layers"):
        learn(bounded, {"x": np.ones((3, 2))}, **options)
    with pytest.raises(TypeError, match="a System has none"):
        whole_states(System({"x": (Real(), 2)}, [Bias("x")], {"bias": np.zeros(2)}), {"x": np.ones((3, 2))})
