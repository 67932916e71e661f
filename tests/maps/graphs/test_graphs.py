"""Maps of graphs and sets: audits, known matrices, permutations, graphs of several sizes in one batch."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

from physlearn import PredictiveCoding, SquaredError, check_map
from physlearn.maps import (
    Affine,
    Beside,
    Chain,
    Collect,
    Each,
    EdgeAttention,
    Ends,
    GraphConvolution,
    MessagePassing,
    Pool,
    Tanh,
    pack_graphs,
)
from physlearn.models import PredictionGraph

GRAPH, D = nx.karate_club_graph(), 3
SMALL = nx.path_graph(4)
MESSAGE = Chain(Affine(4, "M", "m"), Tanh())


def several(rng):
    """Three graphs of different sizes, and features of their nodes and edges."""
    graphs = [nx.cycle_graph(3), nx.star_graph(4), nx.path_graph(2)]
    packed = pack_graphs(graphs)
    nodes = rng.normal(size=(*packed["mask"].shape, D))
    return graphs, packed, nodes, rng.normal(size=(*packed["edges"].shape[:2], 2))


def layers(graph=None):
    return [
        MessagePassing(MESSAGE, graph),
        MessagePassing(MESSAGE, graph, by="mean"),
        MessagePassing(MESSAGE, graph, by="max"),
        GraphConvolution(4, graph=graph),
        EdgeAttention(4, 2, graph=graph),
    ]


NAMES = ["sum", "mean", "max", "convolution", "attention"]


@pytest.mark.parametrize("k", range(5), ids=NAMES)
def test_passes_its_audit(k, rng):
    check_map(layers(SMALL)[k], [(4, D)], rng=7)  # away from the kink of attention
    _, packed, nodes, _ = several(rng)
    check_map(layers()[k], [nodes.shape[1:], packed["edges"].shape[1:]], x=[nodes, packed["edges"]], rng=7)


def test_pieces_pass_their_audit(rng):
    _, packed, nodes, own = several(rng)
    edges = packed["edges"]
    check_map(Ends(features=True), [nodes.shape[1:], edges.shape[1:], own.shape[1:]], x=[nodes, edges, own])
    check_map(Ends(SMALL, features=True), [(4, D), (6, 2)])
    known = MessagePassing(MESSAGE, features=True)
    check_map(known, [nodes.shape[1:], edges.shape[1:], own.shape[1:]], x=[nodes, edges, own])
    for by in ("sum", "mean", "max"):
        check_map(Collect(nodes.shape[1], by=by), [own.shape[1:], edges.shape[1:]], x=[own, edges])
        check_map(Pool(by), [(4, D)])
        shapes = [nodes.shape[1:], packed["mask"].shape[1:]]
        check_map(Pool(by, masked=True), shapes, x=[nodes, packed["mask"]])
    check_map(Each(Chain(Affine(4), Tanh())), [(5, D)])
    check_map(Each(Affine((2, 2))), [(5, D, 2)])
    check_map(Beside(), [(4, 2), (4, 3)])


def test_convolution_is_its_matrix(rng, tol):
    """D^(-1/2) (A + 1) D^(-1/2) x W + b with NetworkX's matrices, weights and all."""
    weighted = nx.to_scipy_sparse_array(GRAPH).toarray()
    x, theta = rng.normal(size=(2, 34, D)), {"W": rng.normal(size=(D, 4)), "b": rng.normal(size=4)}
    s = weighted + np.eye(34)
    s /= np.sqrt(np.outer(s.sum(1), s.sum(1)))
    for graph in (GRAPH, sp.csr_array(weighted)):
        found = GraphConvolution(4, graph=graph).forward((x,), theta)[0]
        np.testing.assert_allclose(found, s @ x @ theta["W"] + theta["b"], rtol=tol.IDENTITY, atol=1e-14)


def test_messages_are_the_laplacian(rng, tol):
    x = rng.normal(size=(2, 34, 1))
    layer = MessagePassing(Affine(1, "W", None), sp.csr_array(nx.to_scipy_sparse_array(GRAPH, weight=None)))
    found = layer.forward((x,), {"W": np.array([[-1.0], [1.0]])})[0]
    laplacian = nx.laplacian_matrix(GRAPH, weight=None).toarray()
    np.testing.assert_allclose(found[:, :, 0], x[:, :, 0] @ laplacian, rtol=tol.IDENTITY, atol=1e-13)


def test_directions_are_kept():
    arrow = sp.csr_array(([1.0], ([2], [0])), shape=(3, 3))  # A[2, 0]: from 0 to 2
    x, theta = np.array([[[5.0], [0.0], [0.0]]]), {"W": np.array([[1.0], [0.0]])}
    for graph in (arrow, nx.DiGraph([(0, 2), (0, 1)]), [[0, 2]]):
        found = MessagePassing(Affine(1, "W", None), graph).forward((x[:, :3],), theta)[0].ravel()
        assert found[0] == 0 and found.max() == 5.0


def test_attention_over_edges_is_its_formula(rng, tol):
    layer, x = EdgeAttention(4, 2, graph=SMALL), rng.normal(size=(1, 4, D))
    theta = layer.start([(4, D)], rng)
    p = (x[0] @ theta["edges.W"]).reshape(4, 2, 2)
    a, b = theta["edges.send"].reshape(2, 2), theta["edges.receive"].reshape(2, 2)
    wanted = np.zeros((4, 2, 2))
    for i in range(4):
        near = [i, *SMALL[i]]
        for h in range(2):
            raw = np.array([p[j, h] @ a[h] + p[i, h] @ b[h] for j in near])
            e = np.exp(np.where(raw > 0, raw, 0.2 * raw))
            wanted[i, h] = (e / e.sum()) @ p[near, h]
    np.testing.assert_allclose(layer.forward((x,), theta)[0][0], wanted.reshape(4, 4), rtol=tol.IDENTITY)


@pytest.mark.parametrize("k", range(5), ids=NAMES)
def test_renumbered_nodes_are_renumbered_values(k, rng):
    order = rng.permutation(34)
    pairs = np.array(nx.to_scipy_sparse_array(GRAPH, weight=None).nonzero()).T
    new = np.argsort(order)[pairs][rng.permutation(len(pairs))]
    x = rng.normal(size=(1, 34, D))
    theta = layers(pairs)[k].start([(34, D)], rng)
    one, other = layers(pairs)[k].forward((x,), theta)[0], layers(new)[k].forward((x[:, order],), theta)[0]
    np.testing.assert_allclose(one[:, order], other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("k", range(5), ids=NAMES)
def test_a_batch_of_several_sizes_is_each_by_itself(k, rng):
    graphs, packed, nodes, _ = several(rng)
    theta = layers()[k].start([nodes.shape[1:], packed["edges"].shape[1:]], rng)
    whole = layers()[k].forward((nodes, packed["edges"]), theta)[0]
    for item, graph in enumerate(graphs):
        n = len(graph)
        alone = layers(graph)[k].forward((nodes[item : item + 1, :n],), theta)[0]
        np.testing.assert_allclose(whole[item, :n], alone[0], rtol=1e-12, atol=1e-14)


def test_deep_sets_see_no_order(rng):
    """Whatever the order: to rounding for sums, bit for bit for maxima; and padding is not there."""
    for by in ("sum", "mean", "max"):
        nodes = {
            "e": ("x", Each(Chain(Affine(5, "W1", "b1"), Tanh()))),
            "p": (("e", "mask"), Pool(by, masked=True)),
            "y": ("p", Affine(2)),
        }
        net = PredictionGraph({"x": (6, 2), "mask": 6}, nodes, rng=7)
        x, mask = rng.normal(size=(1, 6, 2)), np.array([[1.0, 1, 1, 1, 0, 0]])
        order = rng.permutation(6)
        one = net.forward({"x": x, "mask": mask})["y"]
        other = net.forward({"x": x[:, order], "mask": mask[:, order]})["y"]
        x[:, 4:] = 9.0
        padded = net.forward({"x": x, "mask": mask})["y"]
        np.testing.assert_array_equal(one, padded)
        if by == "max":
            np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_layers_as_nodes_learn_by_both_rules(rng):
    _, packed, nodes, _ = several(rng)
    parts = {
        "h": (("x", "edges"), Chain(MessagePassing(MESSAGE), Tanh())),
        "g": (("h", "edges"), EdgeAttention(4, 2)),
        "p": (("g", "mask"), Pool("mean", masked=True)),
        "y": ("p", Affine(1)),
    }
    net = PredictionGraph(
        {"x": nodes.shape[1:], "edges": packed["edges"].shape[1:], "mask": packed["mask"].shape[1:]}, parts, rng=0
    )
    inputs = {"x": nodes.reshape(3, -1), "edges": packed["edges"].reshape(3, -1), "mask": packed["mask"]}
    target = rng.normal(size=(3, 1))
    _, exact = net.exact_gradient(SquaredError("y"), inputs, target)
    errors = []
    for precision in (1e-2, 1e-3):
        _, found = PredictiveCoding(precision).swept(net, inputs, target, SquaredError("y"), {"tol": 1e-12})
        errors.append(max(np.abs(found[n] - exact[n]).max() / np.abs(exact[n]).max() for n in exact))
    assert errors[0] < 0.1 and 8 < errors[0] / errors[1] < 12


def test_bad_input_is_refused_by_name(rng):
    with pytest.raises(ValueError, match="graph: it has 5 nodes and no edges"):
        GraphConvolution(2, graph=nx.empty_graph(5))
    with pytest.raises(ValueError, match=r"graphs\[1\]: it has 2 nodes and no edges"):
        pack_graphs([nx.path_graph(3), nx.empty_graph(2)])
    with pytest.raises(ValueError, match="graphs: got none"):
        pack_graphs([])
    with pytest.raises(TypeError, match="graph: got 'ring', expected a networkx graph"):
        MessagePassing(Affine(2), "ring")
    with pytest.raises(ValueError, match="edges: item 1 has none"):
        edges = np.array([[[0.0, 1.0]], [[-1.0, -1.0]]])
        GraphConvolution(2).forward((np.zeros((2, 3, 1)), edges), {"W": np.ones((1, 2)), "b": np.zeros(2)})
    with pytest.raises(ValueError, match="edges: got the node 3, expected one of 0 .. 2"):
        GraphConvolution(2).forward((np.zeros((1, 3, 1)), np.array([[[0.0, 3.0]]])), {"W": np.ones((1, 2))})
    with pytest.raises(ValueError, match="its graph has 34 nodes, the parent 4"):
        PredictionGraph({"x": (4, 2)}, {"y": ("x", GraphConvolution(2, graph=GRAPH))})
    with pytest.raises(ValueError, match="heads: got 2, which does not divide the width 3"):
        EdgeAttention(3, 2)
    with pytest.raises(ValueError, match="expected a square one"):
        GraphConvolution(2, graph=sp.csr_array(np.ones((2, 3))))
    with pytest.raises(ValueError, match="got 1 parents, expected 2: nodes, edges"):
        GraphConvolution(2).shape([(4, 2)])
    with pytest.raises(ValueError, match="mask: item 0 hides all"):
        Pool(masked=True).forward((np.ones((1, 3, 2)), np.zeros((1, 3))), {})
