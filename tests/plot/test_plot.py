"""Pictures hold what they should, on the axes they should, and change no setting."""

import matplotlib
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose

import physlearn.plot
from physlearn.models import Plane
from physlearn.plot import plot_confusion, plot_landscape, plot_learning_curve, plot_network

EDGES = [("a", "b"), ("b", "c"), ("c", "a")]


@pytest.fixture(autouse=True)
def settings_untouched():
    before = matplotlib.rcParams.copy()
    yield
    assert matplotlib.rcParams == before


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plot_network(EDGES, conductance=[1, 2, 3], ax=ax),
        lambda ax: plot_learning_curve([3.0, 2.0, 1.0], ax=ax),
        lambda ax: plot_confusion([[3, 1], [0, 4]], ax=ax),
    ],
)
def test_draws_on_given_axes_or_a_new_figure(draw):
    figure, (left, right) = plt.subplots(1, 2)
    assert draw(left) is left and not right.has_data()
    alone = draw(None)
    assert alone.figure is not figure
    alone.figure.canvas.draw()


def test_network_lines_nodes_and_colours():
    ax = plot_network(
        EDGES,
        conductance=[1.0, 2.0, 4.0],
        nodes=["c", "b", "a"],
        voltage=[0.0, 1.0, 5.0],
        pos={"a": (0, 0), "b": (1, 0), "c": (0, 1)},
        marked={"input": ["a"], "output": [("b", "c")]},
        labels=True,
    )
    lines, *groups = ax.collections
    assert_allclose(lines.get_linewidths(), np.array([1, 2, 4]) / 4 * lines.get_linewidths()[2])
    assert [g.get_label() for g in groups] == ["input", "output"]
    assert_allclose(groups[0].get_offsets(), [(0, 0)])
    assert_allclose(groups[0].get_array(), [5.0])
    assert {tuple(g.get_clim()) for g in groups} == {(0.0, 5.0)}
    assert {t.get_text() for t in ax.texts} == {"a", "b", "c"}
    bar = [other for other in ax.figure.axes if other is not ax]
    assert [b.get_ylabel() for b in bar] == ["voltage (V)"]
    entries = {t.get_text() for t in ax.get_legend().get_texts()} - {" "}
    assert entries == {"input", "output", "2 S", "0.4 S"}


def test_network_zero_is_the_middle_when_voltages_have_both_signs():
    ax = plot_network(EDGES, conductance=np.ones(3), voltage=[-1.0, 0.0, 3.0])
    assert ax.collections[1].get_clim() == (-3.0, 3.0)


def test_network_parallel_edges_are_all_visible():
    edges = [("a", "b", 0), ("b", "a", 1), ("a", "b", 2)]
    ax = plot_network(edges, conductance=np.ones(3), pos={"a": (0, 0), "b": (2, 0)})
    middles = [path.vertices[len(path.vertices) // 2, 1] for path in ax.collections[0].get_paths()]
    assert len({round(y, 6) for y in middles}) == 3 and sum(middles) == pytest.approx(0)


def test_network_edges_through_the_boundary_are_stubs():
    ring = nx.cycle_graph(4)
    pos = {k: (float(k), 0.0) for k in ring}
    ax = plot_network(ring.edges, conductance=np.arange(1.0, 5.0), pos=pos, period=(4, 1))
    paths = [path.vertices for path in ax.collections[0].get_paths()]
    assert len(paths) == 5
    reach = np.concatenate(paths)[:, 0]
    assert reach.min() == pytest.approx(-0.45) and reach.max() == pytest.approx(3.45)


def test_network_layout_is_the_same_each_time():
    graph = nx.gnp_random_graph(150, 0.03, seed=1)
    graph = graph.subgraph(max(nx.connected_components(graph), key=len))
    one, two = (plot_network(graph.edges, conductance=np.ones(graph.size())) for _ in range(2))
    assert_allclose(one.collections[1].get_offsets(), two.collections[1].get_offsets())


def test_learning_curve_of_replicates():
    runs = np.array([[1.0, 0.5, 0.0], [3.0, 0.1, 0.2]])
    ax = plot_learning_curve(runs, epochs=[10, 20, 30], label="rule", ylabel="error (V²)")
    plot_learning_curve(runs[1], label="other", ax=ax)
    assert len(ax.lines) == 2 and len(ax.collections) == 1
    assert_allclose(ax.lines[0].get_ydata(), [2.0, 0.3, np.nan])
    assert_allclose(ax.lines[0].get_xdata(), [10, 20, 30])
    assert ax.collections[0].get_facecolor()[0] == pytest.approx(to_rgba(ax.lines[0].get_color(), 0.2))
    assert ax.get_yscale() == "log" and ax.get_ylabel() == "error (V²)"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["rule", "other"]


def test_confusion_matrix():
    ax = plot_confusion([[3, 1, 0], [0, 0, 0], [0, 1, 4]], ["x", "y", "z"])
    assert [t.get_text() for t in ax.texts] == list("310000014")
    assert_allclose(ax.images[0].get_array(), [[0.75, 0.25, 0], [0, 0, 0], [0, 0.2, 0.8]])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["x", "y", "z"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: plot_network(EDGES, conductance=[1, 2]), r"conductance: shape \(2,\), expected \(3,"),
        (lambda: plot_network(EDGES, conductance=[1, 2, -3]), "conductance: .* negative"),
        (lambda: plot_network(EDGES, conductance=np.ones(3), voltage=[1]), r"voltage: shape \(1,\)"),
        (
            lambda: plot_network(EDGES, conductance=np.ones(3), pos={"a": (0, 0)}),
            r"pos: no position for node 'b' \(2 of 3\)",
        ),
        (
            lambda: plot_network(EDGES, conductance=np.ones(3), marked={"input": ["z"]}),
            r"marked\['input'\]: 'z' is neither",
        ),
        (lambda: plot_learning_curve([]), r"history: shape \(0,\)"),
        (lambda: plot_learning_curve([0.0, 0.0]), "no value is positive"),
        (lambda: plot_learning_curve([1.0], epochs=[1, 2]), r"epochs: shape \(2,\), expected \(1,\)"),
        (lambda: plot_landscape(Plane(np.arange(3.0), np.arange(3.0), np.ones((3, 3)), np.eye(3))), "1 everywhere"),
        (lambda: plot_confusion([[1, 2]]), r"counts: shape \(1, 2\), expected \(k, k\)"),
        (lambda: plot_confusion([[-1]]), "negative"),
        (lambda: plot_confusion([[1]], ["a", "b"]), "labels: got 2, expected 1"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_table_of_contents():
    assert all(hasattr(physlearn.plot, name) for name in physlearn.plot.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = physlearn.plot.no_such_name
