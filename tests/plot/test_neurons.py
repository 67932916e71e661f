"""Pictures of neurons hold what they should, in mV and ms, on the axes they should."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.neurons import Spikes
from physlearn.plot import plot_fi, plot_membrane, plot_phase_plane, plot_raster

TIME = np.linspace(0.0, 0.01, 50)
GRID = np.linspace(-1.0, 1.0, 21)
PLANE = (GRID, GRID, np.tile(GRID, (21, 1)), np.tile(-GRID[:, None], 21))


def records():
    rng = np.random.default_rng(1)
    return {
        name: Spikes.from_trains([np.sort(rng.uniform(0, 1, 20)) for _ in range(n)], t_stop=1.0)
        for name, n in (("E", 30), ("I", 10))
    }


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plot_membrane(TIME, np.sin(TIME), gates={"m": TIME}, current=TIME, ax=ax),
        lambda ax: plot_fi([1.0, 2.0], [0.0, 3.0], ax=ax),
        lambda ax: plot_raster(records(), width=0.05, ax=ax),
        lambda ax: plot_phase_plane(*PLANE, ax=ax),
    ],
)
def test_draws_on_given_axes_or_a_new_figure(draw):
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    assert draw(left) is left and not right.has_data()
    alone = draw(None)
    assert alone.figure is not figure
    figure.canvas.draw()
    alone.figure.canvas.draw()


def test_membrane_in_millivolts_and_milliseconds():
    voltage = -65e-3 + 10e-3 * np.sin(600 * TIME)
    gates = {"m": TIME * 50, "h": 1 - TIME * 50}
    ax = plot_membrane(TIME, voltage, gates=gates, current=TIME * 3)
    assert_allclose(ax.lines[0].get_xydata(), np.c_[1e3 * TIME, 1e3 * voltage])
    below = ax.figure.axes[1:]
    assert [axes.get_ylabel() for axes in below] == ["gates", "I"]
    assert [axes.get_xlabel() for axes in (ax, *below)] == ["", "", "time (ms)"]
    assert [t.get_text() for t in below[0].get_legend().get_texts()] == ["m", "h"]
    assert_allclose(below[0].lines[1].get_ydata(), gates["h"])
    assert_allclose(below[1].lines[0].get_ydata(), TIME * 3)
    assert len(plot_membrane(TIME, np.zeros((50, 3))).lines) == 3


def test_tuning_curve_beside_theory():
    current = np.array([1.0, 2.0, 3.0])
    ax = plot_fi(current, [0.0, 5.0, 9.0], theory={"exact": (current, [0.0, 5.5, 9.0])}, unit="nA")
    plot_fi(current, [1.0, 2.0, 3.0], error=[0.1, 0.1, 0.1], label="noisy", unit="nA", ax=ax)
    assert_allclose(ax.lines[0].get_ydata(), [0.0, 5.5, 9.0])
    assert ax.lines[1].get_marker() == "o" and ax.lines[1].get_color() != ax.lines[2].get_color()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["exact", "simulated", "noisy"]
    assert ax.get_xlabel() == "current (nA)" and ax.get_ylabel() == "rate (Hz)"


def test_raster_stacks_populations_and_shows_their_rates():
    given = records()
    ax = plot_raster(given, width=0.1, neurons=20)
    first, second = (dots.get_offsets() for dots in ax.collections)
    kept = given["E"].ids < 20
    assert_allclose(first, np.c_[given["E"].times[kept], given["E"].ids[kept]])
    assert_allclose(second, np.c_[given["I"].times, given["I"].ids + 20])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["E", "I"]
    strip = ax.figure.axes[1]
    for line, record in zip(strip.lines, given.values(), strict=True):
        assert_allclose(line.get_ydata(), record.population_rate(0.1)[1])
    assert strip.get_xlabel() == "time (s)" and ax.get_xlim() == (0.0, 1.0)
    assert len(plot_raster(given["E"]).figure.axes) == 1


def test_phase_plane_nullclines_and_fixed_points():
    points = [(0.0, 0.0, False), (0.5, 0.5, True)]
    ax = plot_phase_plane(*PLANE, fixed_points=points, trajectory=([*GRID], [*GRID**2]), labels=("V (mV)", "n"))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["dV/dt = 0", "dn/dt = 0", "unstable", "stable"]
    assert ax.get_xlim() == (-1e3, 1e3) and ax.get_ylim() == (-1.0, 1.0)
    lines = {line.get_label(): line for line in ax.lines}
    assert_allclose(lines["stable"].get_xydata(), [[500.0, 0.5]])
    assert lines["unstable"].get_markerfacecolor() == "white"
    vertical = ax.collections[1].get_paths()[0].vertices  # dx/dt = x is 0 at x = 0
    assert_allclose(vertical[:, 0], 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: plot_membrane(TIME, [1.0]), r"voltage: shape \(1,\)"),
        (lambda: plot_membrane(TIME, TIME, gates={"m": [1.0]}), r"gates\['m'\]: shape \(1,\)"),
        (lambda: plot_membrane([], []), "time: shape"),
        (lambda: plot_fi([1.0], [1.0, 2.0]), r"rate: shape \(2,\), expected \(1,\)"),
        (lambda: plot_raster({}), "empty"),
        (lambda: plot_raster(records(), neurons=0), "neurons: got 0"),
        (lambda: plot_raster(records(), width=2.0), "width: got 2"),
        (lambda: plot_phase_plane(GRID, GRID[:5], *PLANE[2:]), r"dx: shape \(21, 21\), expected \(5, 21\)"),
    ],
)
def test_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
