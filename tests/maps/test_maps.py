"""Every map passes its audit, and the audit catches maps that are wrong."""

import numpy as np
import pytest

from physlearn import SquaredError, check_energy, check_map
from physlearn.maps import (
    Affine,
    AveragePool,
    BatchNorm,
    Chain,
    Concatenate,
    Constant,
    Conv,
    Dropout,
    HardSigmoid,
    Identity,
    LayerNorm,
    Logistic,
    Map,
    MaxPool,
    Relu,
    Reshape,
    Softmax,
    Softplus,
    Sum,
    Tanh,
)
from physlearn.models import PredictionGraph

MAPS = [
    (Affine(4), [3]),
    (Affine((2, 3), "W", None, scale=2.0), [(2, 2)]),
    (Affine(4, "W", "b", transposed=True), [5]),
    (Constant(3), []),
    (Constant((2, 2), "mean"), []),
    (Identity(), [(2, 3)]),
    (Tanh(), [5]),
    (Logistic(), [5]),
    (Softplus(), [5]),
    (Softmax(), [(2, 4)]),
    (Relu(), [5]),
    (Reshape((3, 2)), [6]),
    (Sum(), [4, 4, 4]),
    (Concatenate(), [2, (2, 2)]),
    (Chain(Affine(5, "W1", "b1"), Tanh(), Affine(3, "W2", "b2")), [4]),
    (Chain(Affine(4, "W", "b"), Tanh(), Affine(4, "W", "c"), Softmax()), [4]),
    (Chain(Concatenate(), Affine(2), Softplus()), [3, 2]),
    (Conv(3, 2), [(4, 5, 2)]),
    (Conv(2, 3, stride=2, padding=1), [(6, 5)]),
    (Conv(2, (3, 2), stride=(1, 2), padding=(2, 0), dilation=(2, 1), bias=None), [(5, 6, 3)]),
    (Conv(1, 1, stride=3), [(5, 5, 2)]),
    (AveragePool(2), [(5, 4, 2)]),
    (AveragePool(3, 1), [(5, 4)]),
    (MaxPool(2), [(4, 4, 2)]),
    (MaxPool((3, 2), (2, 1)), [(7, 4, 2)]),
    (Chain(Conv(4, 3, "K", "k"), Tanh(), AveragePool(2), Affine(3, "W", "b")), [(6, 6)]),
    (LayerNorm(), [5]),
    (LayerNorm(), [(2, 3, 4)]),
    (BatchNorm("n"), [4]),
    (BatchNorm("n"), [(3, 2, 4)]),
    (Dropout(0.4), [6]),
    (Chain(Affine(4, "W", "b"), BatchNorm("n"), Tanh(), Dropout(0.3)), [3]),
]


@pytest.mark.parametrize(("map", "shapes"), MAPS, ids=lambda value: repr(value)[:40])
def test_passes_its_audit(map, shapes):
    check_map(map, shapes)


def test_hard_sigmoid_inside_and_outside():
    x = np.concatenate([np.random.default_rng(0).uniform(0.1, 0.9, (3, 4)), [[-3.0, 2.0, -0.4, 5.0]]])
    check_map(HardSigmoid(), [4], x=[x])


@pytest.mark.parametrize(
    ("map", "far"), [(Tanh(), 1.0), (Logistic(), 1.0), (Softplus(), 800.0), (Relu(), 800.0), (HardSigmoid(), 1.0)]
)
def test_activations_of_large_numbers_are_finite(map, far):
    value, tape = map.forward((np.array([[-800.0, 800.0]]),), {})
    np.testing.assert_allclose(value[0, 1], far)
    (back,), _ = map.pullback(tape, np.ones((1, 2)), {})
    assert np.all(np.isfinite(back))


class Cubed(Map):
    """x^3 with the slope of x^2."""

    def forward(self, parents, theta):
        return parents[0] ** 3, parents[0]

    def back(self, tape, cotangent, theta):
        return (2 * tape * cotangent,)


class Shifted:
    """x + m, m the batch's mean: items see each other."""

    def forward(self, parents, theta):
        return parents[0] + parents[0].mean(0), None

    def pullback(self, tape, cotangent, theta):
        return (cotangent + cotangent.mean(0),), {}


class Doubled:
    """2 x, with a determinant and an inverse that are wrong."""

    def forward(self, parents, theta):
        return 2 * parents[0], None

    def pullback(self, tape, cotangent, theta):
        return (2 * cotangent,), {}

    def logdet(self, parents, theta):
        return np.full(len(parents[0]), np.log(2.0))

    def inverse(self, value, theta):
        return (value / 3,)


class Scaled:
    """x exp(s), an invertible map of a user's own: the four methods only."""

    parameters = ("s",)

    def start(self, shapes, rng):
        return {"s": rng.standard_normal(shapes[0])}

    def forward(self, parents, theta):
        value = parents[0] * np.exp(theta["s"])
        return value, value

    def pullback(self, tape, cotangent, theta):
        return (cotangent * np.exp(theta["s"]),), {"s": (cotangent * tape).sum(0)}

    def logdet(self, parents, theta):
        return np.full(len(parents[0]), theta["s"].sum())

    def inverse(self, value, theta):
        return (value * np.exp(-theta["s"]),)


def test_a_custom_map_passes_and_chains():
    check_map(Scaled(), [3])
    forms = {check.form for check in check_map(Chain(Scaled(), Scaled()), [3]).checks}
    assert {"logdet", "inverse"} <= forms


@pytest.mark.parametrize(
    ("map", "form"), [(Cubed(), "parent 0"), (Shifted(), "batch"), (Doubled(), "logdet"), (Doubled(), "inverse")]
)
def test_wrong_maps_are_caught(map, form):
    with pytest.raises(ValueError, match=f"form '{form}'"):
        check_map(map, [3])


def test_missing_gradient_is_caught():
    class Silent(Affine):
        def slope(self, tape, cotangent, theta):
            return {self.weight: super().slope(tape, cotangent, theta)[self.weight]}

    with pytest.raises(ValueError, match="gradient of b"):
        check_map(Silent(2), [3])


def test_shapes_that_do_not_chain_name_both_maps():
    with pytest.raises(ValueError, match=r"(?s)Reshape.*6 entries.*, after Affine"):
        check_map(Chain(Affine(6), Reshape((2, 2))), [3])
    with pytest.raises(ValueError, match="got 2 parents, expected one"):
        check_map(Tanh(), [3, 3])
    with pytest.raises(TypeError, match="map: got the class Tanh"):
        check_map(Tanh, [3])


class OnePiece(Map):
    """A map of a user's own that derives from `Map` and gives its pullback in one piece."""

    parameters = ("a",)

    def shape(self, shapes):
        return shapes[0]

    def start(self, shapes, rng):
        return {"a": rng.uniform(0.5, 1.5, shapes[0])}

    def forward(self, parents, theta):
        return theta["a"] * parents[0], parents[0]

    def pullback(self, tape, cotangent, theta):
        return (theta["a"] * cotangent,), {"a": np.sum(tape * cotangent, 0)}


def test_a_map_with_its_pullback_in_one_piece():
    check_map(OnePiece(), [(3,)])
    net = PredictionGraph({"x": 3}, {"h": ("x", Chain(OnePiece(), Tanh())), "y": ("h", Affine(2))}, rng=0)
    check_energy(net)
    inputs, target = {"x": np.ones((4, 3))}, np.zeros((4, 2))
    _, found = net.exact_gradient(SquaredError("y"), inputs, target)
    step = 1e-6
    for k in range(3):
        moved = [net.theta["a"] + sign * step * np.eye(3)[k] for sign in (1, -1)]
        high, low = (0.5 * np.sum(net.with_theta({"a": a}).forward(inputs)["y"] ** 2, 1).mean() for a in moved)
        np.testing.assert_allclose(found["a"][k], (high - low) / (2 * step), rtol=1e-6)


def test_a_map_without_any_pullback_is_refused():
    class Forward(Map):
        def forward(self, parents, theta):
            return parents[0], None

    with pytest.raises(TypeError, match="Forward has neither `pullback` nor `back`"):
        Forward().back(None, np.ones((1, 1)), {})
