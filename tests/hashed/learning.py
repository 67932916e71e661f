"""Runs of `learn` with every rule whose phases relax, cost, optimiser and engine; audits, checkpoints, molecules."""

import itertools
import tempfile
from pathlib import Path

import numpy as np

from circuits import DeepResistiveNetwork
from physlearn import (
    SGD,
    Adam,
    ContrastiveHebbian,
    CoupledLearning,
    CrossEntropy,
    DirectedAging,
    Energy,
    EquilibriumPropagation,
    ExactGradient,
    Margin,
    PredictiveCoding,
    Readout,
    Real,
    SquaredError,
    System,
    check_gradient,
    learn,
    learn_by_diffusion,
    load,
    save,
)
from physlearn.learning import sharpen
from physlearn.maps import Affine, BatchNorm, Chain, Concatenate, Constant, Conv, Dropout, FeedbackAffine, Tanh
from physlearn.models import Convolved, EPNetwork, PredictionGraph, random_structures
from physlearn.terms import Bias, Edges


def generator(seed=0):
    return np.random.default_rng(seed)


def torus(n):
    """Edges of an n x n periodic lattice."""
    i = np.arange(n * n).reshape(n, n)
    right, down = np.roll(i, -1, 1).ravel(), np.roll(i, -1, 0).ravel()
    return np.concatenate([np.stack([i.ravel(), right], 1), np.stack([i.ravel(), down], 1)])


def network(n=5, *, drop=False, forced=False, bias=False):
    """Resistors on a torus: two inputs, ground, three outputs or drops."""
    rng, nodes, pairs = generator(1), n * n, torus(n)
    place = rng.permutation(nodes)
    free, out = place[3:], Readout("v", place[3:6])
    if drop:
        rows = np.zeros((3, nodes))
        rows[np.arange(3), free[:6:2]], rows[np.arange(3), free[1:6:2]] = 1.0, -1.0
        out = Readout("v", rows=rows)
    readouts = {"in": Readout("v", place[:2], force=forced), "ground": Readout("v", [place[2]]), "out": out}
    theta, terms = {"conductance": rng.uniform(0.5, 1.5, len(pairs))}, [Edges("v", pairs)]
    if bias:
        terms.append(Bias("v"))
        theta["bias"] = 0.1 * rng.normal(size=nodes)
    return Energy({"v": (Real(), nodes)}, terms, theta, readouts, {"ground": [0.0]})


def examples(samples=12, classes=False):
    rng = generator(2)
    target = np.eye(3)[rng.integers(3, size=samples)] if classes else rng.uniform(-0.1, 0.6, (samples, 3))
    return {"in": rng.uniform(0.0, 1.0, (samples, 2)), "out": target}


OPTIMIZERS = {
    "sgd": lambda: SGD(0.2, bounds={"conductance": (0.1, 5.0)}),
    "momentum": lambda: SGD(0.1, momentum=0.9, bounds={"conductance": (0.1, 5.0)}),
    "adam": lambda: Adam(0.05, bounds={"conductance": (0.1, 5.0)}),
}
SQUARE = SquaredError("out")


def train(rule, optimizer="sgd", cost=SQUARE, *, machine=None, epochs=4, batch=1, samples=12, rng=3, **more):
    chosen = OPTIMIZERS[optimizer]() if isinstance(optimizer, str) else optimizer
    data = examples(samples, classes=not isinstance(cost, SquaredError))
    return learn(
        network() if machine is None else machine,
        data,
        rule=rule,
        optimizer=chosen,
        cost=cost,
        epochs=epochs,
        batch=batch,
        rng=rng,
        **more,
    )


RULES = {
    "coupled": CoupledLearning(0.2),
    "coupled, negative": CoupledLearning(0.2, "negative"),
    "coupled, centred": CoupledLearning(0.2, "centred"),
    "contrastive Hebb": ContrastiveHebbian(),
    "directed aging": DirectedAging(0.5),
    "propagation": EquilibriumPropagation(0.2),
    "propagation, positive": EquilibriumPropagation(0.2, "positive"),
    "propagation, negative": EquilibriumPropagation(0.05, "negative"),
    "propagation, linearised": EquilibriumPropagation(0.2, linearised=True),
    "exact gradient": ExactGradient(),
}
COSTS = {"squared": SQUARE, "entropy": CrossEntropy("out", 4.0), "margin": Margin("out", 0.3)}


class Quartic:
    """E = sum_i x_i^4/4 + k x_i^2/2 - x.W.u with u a clamped layer: nonlinear and convex."""

    layers = ("x", "u")
    holomorphic = True

    def energy(self, x, theta):
        s, u = x["x"], x["u"]
        return np.sum(s**4, 1) / 4 + theta["k"] * np.sum(s**2, 1) / 2 - np.einsum("bi,ij,bj->b", s, theta["W"], u)

    def field(self, x, theta, layer):
        s, u = x["x"], x["u"]
        return -(s**3) - theta["k"] * s + u @ theta["W"].T if layer == "x" else s @ theta["W"]

    def gradient(self, x, theta, weight):
        s, u = x["x"], x["u"]
        return {"W": -np.einsum("b,bi,bj->ij", weight, s, u), "k": np.asarray(weight @ np.sum(s**2, 1) / 2)}


class Circulating:
    """f = W u - x - A x - x^3 with A not symmetric: a field that no energy has."""

    layers = ("x", "u")

    def field(self, x, theta, layer):
        s, u = x["x"], x["u"]
        return u @ theta["W"].T - s - s @ theta["A"].T - s**3 if layer == "x" else np.zeros_like(u)

    def response(self, x, theta, weight):
        s, u = x["x"], x["u"]
        return {"W": -np.einsum("b,bi,bj->ij", weight, s, u), "A": 0.5 * np.einsum("b,bi,bj->ij", weight, s, s)}


def quartic():
    rng = generator(4)
    layers, out = {"x": (Real(), 6), "u": (Real(), 2)}, {"out": Readout("x", [0, 1, 2]), "in": Readout("u", [0, 1])}
    theta = {"W": rng.normal(size=(6, 2)), "k": 1.5, "conductance": rng.uniform(0.1, 0.5, 6)}
    ring = [(i, (i + 1) % 6) for i in range(6)]
    return Energy(layers, [Quartic(), Edges("x", ring)], theta, out)


def circulating():
    rng = generator(5)
    a = rng.normal(size=(6, 6))
    layers, out = {"x": (Real(), 6), "u": (Real(), 2)}, {"out": Readout("x", [0, 1, 2]), "in": Readout("u", [0, 1])}
    return System(layers, [Circulating()], {"W": rng.normal(size=(6, 2)), "A": 0.3 * (a - a.T)}, out)


def nonlinear(rule, machine=quartic, **more):
    return train(rule, SGD(0.05), machine=machine(), epochs=1, batch=4, samples=4, relax_options={"tol": 1e-8}, **more)


def continued(method):
    """Three epochs, kept in a file, and three more."""
    half = train(CoupledLearning(0.2), "adam", epochs=3, method=method)
    with tempfile.TemporaryDirectory() as folder:
        half = load(save(Path(folder) / "half", half), network())
    return half, train(CoupledLearning(0.2), "adam", epochs=3, method=method, rng=None, resume=half)


def audit(rule, machine=network):
    return check_gradient(machine(), examples(3), rule, [0.1, 0.05, 0.025], cost=SQUARE)


def noisy(theta, gradient, kept, numbers, lr, count, rng):
    for i in range(theta.size):
        kept[0, i] = 0.9 * kept[0, i] + gradient[i]
        theta[i] -= lr * (kept[0, i] + numbers[0] * rng.standard_normal())


class Noisy:
    """Momentum and noise, compiled or not."""

    lr, bounds = 0.1, {}

    def start(self, theta, rng):
        return {"rng": rng, "speed": {name: np.zeros_like(value) for name, value in theta.items()}}

    def step(self, theta, gradient, memory, lr):
        for name, g in gradient.items():
            memory["speed"][name] = 0.9 * memory["speed"][name] + g
        noise = {name: 0.01 * memory["rng"].standard_normal(g.shape) for name, g in gradient.items()}
        return {name: theta[name] - lr * (memory["speed"][name] + noise[name]) for name in gradient}


class CompiledNoisy(Noisy):
    def compiled(self):
        return noisy, [0.01]


def molecules(**more):
    found = learn_by_diffusion([s.codes for s in random_structures(1, (2, 2), rng=1)], 4, duration=0.05, **more)
    return found if more else [found, sharpen(found.J, 3)]


RUNS = {
    f"compiled, {rule}, {optimizer}": lambda rule=rule, optimizer=optimizer: train(
        RULES[rule], optimizer, method="compiled"
    )
    for rule, optimizer in itertools.product(RULES, OPTIMIZERS)
    if rule != "exact gradient" or optimizer == "adam"
}
RUNS |= {
    f"{method}, {rule}, {cost}": lambda method=method, rule=rule, cost=cost: train(
        RULES[rule], "adam", COSTS[cost], method=method, epochs=2, batch=4
    )
    for method, rule, cost in itertools.product(
        ("compiled", "moments", "relax"), ("coupled", "propagation", "propagation, linearised"), COSTS
    )
    if (rule, cost) != ("propagation", "margin")  # at the cost's kinks a full nudge may find no rest
}
RUNS |= {
    f"by columns, {rule}": lambda rule=rule: train(RULES[rule], epochs=2, batch=None, method="moments")
    for rule in RULES
}


def layered(activation, rule, convolved=False, precision="double"):
    """A layered network of Hopfield's energy."""
    rng, widths = generator(3), [(4, 4), Convolved(3, 2, pool=2), 2] if convolved else (16, 7, 2)
    machine = EPNetwork(widths, activation=activation, gain=0.6, precision=precision, rng=1)
    data = {"input": rng.uniform(size=(10, 16)), "output": rng.uniform(size=(10, 2))}
    told = dict(cost=SquaredError("output"), optimizer=Adam(0.01), epochs=2, batch=4, rng=0)
    done = learn(machine, data, rule=rule, relax_options={"method": "descent", "tol": 1e-6}, **told)
    return done.theta, done.cost


def resistors(precision, method):
    """A deep resistive network."""
    rng = generator(4)
    machine = DeepResistiveNetwork((5, 8, 6, 2), gain=(4.0, 1.5, 1.5), precision=precision, rng=1)
    data = {"input": rng.normal(size=(10, 5)), "output": rng.uniform(size=(10, 2))}
    told = dict(cost=SquaredError("output"), optimizer=SGD(0.05, bounds=machine.bounds), epochs=2, batch=4, rng=0)
    fixed = {"max_steps": (4, 3), "unconverged": "ignore"}
    done = learn(machine, data, rule=EquilibriumPropagation(0.05), relax_options=fixed, method=method, **told)
    return done.theta, done.cost


def returned(rule):
    """A graph of maps whose errors come back by weights of their own."""
    rng, own = generator(6), FeedbackAffine(3, "W2", "b2", "B2")
    nodes = {"h": ("x", Chain(Affine(7, "W1", "b1"), Tanh())), "y": ("h", own)}
    data = {"x": rng.normal(size=(12, 5)), "y": np.eye(3)[rng.integers(3, size=12)]}
    told = dict(cost=CrossEntropy("y"), optimizer=Adam(0.01, decay=0.1), epochs=3, batch=4, rng=0)
    done = learn(PredictionGraph({"x": 5}, nodes, rng=1), data, rule=rule, **told)
    return done.theta, done.cost


def predictions(rule, dtype=float):
    """A graph of maps: convolution, batch statistics, a mask, a free prior."""
    rng = generator(5)
    image = Chain(Conv(3, 2, "K", "k"), BatchNorm("n"), Tanh(), Dropout(0.2))
    nodes = {"h": ("x", image), "z": ((), Constant(2)), "y": (("h", "z"), Chain(Concatenate(), Affine(3, "W", "b")))}
    theta = PredictionGraph({"x": (4, 4)}, nodes, rng=1).theta
    machine = PredictionGraph({"x": (4, 4)}, nodes, theta={name: value.astype(dtype) for name, value in theta.items()})
    data = {"x": rng.normal(size=(12, 16)), "y": np.eye(3)[rng.integers(3, size=12)]}
    told = dict(cost=CrossEntropy("y"), optimizer=Adam(0.01), epochs=3, batch=4, rng=0, relax_options={"tol": 1e-3})
    done = learn(machine, data, rule=rule, **told)
    return done.theta, done.cost


RUNS |= {
    "layers, exact": lambda: layered("hard sigmoid", ExactGradient()),
    "layers, exact, smooth": lambda: layered("tanh", ExactGradient()),
    "layers, single": lambda: layered("hard sigmoid", EquilibriumPropagation(0.2), precision="single"),
    "layers, exact, images, single": lambda: layered("hard sigmoid", ExactGradient(), True, "single"),
    "predictions, feedback": lambda: returned(PredictiveCoding(fixed=True)),
    "predictions, feedback, steps": lambda: returned(PredictiveCoding(steps=5)),
    "predictions, exact": lambda: predictions(ExactGradient()),
    "predictions, exact, single": lambda: predictions(ExactGradient(), np.float32),
    "predictions, coding": lambda: predictions(PredictiveCoding(0.1)),
    "predictions, steps": lambda: predictions(PredictiveCoding(steps=5)),
    "compiled, drops": lambda: train(RULES["coupled"], "adam", machine=network(drop=True), method="compiled"),
    "compiled, currents": lambda: train(RULES["propagation"], "adam", machine=network(forced=True), method="compiled"),
    "compiled, bias": lambda: train(
        RULES["propagation"], "momentum", machine=network(bias=True), trainable=["conductance"], method="compiled"
    ),
    "compiled, in order": lambda: train(RULES["coupled"], shuffle=False, method="compiled"),
    "compiled, falling rate": lambda: train(RULES["coupled"], SGD(lambda k: 0.2 / (1 + k)), method="compiled"),
    "compiled, own optimiser": lambda: train(RULES["coupled"], Noisy(), method="compiled"),
    "compiled, own optimiser compiled": lambda: train(RULES["coupled"], CompiledNoisy(), method="compiled"),
    "large": lambda: train(RULES["coupled"], "adam", machine=network(20), epochs=2, batch=None, samples=60),
    "large, momentum": lambda: train(
        RULES["propagation"], "momentum", machine=network(20), epochs=2, batch=30, samples=60
    ),
    "large, one by one": lambda: train(RULES["coupled"], "adam", machine=network(12), epochs=1),
    "decay": lambda: train(RULES["coupled"], SGD(0.2, decay=0.01), epochs=2, batch=4),
    "decay, adam": lambda: train(RULES["coupled"], Adam(0.02, decay=0.01), epochs=2, batch=4),
    "bias too": lambda: train(RULES["propagation"], Adam(0.02), machine=network(bias=True), epochs=2, batch=4),
    "auto": lambda: train(RULES["coupled"], "adam"),
    "resumed, compiled": lambda: continued("compiled"),
    "resumed, moments": lambda: continued("moments"),
    "nonlinear, propagation": lambda: nonlinear(RULES["propagation"]),
    "nonlinear, positive": lambda: nonlinear(RULES["propagation, positive"]),
    "nonlinear, negative": lambda: nonlinear(RULES["propagation, negative"]),
    "nonlinear, linearised": lambda: nonlinear(RULES["propagation, linearised"]),
    "nonlinear, holomorphic": lambda: nonlinear(EquilibriumPropagation(0.2, "holomorphic", points=4)),
    "nonlinear, coupled": lambda: nonlinear(RULES["coupled"]),
    "nonlinear, exact gradient": lambda: nonlinear(RULES["exact gradient"]),
    "system, propagation": lambda: nonlinear(RULES["propagation"], circulating),
    "system, exact gradient": lambda: nonlinear(RULES["exact gradient"], circulating),
    "audit, coupled": lambda: audit(CoupledLearning()),
    "audit, propagation": lambda: audit(EquilibriumPropagation()),
    "audit, nonlinear": lambda: audit(EquilibriumPropagation(), quartic),
    "blocks, propagation": lambda: layered("hard sigmoid", EquilibriumPropagation(0.2)),
    "blocks, linearised": lambda: layered("tanh", EquilibriumPropagation(0.2, linearised=True)),
    "blocks, holomorphic": lambda: layered("logistic", EquilibriumPropagation(0.1, "holomorphic")),
    "blocks, convolutional": lambda: layered("hard sigmoid", EquilibriumPropagation(0.2), convolved=True),
    "crossbars, double": lambda: resistors("double", "compiled"),
    "crossbars, single": lambda: resistors("single", "compiled"),
    "crossbars, relaxed": lambda: resistors("double", "relax"),
    "diffusion": molecules,
    "diffusion, directional": lambda: molecules(directional=True),
}
