"""Scans: what is drawn is the data, what is missing shows, and scales follow the coordinates."""

import matplotlib
import numpy as np
import pytest
import xarray
from matplotlib.collections import QuadMesh

from physlearn.plot import plot_bands, plot_heat_map, plot_refined
from physlearn.plot._scales import is_geometric


def scan(rng, **attrs):
    coords = {"T": [3.0, 1.0, 2.0], "eta": [1e-3, 1e-2, 1e-1, 1.0], "replicate": [0, 1]}
    return xarray.DataArray(rng.random((3, 4, 2)), coords, ("T", "eta", "replicate"), name="m", attrs=attrs)


def drawn(ax):
    mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
    return mesh, mesh.get_array().reshape(mesh._coordinates.shape[0] - 1, -1)


def test_heat_map_shows_means_in_order_and_masks_what_is_missing(rng):
    data = scan(rng, units="V")
    data[0, 1] = np.nan
    data[1, 2, 0] = np.nan
    ax = plot_heat_map(data)
    mesh, values = drawn(ax)
    expected = data.sortby("T").mean("replicate").values
    np.testing.assert_allclose(values.filled(np.nan), expected, rtol=1e-15)
    assert values.mask.sum() == 1 and values.mask[2, 1]
    assert ax.get_xscale() == "log" and ax.get_yscale() == "linear"
    corners = mesh._coordinates[0, :, 0]
    np.testing.assert_allclose(corners, 10 ** np.array([-3.5, -2.5, -1.5, -0.5, 0.5]), rtol=1e-12)
    assert ax.figure.axes[1].get_ylabel() == "m (V)"
    assert ax.patch.get_hatch()


def test_heat_map_of_words_and_single_rows():
    data = xarray.DataArray([[1.0, 2.0]], {"rule": ["hebb"], "n": [10, 20]}, ("rule", "n"))
    ax = plot_heat_map(data, x="rule")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["hebb"]
    assert drawn(ax)[1].shape == (2, 1)


def test_bands_are_mean_and_range(rng):
    data = scan(rng)
    data[0, 0, 0] = np.nan
    data[:, 3] = np.nan
    ax = plot_bands(data, x="eta", hue="T")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["3", "1", "2"]
    for k in range(3):
        np.testing.assert_allclose(ax.lines[k].get_ydata(), data[k, :3].mean("replicate"), rtol=1e-15)
        edge = ax.collections[k].get_paths()[0].vertices[:, 1]
        assert edge.min() == data[k].min() and edge.max() == data[k].max()
    by_t = plot_bands(data.isel(eta=1))
    assert by_t.lines[0].get_xdata().tolist() == [1.0, 2.0, 3.0]  # sorted


def test_bands_are_logarithmic_over_decades():
    curve = xarray.DataArray(np.exp(-np.arange(10.0)), dims="epoch", name="cost")
    assert plot_bands(curve).get_yscale() == "log"
    assert plot_bands(curve - 0.5).get_yscale() == "linear"
    nothing = plot_bands(curve * np.nan)
    assert len(nothing.lines) == 0


def test_refined_shows_every_point_and_a_line_half_way(rng):
    at = {"x": ("point", np.tile([0.0, 1.0, 2.0], 3)), "y": ("point", np.repeat([1.0, 2.0, 3.0], 3))}
    data = xarray.DataArray(np.tile([0.0, 0.0, 1.0], 3), at, "point", "m")
    data[4] = np.nan
    ax = plot_refined(data, x="y", y="x")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("y", "x")
    offsets = next(c for c in ax.collections if len(c.get_offsets()) == 8 and c.get_sizes().size).get_offsets()
    assert len(offsets) == 8
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[2.0, 1.0]])  # the cross where there is no value
    lines = [c for c in ax.collections if isinstance(c, matplotlib.tri.TriContourSet)]
    heights = np.concatenate([path.vertices[:, 1] for path in lines[0].get_paths()])
    assert heights.min() >= 1.0 - 1e-12 and heights.max() <= 1.5 + 1e-12


def test_points_on_a_line_have_no_triangles():
    at = {"x": ("point", [0.0, 1.0, 2.0]), "y": ("point", [0.0, 1.0, 2.0])}
    ax = plot_refined(xarray.DataArray([0.0, 1.0, 2.0], at, "point"))
    assert len(ax.collections) == 1


def test_scale_follows_the_coordinate():
    assert is_geometric([1, 10, 100]) and is_geometric(np.geomspace(0.1, 5, 7))
    assert not is_geometric([1, 2, 3, 100]) and not is_geometric([0, 1, 10]) and not is_geometric([1, 100])
    for scale, expected in (("log", "log"), ("linear", "linear")):
        x = xarray.DataArray([1.0, 10.0, 100.0], dims="x", attrs={"scale": scale})
        assert plot_bands(xarray.DataArray([1.0, 2.0, 3.0], {"x": x}, "x")).get_xscale() == expected


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda d: plot_heat_map(d.isel(T=0)), "expected two"),
        (lambda d: plot_heat_map(d, x="nonsense"), "among the dimensions"),
        (lambda d: plot_heat_map(d, x="T", y="T"), "twice"),
        (lambda d: plot_bands(d.isel(T=0, eta=0)), "expected one or two"),
        (lambda d: plot_bands(d.isel(T=0), x="T"), "only dimension"),
        (lambda d: plot_refined(d), "expected one, of points"),
        (lambda d: plot_refined(d.isel(T=0)), "at least two"),
    ],
)
def test_refused(draw, said, rng):
    with pytest.raises(ValueError, match=said):
        draw(scan(rng))
