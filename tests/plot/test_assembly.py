"""Pictures of assemblies: their contents, read back from the artists."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from physlearn.plot.assembly import (
    LOOSE,
    PHASE_COLOURS,
    animate_assembly,
    plot_assembly,
    plot_assembly_phases,
    plot_retrieval,
)

LABELS = np.array([[0, 0, -2], [3, -1, -2]])


def test_a_structure_keeps_its_colour():
    ax = plot_assembly(LABELS, ["A", "B", "C", "D"])
    picture = np.asarray(ax.images[0].get_array())
    assert_allclose(picture[1, 1], LOOSE)
    assert_allclose(picture[:, 2], 1.0)
    other = np.asarray(plot_assembly([[3, 1]]).images[0].get_array())
    assert_allclose(other[0, 0], picture[1, 0])
    colours = np.asarray(plot_assembly(np.arange(18)[None]).images[0].get_array())[0]
    assert len(np.unique(colours, axis=0)) == 18
    assert np.abs(colours - LOOSE).max(1).min() > 0.1  # none is taken for a loose molecule
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["A", "D", "loose"]


def test_animation_has_all_frames_and_colours(tmp_path):
    path = animate_assembly([LABELS, LABELS[:, ::-1], LABELS], tmp_path / "a.gif", ["0", "1", "2"], fps=5)
    with Image.open(path) as gif:
        assert gif.n_frames == 3 and gif.info["duration"] == 200
        frames = []
        for k in range(3):
            gif.seek(k)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
    assert np.abs(frames[0] - frames[1]).max() > 100


def test_phases_mix_colours():
    shares = np.zeros((2, 3, 4))
    shares[..., 3] = 1.0
    shares[1, 2] = [0.5, 0.5, 0, 0]
    ax = plot_assembly_phases([1.0, 2.0, 3.0], [4.0, 5.0], shares, boundaries=[([1, 3], [2, 6], "bulk")])
    mesh = np.asarray(ax.collections[0].get_array())
    assert_allclose(mesh[1, 2], np.mean(PHASE_COLOURS[:2], axis=0))
    assert_allclose(mesh[0, 0], PHASE_COLOURS[3])
    assert ax.get_ylim() == (3.5, 5.5)  # a line does not widen the map
    assert ax.get_legend().get_texts()[-1].get_text() == "bulk"


def test_every_boundary_is_drawn_as_itself():
    lines = [([0, 1], [0, k], str(k)) for k in range(6)]
    ax = plot_assembly_phases([1.0], [4.0], [[[0, 0, 0, 1]]], boundaries=lines)
    drawn = ax.get_lines()
    assert [line.get_label() for line in drawn] == list("012345")
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == 6


def test_retrieval_curve():
    ax = plot_retrieval([1, 2], [1.0, 0.5], [0.0, 0.1], label="N = 9", capacity=2.0)
    plot_retrieval([1, 2], [1.0, 0.2], label="N = 4", ax=ax)
    assert_allclose(ax.containers[0].lines[0].get_ydata(), [1.0, 0.5])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["N = 9", "N = 4"]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: plot_assembly(np.zeros((2, 2, 2), int)), "pass one layer"),
        (lambda: plot_assembly([[0.5]]), "float64 array"),
        (lambda: plot_assembly([[-3]]), "-2 empty"),
        (lambda: plot_assembly([[2]], ["A"]), "names: got 1"),
        (lambda: animate_assembly([], "a.gif"), "no frames"),
        (lambda: animate_assembly([[[0]]], "a.png"), "ends in .gif"),
        (lambda: animate_assembly([[[0]]], "a.gif", ["a", "b"]), "titles: got 2"),
        (lambda: animate_assembly([[[0]]], "a.gif", fps=0), "fps: got 0"),
        (lambda: plot_assembly_phases([1.0], [1.0], [[[1, 0, 0]]]), r"shares: shape \(1, 1, 3\)"),
        (lambda: plot_assembly_phases([1.0], [1.0], [[[1, 1, 0, 0]]]), "sum to 1"),
        (lambda: plot_retrieval([1, 2], [1.0]), r"rate, error: shapes \(1,\)"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
