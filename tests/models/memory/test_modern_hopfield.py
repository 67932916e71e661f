import numpy as np
import pytest

from physlearn import check_energy, relax
from physlearn.models import (
    ModernHopfield,
    add_noise,
    attention,
    causal_mask,
    multi_head_attention,
    positional_encoding,
    random_patterns,
)


@pytest.fixture
def memory(rng):
    return ModernHopfield(rng.standard_normal((6, 8)), beta=0.7)


def plain_softmax_attention(q, k, v, beta):
    score = np.exp(beta * q @ k.T)
    return score / score.sum(1, keepdims=True) @ v


def test_one_sweep_of_relax_is_softmax_attention(memory, rng):
    q = rng.standard_normal((5, 8))
    step = memory.recall(q)
    assert step.steps == 1 and step.method == "descent (blocks)"
    expected = plain_softmax_attention(q, memory.patterns, memory.patterns, 0.7)
    assert np.allclose(step.x["x"], expected, rtol=1e-13, atol=1e-15)
    assert np.allclose(attention(q, memory.patterns, memory.patterns, 0.7), expected, rtol=1e-13, atol=1e-15)
    assert np.allclose(memory.update(q), expected, rtol=1e-13, atol=1e-15)
    v = rng.standard_normal((6, 3))  # other values than keys: read the probabilities
    assert np.allclose(step.x["p"] @ v, attention(q, memory.patterns, v, 0.7), rtol=1e-13, atol=1e-15)
    assert np.array_equal(memory.recall(q[0]).x["x"], memory.recall(q[:1]).x["x"][0])


def test_both_energies_pass_the_audit_and_agree_at_the_minimum_over_p(memory, rng):
    check_energy(memory.energy)
    check_energy(memory.layered)
    x = rng.standard_normal((4, 8))
    assert np.allclose(memory.layered({"p": memory.weights(x), "x": x}), memory.energy(x), rtol=1e-12)


def test_updates_never_raise_the_energy_and_end_at_rest(rng):
    for beta in (0.1, 1.0, 10.0):
        memory = ModernHopfield(rng.standard_normal((20, 5)), beta)
        x, energies = rng.standard_normal((50, 5)), []
        for _ in range(30):
            energies.append(memory.energy(x))
            x = memory.update(x)
        assert np.all(np.diff(energies, axis=0) <= 1e-13)
    memory = ModernHopfield(rng.standard_normal((6, 8)), 0.7)
    start = rng.standard_normal((3, 8))
    rest = memory.recall(start, steps=5000)
    assert rest.converged
    flow = relax(memory.energy, start, method="flow", tol=1e-9)  # the same basins by another road
    assert np.allclose(flow.x, rest.x["x"], atol=1e-6)
    assert np.allclose(rest.energy, flow.energy)


def test_one_update_retrieves(rng):
    d = 64
    xi = random_patterns(200, d, rng=1)  # three times as many patterns as dimensions
    found = ModernHopfield(xi, beta=1.0).update(add_noise(xi, 0.3, rng=2))
    assert np.max(np.abs(found - xi)) < 1e-3
    # the error falls exponentially with beta times the separation of the patterns (Ramsauer et al. 2020, theorem 5)
    errors = [np.max(np.abs(ModernHopfield(xi, beta).update(xi) - xi)) for beta in (0.25, 0.5, 0.75)]
    steps = np.diff(np.log(errors))
    assert np.all(steps < -3) and abs(steps[1] / steps[0] - 1) < 0.5


def test_three_kinds_of_fixed_point(rng):
    centres = 4.0 * np.eye(3, 10)
    xi = np.repeat(centres, 4, 0) + 0.3 * rng.standard_normal((12, 10))
    xi *= 4.0 / np.linalg.norm(xi, axis=1, keepdims=True)  # longer patterns would win over their neighbours
    small, middle, large = (ModernHopfield(xi, beta).fixed_points(xi) for beta in (0.01, 0.5, 20.0))
    assert set(small[0]) == {"average"} and np.allclose(small[2], xi.mean(0), atol=0.1)
    assert set(middle[0]) == {"metastable"} and np.allclose(
        middle[2], np.repeat(xi.reshape(3, 4, 10).mean(1), 4, 0), atol=0.3
    )
    assert np.all((middle[1] > 2) & (middle[1] < 6))
    assert set(large[0]) == {"pattern"} and np.allclose(large[2], xi, atol=1e-3)


def test_masked_heads_see_the_past_only(rng):
    x = rng.standard_normal((6, 8)) + positional_encoding(6, 8)
    q, k, v = (rng.standard_normal((2, 8, 4)) for _ in range(3))
    out = rng.standard_normal((2, 4, 8))
    full = multi_head_attention(x, q, k, v, out, causal=True)
    changed = x.copy()
    changed[4:] += 1.0
    assert np.array_equal(multi_head_attention(changed, q, k, v, out, causal=True)[:4], full[:4])
    assert np.allclose(full[:3], multi_head_attention(x[:3], q, k, v, out, causal=True))
    by_hand = sum(plain_softmax_attention(x @ q[h], x @ k[h], x @ v[h], 0.5) @ out[h] for h in range(2))
    assert np.allclose(multi_head_attention(x, q, k, v, out), by_hand)
    # without positions, the order of what is asked does not matter
    items = rng.standard_normal((5, 8))
    shuffled = multi_head_attention(x, q, k, v, out, memory=items[::-1])
    assert np.allclose(shuffled, multi_head_attention(x, q, k, v, out, memory=items))


def test_masks_are_exact_and_large_scores_do_not_overflow():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    out = attention([[1.0], [1.0]], [[1e4], [2e4]], [[1.0], [2.0]], 1.0, mask=causal_mask(2))
    assert out.tolist() == [[1.0], [2.0]]


def test_positional_codes_depend_on_distance():
    code = positional_encoding(20, 16)
    product = code @ code.T
    assert np.allclose(np.diag(product), 8.0)
    for offset in (1, 5):
        assert np.ptp(np.diag(product, offset)) < 1e-12


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ModernHopfield(np.ones((2, 3)), beta=-1.0), "beta"),
        (lambda: ModernHopfield(np.ones((2, 3)), beta=np.nan), "beta"),
        (lambda: ModernHopfield(np.ones(3)), "matrix"),
        (lambda: ModernHopfield([[np.nan]]), "NaN"),
        (lambda: ModernHopfield(np.ones((2, 3))).update(np.ones(2)), "expected finite \\(3,\\)"),
        (lambda: attention(np.ones((1, 2)), np.ones((1, 3)), np.ones((1, 2))), "Q, K, V"),
        (lambda: attention(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 2)), beta=0), "beta"),
        (lambda: attention(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 2)), mask=[[False]]), "mask"),
        (lambda: ModernHopfield(np.ones((2, 3))).recall(np.ones(3), steps=0), "steps: got 0"),
        (lambda: ModernHopfield(np.ones((2, 3))).recall(np.ones(3), tol=-1.0), "tol: got -1.0"),
        (lambda: positional_encoding(3, 5), "even"),
        (lambda: positional_encoding(0, 4), "n: got 0"),
        (lambda: causal_mask(2.5), "n: got 2.5"),
        (
            lambda: multi_head_attention(np.ones((1, 1)), *[np.ones((1, 1, 1))] * 3, np.full((1, 1, 1), np.nan)),
            "output",
        ),
        (lambda: multi_head_attention(np.ones((2, 3)), *[np.ones((1, 2, 2))] * 4), "projections"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_mask_that_is_added_to_scores_is_refused():
    with pytest.raises(TypeError, match="mask: got float64, expected bool"):
        attention(np.ones((1, 2)), np.ones((2, 2)), np.ones((2, 2)), mask=[[0.0, -np.inf]])


def test_queries_that_still_move_warn():
    with pytest.warns(RuntimeWarning, match="still move after 1 sweeps"):
        ModernHopfield(np.eye(3), beta=2.0).fixed_points([[0.9, 0.1, 0.0]], steps=1)


def test_a_memory_keeps_what_it_was_given():
    xi = np.eye(3)
    memory = ModernHopfield(xi, beta=20.0)
    before = memory.update([0.9, 0.1, 0.0])
    xi *= -1
    assert np.array_equal(memory.update([0.9, 0.1, 0.0]), before)
