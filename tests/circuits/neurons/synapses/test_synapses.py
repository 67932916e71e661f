"""Receptors against their formulas, connections against their rules, weights against a dense product."""

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import coo_array

from circuits.neurons import (
    LIF,
    STDP,
    Alpha,
    DualExponential,
    Exponential,
    Gamma,
    Poisson,
    Population,
    Projection,
    Record,
    ShortTermPlasticity,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=-1.0)
KERNELS = [Exponential(3e-3), Gamma(3e-3, 0), Alpha(2e-3), Gamma(2e-3, 2), DualExponential(1e-3, 4e-3)]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("normalised", ["peak", "area"])
def test_kernels(kernel, normalised):
    kernel = type(kernel)(**{k: getattr(kernel, k) for k in kernel.__dataclass_fields__} | {"normalised": normalised})
    t = np.linspace(0, 0.1, 1_000_001)
    course = kernel.response(t)
    assert np.trapezoid(course, t) == pytest.approx(kernel.area, rel=1e-5)
    assert np.max(course) == pytest.approx(1.0, rel=1e-6) if normalised == "peak" else kernel.area == pytest.approx(1.0)
    assert kernel.response(-1e-3) == 0


@pytest.mark.parametrize("reversal", [None, 50e-3])
@pytest.mark.parametrize("kernel", KERNELS)
def test_rows_follow_the_kernel(kernel, reversal):
    """As a current inside the LIF step, and as a conductance in the generic receptor step."""
    kernel = type(kernel)(**{k: getattr(kernel, k) for k in kernel.__dataclass_fields__} | {"reversal": reversal})
    populations = {
        "s": Population(SpikeSource([1e-3, 2e-3], [0, 0]), 1),
        "t": Population(CELL, 2, receptors={"r": kernel}),
    }
    network = SpikingNetwork(populations, [Projection("s", "t", connect.all_to_all(), weight=0.5)])
    trace = integrate(network, (0.0, 0.02), dt=1e-4, record={"t": Record(["r"])}).traces["t"]
    exact = 0.5 * (kernel.response(trace.t - 1e-3 + 1e-15) + kernel.response(trace.t - 2e-3 + 1e-15))
    np.testing.assert_allclose(trace["r"][:, 1], exact, rtol=1e-9, atol=1e-12)


def test_bad_kernels():
    for make in (
        lambda: Exponential(-1e-3),
        lambda: Gamma(1e-3, 3),
        lambda: DualExponential(5e-3, 1e-3),
        lambda: Alpha(1e-3, normalised="height"),
        lambda: Alpha(1e-3, reversal=np.nan),
        lambda: Alpha(1e-3, reversal="0 mV"),
        lambda: Exponential("5 ms"),
        lambda: Exponential(np.array([1e-3, 2e-3])),
    ):
        with pytest.raises(ValueError, match="expected|Alpha"):
            make()


def pairs(rule, n=200, m=None, seed=0, **populations):
    make = lambda size: Population(CELL, size, receptors={"r": Exponential(1e-3)}, **populations)  # noqa: E731
    own = rule.__class__.__name__ in ("from_matrix", "from_graph") and (
        getattr(rule, "weighted", rule.__dict__.get("weight"))
    )
    projection = Projection("a", "a" if m is None else "b", rule, weight=None if own else 1.0, name="p")
    sizes = {"a": make(n)} if m is None else {"a": make(n), "b": make(m)}
    return SpikingNetwork(sizes, [projection], seed=seed).synapses("p")


def test_fixed_probability(tol):
    sources, targets, _ = pairs(connect.fixed_probability(0.1), 1500)
    mean, spread = 0.1 * 1500 * 1499, np.sqrt(0.09 * 1500 * 1499)
    assert abs(len(sources) - mean) < tol.STATISTICAL * spread
    assert not np.any(sources == targets)
    assert np.all(np.diff(sources * 1500 + targets) > 0)  # sorted, no pair twice
    for counts in (np.bincount(sources, minlength=1500), np.bincount(targets, minlength=1500)):
        assert np.var(counts) == pytest.approx(0.09 * 1499, rel=4 * np.sqrt(2 / 1500))
    loops = pairs(connect.fixed_probability(0.5, self_connections=True), 400)
    assert abs(np.sum(loops[0] == loops[1]) - 200) < 4 * 10


def test_fixed_indegree():
    sources, targets, _ = pairs(connect.fixed_indegree(7), 50, 30)
    np.testing.assert_array_equal(np.bincount(targets), np.full(30, 7))
    assert len(np.unique(sources * 30 + targets)) == 210
    assert not np.any(np.equal(*pairs(connect.fixed_indegree(49), 50)[:2]))
    with pytest.raises(ValueError, match="k=50"):
        pairs(connect.fixed_indegree(50), 50)
    repeated = pairs(connect.fixed_indegree(80, repeated=True), 50)
    assert len(repeated[0]) == 4000


def test_one_to_one_and_all_to_all():
    sources, targets, _ = pairs(connect.one_to_one(), 20)
    np.testing.assert_array_equal(sources, targets)
    with pytest.raises(ValueError, match="one_to_one"):
        pairs(connect.one_to_one(), 20, 10)
    assert len(pairs(connect.all_to_all(), 30)[0]) == 870
    assert len(pairs(connect.all_to_all(self_connections=True), 30)[0]) == 900
    assert len(pairs(connect.all_to_all(), 30, 20)[0]) == 600


def test_distance_dependent(rng):
    positions = rng.uniform(0, 1, (300, 2))
    rule = connect.distance_dependent(lambda d: (d < 0.2).astype(float), period=1.0)
    sources, targets, _ = pairs(rule, 300, positions=positions)
    apart = np.abs(positions[:, None] - positions[None])
    near = np.linalg.norm(np.minimum(apart, 1 - apart), axis=-1) < 0.2
    np.fill_diagonal(near, False)
    np.testing.assert_array_equal(np.stack(np.nonzero(near)), np.stack([sources, targets]))
    # a torus has no origin, and the user's function keeps what it returns
    kept = np.ones((300, 300))
    beyond = positions + [[2.0, -3.0]] * rng.integers(0, 2, (300, 1))
    np.testing.assert_array_equal(pairs(rule, 300, positions=beyond)[:2], [sources, targets])
    tube = connect.distance_dependent(lambda d: (d < 0.2).astype(float), period=(1.0, np.inf))  # closed along x only
    assert pairs(tube, 2, positions=np.array([[0.05, 0.0], [0.95, 0.0]]))[0].size == 2
    assert pairs(tube, 2, positions=np.array([[0.0, 0.05], [0.0, 0.95]]))[0].size == 0
    assert len(pairs(connect.distance_dependent(lambda d: kept), 300, positions=positions)[0]) == 300 * 299
    assert np.all(kept == 1.0)
    for period in (0.0, [1.0, -1.0]):
        with pytest.raises(ValueError, match="period"):
            connect.distance_dependent(np.exp, period=period)
    with pytest.raises(ValueError, match="positions"):
        pairs(rule, 300)
    cells = {
        k: Population(CELL, 3, receptors={"r": Exponential(1e-3)}, positions=np.zeros((3, d)))
        for k, d in (("a", 2), ("b", 3))
    }
    with pytest.raises(ValueError, match="dimensions"):
        SpikingNetwork(cells, [Projection("a", "b", rule, weight=1.0)]).synapses("a->b")


def test_a_probability_too_small_for_any_synapse_makes_none():
    for p in (1e-20, 1e-300):
        assert len(pairs(connect.fixed_probability(p), 2000)[0]) == 0


def test_from_matrix_and_graph(rng):
    dense = rng.normal(size=(40, 30)) * (rng.random((40, 30)) < 0.2)
    sources, targets, weights = pairs(connect.from_matrix(coo_array(dense)), 40, 30)
    np.testing.assert_array_equal(coo_array((weights, (sources, targets)), dense.shape).toarray(), dense)
    with pytest.raises(ValueError, match="shape"):
        pairs(connect.from_matrix(dense), 30, 40)
    with pytest.raises(TypeError, match="complex128, expected real"):
        pairs(connect.from_matrix(1j * dense), 40, 30)
    graph = nx.gnp_random_graph(30, 0.2, seed=1)
    sources, targets, _ = pairs(connect.from_graph(graph), 30)
    assert set(zip(sources.tolist(), targets.tolist(), strict=True)) == {
        *graph.edges,
        *((b, a) for a, b in graph.edges),
    }


def test_weights_reach_their_targets(rng):
    """Large enough to be cut into parts; one spike of each source, against the dense sum."""
    n = 6500
    sources = Population(SpikeSource(np.full(300, 1e-3), np.arange(300)), 300)
    target = Population(CELL, n, receptors={"r": Exponential(1e-3)})
    for weight in (0.25, lambda s, t, generator: generator.normal(size=len(s))):
        projection = Projection("s", "t", connect.fixed_probability(0.05), weight=weight, name="p")
        network = SpikingNetwork({"s": sources, "t": target}, [projection], seed=1)
        assert len(network.bounds["t"]) > 2
        _, targets, weights = network.synapses("p")
        assert len(np.unique(weights)) == (1 if weight == 0.25 else len(weights))
        trace = integrate(network, (0.0, 1e-3), dt=1e-4, record={"t": Record(["r"])}).traces["t"]
        np.testing.assert_allclose(trace["r"][-1], np.bincount(targets, weights, n), rtol=1e-12, atol=1e-13)


def test_a_negative_conductance_is_refused():
    cells = Population(CELL, 2, receptors={"i": Exponential(1e-3, reversal=-80e-3), "r": Exponential(1e-3)})
    rule = connect.all_to_all()

    def network(*given, **more):
        return SpikingNetwork({"a": cells}, [*given], **more)

    network(Projection("a", "a", rule, weight=-1.0, receptor="r")).synapses("a->a")
    plastic = STDP(1e-2, 1e-2, 0.1, 0.1, w_max=1.0, w_min=-1.0)
    for make in (
        lambda: network(Projection("a", "a", rule, weight=lambda s, t, g: s - 0.5, receptor="i")).synapses("a->a"),
        lambda: network(Projection("a", "a", rule, weight=-1.0, receptor="i")).synapses("a->a"),
        lambda: network(Projection("a", "a", rule, weight=1.0, receptor="i", plasticity=plastic)),
        lambda: network(inputs=[Poisson("a", 10.0, -1.0, receptor="i")]),
        lambda: network(inputs=[SpikeTrains("a", [0.1, 0.2], [0, 0], [1.0, -1.0], receptor="i")]),
    ):
        with pytest.raises(ValueError, match="a negative weight on 'i', a conductance of 'a'"):
            make()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: Gamma(2e-3, order=1.0), TypeError, "Gamma: order=1.0"),
        (lambda: DualExponential(5e-3, 5e-3 * (1 + 1e-14)), ValueError, "use Alpha"),
        (lambda: STDP("a", 1e-2, 0.1, 0.1, w_max=1.0), TypeError, "STDP: tau_plus='a', expected one number"),
        (lambda: STDP(1e-2, np.ones(2), 0.1, 0.1, w_max=1.0), TypeError, "STDP: tau_minus="),
        (lambda: ShortTermPlasticity("a", 1.0), TypeError, "ShortTermPlasticity: u_0='a'"),
    ],
)
def test_bad_constants_are_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_bad_weights():
    rule = connect.all_to_all()
    for weight, word in [(np.nan, "weight"), (np.zeros((2, 2)), "weight"), (None, "weight")]:
        with pytest.raises(ValueError, match=word):
            Projection("a", "a", rule, weight=weight)
    with pytest.raises(ValueError, match="brings"):
        Projection("a", "a", connect.from_matrix(np.eye(2)), weight=1.0)
    for rule_itself in (0.1, connect.all_to_all):
        with pytest.raises(TypeError, match="connect"):
            Projection("a", "a", rule_itself, weight=1.0)
    for k in (-1, 1.5, np.nan, np.inf):
        with pytest.raises(ValueError, match="fixed_indegree"):
            connect.fixed_indegree(k)
    population = Population(CELL, 4, receptors={"r": Exponential(1e-3)})
    with pytest.raises(ValueError, match="12"):
        SpikingNetwork({"a": population}, [Projection("a", "a", rule, weight=np.ones(5))]).synapses("a->a")


@pytest.mark.parametrize("kind", [nx.MultiDiGraph, nx.MultiGraph])
@pytest.mark.parametrize("weight", [None, "w"])
def test_parallel_edges_are_as_many_synapses(kind, weight):
    edges = [(0, 1, 1.0), (2, 1, 2.0), (0, 1, 0.5), (1, 2, 4.0), (3, 3, 8.0)]
    graph = kind()
    graph.add_nodes_from(range(4))
    for a, b, w in edges:
        graph.add_edge(a, b, w=w)
    expected = [(a, b, w) for a, b, w in edges]
    if not graph.is_directed():
        expected += [(b, a, w) for a, b, w in edges if a != b]
    sources, targets, weights = pairs(connect.from_graph(graph, weight), 4)
    weights = weights if weight else np.ones(len(sources))
    found = sorted(zip(sources.tolist(), targets.tolist(), np.broadcast_to(weights, sources.shape), strict=True))
    assert found == sorted((a, b, w if weight else 1.0) for a, b, w in expected)
    assert np.all(np.diff(sources) >= 0)


def test_parallel_edges_weigh_twice():
    graph = nx.MultiDiGraph([(0, 1), (0, 1), (0, 2)])
    source = Population(SpikeSource([1e-3], [0]), 3)
    target = Population(CELL, 3, receptors={"r": Exponential(1e-3)})
    network = SpikingNetwork(
        {"s": source, "t": target}, [Projection("s", "t", connect.from_graph(graph), weight=1e-4, receptor="r")]
    )
    current = integrate(network, (0.0, 2e-3), dt=1e-4, record={"t": Record(["r"])}).traces["t"]["r"].max(0)
    assert current[1] == 2 * current[2] > 0 == current[0]


@pytest.mark.parametrize("rule", [connect.fixed_indegree])
@pytest.mark.parametrize("k", [-1, 3.0, 2.5, True, "3", np.nan])
def test_numbers_of_sources_are_whole_and_not_negative(rule, k):
    with pytest.raises((ValueError, TypeError), match="fixed_indegree: k"):
        rule(k)


@pytest.mark.parametrize(
    "settings",
    [
        {"weight": lambda i, j, g: np.full(len(i), 1 + 1j)},
        {"weight": np.full(12, 1 + 1j)},
        {"weight": 1.0, "delay": lambda i, j, g: np.full(len(i), 1e-3 + 1e-3j)},
    ],
)
def test_complex_weights_and_delays_are_refused(settings):
    population = Population(CELL, 4, receptors={"r": Exponential(1e-3)})
    with pytest.raises(TypeError, match="Projection"):
        network = SpikingNetwork({"a": population}, [Projection("a", "a", connect.all_to_all(), **settings)])
        network.synapses("a->a"), network.delays(1e-4)


def test_complex_starts_and_probabilities_are_refused():
    with pytest.raises(TypeError, match="initial"):
        Population(CELL, 3, initial={"v": lambda g, n: np.full(n, 1j)}).start(np.random.default_rng(0))
    with pytest.raises(TypeError, match="probability"):
        pairs(connect.distance_dependent(lambda d: 0.5j + d), 4, positions=np.zeros((4, 2)))
