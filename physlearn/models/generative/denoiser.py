"""Jacobians of denoisers and their eigenbasis: along which features noise is shrunk (Kadkhodaie et al. 2023).

The best denoiser of y = x + sigma z has the Jacobian Cov[x | y]/sigma^2, symmetric, of eigenvalues from 0 up: for a
Gaussian lambda/(lambda + sigma^2) along the eigenvectors of its covariance.  A network without biases whose activations
are rectifiers is homogeneous of degree 1, D(a y) = a D(y) for a > 0, so that

    D(y) = J(y) y = sum_k s_k u_k (u_k . y)

shrinks y by s_k in a basis that adapts to y (Mohan, Kadkhodaie, Simoncelli and Fernandez-Granda 2020).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array
from physlearn.maps.compose import check_is_map
from physlearn.maps.map import back


class Shrinkage(NamedTuple):
    """Eigenbasis of a denoiser's Jacobian.

    Attributes
    ----------
    factors : (d,) array
        Eigenvalues of its symmetric part, descending: what is left of y along each direction.
    basis : (d, d) array
        The directions, in columns.
    asymmetry : float
        Norm of the antisymmetric part over that of the Jacobian; 0 for the best denoiser.
    """

    factors: np.ndarray
    basis: np.ndarray
    asymmetry: float

    __repr__ = brief


def map_jacobian(map, y, theta) -> np.ndarray:
    """Jacobian dD/dy of a map of one parent at one point.

    Parameters
    ----------
    map : Map
        Such as a chain of layers that denoises.
    y : (d,) or (*shape) array
        One parent.
    theta : mapping of str to array

    Returns
    -------
    (k, d) array
        Rows are the outputs, flattened, columns the entries of y.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import Affine, Chain, Relu
    >>> net = Chain(Affine(8, "W", None), Relu(), Affine(4, "V", None))
    >>> theta, y = net.start([(4,)], np.random.default_rng(0)), np.array([1.0, -0.5, 2.0, 0.3])
    >>> value, _ = net.forward((y[None],), theta)
    >>> bool(np.allclose(map_jacobian(net, y, theta) @ y, value[0]))  # homogeneous: no biases
    True
    """
    check_is_map("map", map)
    y = array("y", y)
    if y.ndim < 1 or not y.size:
        raise ValueError(f"y: got the shape {y.shape}, expected that of one parent, (d,) or more axes")
    value, _ = map.forward((y[None],), theta)
    k = int(np.prod(value.shape[1:]))
    _, tape = map.forward((np.repeat(y[None], k, 0),), theta)
    (found,) = back(map, tape, np.eye(k).reshape(k, *value.shape[1:]), theta)
    return np.asarray(found).reshape(k, y.size)


def shrinkage(jacobian) -> Shrinkage:
    """Eigenbasis of a denoiser's Jacobian (d, d).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.models import GaussianMixture
    >>> gaussian = GaussianMixture([[0.0, 0.0]], [[[2.0, 0.0], [0.0, 0.5]]])
    >>> shrinkage(gaussian.jacobian([1.0, 1.0], 0.5)).factors.round(4)  # lambda/(lambda + 0.25)
    array([0.8889, 0.6667])
    """
    j = array("jacobian", jacobian, ndim=2)
    if len(j) != j.shape[1] or not len(j):
        raise ValueError(f"jacobian: got the shape {j.shape}, expected (d, d), of a map from d numbers to as many")
    factors, basis = np.linalg.eigh(0.5 * (j + j.T))
    size = np.linalg.norm(j)
    odd = float(np.linalg.norm(0.5 * (j - j.T)) / size) if size > 0 else 0.0
    return Shrinkage(factors[::-1], basis[:, ::-1], odd)
