"""A system's own exact gradient (reverse mode) stands in for the adjoint state; what does not fit is refused."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    CoupledLearning,
    CrossEntropy,
    Energy,
    ExactGradient,
    Readout,
    Real,
    SquaredError,
    check_energy,
    check_gradient,
    learn,
)
from physlearn.learning.engines.adjoint import contrast_by_adjoint, exact_contrast


class Predicted:
    """E = |h - tanh(u A)|^2/2 + |o - h B|^2/2: two maps one after the other, at rest without any error."""

    layers = ("u", "u", "h", "h", "o")

    def errors(self, x, theta):
        return x["h"] - np.tanh(x["u"] @ theta["A"]), x["o"] - x["h"] @ theta["B"]

    def energy(self, x, theta):
        return sum(0.5 * np.sum(e * e, 1) for e in self.errors(x, theta))

    def field(self, x, theta, layer):
        e, f = self.errors(x, theta)
        bend = 1 - np.tanh(x["u"] @ theta["A"]) ** 2
        return {"u": (e * bend) @ theta["A"].T, "h": f @ theta["B"].T - e, "o": -f}[layer]

    def gradient(self, x, theta, weight):
        e, f = self.errors(x, theta)
        bend = 1 - np.tanh(x["u"] @ theta["A"]) ** 2
        return {"A": -x["u"].T @ (weight[:, None] * e * bend), "B": -x["h"].T @ (weight[:, None] * f)}


class Backward(Energy):
    """The same energy, which sweeps backwards through its maps."""

    def exact_gradient(self, cost, inputs, target):
        u, a, b = inputs["u"], self.theta["A"], self.theta["B"]
        h = np.tanh(u @ a)
        slope = cost.gradient(h @ b, target) / len(u)
        return cost.value(h @ b, target), {"A": u.T @ (slope @ b.T * (1 - h * h)), "B": h.T @ slope}


def machine(make, rng):
    theta = {"A": rng.standard_normal((3, 4)), "B": rng.standard_normal((4, 2))}
    layers = {"u": (Real(), 3), "h": (Real(), 4), "o": (Real(), 2)}
    return make(layers, [Predicted()], theta, {"out": Readout("o")})


def samples(rng, n=6):
    return {"u": rng.standard_normal((n, 3))}, rng.standard_normal((n, 2))


def test_reverse_mode_is_the_adjoint_gradient(rng, tol):
    system = machine(Backward, rng)
    check_energy(system)
    u, target = samples(rng)
    task = u, target, ExactGradient(), SquaredError("out"), {"tol": 1e-12}
    swept, solved = exact_contrast(system, *task), contrast_by_adjoint(system, *task)
    for name, value in solved.gradient.items():
        np.testing.assert_allclose(swept.gradient[name], value, rtol=tol.GRADIENT, atol=tol.GRADIENT)
    np.testing.assert_allclose(swept.cost, solved.cost, rtol=1e-9)


def test_learn_follows_reverse_mode_and_never_relaxes(rng):
    plain = machine(Energy, np.random.default_rng(1))
    swept = machine(Backward, np.random.default_rng(1))
    u, target = samples(rng)
    task = dict(rule=ExactGradient(), cost=CrossEntropy("out"), optimizer=SGD(0.1), epochs=4, batch=3, rng=2)
    data = u | {"out": np.eye(2)[(target[:, 0] > 0).astype(int)]}
    slow, fast = (learn(system, data, **task) for system in (plain, swept))
    np.testing.assert_allclose(fast.theta["A"], slow.theta["A"], rtol=1e-6)
    np.testing.assert_allclose(fast.cost, slow.cost, rtol=1e-6)
    swept.__dict__["field"] = None  # a relaxation would ask for it
    assert learn(swept, data, **task).cost.tobytes() == fast.cost.tobytes()


def test_check_gradient_measures_against_reverse_mode(rng):
    u, target = samples(rng)
    data, rule = u | {"out": target}, CoupledLearning(0.1)
    check = check_gradient(machine(Backward, rng), data, rule, [1e-3], cost=SquaredError("out"))
    assert 0.5 < check.cosine_to_cost[0] <= 1 + 1e-12


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda loss, g: (loss.mean(), g), "loss of shape"),
        (lambda loss, g: (loss, g | {"C": g["A"]}), "no 'C'"),
        (lambda loss, g: (loss, {"A": g["A"].T}), r"theta\['A'\] a gradient of shape \(4, 3\)"),
        (lambda loss, g: (loss, g["A"]), "expected {name in theta"),
    ],
)
def test_what_is_no_gradient_is_refused_by_name(wrong, said, rng):
    class Wrong(Backward):
        def exact_gradient(self, cost, inputs, target):
            return wrong(*super().exact_gradient(cost, inputs, target))

    u, target = samples(rng)
    task = dict(rule=ExactGradient(), cost=SquaredError("out"), optimizer=SGD(0.1), rng=0)
    with pytest.raises((TypeError, ValueError), match="exact_gradient of Wrong.*" + said):
        learn(machine(Wrong, rng), u | {"out": target}, **task)
