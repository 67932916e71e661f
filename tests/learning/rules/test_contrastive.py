"""Rules against the exact gradient: orders of their bias, and the adjoint against finite differences."""

import numpy as np
import pytest

from physlearn import (
    CoupledLearning,
    CrossEntropy,
    EquilibriumPropagation,
    ExactGradient,
    Margin,
    SquaredError,
    check_gradient,
    relax,
)
from physlearn.learning.engines.adjoint import contrast_by_adjoint
from physlearn.learning.engines.contrast import contrast_by_moments, contrast_by_relaxing
from tests.learning.machines import circulating, lattice, quartic

NUDGES = np.array([0.04, 0.02, 0.01, 0.005])
EXACT = {"unconverged": "raise", "tol": 1e-12}


def lattice_data(rng, n=4, outputs=2):
    return {"in": rng.uniform(0, 1, (n, 2)), "out": rng.uniform(0, 0.5, (n, outputs))}


def quartic_data(rng, n=3):
    return {"u": rng.standard_normal((n, 3)), "out": rng.standard_normal((n, 2))}


def one_hot(data, rng):
    return data | {"out": np.eye(data["out"].shape[1])[rng.integers(0, data["out"].shape[1], len(data["out"]))]}


@pytest.mark.parametrize("cost", [SquaredError("out"), CrossEntropy("out", 2.0), Margin("out", 0.3)])
@pytest.mark.parametrize("make", [lattice, quartic, circulating])
def test_adjoint_is_the_gradient_of_the_cost(make, cost, rng, tol):
    energy = make(rng)
    data = one_hot(lattice_data(rng) if make is lattice else quartic_data(rng), rng)
    target = data.pop("out")
    found = contrast_by_adjoint(energy, data, target, ExactGradient(), cost, EXACT)

    def mean_cost(theta):
        y = energy.readouts["out"].read(energy.state(relax(energy.with_theta(theta), clamp=data, **EXACT).x))
        return np.mean(cost.value(y, target))

    for name, gradient in found.gradient.items():
        value, h = energy.theta[name], 1e-5
        for index in list(np.ndindex(value.shape))[:6]:
            step = np.zeros(value.shape)
            step[index] = h
            slope = (mean_cost({name: value + step}) - mean_cost({name: value - step})) / (2 * h)
            assert gradient[index] == pytest.approx(slope, rel=tol.GRADIENT, abs=1e-9)


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        (EquilibriumPropagation(variant="positive"), 1),
        (EquilibriumPropagation(variant="negative"), 1),
        (EquilibriumPropagation(variant="centred"), 2),
        (CoupledLearning(), 1),
    ],
)
@pytest.mark.parametrize("make", [lattice, quartic])
def test_bias_order(make, rule, order, rng, tol):
    energy = make(rng)
    data = lattice_data(rng) if make is lattice else quartic_data(rng)
    check = check_gradient(energy, data, rule, NUDGES, cost=SquaredError("out"))
    assert check.slope == pytest.approx(order, abs=tol.ORDER_ODE)
    assert check.cosine[-1] > 0.999


@pytest.mark.parametrize("variant", ["positive", "centred"])
@pytest.mark.parametrize("cost", [SquaredError("out"), CrossEntropy("out", 2.0)])
def test_linearised_nudge_is_exact_centred_on_a_quadratic_energy_at_any_nudge(variant, cost, rng, tol):
    data = one_hot(lattice_data(rng), rng)
    rule = EquilibriumPropagation(variant=variant, linearised=True)
    check = check_gradient(lattice(rng), data, rule, [10.0, 1.0, 0.1], cost=cost)
    if variant == "centred":
        assert np.all(check.error < 100 * tol.IDENTITY)
    else:  # one-sided keeps the second-order term dv^2/2 of the nudged drops
        assert check.slope == pytest.approx(1, abs=tol.ORDER_ODE)


def test_coupled_learning_follows_its_metric_and_the_cost_only_for_one_output(rng, tol):
    one = check_gradient(
        lattice(rng, outputs=1),
        lattice_data(rng, 1, 1),
        CoupledLearning(),
        [1e-5, 1e-6],
        cost=SquaredError("out"),
    )
    assert one.limit == "metric"
    assert one.cosine_to_cost[-1] == pytest.approx(1, abs=tol.GRADIENT)
    several = check_gradient(
        lattice(rng, outputs=3),
        lattice_data(rng, 1, 3),
        CoupledLearning(),
        [1e-5, 1e-6],
        cost=SquaredError("out"),
    )
    assert several.cosine[-1] == pytest.approx(1, abs=tol.GRADIENT)
    assert several.cosine_to_cost[-1] < 0.999


def test_holomorphic_error_falls_exponentially_with_points(rng):
    energy, data, errors = quartic(rng), quartic_data(rng), []
    for points in (2, 4, 6, 8):
        rule = EquilibriumPropagation(0.1, "holomorphic", points=points)
        errors.append(check_gradient(energy, data, rule, [0.1], cost=SquaredError("out")).error[0])
    ratios = np.array(errors[1:]) / np.array(errors[:-1])
    assert np.all(ratios < 0.2)  # a fixed factor for every two points more
    assert errors[-1] < 1e-5


RULES = [
    CoupledLearning(0.3),
    CoupledLearning(0.3, "centred"),
    EquilibriumPropagation(0.2, "centred", linearised=True),
    EquilibriumPropagation(0.2, "positive"),
]
COSTS = [SquaredError("out"), CrossEntropy("out", 2.0), Margin("out", 0.3)]
# a full nudge of the hinge is left out: at its kinks several equilibria are possible
PAIRS = [(rule, cost) for rule in RULES for cost in COSTS if not (rule is RULES[3] and cost is COSTS[2])]


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize(("rule", "cost"), PAIRS)
def test_moments_equal_relaxing_every_phase(rule, cost, drop, rng):
    energy = lattice(rng, drop=drop)
    data = one_hot(lattice_data(rng), rng)
    target = data.pop("out")
    fast = contrast_by_moments(energy, data, target, rule, cost)
    slow = contrast_by_relaxing(energy, data, target, rule, cost, EXACT)
    np.testing.assert_allclose(fast.gradient["conductance"], slow.gradient["conductance"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fast.outputs, slow.outputs, rtol=1e-10)
