"""Attacks: the linear score's optimum, forces on inputs of machines that relax, white box against black, TRADES."""

import networkx as nx
import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.datasets import load_digits

from circuits import ResistorNetwork
from physlearn import Adam, CrossEntropy, ExactGradient, SquaredError, learn, relax
from physlearn.learning import Adversary, Margin, Trades, fgsm, input_gradient, pgd
from physlearn.maps import Affine, Chain, Concatenate, Relu, Softmax
from physlearn.models import EPNetwork, PredictionGraph


def resistors(rng):
    """A lattice with two inputs, a drop and a current, and two outputs."""
    graph = nx.grid_2d_graph(4, 4)
    nodes = list(graph)
    return ResistorNetwork(
        graph, conductance=rng.uniform(0.5, 2.0, graph.number_of_edges()), ground=nodes[0],
        inputs={"volts": [nodes[15], nodes[3]], "drop": [(nodes[12], nodes[9])]}, outputs=[nodes[6], nodes[13]],
        currents={"amps": [nodes[10]]},
    )  # fmt: skip


def measured(machine, data, cost, name, step=1e-5):
    """Differences of the cost of the outputs of whole relaxations."""
    target, inputs = data[cost.readout], {k: v for k, v in data.items() if k != cost.readout}
    found = np.empty_like(inputs[name])

    def loss(values):
        system = getattr(machine, "system", machine)
        x = relax(machine, clamp=inputs | {name: values}, tol=1e-13).x
        return cost.value(system.readouts[cost.readout].read(system.state(x)), target)

    for k in range(found.shape[1]):
        unit = step * np.eye(found.shape[1])[k]
        found[:, k] = (loss(inputs[name] + unit) - loss(inputs[name] - unit)) / (2 * step)
    return found


def test_forces_on_inputs_of_a_circuit_are_the_gradient(rng, tol):
    """By voltages, by the drop between two nodes, and by an injected current."""
    net, cost = resistors(rng), SquaredError("output")
    shapes = {"volts": 2, "drop": 1, "amps": 1, "output": 2}
    data = {name: rng.normal(size=(3, k)) for name, k in shapes.items()}
    loss, found = input_gradient(net, data, cost=cost)
    for name in ("volts", "drop", "amps"):
        np.testing.assert_allclose(found[name], measured(net, data, cost, name), rtol=tol.GRADIENT, atol=1e-9)
    assert loss.shape == (3,)


def test_forces_on_inputs_of_a_hopfield_network_are_the_gradient(rng):
    net, cost = EPNetwork((3, 5, 2), activation="tanh", gain=0.5, rng=1), SquaredError("output")
    data = {"input": rng.normal(size=(2, 3)), "output": rng.normal(size=(2, 2))}
    _, found = input_gradient(net, data, cost=cost, relax_options={"tol": 1e-12, "max_steps": 100_000})
    np.testing.assert_allclose(found["input"], measured(net, data, cost, "input"), rtol=1e-5, atol=1e-7)


def test_the_pass_backwards_is_the_gradient(rng, tol):
    net = PredictionGraph.layered([4, 6, 3], rng=0)
    x, target = rng.normal(size=(5, 4)), np.eye(3)[rng.integers(3, size=5)]
    _, found = input_gradient(net, {"x": x, "y": target}, cost=CrossEntropy("y"))
    cost, step = CrossEntropy("y"), 1e-6
    for k in range(4):
        high, low = (cost.value(net.forward(x + s * step * np.eye(4)[k])["y"], target) for s in (1, -1))
        np.testing.assert_allclose(found["x"][:, k], (high - low) / (2 * step), rtol=tol.GRADIENT, atol=1e-9)


def test_the_optimum_of_a_linear_score(rng, tol):
    """A change of max norm eps lowers a linear score by eps |w|_1 at most, one of length eps by eps |w|."""
    w, x = rng.normal(size=(6, 1)), rng.normal(size=(4, 6))
    score = PredictionGraph.layered([6, 1], theta={"W1": w, "b1": np.zeros(1)})
    data = {"x": x, "y": np.full((4, 1), 50.0)}
    one = fgsm(score, data, cost=SquaredError("y"), eps=0.3)
    np.testing.assert_allclose((one.outputs - x @ w)[:, 0], -0.3 * np.abs(w).sum(), rtol=tol.IDENTITY)
    np.testing.assert_allclose(one.size, 0.3, rtol=tol.IDENTITY)
    many = pgd(score, data, cost=SquaredError("y"), eps=0.3, restarts=3, rng=0)
    np.testing.assert_allclose(many.outputs, one.outputs, rtol=tol.IDENTITY)
    round_ = pgd(score, data, cost=SquaredError("y"), eps=0.3, norm="2", step=0.3, restarts=2, rng=0)
    np.testing.assert_allclose((round_.outputs - x @ w)[:, 0], -0.3 * np.linalg.norm(w), rtol=1e-9)


def test_two_classes_are_a_linear_score(rng, tol):
    """Of a linear two-class softmax FGSM is exact, too: the margin falls by eps |w_0 - w_1|_1."""
    w, x = rng.normal(size=(6, 2)), rng.normal(size=(4, 6))
    net = PredictionGraph.layered([6, 2], theta={"W1": w, "b1": np.zeros(2)})
    found = fgsm(net, {"x": x, "y": np.tile([1.0, 0.0], (4, 1))}, cost=CrossEntropy("y"), eps=0.1)
    fell = (x @ w - found.outputs) @ [1.0, -1.0]
    np.testing.assert_allclose(fell, 0.1 * np.abs(w[:, 0] - w[:, 1]).sum(), rtol=tol.IDENTITY)


@pytest.fixture(scope="module")
def digits():
    """Digits, and two networks that read them."""
    x, y = load_digits(return_X_y=True)
    x, y = x / 16, np.eye(10)[y]
    task = dict(rule=ExactGradient(), cost=CrossEntropy("y"), optimizer=Adam(3e-3), epochs=8, batch=64, rng=0)
    nets = [PredictionGraph.layered([64, 32, 10], Relu(), rng=seed) for seed in (0, 1)]
    nets = [learn(net, {"x": x[:1500], "y": y[:1500]}, **task).machine for net in nets]
    return nets, x[1500:1600], y[1500:1600]


def test_more_is_worse_and_less_stays_within_the_ball(digits):
    (net, _), x, y = digits
    task = dict(cost=CrossEntropy("y"), bounds=(0, 1), rng=0)
    once = fgsm(net, {"x": x, "y": y}, cost=CrossEntropy("y"), eps=0.1, bounds=(0, 1))
    weak = pgd(net, {"x": x, "y": y}, eps=0.1, steps=10, restarts=2, **task)
    strong = pgd(net, {"x": x, "y": y}, eps=0.2, steps=10, restarts=2, **task)
    assert np.mean(once.fooled) <= np.mean(weak.fooled) < np.mean(strong.fooled)
    assert np.mean(weak.fooled) > 0.2 and np.all(weak.cost >= weak.clean)
    for found, eps in ((once, 0.1), (weak, 0.1), (strong, 0.2)):
        assert np.all(found.size <= eps + 1e-12) and found.inputs["x"].min() >= 0 and found.inputs["x"].max() <= 1
        changed = net.forward(found.inputs["x"])["y"]
        np.testing.assert_allclose(changed, found.outputs, rtol=1e-9)
        np.testing.assert_allclose(CrossEntropy("y").value(changed, y), found.cost, rtol=1e-9)
    assert weak.step == 2.5 * 0.1 / 10 and weak.trace.shape == (2, 11, 100)


def test_a_black_box_is_never_stronger(digits, rng):
    """Attacks made on another network, or without any gradient, cost less than the white box's."""
    (net, other), x, y = digits
    task = dict(cost=CrossEntropy("y"), eps=0.1, steps=20, restarts=3, bounds=(0, 1), rng=0)
    white = pgd(net, {"x": x, "y": y}, **task)
    moved = net.forward(pgd(other, {"x": x, "y": y}, **task).inputs["x"])["y"]
    random = max(
        (net.forward(np.clip(x + 0.1 * rng.choice([-1.0, 1.0], x.shape), 0, 1))["y"] for _ in range(20)),
        key=lambda outputs: np.mean(outputs.argmax(1) != y.argmax(1)),
    )
    for outputs in (moved, random):
        assert np.mean(outputs.argmax(1) != y.argmax(1)) < np.mean(white.fooled)
        assert np.mean(CrossEntropy("y").value(outputs, y) <= white.cost + 1e-9) > 0.98


def test_targeted_attacks_reach_their_target(digits):
    (net, _), x, y = digits
    wanted = np.roll(y, 1, 1)
    found = pgd(net, {"x": x, "y": wanted}, cost=CrossEntropy("y"), eps=0.3, steps=20, restarts=2, targeted=True, rng=0)
    assert np.mean(found.fooled) > 0.8 and np.all(found.cost <= found.clean)
    np.testing.assert_array_equal(found.fooled, found.outputs.argmax(1) == wanted.argmax(1))


def test_least_voltages_that_fool_a_circuit(rng):
    """A trained network of resistors decides by the sign of a difference of voltages; half its margin fools none."""
    net, cost = resistors(rng), SquaredError("output")
    data = {"volts": rng.normal(size=(4, 2)), "drop": np.zeros((4, 1)), "amps": np.zeros((4, 1))}
    y = net.system.readouts["output"].read(net.system.state(relax(net, clamp=data).x))
    side = np.sign(y[:, :1] - y[:, 1:])
    wrong = np.concatenate([-side, side], 1) * 10.0 + y  # far off on the other side: the slope of the difference
    _, slope = input_gradient(net, data | {"output": wrong}, cost=cost)
    least = np.abs(y[:, 0] - y[:, 1]) * 10.0 / np.abs(slope["volts"]).sum(1)  # linear: the exact size in the max norm
    for factor, fooled in ((0.99, False), (1.01, True)):
        for item in range(4):
            one = {name: v[item : item + 1] for name, v in (data | {"output": wrong}).items()}
            found = fgsm(net, one, cost=cost, eps=factor * least[item], targeted=True, only=["volts"])
            assert (np.sign(found.outputs[0, 0] - found.outputs[0, 1]) != side[item, 0]) == fooled
            assert np.all(found.inputs["drop"] == 0)


TRADES = Trades("both", 3.0)


def test_trades_is_its_formula(rng):
    y, t = rng.normal(size=(4, 6)), np.tile(np.eye(3)[[0, 2, 1, 1]], 2)
    a, b = log_softmax(y[:, :3], 1), log_softmax(y[:, 3:], 1)
    wanted = -np.sum(t[:, :3] * a, 1) + 3.0 * np.sum(np.exp(a) * (a - b), 1)
    np.testing.assert_allclose(TRADES.value(y, t), wanted, rtol=1e-12)
    step = 1e-5
    for k in range(6):
        unit = step * np.eye(6)[k]
        slope = (TRADES.value(y + unit, t) - TRADES.value(y - unit, t)) / (2 * step)
        bend = (TRADES.gradient(y + unit, t) - TRADES.gradient(y - unit, t)) / (2 * step)
        np.testing.assert_allclose(TRADES.gradient(y, t)[:, k], slope, atol=1e-8)
        np.testing.assert_allclose(TRADES.hessian(y, t)[:, :, k], bend, atol=1e-8)


def network(*names):
    """A network of digits from each input, with shared parameters, and both outputs side by side."""
    layer = Chain(Affine(32, "W1", "b1", scale=2**0.5), Relu(), Affine(10, "W2", "b2"))
    nodes = {f"y{name[1:]}": (name, layer) for name in names}
    if len(names) > 1:
        nodes["both"] = (tuple(nodes), Concatenate())
    return PredictionGraph(dict.fromkeys(names, 64), nodes, rng=0)


@pytest.mark.slow
def test_trades_trades_clean_for_robust_accuracy(digits):
    """Trained alike but for the weight of the KL, at two sizes of change."""
    _, x, y = digits
    images, labels = load_digits(return_X_y=True)
    data = {"x": images[:1500] / 16, "y": np.eye(10)[labels[:1500]]}
    robust = {}
    for beta in (0.0, 6.0):
        adversary = Adversary(network("x"), data, "y", 0.1, target="both", batch=64, steps=3, bounds=(0, 1))
        done = learn(
            network("x", "x'"), adversary, rule=ExactGradient(), cost=Trades("both", beta), optimizer=Adam(3e-3),
            epochs=250, rng=0, callback=adversary.follow,
        )  # fmt: skip
        net = network("x").with_theta(done.theta)
        np.testing.assert_array_equal(adversary.network.theta["W1"], done.theta["W1"])
        found = [
            pgd(net, {"x": x, "y": y}, cost=CrossEntropy("y"), eps=eps, steps=10, restarts=2, bounds=(0, 1), rng=0)
            for eps in (0.05, 0.1)
        ]
        robust[beta] = [1 - np.mean(f.fooled) for f in found]
        clean = np.mean(net.forward(x)["y"].argmax(1) == y.argmax(1))
        assert clean > 0.8 and clean >= robust[beta][0] >= robust[beta][1]
    assert robust[6.0][1] > robust[0.0][1] + 0.1 and robust[6.0][0] > robust[0.0][0]


def test_bad_input_is_refused_by_name(digits):
    (net, _), x, y = digits
    data, task = {"x": x, "y": y}, dict(cost=CrossEntropy("y"), eps=0.1)
    squashed = PredictionGraph({"x": 64}, {"y": ("x", Chain(Affine(10), Softmax()))}, rng=0)
    for cost in (CrossEntropy("y"), Margin("y")):
        with pytest.raises(ValueError, match=r"gives probabilities \(its map ends in Softmax\(\)\), expected log odds"):
            pgd(squashed, data, cost=cost, eps=0.1, restarts=1, steps=1)
    with pytest.raises(ValueError, match="only: there is no input 'z'"):
        pgd(net, data, only=["z"], **task)
    with pytest.raises(ValueError, match=r"bounds: data\['x'\] leaves 0 .. 0.5"):
        pgd(net, data, bounds=(0, 0.5), **task)
    with pytest.raises(ValueError, match="norm: got '1'"):
        pgd(net, data, norm="1", **task)
    with pytest.raises(ValueError, match="eps: got 0"):
        fgsm(net, data, cost=CrossEntropy("y"), eps=0)
    with pytest.raises(ValueError, match="expected one input, and targets of 'y'"):
        Adversary(net, {"y": y}, "y", 0.1)
    with pytest.raises(ValueError, match="expected twice the number of classes"):
        Trades("both").check(np.eye(3))
