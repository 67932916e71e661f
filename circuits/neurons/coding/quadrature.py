"""Points and weights that average a function over the unit ball.

Rates are smooth but for the neurons' thresholds, so Gauss points in few dimensions need far fewer points than random
ones for the same error: on an interval Gauss-Legendre; on the disc and in the ball the product of a Gauss rule in the
radius (weight r^(D-1), Gauss-Jacobi) with equal angles, and Gauss-Legendre in the cosine of the polar angle.  From four
dimensions on Sobol' points, whose weights are equal.
"""

from __future__ import annotations

import numpy as np

PANEL = 100  # most points of one Gauss rule on an interval
LARGEST = 4096  # most points by default


def ball(dimensions, count):
    """At least ``count`` points of the unit ball, (m, dimensions), and their weights, (m,) of sum 1.

    Parameters
    ----------
    dimensions : int
    count : int

    Examples
    --------
    The mean of |x|^2 is D / (D + 2):

    >>> for dimensions in (1, 2, 3):
    ...     x, weight = ball(dimensions, 100)
    ...     print(len(x), round(float(weight @ (x * x).sum(1)), 12))
    100 0.333333333333
    100 0.5
    150 0.6
    """
    if dimensions == 1:
        panels = -(-count // PANEL)
        x, weight = np.polynomial.legendre.leggauss(-(-count // panels))
        centres = (2 * np.arange(panels) + 1) / panels - 1
        return np.add.outer(centres, x / panels).reshape(-1, 1), np.tile(weight / (2 * panels), panels)
    if dimensions == 2:
        radii = max(2, int(np.ceil(np.sqrt(count / 4))))
        circle, arc = _circle(max(4, -(-count // radii)))
        return _product(radii, 2, circle, arc)
    if dimensions == 3:
        radii = max(2, int(np.ceil(np.cbrt(count / 4))))
        angles = 2 * int(np.ceil(np.sqrt(count / radii / 2)))
        height, share = np.polynomial.legendre.leggauss(angles // 2)
        circle, arc = _circle(angles)
        wide = np.sqrt(1 - height**2)
        sphere = np.column_stack(
            [np.outer(wide, circle[:, 0]).ravel(), np.outer(wide, circle[:, 1]).ravel(), np.repeat(height, angles)]
        )
        return _product(radii, 3, sphere, np.outer(share / 2, arc).ravel())
    x = _sobol(dimensions, (count - 1).bit_length())
    return x, np.full(len(x), 1 / len(x))


def default_count(dimensions, n, regularisation):
    """How many points for n neurons: the kinks of the tuning curves must be seen where the regulariser is weak."""
    if dimensions <= 3:
        least = (100, 384, 1000)[dimensions - 1]
        return least if regularisation >= 0.05 else max(least, min(2 * n, LARGEST))
    return min(max(2 * n, 1024), LARGEST)


def _circle(count):
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    return np.column_stack([np.cos(angle), np.sin(angle)]), np.full(count, 1 / count)


def _product(radii, dimensions, directions, share):
    """Radii by Gauss-Jacobi for the weight r^(dimensions - 1), times directions."""
    from scipy.special import roots_jacobi

    s, weight = roots_jacobi(radii, 0.0, dimensions - 1.0)
    points = np.multiply.outer((s + 1) / 2, directions).reshape(-1, dimensions)
    return points, np.outer(weight / weight.sum(), share).ravel()


def _sobol(dimensions, bits):
    """2^bits low-discrepancy points: directions from normal numbers, radii from a uniform one."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    uniform = qmc.Sobol(dimensions + 1, scramble=False).random_base2(bits) + 0.5 ** (bits + 1)  # none is 0
    normal = ndtri(uniform[:, 1:])
    length = np.sqrt((normal * normal).sum(1, keepdims=True))
    return normal / length * uniform[:, :1] ** (1 / dimensions)
