"""Attention and blocks of a transformer: audits, the same map of one item, symmetries, the energy's step."""

import numpy as np
import pytest

from physlearn import Energy, PredictiveCoding, Real, SquaredError, check_map
from physlearn.maps import Affine, Attention, Chain, Embedding, LayerNorm, Positions, Residual, Tanh, TransformerBlock
from physlearn.models import PredictionGraph, multi_head_attention, positional_encoding
from physlearn.terms.attention import TokenAttention

TOKENS, D = 5, 8
BLOCK = TransformerBlock(2, 6, activation=Tanh())  # no kinks


def mask_of(rng, keys=TOKENS, items=3):
    return (np.arange(keys) < rng.integers(1, keys + 1, (items, 1))).astype(float)


@pytest.mark.parametrize(
    "layer",
    [Attention(2), Attention(4, causal=True), Attention(3, units=6, outputs=2), BLOCK],
    ids=str,
)
def test_passes_its_audit(layer):
    check_map(layer, [(TOKENS, D)])


def test_with_memory_and_masks_passes_its_audit(rng):
    x, m = rng.normal(size=(3, TOKENS, D)), rng.normal(size=(3, 4, 6))
    check_map(Attention(2, across=True), [(TOKENS, D), (4, 6)])
    check_map(Attention(2, masked=True), [(TOKENS, D), TOKENS], x=[x, mask_of(rng)])
    check_map(Attention(2, masked=True, causal=True), [(TOKENS, D), TOKENS], x=[x, mask_of(rng)])
    check_map(Attention(2, masked=True, across=True), [(TOKENS, D), (4, 6), 4], x=[x, m, mask_of(rng, 4)])
    block = TransformerBlock(2, 6, causal=True, masked=True, across=True, activation=Tanh())
    check_map(block, [(TOKENS, D), (4, 6), TOKENS, 4], x=[x, m, mask_of(rng), mask_of(rng, 4)], coordinates=5)
    assert set(block.parameters) == set(block.start([(TOKENS, D), (4, 6), (TOKENS,), (4,)], rng))


def test_small_maps_pass_their_audit(rng):
    check_map(Embedding(4, 3), [TOKENS], x=[rng.integers(0, 4, (3, TOKENS)).astype(float)])
    check_map(Positions("p"), [(TOKENS, 3)])
    check_map(Positions(positional_encoding(TOKENS, 4)), [(TOKENS, 4)])
    check_map(Residual(Chain(LayerNorm(), Attention(2))), [(TOKENS, D)])


@pytest.mark.parametrize("causal", [False, True])
def test_equals_the_map_of_one_item(causal, rng, tol):
    layer = Attention(2, units=6, causal=causal)
    theta = layer.start([(TOKENS, D)], rng)
    x = rng.normal(size=(3, TOKENS, D))
    q, k, v = (theta[f"attention.{n}"].reshape(D, 2, 3).swapaxes(0, 1) for n in "QKV")
    o = theta["attention.O"].reshape(2, 3, D)
    one = np.stack([multi_head_attention(item, q, k, v, o, causal=causal) for item in x])
    np.testing.assert_allclose(layer.forward((x,), theta)[0], one, rtol=tol.IDENTITY, atol=1e-14)


def test_weights_of_torch_reproduce_torch():
    """torch 2.13, MultiheadAttention of 2 heads without biases, causal, one token of the first item padded."""

    def wave(shape, phase):
        return np.sin(1.7 * np.arange(np.prod(shape)) + phase).reshape(shape)

    into, out = wave((12, 4), 1.0), wave((4, 4), 2.0)
    theta = {f"attention.{n}": into[4 * k : 4 * k + 4].T for k, n in enumerate("QKV")} | {"attention.O": out.T}
    layer, mask = Attention(2, causal=True, masked=True), np.array([[1.0, 1, 0], [1, 1, 1]])
    value, tape = layer.forward((wave((2, 3, 4), 0.3), mask), theta)
    wanted = [
        [-0.464606458232824, 0.5205508696323822, 1.3697376975484488, 1.8611421637399554],
        [-0.05103434095351789, 0.5479370240733509, 1.00378448815176, 1.1974384056290988],
    ]
    np.testing.assert_allclose(value[:, 1], wanted, rtol=1e-11)
    slope = layer.slope(tape, 2 * value, theta)["attention.K"][:, 1]
    wanted = [1.704959758126363, -1.459191610824617, -1.3289421477724264, 1.801645368780112]
    np.testing.assert_allclose(slope, wanted, rtol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_tokens_permuted_are_values_permuted(seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(TOKENS)
    block, x = TransformerBlock(2, 6), rng.normal(size=(2, TOKENS, D))
    theta = block.start([(TOKENS, D)], rng)
    one, other = (block.forward((tokens,), theta)[0] for tokens in (x, x[:, order]))
    np.testing.assert_allclose(one[:, order], other, rtol=1e-12, atol=1e-13)


def test_positions_break_the_symmetry(rng):
    block, x = Chain(Positions(positional_encoding(TOKENS, D)), TransformerBlock(2, 6)), rng.normal(size=(1, TOKENS, D))
    theta = block.start([(TOKENS, D)], rng)
    one, other = (block.forward((tokens,), theta)[0] for tokens in (x, x[:, ::-1]))
    assert np.abs(one[:, ::-1] - other).max() > 1e-3


def test_causal_blocks_do_not_see_the_future(rng):
    """Bit for bit: what comes later changes nothing, forwards or backwards."""
    net = Chain(*(TransformerBlock(2, 6, f"b{k}", causal=True) for k in range(2)))
    theta = net.start([(TOKENS, D)], rng)
    x = rng.normal(size=(2, TOKENS, D))
    later = x.copy()
    later[:, 3:] = rng.normal(size=(2, 2, D))
    one, tape = net.forward((x,), theta)
    np.testing.assert_array_equal(one[:, :3], net.forward((later,), theta)[0][:, :3])
    pull = np.zeros_like(one)
    pull[:, 2] = 1.0
    (by_x,) = net.back(tape, pull, theta)
    assert not by_x[:, 3:].any() and by_x[:, :3].all()


def test_masked_tokens_are_not_asked(rng, tol):
    layer = Attention(2, masked=True)
    theta = layer.start([(TOKENS, D), (TOKENS,)], rng)
    x, mask = rng.normal(size=(3, TOKENS, D)), mask_of(rng)
    value = layer.forward((x, mask), theta)[0]
    weights = layer.weights((x, mask), theta)
    np.testing.assert_allclose(weights.sum(3), 1.0, rtol=tol.IDENTITY)
    assert not weights.swapaxes(1, 3)[mask == 0].any()
    for k in range(3):
        n = int(mask[k].sum())
        alone = Attention(2).forward((x[k : k + 1, :n],), theta)[0]
        np.testing.assert_allclose(value[k, :n], alone[0], rtol=tol.IDENTITY, atol=1e-14)


def energy_of(key, query, tokens):
    term, theta = TokenAttention("x", 1 / np.sqrt(key.shape[1])), {"key": key, "query": query}
    return Energy({"x": (Real(), tokens.shape)}, [term], theta)


def test_a_step_down_the_energy_is_attention_where_nobody_asks_back(rng, tol):
    """The energy of Hoover et al. pulls a token to those it asks, and to those that ask it.

    Its force on a token is attention with values = keys, projected back by the queries, plus the answers; these vanish
    if the others' queries do.  Then one step of unit length down the energy is x + attention(x).
    """
    heads, k, others = 2, 3, 4
    key, query = rng.normal(size=(heads, k, D)), rng.normal(size=(heads, k, D))
    blind = np.linalg.svd(query.reshape(-1, D))[2][heads * k :]  # directions that no query sees
    token, deaf = rng.normal(size=(1, D)), rng.normal(size=(others, len(blind))) @ blind
    layer = Attention(heads, units=heads * k, across=True)
    q, kk = (w.transpose(2, 0, 1).reshape(D, -1) for w in (query, key))
    theta = {"attention.Q": q, "attention.K": kk, "attention.V": kk, "attention.O": q.T.copy()}
    for asked, silent in ((deaf, True), (rng.normal(size=(others, D)), False)):
        tokens = np.concatenate([token, asked])
        energy = energy_of(key, query, tokens)
        step = energy.terms[0].field({"x": tokens[None]}, energy.theta, "x")[0, 0]
        attended = layer.forward((token[None], asked[None]), theta)[0][0, 0]
        if silent:
            np.testing.assert_allclose(step, attended, rtol=1e-10, atol=1e-12)
        else:
            assert np.abs(step - attended).max() > 0.1 * np.abs(step).max()


def test_blocks_as_nodes_learn_by_both_rules(rng):
    nodes = {
        "a": ("x", Residual(Chain(LayerNorm("g1", "s1"), Attention(2, causal=True)))),
        "b": ("a", TransformerBlock(2, 6)),
        "y": ("b", Affine(2)),
    }
    net = PredictionGraph({"x": (TOKENS, D)}, nodes, rng=0)
    inputs, target = {"x": rng.normal(size=(4, TOKENS * D))}, rng.normal(size=(4, 2))
    _, exact = net.exact_gradient(SquaredError("y"), inputs, target)
    errors = []
    for precision in (1e-2, 1e-3):
        rule = PredictiveCoding(precision)
        _, found = rule.swept(net, inputs, target, SquaredError("y"), {"tol": 1e-12})
        errors.append(max(np.abs(found[n] - exact[n]).max() / np.abs(exact[n]).max() for n in exact))
    assert errors[0] < 0.1 and 8 < errors[0] / errors[1] < 12


def test_bad_input_is_refused_by_name(rng):
    theta = Attention(2).start([(TOKENS, D)], rng)
    x, mask = rng.normal(size=(2, TOKENS, D)), np.ones((2, TOKENS))
    with pytest.raises(ValueError, match="heads: got 3, which does not divide the width 8"):
        PredictionGraph({"x": (TOKENS, D)}, {"y": ("x", TransformerBlock(3, 4))})
    with pytest.raises(ValueError, match="heads: got 4, which does not divide the width 6"):
        Attention(4, units=6)
    mask[1] = 0.0
    with pytest.raises(ValueError, match="mask: item 1 hides all"):
        Attention(2, masked=True).forward((x, mask), theta)
    mask[1, -1] = 1.0
    with pytest.raises(ValueError, match="mask: item 1 hides every token that 0 may ask"):
        Attention(2, masked=True, causal=True).forward((x, mask), theta)
    with pytest.raises(ValueError, match=r"one for each key"):
        Attention(2, masked=True).shape([(TOKENS, D), (4,)])
    with pytest.raises(ValueError, match="expected a sequence"):
        Attention(2).shape([(D,)])
    with pytest.raises(ValueError, match="got the code 4, expected one of 0 .. 3"):
        Embedding(4, 2).forward((np.array([[4.0]]),), {"table": np.zeros((4, 2))})
    with pytest.raises(ValueError, match="expected the code's"):
        Positions(np.zeros((3, 2))).shape([(4, 2)])
