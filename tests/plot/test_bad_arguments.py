"""Pictures name the argument that cannot be drawn, before they draw anything."""

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest

from physlearn.plot import (
    animate_assembly,
    plot_assembly,
    plot_assembly_phases,
    plot_attention,
    plot_bands,
    plot_capacity,
    plot_confusion,
    plot_fi,
    plot_heat_map,
    plot_landscape,
    plot_learning_curve,
    plot_membrane,
    plot_network,
    plot_overlaps,
    plot_patterns,
    plot_phase_diagram,
    plot_phase_plane,
    plot_raster,
    plot_refined,
    plot_retrieval,
)

U = np.linspace(0.0, 1.0, 4)
PLANE = SimpleNamespace(u=U, v=U, energy=np.add.outer(U**2, U**2), project=lambda x: x)
EDGES = [("a", "b"), ("b", "c")]


def labelled(values, dims):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(values, dims=dims, name="overlap")


def plane(**changes):
    given = {"x": U, "y": U, "dx": np.outer(np.ones(4), U - 0.5), "dy": np.outer(U - 0.5, np.ones(4))}
    return plot_phase_plane(**given | {"labels": ("x", "y"), "scale": (1.0, 1.0)} | changes)


@pytest.mark.parametrize(
    "call, argument",
    [
        (lambda: plot_confusion([["a"]]), "counts"),
        (lambda: plot_confusion([[1]], labels=7), "labels"),
        (lambda: plot_confusion([[1]], ax="left"), "ax"),
        (lambda: plot_learning_curve("cost"), "history"),
        (lambda: plot_learning_curve([1.0, 0.1], epochs=["a", "b"]), "epochs"),
        (lambda: plot_learning_curve([1.0, 0.1], label=3), "label"),
        (lambda: plot_learning_curve([1.0, 0.1], color="no colour"), "color"),
        (lambda: plot_patterns(None), "patterns"),
        (lambda: plot_patterns(np.full((2, 4), np.nan)), "patterns"),
        (lambda: plot_patterns(np.ones((2, 6)), "23"), "shape"),
        (lambda: plot_patterns(np.ones((2, 4)), columns="two"), "columns"),
        (lambda: plot_patterns(np.ones((2, 4)), axes=[1, 2]), "axes"),
        (lambda: plot_overlaps([["x"]]), "overlaps"),
        (lambda: plot_overlaps([[0.1, 0.5]], labels=["A"]), "labels"),
        (lambda: plot_capacity(3), "curves"),
        (lambda: plot_capacity([], theory=[1.0]), "theory"),
        (lambda: plot_phase_diagram("ab", [0.1], [[1.0]]), "loads"),
        (lambda: plot_phase_diagram([0.1], [0.1], [[np.inf]]), "overlaps"),
        (lambda: plot_phase_diagram([0.1], [0.1], [[1.0]], boundary=([0.1], [0.1, 0.2])), "boundary"),
        (lambda: plot_landscape(int), "plane"),
        (lambda: plot_landscape(PLANE, paths=3), "paths"),
        (lambda: plot_landscape(PLANE, labels=["one"]), "labels"),
        (lambda: plot_attention({}), "weights"),
        (lambda: plot_attention([[0.2, 0.8]], keys=["a"]), "keys"),
        (lambda: plot_assembly("ab"), "labels"),
        (lambda: plot_assembly([[0]], names=3), "names"),
        (lambda: animate_assembly(None, "a.gif"), "labels"),
        (lambda: animate_assembly([[[0]]], "a.gif", titles=3), "titles"),
        (lambda: animate_assembly([[[0]]], "a.gif", fps="ten"), "fps"),
        (lambda: plot_assembly_phases(None, [4.0], [[[0, 0, 0, 1]]]), "bond_energies"),
        (lambda: plot_assembly_phases([2.0], [4.0], [[[0, 0, 0, 1]]], boundaries=[([1.0], [2.0])]), "boundaries"),
        (lambda: plot_retrieval([1, 2], ["a", "b"]), "rate"),
        (lambda: plot_retrieval([1, 2], [1.0, 0.5], [-0.1, 0.1]), "error"),
        (lambda: plot_retrieval([1, 2], [1.0, 0.5], capacity="large"), "capacity"),
        (lambda: plot_network("abc", conductance=[1.0]), "edges"),
        (lambda: plot_network([(["a"], "b")], conductance=[1.0]), "edges"),
        (lambda: plot_network(EDGES, conductance="wide"), "conductance"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], nodes=["a"]), "nodes"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], pos=3), "pos"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], pos={"a": 1, "b": 2, "c": 3}), "pos"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], marked=["a"]), "marked"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], marked={"input": [{}]}), "marked"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], period=(0.0, 1.0)), "period"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], labels="yes"), "labels"),
        (lambda: plot_network(EDGES, conductance=[1.0, 2.0], widest="1 S"), "widest"),
        (lambda: plot_membrane("t", [0.0]), "time"),
        (lambda: plot_membrane([0.0, 1.0], [0.0, np.inf]), "voltage"),
        (lambda: plot_membrane([0.0, 1.0], [0.0, 0.0], gates=["m"]), "gates"),
        (lambda: plot_membrane([0.0, 1.0], [0.0, 0.0], unit=3), "unit"),
        (lambda: plot_fi([1.0, 2.0], [1.0]), "current"),
        (lambda: plot_fi([1.0], [1.0], error="small"), "error"),
        (lambda: plot_fi([1.0], [1.0], theory=[([1.0], [1.0])]), "theory"),
        (lambda: plot_raster(3), "spikes"),
        (lambda: plot_raster({"E": None}), "spikes"),
        (lambda: plane(x="line"), "x"),
        (lambda: plane(y=U[::-1]), "y"),
        (lambda: plane(dy=np.full((4, 4), np.inf)), "dy"),
        (lambda: plane(trajectory=3), "trajectory"),
        (lambda: plane(fixed_points=[(0.0, 0.0)]), "fixed_points"),
        (lambda: plane(scale=(1.0, -1.0)), "scale"),
        (lambda: plane(labels=("x",)), "labels"),
        (lambda: plot_heat_map([[1.0]]), "data"),
        (lambda: plot_heat_map(labelled([["a"]], ["T", "n"])), "data"),
        (lambda: plot_heat_map(labelled([[1.0]], ["T", "n"]), x=["T"]), "x"),
        (lambda: plot_heat_map(labelled([[1.0]], ["T", "n"]), contours=-1), "contours"),
        (lambda: plot_heat_map(labelled([[1.0]], ["T", "n"]), limits=(1.0, 0.0)), "limits"),
        (lambda: plot_heat_map(labelled([[1.0]], ["T", "n"]), cmap=3), "cmap"),
        (lambda: plot_bands(None), "data"),
        (lambda: plot_bands(labelled([1.0, 2.0], ["T"]), band=("low", "high")), "band"),
        (lambda: plot_bands(labelled([[1.0, 2.0]], ["n", "T"]), hue=3), "hue"),
        (lambda: plot_refined("scan"), "data"),
        (lambda: plot_refined(labelled([1.0], ["point"]), x=3), "x"),
    ],
)
def test_the_argument_is_named(call, argument):
    with pytest.raises((ValueError, TypeError), match=rf"(?<![A-Za-z0-9_]){argument}(?![A-Za-z0-9_])"):
        call()


def test_a_structure_of_a_large_number_takes_no_table():
    assert plot_assembly([[0, 10**9]]).images[0].get_array().shape == (1, 2, 3)


def test_views_of_a_graph_are_edges_and_nodes():
    graph = nx.path_graph(3)
    ax = plot_network(graph.edges, conductance=[1.0, 2.0], nodes=graph.nodes, voltage=[0.0, 1.0, 2.0])
    assert len(ax.collections[0].get_paths()) == 2
