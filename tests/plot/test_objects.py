"""Plots take what the library returns, beside plain arrays."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import LogNorm, TwoSlopeNorm

from circuits import ResistorNetwork, neurons as cn
from physlearn import (
    SGD,
    ContrastiveDivergence,
    CoupledLearning,
    PersistentContrastiveDivergence,
    SquaredError,
    integrate,
    learn,
)
from physlearn.models import RBM, Hopfield, RetrievalCurve
from physlearn.plot import (
    plot_bands,
    plot_capacity,
    plot_fi,
    plot_heat_map,
    plot_learning_curve,
    plot_membrane,
    plot_network,
    plot_patterns,
    plot_raster,
    plot_retrieval,
)

DIVIDER = ResistorNetwork(
    nx.path_graph(["a", "b", "c"]), conductance=[1.0, 2.0], ground="c", inputs=["a"], outputs=["b"]
)
CELL = cn.LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3)


def legend_is_off_the_axes(ax):
    ax.figure.canvas.draw()
    return not ax.get_legend().get_window_extent().overlaps(ax.get_window_extent().shrunk(0.98, 0.98))


def test_a_network_brings_conductances_places_and_groups():
    ax = plot_network(DIVIDER, voltage=DIVIDER.solve({"input": [3.0]}))
    names = {text.get_text() for text in ax.get_legend().get_texts()}
    assert {"ground", "input", "output"} <= names
    assert list(ax.collections[0].get_linewidths()) == [2.5, 5.0]
    assert [axes.get_ylabel() for axes in ax.figure.axes[1:]] == ["voltage (V)"]
    with pytest.raises(TypeError, match="conductance: missing"):
        plot_network([("a", "b")])


def test_recordings_and_traces():
    network = cn.SpikingNetwork({"E": cn.Population(CELL, 3)}, inputs=[cn.Constant("E", 30e-3)])
    run = integrate(network, (0.0, 0.1), dt=1e-4, record={"E": cn.Record(["v"], every=1e-3)})
    ax = plot_raster(run)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["E"] and ax.get_ylabel() == "neuron"
    ax = plot_membrane(run.traces["E"])
    assert len(ax.lines) == 3 and np.allclose(ax.lines[0].get_ydata(), 1e3 * run.traces["E"]["v"][:, 0])
    with pytest.raises(TypeError, match="voltage: missing"):
        plot_membrane([0.0, 1.0])


def test_gates_of_a_single_neuron_come_with_its_traces():
    axon = cn.SpikingNetwork({"axon": cn.Population(cn.HodgkinHuxley(), 1)}, inputs=[cn.Constant("axon", 0.1)])
    run = integrate(axon, (0.0, 5e-3), dt=1e-5, record={"axon": cn.Record(["v", "m", "h", "n"])})
    ax = plot_membrane(run.traces["axon"])
    assert [text.get_text() for text in ax.figure.axes[1].get_legend().get_texts()] == ["m", "h", "n"]


def test_curves_of_the_library():
    curve = SimpleNamespace(n=100, loads=[0.1, 0.2], mean=[1.0, 0.4], error=[0.0, 0.05])
    ax = plot_capacity(curve)
    assert len(ax.containers) == 1 and legend_is_off_the_axes(ax)
    stored = RetrievalCurve(100, np.array([2, 30]), np.array([[0.9, 1.0], [0.0, 0.2]]))
    assert plot_retrieval(stored).lines[0].get_ydata().tolist() == [0.95, 0.1]
    tuned = cn.TuningCurve(np.array([1.0, 2.0]), np.array([0.0, 30.0]), np.zeros(2), None)
    ax = plot_fi(tuned)
    assert ax.lines[0].get_ydata().tolist() == [0.0, 30.0] and legend_is_off_the_axes(ax)


def test_trainings_show_their_cost_or_their_monitor():
    data = {"input": [[1.0]], "output": [[0.4]]}
    done = learn(
        DIVIDER.energy, data, rule=CoupledLearning(), cost=SquaredError("output"), optimizer=SGD(0.1), epochs=5
    )
    ax = plot_learning_curve(done)
    assert np.array_equal(ax.lines[0].get_ydata(), done.cost) and ax.get_yscale() == "log"
    v, machine = np.repeat([[0.0, 1.0], [1.0, 0.0]], 5, axis=0), RBM(2, 2, rng=0)
    done = learn(machine.energy, {"v": v}, rule=PersistentContrastiveDivergence(), optimizer=SGD(0.1), epochs=7)
    ax = plot_learning_curve(done, label="PCD")
    assert ax.lines[0].get_xdata().tolist() == [1, 7] and ax.get_yscale() == "linear"
    assert ax.get_ylabel() == "log pseudo-likelihood (nats per sample)" and legend_is_off_the_axes(ax)
    none = learn(machine.energy, {"v": v}, rule=PersistentContrastiveDivergence(), optimizer=SGD(0.1), epochs=0)
    with pytest.raises(ValueError, match="neither a cost nor a monitor"):
        plot_learning_curve(none)
    done = learn(machine.energy, {"v": v}, rule=ContrastiveDivergence(), optimizer=SGD(0.1), epochs=2)
    assert np.array_equal(plot_learning_curve(done).lines[0].get_ydata(), done.cost)


def test_patterns_of_zeros_and_ones_are_white_and_black_in_a_grid():
    data = (np.arange(12 * 9).reshape(12, 9) % 2).astype(float)
    axes = plot_patterns(data)
    image = axes[0].images[0]
    assert image.get_array().shape == (3, 3) and image.norm(0.0) == 0.0 and image.norm(1.0) == 1.0
    grid = axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (3, 4)
    assert plot_patterns(2 * data - 1)[0].images[0].norm(-1.0) == 0.0
    assert plot_patterns(np.zeros((2, 4)))[0].images[0].norm(0.0) == 0.0  # blank, not black


def test_patterns_in_one_axes_and_of_a_recall():
    figure, (left, right) = plt.subplots(1, 2)
    axes = plot_patterns(np.ones((5, 4)), columns=2, ax=left)
    assert len(axes) == 5 and {ax.figure for ax in axes} == {figure} and not left.axison
    memory = Hopfield.store(np.array([[1.0, 1, -1, -1], [1, -1, 1, -1]]))
    assert len(plot_patterns(memory.recall([[1.0, 1, -1, -1]]))) == 1
    with pytest.raises(ValueError, match="axes, ax"):
        plot_patterns(np.ones((1, 4)), axes=[right], ax=left)


def test_bands_of_standard_deviations_errors_and_quantiles(rng, tol):
    values = rng.normal(size=(9, 4))
    values[0, 2] = np.nan
    data = xr.DataArray(values, dims=["replicate", "x"], coords={"x": np.arange(4.0)}, name="y")

    def ends(band):
        vertices = plot_bands(data, band=band).collections[0].get_paths()[0].vertices
        return [np.array([np.ptp(vertices[vertices[:, 0] == x, 1]) for x in range(4)])][0]

    sd = np.nanstd(values, 0, ddof=1)
    assert np.allclose(ends("sd"), 2 * sd, rtol=tol.IDENTITY)
    assert np.allclose(ends("se"), 2 * sd / np.sqrt([9, 9, 8, 9]), rtol=tol.IDENTITY)
    low, high = np.nanquantile(values, [0.1, 0.9], axis=0)
    assert np.allclose(ends((0.1, 0.9)), high - low, rtol=tol.IDENTITY)
    assert np.allclose(plot_bands(data, band=(0.1, 0.9)).lines[0].get_ydata(), np.nanmedian(values, 0))
    for wrong in ("iqr", (0.9, 0.1), 3):
        with pytest.raises(ValueError, match="band: got"):
            plot_bands(data, band=wrong)


def test_colours_of_a_heat_map_may_be_bent():
    data = xr.DataArray([[0.01, 1.0], [0.0, 100.0]], dims=["a", "b"], name="rate")
    norm = plot_heat_map(data, norm="log").collections[0].norm
    assert isinstance(norm, LogNorm) and (norm.vmin, norm.vmax) == (0.01, 100.0)
    given = TwoSlopeNorm(1.0)
    assert plot_heat_map(data, norm=given, limits=(0.0, 9.0)).collections[0].norm.vmax == 9.0
    with pytest.raises(ValueError, match="norm: got 'cubic'"):
        plot_heat_map(data, norm="cubic")
    with pytest.raises(ValueError, match="no value is positive"):
        plot_heat_map(-data, norm="log")
