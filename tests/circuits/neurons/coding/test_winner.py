"""The winner-take-all circuit: its posterior by enumeration, its STDP beside batch EM."""

import numpy as np
import pytest

from circuits.neurons import WinnerTakeAll, WinnerTakeAllSTDP
from physlearn import SGD, Machine, check_energy, enumerate_states, learn, sample


def mixture(rng, m=3000, classes=3, groups=8):
    """Bits of a mixture of products of Bernoulli variables, and the circuit that it is."""
    p = rng.permuted(np.tile([0.1, 0.9], (classes, groups // 2)), axis=1)
    share = np.array([0.5, 0.3, 0.2])
    bits = (rng.random((m, groups)) < p[rng.choice(classes, m, p=share)]).astype(int)
    return bits, WinnerTakeAll(np.log(np.stack([1 - p, p], 2)), np.log(share))


def em(circuit, y, iterations=200):
    """Batch expectation and maximisation."""
    _, groups, levels = circuit.weights.shape
    for _ in range(iterations):
        share = circuit.posterior(y)
        w = np.log(np.clip(share.T @ y / share.sum(0)[:, None], 1e-6, 1)).reshape(-1, groups, levels)
        circuit = WinnerTakeAll(w, np.log(share.mean(0)))
    return circuit


def test_the_winner_is_drawn_from_the_posterior_of_the_mixture(rng, tol):
    bits, circuit = mixture(rng, m=4)
    assert isinstance(circuit, Machine)
    y = circuit.lines(bits)
    p = np.exp(circuit.weights)
    joint = np.exp(circuit.bias) * np.array([[np.prod(p[k, range(8), b]) for k in range(3)] for b in bits])
    np.testing.assert_allclose(circuit.posterior(y), joint / joint.sum(1, keepdims=True), rtol=tol.IDENTITY)
    np.testing.assert_allclose(circuit.log_likelihood(y), np.log(joint.sum(1)), rtol=tol.IDENTITY)
    exact = enumerate_states(circuit, temperature=1.0, clamp={"y": y[0]})
    np.testing.assert_allclose(exact.probability, circuit.posterior(y)[0], rtol=tol.IDENTITY)
    drawn = sample(circuit, temperature=1.0, n_samples=200, chains=50, warmup=1, clamp={"y": y[0]}, rng=0).x["z"]
    seen = np.bincount(drawn.ravel(), minlength=3) / drawn.size
    assert np.all(np.abs(seen - exact.probability) < tol.STATISTICAL * 0.5 / np.sqrt(drawn.size))
    check_energy(circuit, {"y": y, "z": np.array([[0], [1], [2], [0]])})


def test_stdp_reaches_the_likelihood_of_batch_em(rng):
    bits, truth = mixture(rng, m=2000)
    start = WinnerTakeAll.random(3, 8, 2, rng=5)
    y = start.lines(bits)
    rates = 0.06 * 0.7 ** np.arange(12)
    learnt = learn(
        start, {"y": y}, rule=WinnerTakeAllSTDP(), epochs=12, batch=5, rng=1,
        optimizer=SGD(lambda epoch: rates[epoch], bounds={"W": (-6.0, 0.0)}),
    )  # fmt: skip
    by_spikes = learnt.machine.log_likelihood(y).mean()
    best, first = em(start, y).log_likelihood(y).mean(), start.log_likelihood(y).mean()
    assert first < best - 0.5
    assert abs(by_spikes - best) < 0.01 * (best - first)
    assert by_spikes > truth.log_likelihood(y).mean() - 0.01
    # where it rests, exp(w) and exp(b) are probabilities
    np.testing.assert_allclose(np.exp(learnt.machine.weights).sum(2), 1.0, atol=0.05)
    np.testing.assert_allclose(np.exp(learnt.machine.bias).sum(), 1.0, atol=0.03)


def test_the_mean_step_is_that_of_em(rng):
    """Averaged over winners, a step of w is eta p(k) (<y> over class k / exp(w) - 1): zero at EM's fixed point."""
    bits, _ = mixture(rng)
    circuit = em(WinnerTakeAll.random(3, 8, 2, rng=5), WinnerTakeAll.random(3, 8).lines(bits), 500)
    y = circuit.lines(bits)
    rule = WinnerTakeAllSTDP()

    class Task:
        inputs = {"y": y}

    step = rule.contrast(circuit.system, Task)
    memory = {"winners": np.random.default_rng(0)}
    found = [step(circuit.system, memory, np.arange(3000))[1] for _ in range(40)]
    for name in ("W", "bias"):
        values = np.array([gradient[name] for gradient in found])
        error = values.std(0) / np.sqrt(40)
        assert np.all(np.abs(values.mean(0)) < 5 * error + 1e-9)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: WinnerTakeAll(np.zeros((1, 2, 2)), [0.0]), ValueError, "at least two neurons"),
        (lambda: WinnerTakeAll(np.zeros((2, 2, 2)), [0.0]), ValueError, "bias: got the shape"),
        (lambda: WinnerTakeAll.random(2, 3, 1), ValueError, "levels: got 1"),
        (lambda: WinnerTakeAll.random(2, 3).lines([[0, 1, 2]]), ValueError, "codes: got 2"),
        (lambda: WinnerTakeAll.random(2, 3).posterior([[0.0]]), ValueError, "y: got the shape"),
    ],
)
def test_bad_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_rule_is_of_this_circuit_only():
    from physlearn.models import Hopfield

    with pytest.raises(TypeError, match="WinnerTakeAllSTDP is of a WinnerTakeAll circuit"):
        learn(Hopfield(np.zeros((2, 2))), {"s": [[1.0, -1.0]]}, rule=WinnerTakeAllSTDP(), optimizer=SGD(0.1), epochs=1)
