"""NIR: what goes out comes back bit for bit, files made by hand mean what NIR says, the rest is refused by name."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

nir = pytest.importorskip("nir")

from circuits.neurons import (  # noqa: E402  # noqa: E402
    LIF,
    STDP,
    Alpha,
    Constant,
    Delta,
    Exponential,
    Izhikevich,
    Population,
    Projection,
    Record,
    Sine,
    SpikeSource,  # noqa: E402
    SpikingNetwork,
    connect,
    from_nir,
    to_nir,
)
from physlearn import integrate  # noqa: E402

DT = 1e-4


def network(n=30):
    """Every kind of receptor that NIR has, arrays of parameters, delays."""
    rng = np.random.default_rng(1)
    plain = LIF(tau=17e-3, v_rest=-49.3e-3, v_threshold=-50e-3, v_reset=-61e-3, resistance=1.3)
    arrays = LIF(
        tau=rng.uniform(10e-3, 30e-3, n),
        v_rest=rng.uniform(-49e-3, -45e-3, n),
        v_threshold=-50e-3,
        v_reset=rng.uniform(-65e-3, -55e-3, n),
        resistance=rng.uniform(0.5, 2.0, n),
    )
    populations = {
        "peak": Population(arrays, n, receptors={"exc": Exponential(5.3e-3)}),
        "area": Population(plain, n, receptors={"s": Exponential(7.1e-3, normalised="area")}),
        "jump": Population(arrays, n, receptors={"kick": Delta()}),
        "alone": Population(plain, 3),
    }
    weights = {"peak": 1e-3, "area": 1e-5, "jump": 1e-3}
    projections = []
    for k, (source, target) in enumerate([("peak", "area"), ("area", "jump"), ("jump", "peak"), ("peak", "peak")]):
        w = weights[target]
        projections.append(
            Projection(
                source,
                target,
                connect.fixed_probability(0.2),
                weight=lambda i, j, g, w=w: g.normal(0.0, w, len(i)),
                delay=k * 0.7e-3,
            )
        )
    projections.append(
        Projection("jump", "jump", connect.fixed_probability(0.1), weight=-0.3e-3, delay=2e-3, name="more")
    )
    return SpikingNetwork(populations, projections, seed=5)


def same_nodes(one, two):
    assert set(one.nodes) == set(two.nodes) and set(one.edges) == set(two.edges)
    for name, node in one.nodes.items():
        for key, value in node.to_dict().items():
            other = two.nodes[name].to_dict()[key]
            if isinstance(value, np.ndarray):
                assert value.dtype == other.dtype
                assert_array_equal(value, other)


@pytest.mark.parametrize("through_file", [False, True])
def test_round_trip_is_bit_equal(through_file, tmp_path):
    given = network()
    graph = to_nir(given)
    if through_file:
        nir.write(tmp_path / "network.nir", graph)
    back = from_nir(tmp_path / "network.nir" if through_file else graph)
    same_nodes(graph, to_nir(back))
    assert set(back.populations) == set(given.populations)
    for name, population in given.populations.items():
        again = back.populations[name]
        assert again.n == population.n and dict(again.receptors) == dict(population.receptors)
        for field in dataclasses.fields(LIF):
            assert_array_equal(getattr(again.model, field.name), getattr(population.model, field.name))
    for projection in given.projections:
        for one, two in zip(given.synapses(projection.name), back.synapses(projection.name), strict=True):
            assert_array_equal(one, two)
    record = {"jump": Record(["v"]), "peak": "spikes", "area": "spikes"}
    runs = [integrate(net, (0.0, 0.2), dt=DT, record=record) for net in (given, back)]
    assert_array_equal(runs[0].traces["jump"]["v"], runs[1].traces["jump"]["v"])
    for name in runs[0].spikes:
        assert len(runs[0].spikes[name]) > 50
        assert_array_equal(runs[0].spikes[name].times, runs[1].spikes[name].times)
        assert_array_equal(runs[0].spikes[name].ids, runs[1].spikes[name].ids)


def test_a_graph_made_by_hand_means_what_nir_says():
    """One spike through Linear into LIF and CubaLIF: an impulse moves v by r w / tau, or I by w_in w / tau_syn."""
    one = np.ones(2)
    common = dict(r=3.0 * one, v_leak=0.0 * one, v_threshold=1e3 * one)
    nodes = {
        "input": nir.Input({"input": np.array([1])}),
        "delay": nir.Delay(np.array([1e-3])),
        "w1": nir.Linear(np.array([[0.1], [0.2]])),
        "lif": nir.LIF(tau=20e-3 * one, **common),
        "w2": nir.Affine(np.array([[0.5], [0.7]]), np.zeros(2)),
        "cuba": nir.CubaLIF(tau_syn=5e-3 * one, tau_mem=20e-3 * one, w_in=np.array([1.5, 2.5]), **common),
        "output": nir.Output({"output": np.array([2])}),
    }
    edges = [("input", "delay"), ("delay", "w1"), ("w1", "lif"), ("lif", "output"), ("input", "w2"), ("w2", "cuba")]
    net = from_nir(nir.NIRGraph(nodes, edges), sources={"input": SpikeSource([2e-3], [0])})
    out = integrate(net, (0.0, 0.02), dt=DT, record={"lif": Record(["v"]), "cuba": Record(["spikes", "v"])})
    t = out.traces["lif"].t
    after = t > 3e-3 + DT / 2
    jump = 3.0 / 20e-3 * np.array([0.1, 0.2])
    wanted = np.where(after[:, None], jump * np.exp(-(t[:, None] - 3e-3) / 20e-3), 0.0)
    assert_allclose(out.traces["lif"]["v"], wanted, rtol=1e-10, atol=1e-12)
    current = np.array([1.5, 2.5]) * np.array([0.5, 0.7]) / 5e-3
    late = np.maximum(t - 2e-3, 0.0)[:, None]
    course = 3.0 * current * 5e-3 / (20e-3 - 5e-3) * (np.exp(-late / 20e-3) - np.exp(-late / 5e-3))
    assert_allclose(out.traces["cuba"]["v"], course, rtol=1e-9, atol=1e-12)


LIFS = LIF(20e-3, 0.0, 1.0, 0.0)


def alone(model=LIFS, n=2, **more):
    return {"n": Population(model, n, **more)}


def wired(**more):
    rule = connect.all_to_all()
    return SpikingNetwork(alone(receptors={"s": Exponential(5e-3)}), [Projection("n", "n", rule, weight=0.1, **more)])


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: SpikingNetwork(alone(), inputs=[Sine("n", 1.0, 5.0)]), "no Sine"),
        (lambda: SpikingNetwork(alone(Izhikevich())), "no Izhikevich"),
        (lambda: SpikingNetwork(alone(dataclasses.replace(LIFS, refractory=1e-3))), "no refractory period"),
        (lambda: SpikingNetwork(alone(dataclasses.replace(LIFS, exact_times=True))), "exact_times"),
        (lambda: SpikingNetwork(alone(initial={"v": 0.5})), "no initial state"),
        (
            lambda: SpikingNetwork(alone(receptors={"a": Exponential(5e-3), "b": Exponential(1e-3)})),
            "one kind of synapse",
        ),
        (lambda: SpikingNetwork(alone(receptors={"a": Exponential(5e-3, reversal=0.0)})), "no conductances"),
        (lambda: SpikingNetwork(alone(receptors={"a": Alpha(5e-3)})), "no Alpha"),
        (lambda: wired(plasticity=STDP(20e-3, 20e-3, 0.01, 0.01, w_max=1.0)), "no STDP"),
        (lambda: wired(delay=np.array([1e-3, 2e-3])), "no delay per synapse"),
    ],
)
def test_what_nir_cannot_say_is_refused_by_name(build, says):
    with pytest.raises(ValueError, match=says):
        to_nir(build())


def test_repeated_synapses_are_refused():
    rule = connect.fixed_indegree(5, repeated=True, self_connections=True)
    net = SpikingNetwork(alone(receptors={"s": Delta()}), [Projection("n", "n", rule, weight=0.1)])
    with pytest.raises(ValueError, match="repeated"):
        to_nir(net)


def chain(*nodes):
    return nir.NIRGraph.from_list(*nodes, type_check=False)


def cuba(n=2):
    one = np.ones(n)
    return nir.CubaLIF(
        tau_mem=20e-3 * one, tau_syn=5e-3 * one, r=one, v_leak=0 * one, v_threshold=one, v_reset=0 * one, w_in=one
    )  # fmt: skip


def lif(n=2):
    one = np.ones(n)
    return nir.LIF(tau=20e-3 * one, r=one, v_leak=0 * one, v_threshold=one)


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (lambda: chain(nir.IF(r=np.ones(2), v_threshold=np.ones(2))), "no counterpart of NIR's IF"),
        (lambda: chain(lif(), nir.Affine(np.eye(2), np.ones(2)), cuba()), "bias in front of CubaLIF"),
        (lambda: chain(lif(), nir.Linear(np.eye(2)), nir.Linear(np.eye(2)), lif()), "two weight matrices"),
        (lambda: chain(lif(), nir.Delay(np.array([1e-3, 2e-3])), lif()), "delay for each neuron"),
        (lambda: chain(lif(), nir.Linear(np.eye(2))), "linear: a Linear that leads to no neurons"),
        (lambda: chain(lif(), nir.Delay(np.full(2, 1e-3)), nir.Scale(np.ones(2))), "delay: a Delay that leads to no n"),
        (lambda: chain(nir.Linear(np.eye(2)), lif()), "needs a population"),
        (lambda: chain(lif(), nir.Linear(np.ones((2, 3))), lif()), r"expected \(2, 2\)"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(graph, says):
    with pytest.raises(ValueError, match=says):
        from_nir(graph())


def test_a_projection_without_synapses_is_a_matrix_of_zeros():
    none = Projection("n", "n", connect.fixed_probability(0.0), weight=0.1, delay=np.zeros(0))
    graph = to_nir(SpikingNetwork(alone(receptors={"s": Delta()}), [none]))
    assert not graph.nodes["n->n"].weight.any()


def test_what_is_no_network_and_no_graph():
    with pytest.raises(TypeError, match="SpikingNetwork"):
        to_nir("network")
    with pytest.raises(TypeError, match="NIRGraph"):
        from_nir(None)


def test_neurons_wired_to_neurons_send_spikes_of_weight_one():
    """v' = r w / tau at a spike; NIR's impulse into tau_syn dI/dt = -I + w_in S makes I jump by w_in / tau_syn."""
    one = np.ones(2)
    lif = dict(r=3 * one, v_leak=0 * one, v_threshold=one, v_reset=0 * one)
    cells = [nir.LIF(tau=np.array([0.02, 0.01]), **lif) for _ in range(2)]
    network = from_nir(nir.NIRGraph(dict(zip("ab", cells, strict=True)), [("a", "b")], type_check=False))
    assert not network.populations["a"].receptors
    assert_allclose(network.synapses("a->b")[2], [150.0, 300.0])
    cuba = nir.CubaLIF(tau_mem=0.02 * one, tau_syn=0.005 * one, w_in=np.array([1.0, 2.0]), **lif)
    network = from_nir(nir.NIRGraph({"a": cells[0], "b": cuba}, [("a", "b"), ("b", "b")], type_check=False))
    (receptor,) = network.populations["b"].receptors.values()
    for name in ("a->b", "b->b"):
        sources, targets, weights = network.synapses(name)
        assert_array_equal(sources, targets)
        assert_allclose(weights * receptor.gain, [200.0, 400.0])


def test_a_wire_between_layers_of_two_sizes_is_refused():
    sizes = {"a": np.ones(2), "b": np.ones(3)}
    cells = {k: nir.LIF(tau=v, r=v, v_leak=0 * v, v_threshold=v, v_reset=0 * v) for k, v in sizes.items()}
    with pytest.raises(ValueError, match="a -> b: .* there are 2 and 3"):
        from_nir(nir.NIRGraph(cells, [("a", "b")], type_check=False))


@pytest.mark.parametrize(
    ("names", "projection", "says"),
    [
        ("EI", "E", "'E': two nodes"),
        (("E", "E.in"), "", "'E.in': two nodes"),
        ("EI", "I.out", "'I.out': two nodes"),
        (("cortex/L4", "I"), "", "'cortex/L4': .* path"),
        ("EI", "E/I", "'E/I': .* path"),
    ],
)
def test_names_that_a_graph_cannot_hold_are_refused(names, projection, says):
    cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
    cells = {name: Population(cell, 2, receptors={"exc": Exponential(5e-3)}) for name in names}
    wire = Projection(names[0], names[1], connect.all_to_all(), weight=1e-3, name=projection)
    with pytest.raises(ValueError, match=says):
        to_nir(SpikingNetwork(cells, [wire]))


def test_edges_that_stand_twice_and_numbers_that_are_none_are_refused():
    one = np.ones(2)

    def graph(edges, **weights):
        cells = {k: nir.LIF(tau=20e-3 * one, r=one, v_leak=0 * one, v_threshold=one, v_reset=0 * one) for k in "ab"}
        return nir.NIRGraph(cells | {k: nir.Linear(w) for k, w in weights.items()}, edges, type_check=False)

    for edges in ([("a", "b"), ("a", "b")], [("a", "w"), ("w", "b"), ("w", "b")], [("a", "w"), ("w", "b"), ("a", "w")]):
        with pytest.raises(ValueError, match="the graph has this edge twice"):
            from_nir(graph(edges, w=np.eye(2)))
    with pytest.raises(TypeError, match="w: weight.*real numbers"):
        from_nir(graph([("a", "w"), ("w", "b")], w=1j * np.eye(2)))
    with pytest.raises(ValueError, match="w: weight.*NaN"):
        from_nir(graph([("a", "w"), ("w", "b")], w=np.nan * np.eye(2)))


def test_sources_belong_to_inputs_of_the_graph():
    one = np.ones(2)
    graph = nir.NIRGraph.from_list(nir.LIF(tau=one, r=one, v_leak=0 * one, v_threshold=one, v_reset=0 * one))
    with pytest.raises(ValueError, match="sources: there is no 'elsewhere', expected one of .'input'"):
        from_nir(graph, sources={"elsewhere": None})
    with pytest.raises(TypeError, match="sources"):
        from_nir(graph, sources=[1])


@pytest.mark.parametrize("through_file", [False, True])
def test_constant_currents_are_biases_and_come_back(through_file, tmp_path):
    rng = np.random.default_rng(3)
    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, resistance=2.0)
    made = SpikingNetwork(
        {"a": Population(cells, 4, receptors={"d": Delta()}), "b": Population(cells, 3)},
        [Projection("a", "a", connect.from_matrix(1e-3 * rng.random((4, 4))), delay=2e-3)],
        [Constant("a", 6e-3 + 1e-3 * rng.random(4)), Constant("b", 5.5e-3), Constant("b", [0.0, 1e-3, 2e-3])],
    )
    graph = to_nir(made)
    if through_file:
        nir.write(tmp_path / "network.nir", graph)
        graph = nir.read(tmp_path / "network.nir")
    back = from_nir(graph)
    assert [type(given).__name__ for given in back.inputs] == ["Constant", "Constant"]
    same_nodes(to_nir(back), to_nir(made))
    one, two = (integrate(network, (0.0, 0.2), dt=1e-3) for network in (made, back))
    for name in ("a", "b"):
        assert len(one.spikes[name].times) > 5
        assert_array_equal(one.spikes[name].times, two.spikes[name].times)


def test_a_bias_counts_once_and_flatten_changes_nothing():
    """Two populations into one Affine: its node adds the bias once; a Scale behind it scales the bias too."""
    one = np.ones(2)
    nodes = {
        "a": lif(), "b": lif(), "w": nir.Affine(0.3 * np.eye(2), np.array([2.0, 4.0])), "s": nir.Scale(0.5 * one),
        "f": nir.Flatten({"input": np.array([1, 2])}, 0), "c": lif(),
    }  # fmt: skip
    edges = [("a", "w"), ("b", "w"), ("w", "f"), ("f", "s"), ("s", "c")]
    found = from_nir(nir.NIRGraph(nodes, edges, type_check=False), step=1.0)
    assert [(given.target, given.current.tolist()) for given in found.inputs] == [("c", [1.0, 2.0])]
    assert [(p.source, p.target) for p in found.projections] == [("a", "c"), ("b", "c")]


def test_what_a_spike_lasts_is_asked_for(caplog):
    graph = chain(lif(), nir.Linear(np.array([[0.2, 0.1], [0.0, 0.3]])), lif())
    with caplog.at_level("WARNING", logger="physlearn"):
        plain = from_nir(graph)
    assert "read as unit impulses" in caplog.text
    caplog.clear()
    with caplog.at_level("WARNING", logger="physlearn"):
        stepped, again = from_nir(graph, step=1e-3), from_nir(to_nir(plain))
    assert not caplog.text
    weights = [net.synapses(net.projections[0].name)[2] for net in (plain, stepped, again)]
    assert_allclose(weights[1], 1e-3 * weights[0], rtol=1e-12)
    assert_array_equal(weights[2], weights[0])
    with pytest.raises(ValueError, match="step in s"):
        from_nir(graph, step=0.0)
