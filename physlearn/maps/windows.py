"""Windows of images as rows of a matrix, and their shares added back: the two passes of a convolution, compiled.

Copies and sums, in the order of NumPy's own: rows run over items and places, columns over the window's height, width
and the channels.
"""

from __future__ import annotations

from physlearn.kernels.jit import kernel


@kernel
def gather(x, size, stride, dilation, padding, rows, columns, out):
    """Fill out, (batch rows columns, height width channels of a window), from x, (batch, height, width, channels)."""
    batch, high, wide, channels = x.shape
    run = size[1] * channels
    for item in range(batch):
        for i in range(rows):
            for j in range(columns):
                row = out[(item * rows + i) * columns + j]
                left = stride[1] * j - padding[1]
                for m in range(size[0]):
                    top, part = stride[0] * i + dilation[0] * m - padding[0], row[m * run : (m + 1) * run]
                    if top < 0 or top >= high:
                        for k in range(run):
                            part[k] = 0
                    else:
                        for n in range(size[1]):
                            column = left + dilation[1] * n
                            if column < 0 or column >= wide:
                                for c in range(channels):
                                    part[n * channels + c] = 0
                            else:
                                pixel = x[item, top, column]
                                for c in range(channels):
                                    part[n * channels + c] = pixel[c]


@kernel
def scatter(share, size, stride, dilation, padding, rows, columns, out):
    """Add shares, shaped like what `gather` fills, to out, (batch, height, width, channels), window entry by entry."""
    batch, high, wide, channels = out.shape
    for item in range(batch):
        for m in range(size[0]):
            for n in range(size[1]):
                first = (m * size[1] + n) * channels
                for i in range(rows):
                    top = stride[0] * i + dilation[0] * m - padding[0]
                    if top >= 0 and top < high:
                        for j in range(columns):
                            column = stride[1] * j + dilation[1] * n - padding[1]
                            if column >= 0 and column < wide:
                                pixel, row = out[item, top, column], share[(item * rows + i) * columns + j]
                                for c in range(channels):
                                    pixel[c] += row[first + c]
