"""Optimisers that bring their step compiled: the bits of their step in Python, saved, refused where the two differ."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    ContrastiveDivergence,
    ConvergenceError,
    CoupledLearning,
    SquaredError,
    learn,
    load,
    save,
)
from physlearn.learning.engines import bipartite, edges, updates
from physlearn.models import RBM
from tests.learning.machines import lattice


def networks(rng, **more):
    x = rng.uniform(0, 1, (12, 2))
    data = {"in": x, "out": x @ np.array([[0.15, 0.25], [0.20, 0.10]])}
    task = dict(rule=CoupledLearning(0.1), cost=SquaredError("out"), epochs=4, batch=5, rng=5)
    return lattice(rng), data, task | more


def machines(rng, **more):
    data = {"v": (rng.random((20, 6)) < 0.4).astype(float)}
    return RBM(6, 4, rng=0), data, dict(rule=ContrastiveDivergence(), epochs=4, batch=5, rng=5) | more


def pulses(theta, gradient, kept, numbers, lr, count, rng):
    """Momentum, then pulses of one size, as many as stochastic rounding says; thinner ones later on."""
    unit = numbers[1] / count
    for i in range(theta.size):
        kept[0, i] = numbers[0] * kept[0, i] + gradient[i]
        kept[1, i] += abs(gradient[i])
        theta[i] -= unit * np.floor(lr * kept[0, i] / unit + rng.random()) + 1e-3 * unit * rng.standard_normal()


@dataclass(frozen=True)
class Pulsed:
    """The same in NumPy, draw by draw."""

    lr: float = 0.1
    momentum: float = 0.8
    unit: float = 0.01

    def start(self, theta, rng):
        speed, work = ({name: np.zeros_like(value) for name, value in theta.items()} for _ in range(2))
        return {"rng": rng, "speed": speed, "work": work, "label": "pulses"}

    def step(self, theta, gradient, memory, lr):
        out, unit, rng = {}, self.unit / (memory["steps"] + 1), memory["rng"]
        for name, g in gradient.items():
            memory["speed"][name] = self.momentum * memory["speed"][name] + g
            memory["work"][name] = memory["work"][name] + np.abs(g)
            drawn = np.array([(rng.random(), rng.standard_normal()) for _ in range(g.size)])
            rounded, noise = drawn.T.reshape(2, *g.shape)
            moved = unit * np.floor(lr * memory["speed"][name] / unit + rounded) + 1e-3 * unit * noise
            out[name] = theta[name] - moved
        return out


class Compiled(Pulsed):
    def compiled(self):
        return pulses, [self.momentum, self.unit]


def same(one, other):
    assert one.method == other.method == "compiled" and one.memory["steps"] == other.memory["steps"]
    for name, value in one.theta.items():
        assert other.theta[name].tobytes() == value.tobytes()
    assert one.memory["rng"].bit_generator.state == other.memory["rng"].bit_generator.state
    for key in ("speed", "work"):
        for name, value in one.memory[key].items():
            assert other.memory[key][name].tobytes() == value.tobytes() and other.memory[key][name].shape == value.shape


@pytest.mark.parametrize("make", [networks, machines])
def test_both_forms_have_the_same_bits_and_no_python_is_called(make, rng, monkeypatch):
    machine, data, task = make(rng)
    known = learn(machine, data, optimizer=Pulsed(), **task)
    for engine in (edges, bipartite):
        monkeypatch.setattr(engine, "Called", None)
    fast = learn(machine, data, optimizer=Compiled(), **task)
    same(known, fast)
    assert any(np.any(value != machine.system.theta[name]) for name, value in fast.theta.items())


@pytest.mark.parametrize("make", [networks, machines])
def test_it_resumes_bit_for_bit(make, rng, tmp_path):
    machine, data, task = make(rng)
    whole = learn(machine, data, optimizer=Compiled(), **task | dict(epochs=5))
    half = learn(machine, data, optimizer=Compiled(), **task | dict(epochs=2))
    for kept in (half, load(save(tmp_path / "half", half), machine), half):
        same(whole, learn(machine, data, optimizer=Compiled(), **task | dict(epochs=3), resume=kept))
    same(whole, learn(machine, data, optimizer=Pulsed(), **task | dict(epochs=3), resume=half))


def test_other_engines_take_its_step(rng):
    energy, data, task = networks(rng)
    fast = learn(energy, data, optimizer=Compiled(), **task)
    for method in ("moments", "relax"):
        other = learn(energy, data, optimizer=Compiled(), method=method, **task)
        np.testing.assert_allclose(other.theta["conductance"], fast.theta["conductance"], rtol=1e-6)
    machine, data, task = machines(rng, trainable=["W"])
    some = learn(machine, data, optimizer=Compiled(), **task)
    assert np.array_equal(some.theta["a"], machine.theta["a"]) and np.any(some.theta["W"] != machine.theta["W"])
    single = learn(machine, data, optimizer=Compiled(), **task | dict(rule=ContrastiveDivergence(precision="single")))
    assert single.method == "compiled" and np.all(np.isfinite(single.theta["W"]))


def descent(theta, gradient, kept, numbers, lr, count, rng):
    for i in range(theta.size):
        theta[i] -= lr * gradient[i]


def drawing(theta, gradient, kept, numbers, lr, count, rng):
    for i in range(theta.size):
        theta[i] -= lr * gradient[i] + 0.0 * rng.random()


def beyond(theta, gradient, kept, numbers, lr, count, rng):
    for i in range(theta.size):
        theta[i] -= lr * gradient[i + 1]


def lost(theta, gradient, kept, numbers, lr, count, rng):
    for i in range(theta.size):
        theta[i] = np.nan if count == 4 else theta[i] - lr * gradient[i]


def python_only(theta, gradient, kept, numbers, lr, count, rng):
    theta -= {"lr": lr}["lr"] * gradient[object()]


@dataclass(frozen=True)
class Plain:
    """Descent, with any compiled form beside it."""

    function: object
    numbers: object = ()
    lr: float = 0.1
    factor: float = 1.0

    def start(self, theta):
        return {"mean": 0.0}

    def step(self, theta, gradient, memory, lr):
        memory["mean"] += self.factor - 1
        return {name: theta[name] - self.factor * lr * g for name, g in gradient.items()}

    def compiled(self):
        return self.function, self.numbers


@pytest.mark.parametrize("make", [networks, machines])
def test_it_is_the_library_s_descent(make, rng):
    machine, data, task = make(rng)
    own, known = (learn(machine, data, optimizer=o, **task) for o in (Plain(descent), SGD(0.1)))
    for name, value in known.theta.items():
        np.testing.assert_allclose(own.theta[name], value, rtol=1e-12, atol=1e-15)
    with pytest.raises(ConvergenceError, match="not finite|lost its minimum"):
        learn(machine, data, optimizer=Plain(lost), **task)


@pytest.mark.parametrize("make", [networks, machines])
@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        (Plain(descent, factor=2.0), r"leave different memory\['mean'\]"),
        (Plain(drawing), "draws from rng, and its memory keeps none"),
        (Plain(beyond), r"optimizer: compiled: gradient\[\d+\] is outside the array"),
        (Plain(python_only), "optimizer, its compiled form: Numba cannot compile python_only"),
        (Plain(descent, ["x"]), "the numbers of its `compiled`"),
        (Plain(None), "its `compiled` gave"),
        (Compiled(momentum=0.7), None),
        (replace(Compiled(), unit=0.02), None),
    ],
)
def test_what_differs_is_refused(make, optimizer, said, rng):
    machine, data, task = make(rng)
    if said is None:
        learn(machine, data, optimizer=optimizer, **task)
        return
    with pytest.raises((TypeError, ValueError, IndexError), match=said):
        learn(machine, data, optimizer=optimizer, **task)


class Apart(Compiled):
    def compiled(self):
        return pulses, [self.momentum + 1e-6, self.unit]


class Nameless(Compiled):
    def start(self, theta, rng):
        return {"noise": rng}


class Narrow(Compiled):
    def start(self, theta, rng):
        return {"rng": rng, "speed": {name: np.zeros(1) for name in theta}}


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        (Apart(), r"leave different memory\['speed'\]|move theta\['conductance'\] differently"),
        (Nameless(), r"draws from memory\['rng'\]"),
        (Narrow(), r"keeps memory\['speed'\].*'conductance' has none"),
    ],
)
def test_memories_that_differ_are_refused(optimizer, said, rng):
    energy, data, task = networks(rng)
    with pytest.raises(ValueError, match=said):
        learn(energy, data, optimizer=optimizer, **task)


def test_a_step_that_moves_otherwise_is_refused(rng):
    class Twice(Plain):
        def step(self, theta, gradient, memory, lr):
            return {name: theta[name] - 2 * lr * g for name, g in gradient.items()}

    energy, data, task = networks(rng)
    with pytest.raises(ValueError, match=r"move theta\['conductance'\] differently, by up to"):
        learn(energy, data, optimizer=Twice(descent), **task)
    assert not updates.has_form(Adam())
