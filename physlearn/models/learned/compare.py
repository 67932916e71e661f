r"""Whether two sets of draws come from one law: distances between laws, and their permutation test.

    MMD^2(p, q) = <k(x, x')> + <k(y, y')> - 2 <k(x, y)>,   k = exp(-|x - y|^2/(2 h^2))      (Gretton et al. 2012)
    D(p, q)     = 2 <|x - y|> - <|x - x'|> - <|y - y'|>                                     (Szekely and Rizzo 2004)

Both are zero for one law and positive for two; their estimates here are unbiased and so may be negative.  Under one law
every division of the pooled draws is as likely as the given one, so the share of divisions that are further apart is an
exact p value, if the draws are independent: thin chains first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, positive
from physlearn.rng import generator
from physlearn.threads import on_one_thread


class TwoSample(NamedTuple):
    """A distance between two laws, and the share of random divisions of all draws that are as far apart."""

    distance: float
    p_value: float

    __repr__ = brief


@on_one_thread
def two_sample(x, y, *, distance="energy", bandwidth=None, permutations=200, rng=None) -> TwoSample:
    """Test whether two sets of independent draws have one law.

    Parameters
    ----------
    x, y : (n, ...), (m, ...) arrays
        Draws, flattened; at least 2 each.
    distance : {"energy", "mmd"}
    bandwidth : float, optional
        h of the kernel, in units of x; default the median distance of the pooled draws.
    permutations : int
        Random divisions; the p value is at least 1/(permutations + 1).
    rng : int, Generator or None

    Returns
    -------
    TwoSample

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((2, 300, 1))
    >>> two_sample(x, y, rng=0).p_value > 0.05, two_sample(x, y + 0.5, rng=0).p_value < 0.01
    (True, True)
    """
    x, y = _rows("x", x), _rows("y", y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"y: draws of {y.shape[1]} entries, expected {x.shape[1]}, those of x")
    choice("distance", distance, ("energy", "mmd"))
    if bandwidth is not None:
        positive("bandwidth", bandwidth)
    count("permutations", permutations)
    n, m, rng = len(x), len(y), generator(rng)
    count("x, y, draws", n + m, each=8 * (n + m))
    apart = _distances(np.concatenate([x, y]))
    if distance == "mmd":
        h = bandwidth if bandwidth is not None else float(np.median(apart[np.triu_indices(n + m, 1)]))
        if h == 0:
            raise ValueError("bandwidth: half of all pairs of draws are equal; say one")
        apart *= apart
        apart *= -0.5 / h**2
        kernel = np.exp(apart, out=apart)
    else:
        kernel = np.negative(apart, out=apart)
    np.fill_diagonal(kernel, 0.0)
    of_x = np.zeros((n + m, permutations + 1))
    of_x[:n, 0] = 1.0
    for k in range(1, permutations + 1):
        of_x[rng.permutation(n + m)[:n], k] = 1.0
    inside = np.sum(of_x * (kernel @ of_x), 0)  # sums over pairs of each division
    whole, with_x = kernel.sum(), of_x.T @ kernel.sum(1)
    across = with_x - inside
    other = whole - inside - 2 * across
    found = inside / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m)
    beyond = np.count_nonzero(found[1:] >= found[0] - 1e-12 * np.max(np.abs(found)))
    return TwoSample(float(found[0]), float(1 + beyond) / (permutations + 1))


def _rows(name, value):
    found = array(name, value)
    if found.ndim < 1 or len(found) < 2 or not found.size:
        raise ValueError(f"{name}: got the shape {found.shape}, expected at least 2 draws")
    return found.reshape(len(found), -1)


def _distances(v):
    """|v_i - v_j|, (n, n); differences where the products would cancel are not needed at a distance's precision."""
    v = v - v.mean(0)
    square = np.sum(v * v, 1)
    apart = v @ v.T
    apart *= -2.0
    apart += square
    apart += square[:, None]
    return np.sqrt(np.maximum(apart, 0.0, out=apart), out=apart)
