"""EPNetwork: its energy, its rest, descent, and what equilibrium propagation follows on it."""

import numpy as np
import pytest

from physlearn import (
    Adam,
    EquilibriumPropagation,
    ExactGradient,
    SquaredError,
    check_energy,
    check_gradient,
    integrate,
    learn,
    relax,
)
from physlearn.errors import ConvergenceError
from physlearn.lagrangians import Relu, Tanh
from physlearn.learning.engines.adjoint import contrast_by_adjoint
from physlearn.learning.engines.contrast import contrast_by_relaxing
from physlearn.models import Convolved, EPNetwork

COST = SquaredError("output")
DESCENT = {"method": "descent", "tol": 1e-12, "unconverged": "raise"}


def network(activation="hard sigmoid", widths=(3, 5, 4, 2), **more):
    return EPNetwork(widths, activation=activation, gain=0.6, rng=3, **more)


def task(rng, n=4):
    return {"input": rng.uniform(0.2, 1, (n, 3))}, rng.uniform(0, 1, (n, 2))


@pytest.mark.parametrize("activation", ["hard sigmoid", "relu", "tanh", "logistic"])
def test_energy(activation):
    check_energy(network(activation).system)


@pytest.mark.parametrize("activation", ["hard sigmoid", "tanh", "logistic", Tanh(2.0)])
def test_rest_is_the_fixed_point_of_rates(activation, rng):
    net = network(activation)
    inputs, _ = task(rng)
    found = relax(net, clamp=inputs, method="descent", tol=1e-12)
    s, th = net.system.shown(found.x), net.theta
    sigma = {"hard sigmoid": lambda a: np.clip(a, 0, 1), "tanh": np.tanh, "logistic": lambda a: 1 / (1 + np.exp(-a))}
    g = sigma.get(activation, lambda a: np.tanh(2 * a))
    assert found.converged
    assert np.allclose(s["hidden1"], g(s["input"] @ th["W1"] + s["hidden2"] @ th["W2"].T + th["b1"]), atol=1e-9)
    assert np.allclose(s["hidden2"], g(s["hidden1"] @ th["W2"] + s["output"] @ th["W3"].T + th["b2"]), atol=1e-9)
    assert np.allclose(s["output"], s["hidden2"] @ th["W3"] + th["b3"], atol=1e-9)
    flowed = relax(net, clamp=inputs, method="flow", tol=1e-9)
    assert np.allclose(flowed.x["hidden1"], found.x["hidden1"], atol=1e-6)


@pytest.mark.parametrize("activation", ["hard sigmoid", "tanh"])
def test_energy_never_rises_in_a_sweep(activation, rng):
    net = EPNetwork((3, 20, 20, 2), activation=activation, gain=1.5, rng=1)
    clamp = {"input": rng.normal(size=(6, 3))}
    start = net.system.random_state(6, rng)
    energies = [
        relax(net, start, clamp=clamp, method="descent", max_steps=k, unconverged="ignore", tol=1e-14).energy
        for k in range(25)
    ]
    assert np.all(np.diff(energies, axis=0) < 1e-12) and np.all(energies[0] - energies[-1] > 0.1)


@pytest.mark.parametrize(
    "variant,slope", [("positive", 1.0), ("negative", 1.0), ("centred", 2.0)], ids=["positive", "negative", "centred"]
)
def test_order_in_the_nudge(variant, slope, rng, tol):
    inputs, target = task(rng)
    rule, options = EquilibriumPropagation(variant=variant), {"method": "descent"}
    check = check_gradient(
        network("tanh"), inputs | {"output": target}, rule, [0.02, 0.01, 0.005], cost=COST, relax_options=options
    )
    assert abs(check.slope - slope) < tol.ORDER_ODE and np.all(check.cosine > 0.99)


def test_inside_the_bounds_the_energy_is_quadratic_and_linearised_nudges_are_exact(rng):
    net = network("hard sigmoid")
    net = net.with_theta({name: 0.2 * np.abs(v) if name[0] == "W" else 0.3 + v for name, v in net.theta.items()})
    inputs, target = task(rng)
    inner = relax(net, clamp=inputs).x
    assert all(np.all((inner[n] > 0) & (inner[n] < 1)) for n in ("hidden1", "hidden2"))
    rule = EquilibriumPropagation(linearised=True)
    check = check_gradient(net, inputs | {"output": target}, rule, [0.3, 0.1], cost=COST)
    assert np.all(check.error < 1e-8)


def test_holomorphic_nudges_converge_exponentially(rng):
    net = network("tanh")
    inputs, target = task(rng)
    exact = contrast_by_adjoint(net.system, inputs, target, ExactGradient(), COST, DESCENT).gradient
    errors = []
    for points in (2, 4, 6, 8):
        rule = EquilibriumPropagation(0.1, "holomorphic", points=points)
        found = contrast_by_relaxing(net.system, inputs, target, rule, COST, DESCENT).gradient
        errors.append(max(np.max(np.abs(found[n] - exact[n])) / np.max(np.abs(exact[n])) for n in exact))
    ratios = np.array(errors[1:]) / np.array(errors[:-1])
    assert np.all(ratios < 0.3) and errors[-1] < 1e-4


@pytest.mark.parametrize("activation", ["hard sigmoid", "logistic"])
@pytest.mark.parametrize("linearised", [False, True])
def test_blocks_follow_the_general_road(activation, linearised, rng):
    """The phases of one batch settled together, against each phase by gradient flow."""
    net = network(activation)
    inputs, target = task(rng)
    for variant in ("centred", "positive"):
        rule = EquilibriumPropagation(0.2, variant, linearised)
        fast = contrast_by_relaxing(net.system, inputs, target, rule, COST, DESCENT)
        flow = {"method": "flow", "tol": 1e-10, "unconverged": "raise"}
        slow = contrast_by_relaxing(net.system, inputs, target, rule, COST, flow)
        for name, value in slow.gradient.items():
            assert np.allclose(fast.gradient[name], value, atol=1e-6), name
        assert np.allclose(fast.outputs, slow.outputs, atol=1e-7)


def test_equals_backpropagation_through_time_step_by_step(rng):
    """Ernoult et al. 2019, theorem 1: synchronous gradient steps s -> s - eta dE/ds from a converged free state.

    Differences of dE/dtheta between the steps t and t + 1 of the nudged phase, over the nudge, are the gradients that
    reverse mode finds for step T - t of the free phase, up to the sign, in the limit of a weak nudge.
    """
    net, eta, steps, nudge = network("tanh", (3, 4, 2)), 0.4, 6, 1e-5
    energy = net.system
    inputs, target = {"input": rng.uniform(0.2, 1, (1, 3))}, rng.uniform(0, 1, (1, 2))
    free = relax(net, clamp=inputs, method="descent", tol=1e-14).x

    def step(x, strength):
        """All layers at once, by the force on what they show: the potentials of smooth layers follow their fields."""
        out = dict(x)
        for name in ("hidden1", "output"):
            force = energy.force(x, name) - (strength * (x["output"] - target) if name == "output" else 0.0)
            out[name] = x[name] + eta * force
        return out

    def slopes(strength):
        x, found = free, []
        for _ in range(steps + 1):
            found.append(energy.response(x))
            x = step(x, strength)
        return found

    up, down = slopes(nudge), slopes(-nudge)
    measured = [
        {n: ((up[t + 1][n] - up[t][n]) - (down[t + 1][n] - down[t][n])) / (2 * nudge) for n in net.theta}
        for t in range(steps)
    ]
    # reverse mode by differences of one step of the map, at the free state, where all steps are the same
    names, sizes = ("hidden1", "output"), (4, 2)
    flat = np.concatenate([free[n][0] for n in names])

    def unflat(y):
        return free | {"hidden1": y[None, :4], "output": y[None, 4:]}

    def one(y, system=energy):
        x = unflat(y)
        return np.concatenate([(x[n] + eta * system.force(x, n))[0] for n in names])

    h = 1e-6
    jacobian = np.array([(one(flat + h * e) - one(flat - h * e)) / (2 * h) for e in np.eye(sum(sizes))]).T
    cotangent = np.concatenate([np.zeros(4), (free["output"] - target)[0]])
    for t in range(steps):
        for name in ("W1", "W2", "b1"):
            value = net.theta[name]
            expected = np.zeros(value.size)
            for k, e in enumerate(np.eye(value.size)):
                d = h * e.reshape(value.shape)
                slope = one(flat, energy.with_theta({name: value + d})) - one(
                    flat, energy.with_theta({name: value - d})
                )
                expected[k] = slope / (2 * h) @ cotangent
            assert np.allclose(measured[t][name].ravel(), expected, atol=2e-6 * max(1, np.abs(expected).max())), (
                t,
                name,
            )
        cotangent = jacobian.T @ cotangent


def test_integrating_is_the_network_in_continuous_time(rng):
    net = network("tanh")
    inputs, _ = task(rng, 1)
    rest = relax(net, clamp=inputs, method="descent", tol=1e-12).x
    run = integrate(net, (0.0, 150.0), clamp=inputs)
    assert np.allclose(run.final["output"], rest["output"][0], atol=1e-4)


IMAGES = [(5, 5), Convolved(2, 2, pool=2), Convolved(3, 2, padding=1, stride=2), 2]


@pytest.mark.parametrize("activation", ["hard sigmoid", "tanh"])
def test_convolutional(activation, rng, tol):
    net = EPNetwork(IMAGES, activation=activation, gain=0.7, rng=2)
    assert [layer.shape for layer in net.system.layers.values()] == [(5, 5), (2, 2, 2), (2, 2, 3), (2,)]
    assert net.theta["b1"].shape == (2,) and net.theta["W2"].shape == (2, 2, 2, 3)
    check_energy(net.system)
    x, target = rng.uniform(0, 1, (2, 25)), rng.uniform(0, 1, (2, 2))
    rest = relax(net, clamp={"input": x}, method="descent", tol=1e-11)
    flow = relax(net, clamp={"input": x}, method="flow", tol=1e-9)
    assert rest.converged and np.allclose(rest.x["output"], flow.x["output"], atol=1e-6)
    if activation == "tanh":
        data = {"input": x, "output": target}
        options = {"method": "descent"}
        check = check_gradient(
            net, data, EquilibriumPropagation(), [0.02, 0.01, 0.005], cost=COST, relax_options=options
        )
        assert abs(check.slope - 2) < tol.ORDER_ODE


def test_max_pooling_relaxes_by_other_methods(rng):
    net = EPNetwork([(6, 6), Convolved(3, 3, pool=2, pooling="max"), 2], gain=0.5, rng=2)
    found = relax(net, clamp={"input": rng.uniform(0, 1, (5, 36))})
    assert found.converged


def test_trains_and_resumes_bit_for_bit(rng):
    net = EPNetwork((3, 12, 2), rng=0)
    x = rng.uniform(0, 1, (40, 3))
    data = {"input": x, "output": np.stack([x[:, 0] * x[:, 1], np.abs(x[:, 2] - x[:, 0])], 1)}
    told = dict(rule=EquilibriumPropagation(0.3), cost=COST, optimizer=Adam(0.02), batch=8)
    whole = learn(net, data, epochs=12, rng=1, **told)
    half = learn(net, data, epochs=5, rng=1, **told)
    rest = learn(net, data, epochs=7, resume=half, **told)
    assert whole.cost[-1] < 0.3 * whole.cost[0]
    assert all(np.array_equal(whole.theta[n], rest.theta[n]) for n in net.theta)
    assert isinstance(whole.machine, EPNetwork)


def test_a_phase_that_does_not_rest_is_said(rng):
    inputs, target = task(rng)
    told = dict(rule=EquilibriumPropagation(0.1), cost=COST, optimizer=Adam(0.01), batch=None)
    with pytest.raises(ConvergenceError, match="not at rest after 1 steps"):
        learn(network(), inputs | {"output": target}, relax_options={"max_steps": 1}, **told)
    with pytest.warns(RuntimeWarning, match="not at rest after 1 steps"):
        learn(network(), inputs | {"output": target}, relax_options={"max_steps": 1, "unconverged": "warn"}, **told)
    silent = {"max_steps": 1, "unconverged": "ignore"}
    for method in ("descent", "flow"):  # both roads count the three phases of a step
        options = silent | {"method": method}
        done = learn(network(), inputs | {"output": target}, relax_options=options, epochs=2, **told)
        more = learn(network(), inputs | {"output": target}, relax_options=options, resume=done, **told)
        assert done.unrested == 6 and more.unrested == 9 and "not at rest=6" in repr(done)
    assert learn(network(), inputs | {"output": target}, **told).unrested == 0


def test_refusals(rng):
    inputs, target = task(rng)
    data = inputs | {"output": target}
    told = dict(cost=COST, optimizer=Adam(0.01), batch=None, relax_options={"method": "descent"})
    round_ = EquilibriumPropagation(0.3, "holomorphic")
    with pytest.raises(ValueError, match="bounds mean nothing there"):
        learn(network("hard sigmoid"), data, rule=round_, **told)
    with pytest.raises(ValueError, match="Relu.*has no complex extension"):
        learn(network(Relu()), data, rule=round_, **told)
    with pytest.raises(ValueError, match="curvature on layer 'output' fell to -0.5"):
        learn(network("hard sigmoid"), data, rule=EquilibriumPropagation(1.5), **told)
    with pytest.raises(ValueError, match="activation: got 'sigmoid', expected one of"):
        EPNetwork((2, 3, 1), activation="sigmoid")
    with pytest.raises(ValueError, match="at least an input's and an output's"):
        EPNetwork((2,))
    with pytest.raises(ValueError, match="the first is Convolved"):
        EPNetwork([Convolved(2, 3), 2])
    with pytest.raises(ValueError, match="does not fit an image of"):
        EPNetwork([(4, 4), Convolved(2, 5), 2])


@pytest.mark.parametrize("widths", [(3, 12, 8, 2), [(3, 1), Convolved(4, (2, 1)), 2]])
@pytest.mark.parametrize("activation", ["hard sigmoid", "tanh"])
def test_single_precision_from_end_to_end(widths, activation, rng):
    double = EPNetwork(widths, activation=activation, rng=1)
    single = EPNetwork(widths, activation=activation, precision="single", rng=1)
    inputs, target = task(rng)
    told = {"clamp": inputs, "method": "descent", "tol": 1e-6}
    rest, exact = relax(single, **told), relax(double, **told)
    assert rest.converged and all(value.dtype == np.float32 for value in rest.x.values())
    np.testing.assert_allclose(rest.x["output"], exact.x["output"], atol=2e-4)
    assert relax(single, clamp=inputs, method="descent").converged  # asked for more digits than there are
    for rule in (
        EquilibriumPropagation(0.3),
        EquilibriumPropagation(0.3, "positive", linearised=True),
        ExactGradient(),
    ):
        options = {"method": "descent", "tol": 1e-6}
        learnt = dict(rule=rule, cost=COST, optimizer=Adam(0.01), batch=2, epochs=3, relax_options=options, rng=0)
        data = inputs | {"output": target}
        found, wanted = (learn(net, data, **learnt).theta for net in (single, double))
        for name, value in wanted.items():
            assert found[name].dtype == np.float32
            np.testing.assert_allclose(found[name], value, atol=2e-3)


def test_single_precision_sees_no_double(rng):
    """Fields that sweeps ask for again, and products of a step, have single arguments."""
    seen: list = []

    class Watched(type(EPNetwork((2, 2)).system.terms[0])):
        def field(self, x, theta, layer):
            seen.append({value.dtype for value in x.values()})
            return super().field(x, theta, layer)

        def gradient(self, x, theta, weight):
            seen.append({value.dtype for value in x.values()} | {np.asarray(weight).dtype})
            return super().gradient(x, theta, weight)

    net = EPNetwork((3, 12, 2), precision="single", rng=1)
    for term in net.system.terms:
        if type(term).__name__ == "Dense":
            term.__class__ = Watched
    inputs, target = task(rng)
    told = dict(rule=EquilibriumPropagation(0.3), cost=COST, optimizer=Adam(0.01), batch=None)
    doubles, calls = [], []
    for epochs in (1, 6):
        seen.clear()
        learn(net, inputs | {"output": target}, epochs=epochs, **told)
        doubles.append(sum(kinds != {np.dtype(np.float32)} for kinds in seen))
        calls.append(len(seen))
    assert doubles[0] == doubles[1] < calls[0] < calls[1]  # the choice of the engine alone asks in double precision
