"""Convolution, pooling and normalisation against sums written out and against scipy."""

import numpy as np
import pytest
from scipy.signal import correlate2d

from physlearn.maps import AveragePool, BatchNorm, Chain, Conv, Dropout, MaxPool
from physlearn.models import PredictionGraph


@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("padding", [0, 2, (1, 0)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_convolution_is_a_correlation(stride, padding, dilation, rng):
    x, w, b = rng.standard_normal((2, 9, 8, 3)), rng.standard_normal((3, 2, 3, 4)), rng.standard_normal(4)
    value, _ = Conv(4, (3, 2), stride=stride, padding=padding, dilation=dilation).forward((x,), {"W": w, "b": b})
    s, p = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    image = np.pad(x, ((0, 0), (p[0], p[0]), (p[1], p[1]), (0, 0)))
    wide = np.zeros((dilation * 2 + 1, dilation + 1, 3, 4))
    wide[::dilation, ::dilation] = w
    for item in range(2):
        for kernel in range(4):
            full = sum(correlate2d(image[item, :, :, c], wide[:, :, c, kernel], "valid") for c in range(3)) + b[kernel]
            np.testing.assert_allclose(value[item, :, :, kernel], full[:: s[0], :: s[1]], rtol=1e-12, atol=1e-12)


def test_pools_are_window_by_window(rng):
    x = rng.standard_normal((2, 6, 4, 3))
    cut = x.reshape(2, 3, 2, 2, 2, 3)
    np.testing.assert_allclose(AveragePool(2).forward((x,), {})[0], cut.mean((2, 4)), rtol=1e-13)
    np.testing.assert_array_equal(MaxPool(2).forward((x,), {})[0], cut.max((2, 4)))


def test_equal_entries_share_no_maximum():
    (back,), _ = MaxPool(2).pullback(MaxPool(2).forward((np.ones((1, 2, 2, 1)),), {})[1], np.ones((1, 1, 1, 1)), {})
    assert back.ravel().tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("map", [Conv(2, 5), Conv(2, 3, dilation=2), AveragePool(5), MaxPool((1, 5))])
def test_kernels_larger_than_the_image_are_refused(map):
    with pytest.raises(
        ValueError, match=r"nodes\['y'\]: its map does not fit 'x' \(4, 4\).*does not fit an image of \(4, 4\)"
    ):
        PredictionGraph({"x": (4, 4)}, {"y": ("x", map)})


def test_an_image_is_wanted():
    with pytest.raises(ValueError, match=r"got a parent of shape \(16,\), expected an image"):
        PredictionGraph({"x": 16}, {"y": ("x", Conv(2, 3))})


def test_batch_statistics(rng):
    norm, x = BatchNorm("n", momentum=0.5), rng.standard_normal((200, 3)) * [1.0, 5.0, 0.1] + [0.0, 2.0, -3.0]
    theta = norm.start([(3,)], rng)
    held, running = norm.fixed((x,), theta, None)
    y = held.forward((x,), theta)[0]
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(0), 1, rtol=2e-3)
    np.testing.assert_allclose(running["n.mean"], 0.5 * x.mean(0))
    np.testing.assert_allclose(running["n.variance"], 0.5 + 0.5 * x.var(0, ddof=1))
    alone = held.forward((x[:1],), theta)[0]
    np.testing.assert_array_equal(alone[0], y[0])


@pytest.mark.parametrize("batch", [np.ones((4, 3)), np.zeros((1, 3))])
def test_a_constant_batch_has_no_variance(batch):
    norm = BatchNorm("n")
    with pytest.raises(ValueError, match="BatchNorm 'n': all . values of every channel in a batch are equal"):
        norm.fixed((batch,), norm.start([(3,)], None), None)


def test_masks_keep_the_mean(rng):
    x = np.ones((400, 50))
    held, _ = Dropout(0.3).fixed((x,), {}, rng)
    y = held.forward((x,), {})[0]
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert abs(y.mean() - 1) < 4 * np.sqrt(0.3 / 0.7 / x.size)
    again, _ = Chain(Dropout(0.3)).fixed((x,), {}, np.random.default_rng(5))
    np.testing.assert_array_equal(again.forward((x,), {})[0], again.forward((x,), {})[0])
