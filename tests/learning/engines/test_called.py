"""Optimisers of one's own in the compiled engines: the same trajectory, their noise resumed, their errors raised."""

from dataclasses import dataclass

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    ContrastiveDivergence,
    ConvergenceError,
    CoupledLearning,
    PersistentContrastiveDivergence,
    SquaredError,
    learn,
    load,
    save,
)
from physlearn.models import RBM
from tests.learning.machines import lattice

BOUNDS = {"conductance": (1e-3, 10.0)}


@dataclass(frozen=True)
class Descent:
    """Momentum and bounds, as `SGD` has them."""

    lr: float = 0.3
    momentum: float = 0.9
    low: float = 1e-3

    def start(self, theta):
        return {"speed": {name: np.zeros_like(value) for name, value in theta.items()}}

    def step(self, theta, gradient, memory, lr):
        for name, g in gradient.items():
            memory["speed"][name] = self.momentum * memory["speed"][name] + g
        return {name: np.clip(theta[name] - lr * memory["speed"][name], self.low, 10.0) for name in gradient}


@dataclass(frozen=True)
class Noisy:
    """Descent with noisy updates; the generator is the training's."""

    lr: float = 0.1
    noise: float = 0.01

    def start(self, theta, rng):
        return {"rng": rng, "last": np.zeros(2), "mean": 0.0, "label": "noisy"}

    def step(self, theta, gradient, memory, lr):
        memory["mean"] = 0.9 * memory["mean"] + 0.1 * float(np.mean(list(gradient.values())[0]))
        memory["last"][:] = memory["rng"].random(2)
        draw = memory["rng"].standard_normal
        return {name: theta[name] - lr * g + self.noise * draw(g.shape) for name, g in gradient.items()}


def networks(rng, **more):
    x = rng.uniform(0, 1, (12, 2))
    data = {"in": x, "out": x @ np.array([[0.15, 0.25], [0.20, 0.10]])}
    return (
        lattice(rng),
        data,
        dict(rule=CoupledLearning(0.1), cost=SquaredError("out"), epochs=4, batch=5, rng=5) | more,
    )


def machines(rng, rule=None, **more):
    data = {"v": (rng.random((20, 6)) < 0.4).astype(float)}
    return RBM(6, 4, rng=0), data, dict(rule=rule or ContrastiveDivergence(), epochs=4, batch=5, rng=5) | more


@pytest.mark.parametrize("method", ["compiled", "moments", "relax"])
def test_own_descent_is_the_library_s(method, rng):
    energy, data, task = networks(rng, method=method)
    known = learn(energy, data, optimizer=SGD(0.3, 0.9, bounds=BOUNDS), **task)
    own = learn(energy, data, optimizer=Descent(), **task)
    assert own.method == method
    np.testing.assert_allclose(own.theta["conductance"], known.theta["conductance"], rtol=1e-12)
    np.testing.assert_allclose(own.cost, known.cost, rtol=1e-12)
    assert own.memory["steps"] == known.memory["steps"] == 12


@pytest.mark.parametrize("rule", [ContrastiveDivergence(), PersistentContrastiveDivergence(chains=7)])
def test_own_descent_is_the_library_s_for_drawn_phases(rule, rng):
    machine, data, task = machines(rng, rule)
    known = learn(machine, data, optimizer=SGD(0.3, 0.9), **task)
    own = learn(machine, data, optimizer=Descent(low=-10.0), **task)
    assert own.method == known.method == "compiled"
    for name, value in known.theta.items():
        np.testing.assert_allclose(own.theta[name], value, rtol=1e-9, atol=1e-12)
    some = learn(machine, data, optimizer=Descent(low=-10.0), trainable=["W"], **task)
    assert np.array_equal(some.theta["a"], machine.theta["a"]) and np.any(some.theta["W"] != machine.theta["W"])


def test_single_precision(rng):
    machine, data, task = machines(rng, ContrastiveDivergence(precision="single"))
    known = learn(machine, data, optimizer=SGD(0.3, 0.9), **task)
    own = learn(machine, data, optimizer=Descent(low=-10.0), **task)
    np.testing.assert_allclose(own.theta["W"], known.theta["W"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [networks, machines])
@pytest.mark.parametrize("method", ["compiled", None])
def test_noise_resumes_bit_for_bit(make, method, rng, tmp_path):
    machine, data, task = make(rng)
    task["method"] = method or {networks: "moments", machines: "sample"}[make]
    whole = learn(machine, data, optimizer=Noisy(), **task | dict(epochs=5))
    half = learn(machine, data, optimizer=Noisy(), **task | dict(epochs=2))
    again = [
        learn(machine, data, optimizer=Noisy(), **task | dict(epochs=3), resume=kept)
        for kept in (half, load(save(tmp_path / "half", half), machine), half)
    ]
    for done in again:
        for name, value in whole.theta.items():
            assert done.theta[name].tobytes() == value.tobytes()
        assert done.memory["last"].tobytes() == whole.memory["last"].tobytes()
        assert done.memory["mean"] == whole.memory["mean"] and done.memory["label"] == "noisy"
        assert done.memory["rng"].bit_generator.state == whole.memory["rng"].bit_generator.state
    other = learn(machine, data, optimizer=Noisy(), **task | dict(epochs=5, rng=6))
    assert other.memory["last"].tobytes() != whole.memory["last"].tobytes()


def test_a_callback_keeps_records_that_do_not_change(rng):
    energy, data, task = networks(rng)
    kept = []
    whole = learn(energy, data, optimizer=Noisy(), callback=lambda record: kept.append(record) and None, **task)
    again = learn(energy, data, optimizer=Noisy(), **task | dict(epochs=3), resume=kept[0])
    assert again.theta["conductance"].tobytes() == whole.theta["conductance"].tobytes()


def test_theta_and_gradient_are_the_optimizers_own(rng):
    energy, data, task = networks(rng)
    seen = []

    class Watching(Descent):
        def step(self, theta, gradient, memory, lr):
            seen.append((theta["conductance"], gradient["conductance"], gradient["conductance"].copy()))
            with pytest.raises(ValueError):
                theta["conductance"][0] = 1.0
            return super().step(theta, gradient, memory, lr)

    learn(energy, data, optimizer=Watching(), **task)
    for _, gradient, copy in seen:  # what an optimiser keeps, the kernel does not write over
        np.testing.assert_array_equal(gradient, copy)
    assert all(np.any(one[0] != other[0]) for one, other in zip(seen, seen[1:], strict=False))


class Failing(Descent):
    def step(self, theta, gradient, memory, lr):
        if memory["steps"] == 4:
            raise RuntimeError("the bench is on fire")
        return super().step(theta, gradient, memory, lr)


class Lost(Descent):
    def step(self, theta, gradient, memory, lr):
        new = super().step(theta, gradient, memory, lr)
        return {name: value * (np.nan if memory["steps"] == 4 else 1.0) for name, value in new.items()}


def gives(what):
    class Wrong(Descent):
        def step(self, theta, gradient, memory, lr):
            return what

    return Wrong(low=-10.0)


@pytest.mark.parametrize("make", [networks, machines])
@pytest.mark.parametrize("method", ["compiled", None])
def test_trouble_is_raised(make, method, rng):
    machine, data, task = make(rng)
    task["method"] = method or {networks: "moments", machines: "sample"}[make]
    with pytest.raises(RuntimeError, match="the bench is on fire"):
        learn(machine, data, optimizer=Failing(low=-10.0), **task)
    with pytest.raises(ConvergenceError, match="not finite|lost its minimum"):
        learn(machine, data, optimizer=Lost(low=-10.0), **task)
    for what, said in (
        (None, "gave a NoneType"),
        ({"x": np.ones(2)}, "gave 'x'"),
        ({"W": 1.0, "conductance": 1.0}, "gave"),
    ):
        with pytest.raises((TypeError, ValueError), match="optimizer: its step " + said):
            learn(machine, data, optimizer=gives(what), **task)


def test_what_cannot_be_saved_is_refused(rng):
    energy, data, task = networks(rng)

    class Keeping(Descent):
        def start(self, theta):
            return {"history": []}

    with pytest.raises(TypeError, match=r"memory\['history'\]: list, expected a number"):
        learn(energy, data, optimizer=Keeping(), **task)
    with pytest.raises(ValueError, match="resume: its optimiser and rule kept .*'speed'.* Adam"):
        half = learn(energy, data, optimizer=Descent(), **task)
        learn(energy, data, optimizer=Adam(), **task, resume=half)
