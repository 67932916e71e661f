"""What messages along edges are for: tracks of particles on new detectors, resistances on larger networks."""

import networkx as nx
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from circuits import ResistorNetwork, effective_resistance
from physlearn import Adam, BinaryCrossEntropy, ExactGradient, SquaredError, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Beside, Chain, Each, Ends, MessagePassing, Relu, Reshape
from physlearn.models import PredictionGraph

pytestmark = pytest.mark.slow
LAYERS, PAIRS = 6, 480  # of a detector; room for so many pairs of hits in an event, empty places are -1
UNITS, ROUNDS = 24, 3  # of the network of resistances


def event(seed, spread):
    """Hits of 10 tracks and of noise, candidate pairs out and in, their features, and which are true."""
    rng = np.random.default_rng(seed)
    radius = 0.2 + np.cumsum(rng.uniform(0.12 - spread, 0.12 + spread, LAYERS))
    tracks = rng.uniform(-0.8, 0.8, (10, 1)) + rng.normal(0, 0.6, (10, 1)) * radius
    angle = np.concatenate([tracks + 0.005 * rng.normal(size=tracks.shape), rng.uniform(-1, 1, (3, LAYERS))])
    turn = (angle[None, :, 1:] - angle[:, None, :-1]) / np.diff(radius)
    i, j, k = np.nonzero(np.abs(turn) < 1.5)
    pairs, own, true = np.full((PAIRS, 2), -1), np.zeros((PAIRS, 3)), np.zeros(PAIRS)
    pairs[: len(i)], true[: len(i)] = np.stack([i * LAYERS + k, j * LAYERS + k + 1], 1), (i == j) & (i < 10)
    own[: len(i)] = np.stack([10 * np.diff(radius)[k], angle[j, k + 1] - angle[i, k], turn[i, j, k]], 1)
    parts = np.stack([np.broadcast_to(radius, angle.shape), angle], 2), pairs, pairs[:, ::-1], own, true
    return [np.asarray(part, float).ravel() for part in parts]


def stacked(seeds, spread):
    """Events stacked; and of all pairs which there are, their features, and labels."""
    parts = zip(*(event(seed, spread) for seed in seeds), strict=True)
    data = dict(zip(("hit", "out", "in", "own", "y"), map(np.stack, parts), strict=True))
    there, own = data["out"][:, ::2] >= 0, data["own"].reshape(len(seeds), PAIRS, 3)
    return data, there, np.concatenate([own, np.abs(own)], 2)[there], data["y"][there] > 0.5


def test_tracks_are_found_on_detectors_never_trained_on():
    """Pairs of hits judged by both ends after two rounds of messages, and by logistic regression on the pair alone.

    At the efficiency 0.9 (true pairs that are found) the purity (found pairs that are true) is compared.
    """
    nodes = {"h0": ("hit", Each(Chain(Affine(16, "W0", "b0"), Relu())))}
    for k in (1, 2):
        for way in ("out", "in"):
            message = Chain(Affine(16, f"M{way}{k}", f"m{way}{k}"), Relu())
            nodes[f"{way}{k}"] = ((f"h{k - 1}", way, "own"), MessagePassing(message, features=True))
        nodes[f"c{k}"] = ((f"h{k - 1}", f"out{k}", f"in{k}"), Beside())
        nodes[f"h{k}"] = (f"c{k}", Each(Chain(Affine(16, f"W{k}", f"b{k}"), Relu())))
    judge = Each(Chain(Affine(16, "V", "v"), Relu(), Affine(1, "Z", "z")))
    nodes["y"] = (("h2", "out", "own"), Chain(Ends(features=True), judge, Reshape(PAIRS)))
    shapes = {"hit": (13 * LAYERS, 2), "out": (PAIRS, 2), "in": (PAIRS, 2), "own": (PAIRS, 3)}
    data, _, pairs, true = stacked(range(60), 0.03)
    task = dict(rule=ExactGradient(), cost=BinaryCrossEntropy("y"), epochs=45, batch=10, rng=0, progress=False)
    net = learn(PredictionGraph(shapes, nodes, rng=0), data, optimizer=Adam(WarmupCosine(1e-2, 45)), **task).machine
    logistic = LogisticRegression(max_iter=1000).fit(pairs, true)
    for spread in (0.03, 0.06):  # layers where they were while learning, and elsewhere
        data, there, pairs, true = stacked(range(100, 130), spread)
        purity = []
        for score in (net.forward({key: data[key] for key in shapes})["y"][there], logistic.decision_function(pairs)):
            right = np.cumsum(true[np.argsort(-score)])
            purity.append((right / np.arange(1, len(right) + 1))[np.searchsorted(right / true.sum(), 0.9)])
        assert purity[0] > purity[1] + 0.08


def networks(count, n, seed):
    """Conductances on random graphs of degree 4, edges both ways, and log odds of the shares c R."""
    found = []
    for k in range(count):
        graph = nx.random_regular_graph(4, n, seed=1000 * seed + k)
        c, ends = np.exp(np.random.default_rng([seed, k]).uniform(-1, 1, 2 * n)), np.array(graph.edges)
        share = c * effective_resistance(ResistorNetwork(graph, conductance=c), list(graph.edges))
        degree = np.bincount(ends.ravel(), np.repeat(c, 2))
        both = np.concatenate([ends, ends[:, ::-1]]).ravel()
        found.append((np.log(degree), both, np.log(np.tile(c, 2)), np.tile(np.log(share / (1 - share)), 2)))
    return {
        name: np.array(v, float)
        for name, v in zip(("node", "edges", "edge", "y"), zip(*found, strict=True), strict=True)
    }


def graph_of(n, theta=None):
    """Rounds of messages between n nodes, and a readout of every edge; parameters do not know n."""
    nodes = {"h0": ("node", Chain(Reshape((n, 1)), Each(Chain(Affine(UNITS, "W0", "b0"), Relu()))))}
    nodes |= {"own": ("edge", Reshape((4 * n, 1))), "e": ((f"h{ROUNDS}", "edges", "own"), Ends(features=True))}
    for k in range(1, ROUNDS + 1):
        message = Chain(Affine(UNITS, f"M{k}", f"m{k}"), Relu(), Affine(UNITS, f"N{k}", f"n{k}"))
        nodes[f"m{k}"] = ((f"h{k - 1}", "edges", "own"), MessagePassing(message, features=True))
        nodes[f"c{k}"] = ((f"h{k - 1}", f"m{k}"), Beside())
        nodes[f"h{k}"] = (f"c{k}", Each(Chain(Affine(UNITS, f"W{k}", f"b{k}"), Relu())))
    nodes["y"] = ("e", Chain(Each(Chain(Affine(UNITS, "V", "v"), Relu(), Affine(1, "Z", "z"))), Reshape(4 * n)))
    return PredictionGraph({"node": n, "edges": (4 * n, 2), "edge": 4 * n}, nodes, theta=theta, rng=0)


def test_effective_resistances_on_networks_three_times_larger():
    """The share c R of a resistor in the conductance between its ends; all add up to n - 1 (Foster 1949)."""
    net = graph_of(16, {name: value.astype(np.float32) for name, value in graph_of(16).theta.items()})
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), epochs=30, batch=20, rng=0, progress=False)
    theta = learn(net, networks(300, 16, 0), optimizer=Adam(WarmupCosine(5e-3, 30)), **task).theta
    for n in (16, 48):
        new = networks(30, n, 1)
        wanted = 1 / (1 + np.exp(-new.pop("y")))
        found = 1 / (1 + np.exp(-graph_of(n, theta).forward(new)["y"]))
        assert np.mean((found - wanted) ** 2) < 0.06 * np.var(wanted)
        np.testing.assert_allclose(wanted.sum(1) / 2, n - 1, rtol=1e-9)
        np.testing.assert_allclose(found.sum(1) / 2, n - 1, rtol=0.06)  # which nobody told it
