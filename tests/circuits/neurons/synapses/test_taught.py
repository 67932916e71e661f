"""PES and Voja against their equations in NumPy, from the recorded spikes; and that they learn."""

import re

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    PES,
    Constant,
    Exponential,
    Population,
    Projection,
    Record,
    Signal,
    SpikingNetwork,
    Voja,
    connect,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3, exact_times=True)
AREA = Exponential(5e-3, normalised="area")
DT = 1e-3
# exp(-t / 5 ms) over a step of 1 ms, as a membrane of 20 ms weights it
HELD = 5 / (5 - 20) * (np.exp(-0.2) - np.exp(-0.05)) / (1 - np.exp(-0.05))


def code(n, rank, seed=0):
    """Gain times encoders (D, n), and bias, of a population that fires from 1 to some 200 Hz."""
    rng = np.random.default_rng(seed)
    encoders = rng.standard_normal((rank, n))
    encoders /= np.linalg.norm(encoders, axis=0)
    return rng.uniform(1.0, 4.0, n) * encoders, rng.uniform(0.5, 3.0, n)


def counts(spikes, steps):
    """Spikes of each step, (steps, n)."""
    found = np.zeros((steps, spikes.n))
    np.add.at(found, (np.ceil(spikes.times / DT - 1e-9).astype(int) - 1, spikes.ids), 1.0)
    return found


def followed(spikes, tau):
    a, fade = np.zeros(spikes.shape[1]), np.exp(-DT / tau)
    for row in spikes:
        a = fade * a + (1 - fade) / DT * row
        yield a


def test_pes_is_its_equation():
    n, steps = 50, 400
    gain, bias = code(n, 2)
    decoders = 1e-3 * np.random.default_rng(2).standard_normal((n, 2))
    course = lambda t: np.stack([np.sin(20 * t), np.cos(20 * t)], axis=1)  # noqa: E731
    network = SpikingNetwork(
        {"a": Population(CELL, n), "b": Population(CELL, n)},
        [
            Projection("a", None, connect.low_rank(decoders), receptor=Exponential(20e-3, normalised="area"), name="y"),
            Projection(
                "a", "b", connect.low_rank(decoders, gain), delay=2e-3, receptor=AREA, name="learnt",
                plasticity=PES(3e-4, {"y": 1.0, "wanted": -2.0}, tau=4e-3),
            ),
        ],
        [Constant("a", bias), Constant("b", bias), Signal("a", course, gain, name="given"),
         Signal(None, lambda t: course(t)[:, ::-1], name="wanted")],
    )  # fmt: skip
    names = ("y", "learnt", "wanted")
    run = integrate(network, (0.0, steps * DT), dt=DT, record={"a": "spikes"} | dict.fromkeys(names, Record(["x"])))
    late = np.concatenate([np.zeros((2, n)), counts(run.spikes["a"], steps)[:-2]])  # the delay
    y, wanted = run.traces["y"]["x"], run.traces["wanted"]["x"]
    np.testing.assert_array_equal(wanted, course(DT * np.arange(steps))[:, ::-1])
    fade, moved, x = np.exp(-0.2), decoders.copy(), np.zeros(2)
    for k, (a, row) in enumerate(zip(followed(late, 4e-3), late, strict=True)):
        x = fade * x + 200.0 * (row @ moved)
        np.testing.assert_allclose(run.traces["learnt"]["x"][k], x * HELD, rtol=1e-9, atol=1e-12)
        moved -= 3e-4 * DT / n * np.outer(a, y[k] - 2.0 * wanted[k])
    assert np.abs(moved - decoders).max() > 1e-4
    np.testing.assert_allclose(run.weights["learnt.decoders"], moved, rtol=1e-9, atol=1e-14)


def test_voja_is_its_equation():
    n, steps = 40, 300
    gain, bias = code(n, 2, seed=4)
    decoders = 2e-3 * np.random.default_rng(2).standard_normal((n, 2))
    network = SpikingNetwork(
        {"a": Population(CELL, n), "b": Population(CELL, n)},
        [
            Projection(
                "a", "b", connect.low_rank(decoders, gain), receptor=AREA, plasticity=Voja(0.02, tau=10e-3), name="p"
            )
        ],
        [Constant("a", bias), Constant("b", bias)],
    )
    run = integrate(network, (0.0, steps * DT), dt=DT, record={"b": "spikes", "p": Record(["x"])})
    moved, length = gain.copy(), np.linalg.norm(gain, axis=0)
    for a, x in zip(followed(counts(run.spikes["b"], steps), 10e-3), run.traces["p"]["x"], strict=True):
        moved += 0.02 * DT * a * (length * x[:, None] - moved)
    assert np.abs(moved - gain).max() > 0.1
    np.testing.assert_allclose(run.weights["p.encoders"], moved, rtol=1e-9)
    again = network.with_theta(run.weights)
    np.testing.assert_array_equal(again.theta["p.encoders"], run.weights["p.encoders"])
    np.testing.assert_array_equal(again.theta["p.decoders"], decoders)


@pytest.fixture(scope="module")
def learner():
    n = 200
    gain, bias = code(n, 1, seed=7)
    return SpikingNetwork(
        {"a": Population(CELL, n)},
        [
            Projection(
                "a",
                None,
                connect.low_rank(np.zeros((n, 1))),
                receptor=Exponential(20e-3, normalised="area"),
                name="y",
                plasticity=PES(5e-3, {"y": 1.0, "wanted": -1.0}),
            )
        ],
        [
            Constant("a", bias),
            Signal("a", lambda t: np.sin(2 * t), gain),
            Signal(None, lambda t: np.sin(2 * t) ** 2, name="wanted"),
        ],
    )


def test_pes_learns_a_function_in_pieces_as_in_one(learner):
    record = {"y": Record(["x"]), "wanted": Record(["x"])}
    run = integrate(learner, (0.0, 2.0), dt=DT, record=record)
    error = (run.traces["y"]["x"] - run.traces["wanted"]["x"])[:, 0]
    assert np.sqrt(np.mean(error[-1000:] ** 2)) < 0.2 * np.sqrt(np.mean(run.traces["wanted"]["x"][-1000:] ** 2))
    half = integrate(learner, (0.0, 0.7), dt=DT, record=None)
    rest = integrate(learner, (0.7, 2.0), dt=DT, record=None, x0=half.final)
    np.testing.assert_array_equal(rest.weights["y.decoders"], run.weights["y.decoders"])
    assert "(2 asked for; decoders or encoders learn)" in integrate(learner, (0.0, 0.01), dt=DT, threads=2).method
    assert run.to_dataset()["y.decoders"].shape == (200, 1)


def test_what_does_not_fit_is_named(learner):
    for arguments, match, error in (
        ((-1.0, "y"), "PES: learning_rate", ValueError),
        ((1e-4, 3), "PES: error=3, expected the name of a probe", TypeError),
        ((1e-4, {}), "PES: error={}", TypeError),
        ((1e-4, {"y": "1"}), r"PES: error\['y'\]", ValueError),
        ((1e-4, "y", 0.0), "PES: tau in s", ValueError),
    ):
        with pytest.raises(error, match=match):
            PES(*arguments)
    with pytest.raises(ValueError, match="Voja: learning_rate"):
        Voja(-1.0)

    def network(plasticity, encoders=None):
        low = connect.low_rank(np.zeros((200, 1)), encoders)
        target = None if encoders is None else "a"
        projection = Projection("a", target, low, receptor=AREA, plasticity=plasticity, name="z")
        return SpikingNetwork(learner.populations, [*learner.projections, projection], learner.inputs)

    with pytest.raises(
        ValueError, match=re.escape("'w' is no probe, projection or signal, expected some of ['y', 'z'")
    ):
        network(PES(1e-4, "w"))
    with pytest.raises(ValueError, match="Voja: scale has shape"):
        integrate(network(Voja(1e-2, scale=[1.0, 2.0]), np.ones((1, 200))), (0.0, 0.01), dt=DT)
    with pytest.raises(ValueError, match="Voja moves encoders"):
        network(Voja(1e-2))
