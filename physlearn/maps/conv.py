"""Convolution of images, channels last: (height, width, channels), or (height, width) of one channel.

    y[i, j, o] = b[o] + sum_(m, n, c) W[m, n, c, o] x[s i + d m - p, s j + d n - p, c]

with stride s, dilation d and padding p by zeros; a correlation, as every network's convolution is.  Every kernel has
one bias.  Computed as one matrix product of the image's windows, gathered row by row (`windows`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, integers, not_negative, text
from physlearn.maps.map import Map, one_parent
from physlearn.maps.windows import gather, scatter


class Conv(Map):
    """Convolution by ``kernels`` kernels of one size.

    Parameters
    ----------
    kernels : int
        Number of kernels, the channels of the value.
    size, stride, padding, dilation : int or (int, int)
        Of height and width.
    weight : str
        Name in theta of W, (height, width, channels, kernels).
    bias : str, optional
        Name in theta of b, (kernels,); None for none.
    scale : float
        W starts normal with standard deviation scale / sqrt(height width channels); b at zero.

    Examples
    --------
    >>> import numpy as np
    >>> blur = Conv(1, 2, weight="W", bias=None)
    >>> blur.forward((np.ones((1, 3, 3, 1)),), {"W": np.ones((2, 2, 1, 1)) / 4})[0][0, :, :, 0]
    array([[1., 1.],
           [1., 1.]])
    """

    holomorphic = True
    affine = True

    def __init__(
        self, kernels, size, weight: Any = "W", bias: Any = "b", *, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, scale=1.0,
    ):  # fmt: skip
        self.kernels = count("kernels", kernels)
        self.size, self.stride = pair("size", size), pair("stride", stride)
        self.padding, self.dilation = pair("padding", padding, 0), pair("dilation", dilation)
        self.weight = text("weight", weight, "a parameter's name")
        self.bias = None if bias is None else text("bias", bias, "a parameter's name, or None")
        self.scale = not_negative("scale", scale)
        self.parameters = (self.weight,) if self.bias is None else (self.weight, self.bias)

    def __repr__(self):
        return brief(self, kernels=self.kernels, size=self.size, stride=self.stride, weight=self.weight)

    def shape(self, shapes):
        """(height, width, kernels); a kernel larger than the padded image is refused."""
        *image, _ = image_of(self, one_parent(self, shapes))
        return (*windows(self, image, self.size, self.stride, self.padding, self.dilation), self.kernels)

    def start(self, shapes, rng):
        """W normal, b zero."""
        self.shape(shapes)
        inner = (*self.size, image_of(self, one_parent(self, shapes))[2])
        w = rng.standard_normal((*inner, self.kernels)) * (self.scale / math.sqrt(math.prod(inner)))
        return {self.weight: w} if self.bias is None else {self.weight: w, self.bias: np.zeros(self.kernels)}

    def forward(self, parents, theta):
        """Windows times kernels; the tape is the windows, and the parent's shape."""
        (x,) = parents
        w = theta[self.weight]
        high, wide = self._places(x.shape)
        rows = np.empty((len(x) * high * wide, math.prod(w.shape[:3])), x.dtype)
        images = np.ascontiguousarray(x).reshape(*x.shape[:3], -1)
        gather(images, self.size, self.stride, self.dilation, self.padding, high, wide, rows)
        value = rows @ w.reshape(-1, self.kernels)
        if self.bias is not None:
            value += theta[self.bias]
        return value.reshape(len(x), high, wide, self.kernels), (rows, x.shape)

    def back(self, tape, cotangent, theta):
        """Each window's share, added back where it came from."""
        w = theta[self.weight]
        share = cotangent.reshape(-1, self.kernels) @ w.reshape(-1, self.kernels).T
        out = np.zeros((*tape[1][:3], w.shape[2]), share.dtype)
        scatter(share, self.size, self.stride, self.dilation, self.padding, *cotangent.shape[1:3], out)
        return (out.reshape(tape[1]),)

    def _places(self, shape):
        """How many windows fit down and across."""
        return windows(self, shape[1:3], self.size, self.stride, self.padding, self.dilation)

    def slope(self, tape, cotangent, theta):
        """Windows^T c, and the sum of c over items and places."""
        c = cotangent.reshape(-1, self.kernels)
        found = {self.weight: (tape[0].T @ c).reshape(theta[self.weight].shape)}
        return found if self.bias is None else found | {self.bias: c.sum(0)}


class AveragePool(Map):
    """Mean over windows, channel by channel.

    Parameters
    ----------
    size : int or (int, int)
        Of a window.
    stride : int or (int, int), optional
        Default the size: windows side by side.

    Examples
    --------
    >>> import numpy as np
    >>> AveragePool(2).forward((np.arange(4.0).reshape(1, 2, 2, 1),), {})[0].ravel()
    array([1.5])
    """

    holomorphic = True
    affine = True
    padding = (0, 0)
    dilation = (1, 1)

    def __init__(self, size, stride=None):
        self.size = pair("size", size)
        self.stride = self.size if stride is None else pair("stride", stride)

    def __repr__(self):
        return brief(self, size=self.size, stride=self.stride)

    def shape(self, shapes):
        """(height, width, channels); a window larger than the image is refused."""
        *image, channels = image_of(self, one_parent(self, shapes))
        return (*windows(self, image, self.size, self.stride, self.padding, self.dilation), channels)

    def forward(self, parents, theta):
        """Means; the tape is the parent's shape."""
        view = _view(self, _padded(self, parents[0]))
        return view.mean((3, 4)), parents[0].shape

    def back(self, tape, cotangent, theta):
        """An equal share to every entry of the window."""
        share = cotangent / math.prod(self.size)
        share = np.broadcast_to(share[:, :, :, None, None], (*share.shape[:3], *self.size, share.shape[3]))
        return (_scatter(self, share, tape),)


class MaxPool(AveragePool):
    """Maximum over windows, channel by channel; the first of equal entries counts.

    Parameters
    ----------
    size : int or (int, int)
        Of a window.
    stride : int or (int, int), optional
        Default the size: windows side by side.

    Examples
    --------
    >>> import numpy as np
    >>> MaxPool(2).forward((np.arange(4.0).reshape(1, 2, 2, 1),), {})[0].ravel()
    array([3.])
    """

    holomorphic = False
    affine = False

    def forward(self, parents, theta):
        """Maxima; the tape is their places in the windows, and the parent's shape."""
        view = _view(self, _padded(self, parents[0]))
        flat = view.reshape(*view.shape[:3], -1, view.shape[5])
        place = flat.argmax(3)
        return np.take_along_axis(flat, place[:, :, :, None], 3)[:, :, :, 0], (place, parents[0].shape)

    def back(self, tape, cotangent, theta):
        """All to the largest entry of the window."""
        place, shape = tape
        share: Any = np.zeros((*cotangent.shape[:3], math.prod(self.size), cotangent.shape[3]), cotangent.dtype)
        np.put_along_axis(share, place[:, :, :, None], cotangent[:, :, :, None], 3)
        return (_scatter(self, share.reshape(*share.shape[:3], *self.size, share.shape[4]), shape),)


def pair(name, value, low=1):
    """(height, width), given as one number or as two.

    >>> pair("stride", 2)
    (2, 2)
    """
    found = integers(name, value, ndim=(0, 1), low=low)
    if found.ndim and len(found) != 2:
        raise ValueError(f"{name}: got {len(found)} numbers, expected one, or two of height and width")
    return tuple(int(n) for n in np.broadcast_to(found, 2))


def image_of(map, shape):
    """(height, width, channels) of an image's shape."""
    if len(shape) not in (2, 3):
        raise ValueError(
            f"{type(map).__name__}: got a parent of shape {shape}, expected an image, (height, width) or "
            "(height, width, channels); use Reshape"
        )
    return (*shape, 1)[:3]


def windows(map, image, size, stride, padding, dilation):
    """(height, width) of the value; ValueError where not one window fits."""
    out = []
    for n, k, s, p, d in zip(image, size, stride, padding, dilation, strict=True):
        span = d * (k - 1) + 1
        if span > n + 2 * p:
            raise ValueError(
                f"{type(map).__name__}: a window of {size} with dilation {dilation} does not fit an image of "
                f"{tuple(image)} with padding {padding}; expected a smaller one, or more padding"
            )
        out.append((n + 2 * p - span) // s + 1)
    return tuple(out)


def _padded(map, x):
    """(batch, height, width, channels) with zeros around."""
    x = x.reshape(*x.shape[:3], -1)
    (p, q) = map.padding
    return np.pad(x, ((0, 0), (p, p), (q, q), (0, 0))) if p or q else x


def _view(map, x):
    """Windows of padded images, (batch, rows, columns, *size, channels), without a copy."""
    high, wide = windows(map, x.shape[1:3], map.size, map.stride, (0, 0), map.dilation)
    b, h, w, c = x.strides
    (s, t), (d, e) = map.stride, map.dilation
    shape = (len(x), high, wide, *map.size, x.shape[3])
    return np.lib.stride_tricks.as_strided(x, shape, (b, s * h, t * w, d * h, e * w, c), writeable=False)


def _scatter(map, share, shape):
    """Shares of windows, (batch, rows, columns, *size, channels), added up in an array of the parent's shape."""
    high, wide = (n + 2 * p for n, p in zip(shape[1:3], map.padding, strict=True))
    out = np.zeros((shape[0], high, wide, share.shape[5]), share.dtype)
    (s, t), (d, e), (rows, columns) = map.stride, map.dilation, share.shape[1:3]
    for m in range(map.size[0]):
        for n in range(map.size[1]):
            out[:, d * m : d * m + s * rows : s, e * n : e * n + t * columns : t] += share[:, :, :, m, n]
    (p, q) = map.padding
    return out[:, p : high - p, q : wide - q].reshape(shape)
