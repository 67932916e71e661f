"""Phases of diffusion: when, on the way back from noise, classes are chosen and data are copied.

With n data in d dimensions, under x_t = e^-t x_0 + sqrt(1 - e^-2t) z, a way back passes two times (Biroli, Bonnaire, de
Bortoli and Mezard 2024):

    speciation   t_S = log(Lambda)/2, Lambda the largest eigenvalue of the data's covariance: paths choose a class
    collapse     t_C = log(1 + s^2/(n^(2/d) - 1))/2 for Gaussian data of variance s^2: paths are drawn to single data

At t_S two clones of one path end in the same of two classes at +-m, |m|^2 = d, with probability 0.7752 for every d.  At
t_C the weight of a noised datum in its own posterior (the softmax of a dense memory) crosses one half; for finite n
this is seen some 0.02 later.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, not_negative, positive
from physlearn.models.generative.mixture import GaussianMixture
from physlearn.models.generative.ou import OUProcess
from physlearn.rng import generator


def speciation_time(data) -> float:
    """Time at which a way back chooses between the classes of data (n, d), log(Lambda)/2.

    Negative where the data have no direction wider than the noise: no class is ever chosen.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> data = np.sign(rng.standard_normal((4000, 1))) + rng.standard_normal((4000, 64))
    >>> print(f"{speciation_time(data):.1f}")  # log(65)/2 = 2.09
    2.1
    """
    x = array("data", data, ndim=2)
    if len(x) < 2 or not x.shape[1]:
        raise ValueError(f"data: got the shape {x.shape}, expected (n, d), at least 2 of 1 dimension")
    top = np.linalg.norm(x - x.mean(0), 2) ** 2 / len(x)
    if top == 0:
        raise ValueError("data: all are the same point, whose covariance is 0")
    return float(0.5 * np.log(top))


def clones_agree(separation) -> float:
    """Probability that two clones of one path end in the same of two equal unit Gaussians, now at +-separation.

    1/2 int (G+^2 + G-^2)/(G+ + G-); the separation is |m| e^-t, which is 1 at the speciation time.

    Examples
    --------
    >>> [round(clones_agree(m), 4) for m in (1.0, 2.718281828, 0.3678794412)]
    [0.7752, 0.995, 0.5601]
    """
    from scipy.integrate import quad

    m = not_negative("separation", separation)

    def agreement(y):  # G+ and G- share exp(-y^2/2): their ratio is exp(2 m y)
        share = 1.0 / (1.0 + np.exp(-2.0 * m * y)) if y > 0 else np.exp(2.0 * m * y) / (1.0 + np.exp(2.0 * m * y))
        density = 0.5 * (np.exp(-0.5 * (y - m) ** 2) + np.exp(-0.5 * (y + m) ** 2)) / np.sqrt(2.0 * np.pi)
        return density * (share**2 + (1.0 - share) ** 2)

    return float(2.0 * quad(agreement, 0.0, m + 12.0, epsabs=1e-13, epsrel=1e-12, limit=200)[0])


def collapse_time(n, d, variance=1.0) -> float:
    """Time below which a way back falls to one of n Gaussian data in d dimensions.

    Examples
    --------
    >>> print(f"{collapse_time(3000, 16):.4f} {collapse_time(20_000, 32):.4f}")
    0.2291 0.3866
    """
    count("n", n, least=2)
    count("d", d)
    return float(0.5 * np.log1p(positive("variance", variance) / np.expm1(2.0 * np.log(n) / d)))


def own_weight(data, t, *, queries=200, rng=None) -> float:
    """Mean weight of data in the posterior of their own noised forms at time t: 1 where paths are copies, 1/n in noise.

    Parameters
    ----------
    data : (n, d) array
    t : float
    queries : int
        Data that are noised, the first ones.
    rng : int, Generator or None
        Of the noise; the same seed at several t gives a smooth curve.

    Examples
    --------
    >>> import numpy as np
    >>> data = np.random.default_rng(0).standard_normal((500, 16))
    >>> early, late = own_weight(data, 0.05, rng=1), own_weight(data, 2.0, rng=1)
    >>> bool(early > 0.95), bool(late < 0.05)
    (True, True)
    """
    x, t = array("data", data, ndim=2), positive("t", t)
    m, process = min(count("queries", queries), len(x)), OUProcess()
    if m == 0:
        raise ValueError("data: got none, expected at least one")
    z = generator(rng).standard_normal((m, x.shape[1]))
    noisy = process.mean(x[:m], t) + np.sqrt(process.variance(t)) * z
    weights = process.noised(GaussianMixture(x), t).responsibilities(noisy)
    return float(np.mean(weights[np.arange(m), np.arange(m)]))
