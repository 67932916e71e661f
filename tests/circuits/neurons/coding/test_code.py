"""Population codes in rate mode: a System whose rests, paths and learning are those of formulas and plain loops."""

import numpy as np
import pytest

from circuits.neurons import Connection, Ensemble, PopulationCode, communication_channel, decoders
from physlearn import (
    SGD,
    ContrastiveHebbian,
    EquilibriumPropagation,
    ExactGradient,
    Machine,
    SquaredError,
    check_energy,
    integrate,
    learn,
    relax,
)


def pair(rng=0):
    a, b = Ensemble(30, 2, rng=rng), Ensemble(25, 1, rng=rng + 1)
    loops = [
        Connection("a", "b", lambda x: x[:, 0] * x[:, 1], tau=0.02),
        Connection("b", "b", lambda x: 0.5 * x, tau=0.02),
        Connection("b", "a", lambda x: np.column_stack([x[:, 0], -x[:, 0]]), tau=0.05),
    ]
    return PopulationCode({"a": a, "b": b}, loops)


def test_fields_and_jacobians_fit_each_other():
    code = pair()
    assert isinstance(code, Machine)
    x = {"a": np.array([[0.31, -0.47], [0.2, 0.6]]), "b": np.array([[0.23], [-0.4]])}
    check_energy(code, x)


def test_the_field_is_what_is_decoded_less_what_is_there(tol):
    code = pair()
    x = {"a": np.array([[0.31, -0.47]]), "b": np.array([[0.23]])}
    rates = {name: ensemble.tuning(x[name]) for name, ensemble in code.ensembles.items()}
    D = code.theta
    wanted = rates["a"] @ D["a->b.decoders"] + rates["b"] @ D["b->b.decoders"] - x["b"]
    np.testing.assert_allclose(code.system.field(x, "b"), wanted, rtol=tol.IDENTITY)
    wanted = rates["b"] @ D["b->a.decoders"] - x["a"]
    np.testing.assert_allclose(code.system.field(x, "a"), wanted, rtol=tol.IDENTITY)


def test_layers_tell_integrate_their_time_constants():
    """A leaky code decays with the tau of its connection; another may be given."""
    code = PopulationCode({"x": Ensemble(10, 1, rng=0)}, [Connection("x", "x", lambda x: 0 * x, tau=0.02)])
    for given, tau in ((None, 0.02), (0.1, 0.1)):
        end = integrate(code, (0.0, 0.02), x0=[0.5], tau=given, tol=1e-9).final
        np.testing.assert_allclose(end, 0.5 * np.exp(-0.02 / tau), rtol=1e-7)


def test_rests_are_the_zeros_of_the_decoding_error():
    """Each rest that `relax` finds from a grid of starts is a crossing of a scan, and each stable crossing is found."""
    ensemble = Ensemble(40, 1, rng=3)
    code = PopulationCode({"x": ensemble}, [Connection("x", "x", tau=0.1)])
    x = np.linspace(-0.95, 0.95, 20_001)
    drift = (ensemble.tuning(x) @ code.theta["x->x.decoders"])[:, 0] - x
    crossing = np.flatnonzero(np.sign(drift[1:]) != np.sign(drift[:-1]))
    where = x[crossing] - drift[crossing] * (x[1] - x[0]) / (drift[crossing + 1] - drift[crossing])
    assert len(where) > 5
    for start in np.linspace(-0.9, 0.9, 7):
        rest = relax(code, [start])
        assert rest.converged
        assert np.min(np.abs(where - rest.x[0])) < 1e-5
    stable = where[drift[crossing] > 0]
    for start in stable:
        end = integrate(code, (0.0, 60.0), x0=[start + 3e-4], times=[60.0], method="stiff").final
        assert abs(end[0] - start) < 2e-4


@pytest.mark.parametrize(
    "rule",
    [ContrastiveHebbian(), EquilibriumPropagation(0.1, linearised=True), ExactGradient()],
    ids=["contrastive", "nudged", "adjoint"],
)
def test_pes_is_gradient_descent_on_the_square_of_the_decoding_error_step_for_step(rule, rng, tol):
    """|a D - X|^2 / 2 by a plain loop; the adjoint's gradient lacks nothing, though it goes by differences."""
    n, m = (6, 4) if isinstance(rule, ExactGradient) else (60, 20)
    code = communication_channel(n, 2, tau=0.01, rng=2)
    code = code.with_theta({"a->b.decoders": np.zeros((n, 2))})
    x = rng.uniform(-0.7, 0.7, (m, 2))
    target = np.column_stack([x[:, 1] ** 2, x[:, 0]])
    rate, D, A = 1e-6 if n == 6 else 2e-7, np.zeros((n, 2)), code.ensembles["a"].tuning(x)
    task = dict(rule=rule, cost=SquaredError("b"), optimizer=SGD(rate), epochs=4, batch=m, relax_options={"tol": 1e-13})
    learnt = learn(code, {"a": x, "b": target}, **task).theta["a->b.decoders"]
    for _ in range(4):
        D = D - rate * A.T @ (A @ D - target) / len(x)
    np.testing.assert_allclose(learnt, D, rtol=tol.GRADIENT, atol=tol.GRADIENT * np.abs(D).max())


def test_learnt_decoders_tend_to_the_solved_ones_and_the_machine_comes_back(rng):
    code = communication_channel(50, 1, tau=0.01, rng=2).with_theta({"a->b.decoders": np.zeros((50, 1))})
    x = rng.uniform(-1, 1, (60, 1))
    trained = learn(
        code, {"a": x, "b": x**2}, rule=ContrastiveHebbian(), cost=SquaredError("b"), optimizer=SGD(4e-7), epochs=100,
        batch=20, rng=0,
    )  # fmt: skip
    assert type(trained.machine) is PopulationCode
    learnt = relax(trained.machine, clamp={"a": [0.5]}).x["b"]
    assert abs(learnt[0] - 0.25) < 0.05 and trained.cost[-1] < 0.02 * trained.cost[0]


def test_several_functions_of_one_source_are_the_decoders_of_each(tol):
    a = Ensemble(40, 1, rng=1)
    out = {name: Ensemble(5, 1, rng=k) for k, name in enumerate("bc")}
    code = PopulationCode({"a": a} | out, [Connection("a", "b"), Connection("a", "c", lambda x: x**3)])
    for name, function in (("b", None), ("c", lambda x: x**3)):
        alone = decoders(a, function).values
        np.testing.assert_allclose(code.theta[f"a->{name}.decoders"], alone, rtol=1e-9, atol=1e-16)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a: Connection("a", "b", tau=0.0), "expected the time constant of a filter"),
        (lambda a: Connection("a", "b", lambda x: x, decoders=np.ones((3, 1))), "a function and decoders"),
        (lambda a: PopulationCode({}, []), "ensembles: got none"),
        (lambda a: PopulationCode({"a": a}, [Connection("a", "b")]), "target: 'b' is no ensemble"),
        (lambda a: PopulationCode({"a": a}, [Connection("a", "a")] * 2), "two connections are called 'a->a'"),
        (
            lambda a: PopulationCode({"a": a}, [Connection("a", "a"), Connection("a", "a", tau=0.2, name="slow")]),
            "tau: got 0.2 s, but another connection to 'a' has 0.1 s",
        ),
        (
            lambda a: PopulationCode({"a": a}, [Connection("a", "a", lambda x: np.column_stack([x, x]))]),
            "function: gives 2 numbers of 8 neurons, expected 1 of 8",
        ),
        (lambda a: PopulationCode({"a": a}, [Connection("a", "a", decoders=np.ones((7, 1)))]), "of 7 neurons"),
    ],
)
def test_what_is_no_code_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make(Ensemble(8, 1, rng=0))
