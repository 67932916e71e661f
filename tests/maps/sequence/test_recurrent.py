"""Recurrent layers: audits, the unrolled graph, other people's numbers, padding, gradients over time."""

import numpy as np
import pytest

from physlearn import PredictiveCoding, SquaredError, check_map
from physlearn.maps import GRU, LSTM, RNN, Affine, Bidirectional, Chain, Last, MinGRU, Step, Sum, Tanh, unroll
from physlearn.models import PredictionGraph

STEPS, FEATURES, UNITS = 6, 3, 4
LAYERS = [
    RNN(UNITS),
    RNN(UNITS, activation="identity"),
    LSTM(UNITS),
    GRU(UNITS),
    GRU(UNITS, reset="before"),
    MinGRU(UNITS),
]
NAMES = [f"{type(layer).__name__} {k}" for k, layer in enumerate(LAYERS)]


def like(layer, **settings):
    """The same layer with other settings."""
    extra = {key: getattr(layer, key) for key in ("activation", "reset") if hasattr(layer, key)}
    return type(layer)(layer.units, layer.name, **extra, **settings)


def masks(rng, items=3):
    """Sequences of several lengths, padded at the end."""
    return (np.arange(STEPS) < rng.integers(1, STEPS + 1, (items, 1))).astype(float)


@pytest.mark.parametrize("layer", LAYERS, ids=NAMES)
def test_passes_its_audit(layer, rng):
    check_map(layer, [(STEPS, FEATURES)])
    check_map(like(layer, reverse=True), [(STEPS, FEATURES)], batch=2)
    whole = like(layer, masked=True, started=True)
    shapes = [(STEPS, FEATURES), (STEPS,), (whole.size,)]
    x = [rng.normal(size=(3, STEPS, FEATURES)), masks(rng), rng.normal(size=(3, whole.size))]
    check_map(whole, shapes, x=x)
    check_map(Step(like(layer, masked=True), 2), shapes, x=x)


def test_relu_passes_its_audit(rng):
    theta = {"rnn.W": rng.normal(size=(FEATURES, UNITS)), "rnn.U": 0.1 * rng.normal(size=(UNITS, UNITS))}
    check_map(RNN(UNITS, activation="relu"), [(STEPS, FEATURES)], theta | {"rnn.b": rng.normal(size=UNITS)})


def test_both_directions_pass_their_audit(rng):
    check_map(Bidirectional(GRU(3, "f"), LSTM(2, "b", reverse=True)), [(STEPS, FEATURES)])
    both = Bidirectional(GRU(3, "f", masked=True), GRU(2, "b", masked=True, reverse=True))
    check_map(both, [(STEPS, FEATURES), STEPS], x=[rng.normal(size=(3, STEPS, FEATURES)), masks(rng)])


def graph(layer, whole, *, masked=False, started=False):
    """A layer and a readout of its last state, in one node or unrolled."""
    inputs = {"x": (STEPS, FEATURES)} | ({"m": STEPS} if masked else {}) | ({"s": layer.size} if started else {})
    layer = like(layer, masked=masked, started=started)
    if whole:
        nodes = {"h": (tuple(inputs), Chain(layer, Last())), "y": ("h", Affine(2, "V", "c"))}
        return PredictionGraph(inputs, nodes, rng=0)
    nodes = unroll(layer, STEPS, inputs=tuple(inputs))
    nodes["y"] = (f"h{STEPS}", Chain(Part(layer.units), Affine(2, "V", "c")))
    return PredictionGraph(inputs, nodes, rng=0)


class Part:
    """The first numbers of a vector."""

    parameters = ()

    def __init__(self, n):
        self.n = n

    def shape(self, shapes):
        return (self.n,)

    def forward(self, parents, theta):
        return parents[0][:, : self.n], parents[0].shape

    def pullback(self, tape, cotangent, theta):
        found = np.zeros(tape, cotangent.dtype)
        found[:, : self.n] = cotangent
        return (found,), {}


@pytest.mark.parametrize("more", [{}, {"masked": True}, {"masked": True, "started": True}], ids=["", "mask", "state"])
@pytest.mark.parametrize("layer", LAYERS, ids=NAMES)
def test_one_sweep_equals_the_unrolled_graph(layer, more, rng, tol):
    loop, cut = graph(layer, True, **more), graph(layer, False, **more)
    cut = cut.with_theta(loop.theta)
    inputs = {"x": rng.normal(size=(5, STEPS * FEATURES))}
    inputs |= {"m": masks(rng, 5)} if more else {}
    inputs |= {"s": rng.normal(size=(5, layer.size))} if len(more) > 1 else {}
    target = rng.normal(size=(5, 2))
    (one, first), (two, second) = (net.exact_gradient(SquaredError("y"), inputs, target) for net in (loop, cut))
    np.testing.assert_allclose(one, two, rtol=tol.IDENTITY)
    assert set(first) == set(second) == set(loop.theta)
    for name, value in first.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(value, second[name], rtol=tol.IDENTITY, atol=tol.IDENTITY * scale)


def test_the_simple_network_of_sums_and_products(rng, tol):
    """Unrolled from affine maps that share their weights: no code of recurrent layers in it."""
    nodes, before = {}, None
    for t in range(STEPS):
        nodes[f"a{t}"] = (f"x{t}", Affine(UNITS, "rnn.W", "rnn.b"))
        parents = (f"a{t}",)
        if before:
            nodes[f"u{t}"] = (before, Affine(UNITS, "rnn.U", None))
            parents = (f"a{t}", f"u{t}")
        nodes[f"h{t}"] = (parents, Chain(Sum(), Tanh()))
        before = f"h{t}"
    nodes["y"] = (before, Affine(2, "V", "c"))
    plain = PredictionGraph({f"x{t}": FEATURES for t in range(STEPS)}, nodes, rng=0)
    loop = graph(RNN(UNITS), True).with_theta(plain.theta)
    x, target = rng.normal(size=(5, STEPS, FEATURES)), rng.normal(size=(5, 2))
    _, first = plain.exact_gradient(SquaredError("y"), {f"x{t}": x[:, t] for t in range(STEPS)}, target)
    _, second = loop.exact_gradient(SquaredError("y"), {"x": x.reshape(5, -1)}, target)
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=tol.IDENTITY, atol=1e-12 * np.abs(value).max())


def test_the_reset_gate_stands_where_its_papers_have_it(rng, tol):
    x, before, after = rng.normal(size=(2, 1, 3)), GRU(2, reset="before", started=True), GRU(2, started=True)
    s = rng.normal(size=(2, 2))
    theta = {name: rng.normal(size=np.shape(v)) for name, v in after.start([(1, 3), (2,)], rng).items()}
    sigma = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    a, u = x[:, 0] @ theta["gru.W"] + theta["gru.b"], theta["gru.U"]
    r, z = sigma(a[:, :2] + s @ u[:, :2]), sigma(a[:, 2:4] + s @ u[:, 2:4])
    for layer, inner in ((before, (r * s) @ u[:, 4:]), (after, r * (s @ u[:, 4:] + theta["gru.c"]))):
        wanted = z * s + (1 - z) * np.tanh(a[:, 4:] + inner)
        np.testing.assert_allclose(layer.forward((x, s), theta)[0][:, 0], wanted, rtol=tol.IDENTITY)


def wave(shape, phase):
    """Numbers that any program can make."""
    return np.sin(1.7 * np.arange(np.prod(shape)) + phase).reshape(shape)


# torch 2.13, batch_first, double: last outputs; gradients of the sum of squares of all outputs by the first row of
# weight_hh_l0, the last of weight_ih_l0, and bias_hh_l0
TORCH = {
    "GRU": (
        [[-0.14668477974224825, -0.2675749130991605], [-0.5765998993752712, 0.15153697358149798]],
        [-0.0018811114080944432, 0.03283466930062801],
        [0.6375056839465324, -0.23757402623941945, -0.5762854734093916],
        [
            0.3537944600644861, 0.035147188565918606, -1.3105177273224993, -0.6084821649331987, -1.0458352828221171,
            0.058003484318735254,
        ],
    ),
    "LSTM": (
        [[-0.33856517129588554, -0.1714567330064815], [-0.5202749573506237, -0.3899396103720745]],
        [-0.23238115001615386, -0.003067011247716335],
        [-0.15073008964188161, -0.015792551578006683, 0.15479965628529016],
        [
            1.1037743153573576, 0.4991118161451204, 0.3264605592268883, -0.005722559851572662, -0.9049074187551875,
            -0.5317591898135564, 0.4369491035441422, 0.2180077630153614,
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("layer", [GRU(2), LSTM(2)], ids=["GRU", "LSTM"])
def test_weights_of_torch_reproduce_torch(layer):
    name, g = layer.name, layer.gates
    into, own, b, c = wave((2 * g, 3), 1.0), wave((2 * g, 2), 2.0), wave(2 * g, 3.0), wave(2 * g, 4.0)
    theta = {f"{name}.W": into.T, f"{name}.U": own.T, f"{name}.b": b + c}
    if g == 3:
        theta |= {"gru.b": b + np.concatenate([c[:4], np.zeros(2)]), "gru.c": c[4:]}
    value, tape = layer.forward((wave((2, 4, 3), 0.3),), theta)
    slope = layer.slope(tape, 2 * value, theta)
    found = np.concatenate([slope[f"{name}.b"][:4], slope["gru.c"]]) if g == 3 else slope[f"{name}.b"]
    both = zip(
        (value[:, -1], slope[f"{name}.U"][:, 0], slope[f"{name}.W"][:, -1], found),
        TORCH[type(layer).__name__],
        strict=True,
    )
    for ours, theirs in both:
        np.testing.assert_allclose(ours, theirs, rtol=1e-11)


@pytest.mark.parametrize("layer", LAYERS, ids=NAMES)
def test_padding_changes_nothing(layer, rng, tol):
    layer = like(layer, masked=True)
    theta = layer.start([(STEPS, FEATURES), (STEPS,)], rng)
    x, mask = rng.normal(size=(4, STEPS, FEATURES)), masks(rng, 4)
    value, tape = layer.forward((x, mask), theta)
    (by_x, by_mask), _ = layer.pullback(tape, rng.normal(size=value.shape), theta)
    assert not by_mask.any() and not by_x[mask == 0].any()
    for k in range(4):
        n = int(mask[k].sum())
        alone, _ = like(layer).forward((x[k : k + 1, :n],), theta)
        np.testing.assert_allclose(value[k, -1], alone[0, -1], rtol=tol.IDENTITY)
        np.testing.assert_allclose(value[k, :n], alone[0], rtol=tol.IDENTITY)


def test_a_linear_recurrence_is_a_scan(rng, tol):
    """Steps compose associatively: log2(steps) passes of pairs give what the loop gives, from any first state."""
    layer = MinGRU(3, started=True)
    theta = {name: v + 0.1 for name, v in layer.start([(16, 2), (3,)], rng).items()}
    x, first = rng.normal(size=(2, 16, 2)), rng.normal(size=(2, 3))
    a = x @ theta["mingru.W"] + theta["mingru.b"]
    z, c = 1 / (1 + np.exp(-a[..., :3])), a[..., 3:]
    slope, offset, k = 1 - z, z * c, 1
    while k < 16:
        offset = np.concatenate([offset[:, :k], slope[:, k:] * offset[:, :-k] + offset[:, k:]], 1)
        slope = np.concatenate([slope[:, :k], slope[:, k:] * slope[:, :-k]], 1)
        k *= 2
    scanned = slope * first[:, None] + offset
    np.testing.assert_allclose(layer.forward((x, first), theta)[0], scanned, rtol=tol.IDENTITY, atol=1e-15)


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.25])
def test_gradients_vanish_or_explode_by_the_singular_values(gain, rng):
    """Of a linear network with U = gain times an orthogonal matrix, by gain a step, exactly."""
    layer, x = RNN(UNITS, activation="identity"), rng.normal(size=(2, 30, FEATURES))
    theta = dict(layer.start([(30, FEATURES)], rng))
    theta["rnn.U"] = gain * theta["rnn.U"]
    value, tape = layer.forward((x,), theta)
    pull = np.zeros_like(value)
    pull[:, -1] = 1.0
    norms = np.linalg.norm(layer.adjoints(tape, pull, theta), axis=2)
    np.testing.assert_allclose(norms, 2.0 * gain ** np.arange(29, -1, -1) * np.ones((2, 1)), rtol=1e-11)


@pytest.mark.parametrize("layer", [RNN(UNITS), GRU(UNITS), LSTM(UNITS)], ids=["RNN", "GRU", "LSTM"])
def test_cut_into_steps_predictive_coding_follows_the_gradient(layer, rng):
    net = graph(layer, False)
    inputs, target = {"x": rng.normal(size=(4, STEPS * FEATURES))}, rng.normal(size=(4, 2))
    _, exact = net.exact_gradient(SquaredError("y"), inputs, target)
    _, held = PredictiveCoding(fixed=True).swept(net, inputs, target, SquaredError("y"), {})
    errors = []
    for precision in (1e-2, 1e-3):
        _, found = PredictiveCoding(precision).swept(net, inputs, target, SquaredError("y"), {"tol": 1e-12})
        errors.append(max(np.abs(found[n] - exact[n]).max() / np.abs(exact[n]).max() for n in exact))
    for name, value in exact.items():
        np.testing.assert_array_equal(held[name], value)
    assert errors[0] < 0.1 and 8 < errors[0] / errors[1] < 12


def test_single_precision_stays(rng):
    for layer in LAYERS:
        theta = {name: v.astype(np.float32) for name, v in layer.start([(STEPS, FEATURES)], rng).items()}
        x = rng.normal(size=(2, STEPS, FEATURES)).astype(np.float32)
        value, tape = layer.forward((x,), theta)
        backs, slopes = layer.pullback(tape, value, theta)
        assert {v.dtype for v in (value, *backs, *slopes.values())} == {np.dtype(np.float32)}


def test_large_inputs_do_not_overflow(rng):
    for layer in LAYERS[2:]:
        theta = layer.start([(STEPS, FEATURES)], rng)
        assert np.isfinite(layer.forward((np.full((1, STEPS, FEATURES), 1e6),), theta)[0]).all()


def test_bad_input_is_refused_by_name(rng):
    theta = GRU(UNITS).start([(STEPS, FEATURES)], rng)
    x, hidden = rng.normal(size=(2, STEPS, FEATURES)), np.ones((2, STEPS))
    hidden[1] = 0.0
    with pytest.raises(ValueError, match="mask: item 1 hides all of its 6 entries"):
        GRU(UNITS, masked=True).forward((x, hidden), theta)
    with pytest.raises(ValueError, match=r"GRU: got a parent of shape \(6,\), expected a sequence"):
        PredictionGraph({"x": 6}, {"h": ("x", GRU(2))})
    with pytest.raises(ValueError, match="expected whole numbers of at least 1"):
        PredictionGraph({"x": (0, 2)}, {"h": ("x", GRU(2))})
    with pytest.raises(ValueError, match="got 1 parents, expected 2: a sequence, a mask"):
        GRU(2, masked=True).shape([(3, 2)])
    with pytest.raises(ValueError, match=r"a mask of shape \(4,\), expected \(3,\)"):
        GRU(2, masked=True).shape([(3, 2), (4,)])
    with pytest.raises(ValueError, match="a first state of shape"):
        LSTM(2, started=True).shape([(3, 2), (2,)])
    with pytest.raises(ValueError, match="reset: got 'torch'"):
        GRU(2, reset="torch")
    with pytest.raises(ValueError, match="expected one with reverse=True"):
        Bidirectional(GRU(2), GRU(2))
    with pytest.raises(ValueError, match=r"t is 3, expected one of 0 .. 2"):
        Step(GRU(2), 3).shape([(3, 2)])
    with pytest.raises(TypeError, match="layer: got .*expected a recurrent layer"):
        unroll(Tanh(), 3)
