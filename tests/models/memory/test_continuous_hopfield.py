import numpy as np
import pytest

from physlearn import Energy, check_energy, integrate, relax
from physlearn.lagrangians import LayerNorm
from physlearn.models import ContinuousHopfield, EnergyTransformer, Hopfield, random_patterns
from physlearn.terms import TokenAttention, TokenMemory


def couplings(rng, n):
    w = rng.standard_normal((n, n)) / np.sqrt(n)
    return (w + w.T) * (1 - np.eye(n))


def test_the_energy_is_hopfields_lyapunov_function(rng):
    n, gain = 7, 1.8
    network = ContinuousHopfield(couplings(rng, n), rng.standard_normal(n), gain=gain)
    check_energy(network.energy)
    g = rng.uniform(-0.9, 0.9, (4, n))
    # Hopfield 1984, eq. 5: the integral of the inverse activation, in closed form
    inverse = (g * np.arctanh(g) + 0.5 * np.log(1 - g**2)) / gain
    written = -0.5 * np.einsum("bi,ij,bj->b", g, network.couplings, g) - g @ network.bias + inverse.sum(1)
    assert np.allclose(network.energy(np.arctanh(g) / gain), written, rtol=1e-12)


@pytest.mark.parametrize("gain", [0.5, 2.0, 10.0])
def test_energy_falls_along_every_trajectory_to_a_rest(gain, rng):
    network = ContinuousHopfield(couplings(rng, 12), 0.3 * rng.standard_normal(12), gain=gain)
    run = integrate(network.energy, (0.0, 200.0), x0=rng.standard_normal((8, 12)), tau=0.5, tol=1e-9)
    assert np.all(np.diff(run.energy, axis=0) < 1e-9)
    rest = relax(network.energy, run.final, tol=1e-9)
    assert rest.converged and np.allclose(rest.x, run.final, atol=1e-4)
    # the same rests by another road
    found = network.fixed_points(run.final)
    assert found.stable.all()
    assert all(np.min(np.max(np.abs(found.x - x), 1)) < 1e-4 for x in run.final)


def test_the_trajectory_is_the_solution_of_the_equation(rng):
    from scipy.integrate import solve_ivp

    w = rng.standard_normal((5, 5)) * (1 - np.eye(5))  # asymmetric: no energy
    network = ContinuousHopfield(w, rng.standard_normal(5), gain=1.3)
    assert not isinstance(network.energy, Energy)
    x0, tau = rng.standard_normal(5), 0.02
    run = integrate(network.energy, (0.0, 0.2), x0=x0, tau=tau, tol=1e-9, times=[0.05, 0.2])
    plain = solve_ivp(
        lambda t, x: (-x + w @ np.tanh(1.3 * x) + network.bias) / tau,
        (0, 0.2),
        x0,
        t_eval=[0.05, 0.2],
        rtol=1e-10,
        atol=1e-12,
    )
    assert np.allclose(run.x, plain.y.T, atol=1e-6)


def test_memory_appears_at_the_critical_gain(rng):
    network = ContinuousHopfield(couplings(rng, 10))
    critical = 1.0 / np.linalg.eigvalsh(network.couplings)[-1]
    starts = rng.standard_normal((20, 10))
    below = ContinuousHopfield(network.couplings, gain=0.98 * critical).fixed_points(starts)
    above = ContinuousHopfield(network.couplings, gain=1.1 * critical).fixed_points(starts)
    assert len(below.x) == 1 and below.stable[0] and np.allclose(below.x, 0)
    # x = 0 gives way to a pair of opposite rests
    assert above.stable.sum() == 2 and np.allclose(above.x[0], -above.x[1], atol=1e-8)
    zero = ContinuousHopfield(network.couplings, gain=1.1 * critical).fixed_points(np.zeros((1, 10)))
    assert not zero.stable[0] and abs(zero.growth[0] - 0.1) < 1e-9  # gain x eigenvalue - 1


def test_large_gain_recalls_what_the_two_valued_network_recalls(rng):
    patterns = random_patterns(4, 60, rng=1)
    graded, binary = ContinuousHopfield.store(patterns, gain=50.0), Hopfield.store(patterns)
    cue = patterns * np.where(rng.random(patterns.shape) < 0.1, -1, 1)
    run = integrate(graded.energy, (0.0, 20.0), x0=0.1 * cue)
    assert np.array_equal(np.sign(run.final), patterns)
    assert np.array_equal(np.sign(run.final), binary.recall(cue).x)


def test_growth_is_the_rate_at_which_a_perturbation_grows(rng):
    network = ContinuousHopfield(couplings(rng, 6), gain=3.0)
    run = integrate(network.energy, (0.0, 1.0), x0=1e-6 * np.linalg.eigh(network.couplings)[1][:, -1], tol=1e-9)
    growth = network.fixed_points(np.zeros((1, 6))).growth[0]
    assert np.isclose(np.log(np.linalg.norm(run.final) / 1e-6), growth, rtol=1e-4)


def test_bad_input():
    for arguments, match in (
        (([[0, 1], [1, 0]], [1.0]), "bias"),
        (([[1, 1], [1, 0]],), "diagonal"),
        (([[0, np.nan], [1, 0]],), "NaN"),
    ):
        with pytest.raises(ValueError, match=match):
            ContinuousHopfield(*arguments)
    with pytest.raises(ValueError, match="gain"):
        ContinuousHopfield([[0, 1], [1, 0]], gain=-1.0)
    with pytest.raises(ValueError, match="got 0 and 1, expected -1 and .1, the values of tanh"):
        ContinuousHopfield.store([[0, 1, 1, 0]])  # the fields that 0/1 neurons need besides would be lost
    with pytest.raises(ValueError, match="starts"):
        ContinuousHopfield([[0, 1], [1, 0]]).fixed_points([[1.0]])
    for name in ("tol", "apart"):
        with pytest.raises(ValueError, match=f"{name}: got -1.0"):
            ContinuousHopfield([[0, 1], [1, 0]]).fixed_points([[1.0, 1.0]], **{name: -1.0})


def test_many_searches_find_a_rest_once():
    pair = [[0.0, 1.0], [1.0, 0.0]]
    near = 0.9575 + 1e-3 * np.arange(5)[:, None] * np.ones(2)
    assert ContinuousHopfield(pair, gain=2.0).fixed_points([*near, *-near]).x.shape == (2, 2)
    # where the rest at zero is about to split, searches stop at some distance of it, yet are one
    assert len(ContinuousHopfield(pair, gain=1.0).fixed_points([[0.3, 0.3], [-0.2, 0.1], [-0.3, -0.3]]).x) == 1
    assert len(ContinuousHopfield(pair, gain=1.001).fixed_points([[0.3, 0.3], [0, 0], [-0.3, -0.3]]).x) == 3
    with np.errstate(all="raise"):  # a start too far out ends nowhere, without a word
        assert len(ContinuousHopfield(pair, gain=2.0).fixed_points([[1e200, 1.0]]).x) == 0


# ---------------------------------------------------------------- energy transformer
@pytest.fixture
def block(rng):
    return EnergyTransformer(
        rng.standard_normal((2, 3, 6)), rng.standard_normal((2, 3, 6)), rng.standard_normal((4, 6)), tokens=5
    )


def test_token_terms_pass_the_audit(block, rng):
    check_energy(block.energy)
    check_energy(Energy({"x": (LayerNorm(), (3, 4))}, [TokenMemory("x")], {"patterns": rng.standard_normal((2, 4))}))


def test_attention_energy_against_a_plain_loop(rng):
    key, query, beta = rng.standard_normal((2, 2, 3, 4))[0], rng.standard_normal((2, 3, 4)), 0.6
    g, total = rng.standard_normal((5, 4)), 0.0
    for k, q in zip(key, query, strict=True):
        for c in range(5):
            total -= np.log(sum(np.exp(beta * (k @ g[b]) @ (q @ g[c])) for b in range(5) if b != c)) / beta
    term = TokenAttention("x", beta)
    assert np.isclose(term.energy({"x": g[None]}, {"key": key, "query": query})[0], total, rtol=1e-12)


def test_what_asks_moves_by_softmax_attention(rng):
    """With values K^T K_b the field on a token that nobody asks is attention over the others."""
    key, query = rng.standard_normal((1, 3, 4)), rng.standard_normal((1, 3, 4))
    g = rng.standard_normal((5, 4))
    field = TokenAttention("x", 0.8).field({"x": g[None]}, {"key": key, "query": query}, "x")[0]
    k, q = g @ key[0].T, g @ query[0].T
    score = 0.8 * q @ k.T
    np.fill_diagonal(score, -np.inf)
    p = np.exp(score)
    p /= p.sum(1, keepdims=True)  # rows ask
    assert np.allclose(field, p @ k @ query[0] + p.T @ q @ key[0], rtol=1e-12)


def test_energy_falls_along_an_update(block, rng):
    run = block.update(rng.standard_normal((3, 5, 6)), steps=200)
    assert np.all(np.diff(run.energy, axis=0) <= 1e-12) and run.final.shape == (3, 5, 6)
    assert relax(block.energy, run.final).converged


def test_tokens_are_equal(block, rng):
    x, order = rng.standard_normal((5, 6)), [3, 0, 4, 1, 2]
    assert np.allclose(block.update(x[order]).final, block.update(x).final[order], rtol=1e-9)


def test_transformer_refusals(rng):
    k = rng.standard_normal((2, 3, 6))
    with pytest.raises(ValueError, match="key, query"):
        EnergyTransformer(k, k[:, :2], np.ones((2, 6)), tokens=3)
    with pytest.raises(ValueError, match="patterns"):
        EnergyTransformer(k, k, np.ones((2, 5)), tokens=3)
    with pytest.raises(ValueError, match="tokens"):
        EnergyTransformer(k, k, np.ones((2, 6)), tokens=1)
    with pytest.raises(ValueError, match="beta"):
        EnergyTransformer(k, k, np.ones((2, 6)), tokens=3, beta=0.0)
    with pytest.raises(ValueError, match="key: 36 entries are NaN"):
        EnergyTransformer(np.full_like(k, np.nan), k, np.ones((2, 6)), tokens=3)
    with pytest.raises(ValueError, match="heads, k, d"):
        EnergyTransformer(k[:0], k[:0], np.ones((2, 6)), tokens=3)
    with pytest.raises(ValueError, match="LayerNorm shows nothing of a single number"):
        EnergyTransformer(k[..., :1], k[..., :1], np.ones((2, 1)), tokens=3)
    with pytest.raises(ValueError, match="steps: got 0"):
        EnergyTransformer(k, k, np.ones((2, 6)), tokens=3).update(np.ones((3, 6)), steps=0)
    with pytest.raises(ValueError, match="not of the kind LayerNorm"):
        EnergyTransformer(k, k, np.ones((2, 6)), tokens=3).update(np.full((3, 6), np.nan))


def test_tokens_that_are_all_alike_stay_alike_and_the_energy_falls(block):
    same = block.update(np.tile(np.arange(6.0), (5, 1)), steps=50)
    assert np.all(np.diff(same.energy) <= 1e-12) and np.allclose(same.final, same.final[0])
    flat = block.update(np.ones((5, 6)), steps=50)  # LayerNorm shows nothing: a token without contrast
    assert np.all(np.isfinite(flat.final)) and np.all(np.diff(flat.energy) <= 1e-12)


def test_too_long_a_step_may_raise_the_energy(block, rng):
    assert np.any(np.diff(block.update(rng.standard_normal((5, 6)), steps=6, dt=3.0).energy) > 0)


# ---------------------------------------------------------------- landscapes
def test_plane_through_three_states(rng):
    from physlearn.models import energy_plane

    network = ContinuousHopfield(couplings(rng, 6), gain=3.0)
    corners = rng.standard_normal((3, 6))
    plane = energy_plane(network.energy, corners, resolution=11, margin=0.0)
    assert np.allclose([plane.energy[0, 0], plane.energy[0, -1], plane.energy[-1, 0]], network.energy(corners))
    assert np.allclose(plane.project(corners), [[0, 0], [1, 0], [0, 1]])
    middle = corners.mean(0)
    off = np.linalg.svd(corners[1:] - corners[0])[2][-1]  # a direction off the plane is not seen
    assert np.allclose(plane.project(middle + off), plane.project(middle))
    with pytest.raises(ValueError, match="not on a line"):
        energy_plane(network.energy, [corners[0], corners[0], corners[1]])
    with pytest.raises(ValueError, match="nothing to draw"):
        energy_plane(Hopfield.store([[1, 1, -1, -1]]).energy, np.eye(4)[:3])
