r"""ScalarField: a real field on a periodic lattice, between free fields and Ising spins (lattice phi^4).

    E = sum_i [ phi_i^2 + lam (phi_i^2 - 1)^2 ] - 2 kappa sum_<ij> phi_i phi_j

(Montvay and Muenster 1994, eq. 2.25), dimensionless, sampled at T = 1.  lam = 0 is Gaussian, and normalisable for
kappa < 1/(2 d) in d dimensions; lam -> infinity is the Ising model with K = 2 kappa.  The continuum's coupling
m^2 phi^2 + lambda phi^4 (Albergo, Kanwar and Shanahan 2019) is the same after a change of scale.  On a ring the law is
known exactly: the trace of powers of a transfer operator, an integral over one site that a sum over points does to
rounding.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, not_negative, number
from physlearn.energy import Energy, Real
from physlearn.maps.affine import shape_of
from physlearn.terms.fits import DISCRETE, expect_shape, refuse_kinds
from physlearn.threads import on_one_thread


class RingField(NamedTuple):
    """A scalar field on a ring, exactly: log Z, <phi^2>, <phi phi'> of neighbours, correlation length in sites."""

    log_z: float
    square: float
    neighbours: float
    correlation_length: float

    __repr__ = brief


class FieldEnergy:
    """The energy of `ScalarField` as a term, for a layer of any number of axes, periodic in all of them.

    Parameters
    ----------
    layer : str

    Examples
    --------
    >>> import numpy as np
    >>> FieldEnergy("phi").energy({"phi": np.ones((1, 4))}, {"kappa": np.array(0.25), "lam": np.array(1.0)})
    array([2.])
    """

    parameters = ("kappa", "lam")
    rowwise = True

    def __init__(self, layer):
        self.layers = (layer, layer)

    def __repr__(self):
        return brief(self, layer=self.layers[0])

    def check(self, layers, theta):
        """Refuse kinds that are no real numbers, and couplings that differ from site to site."""
        refuse_kinds(self, layers, self.layers[0], DISCRETE, "a scalar field is of real numbers")
        for name in self.parameters:
            expect_shape(theta, name, (), "one number for the whole lattice")

    def energy(self, x, theta):
        """E, (batch,)."""
        v = x[self.layers[0]]
        square = v * v
        site = square + theta["lam"] * (square - 1) ** 2 - theta["kappa"] * v * neighbours(v)
        return np.sum(site.reshape(len(v), -1), -1)

    def field(self, x, theta, layer):
        """-dE/dphi, shaped like the layer."""
        v = x[layer]
        return 2 * theta["kappa"] * neighbours(v) - 2 * v - 4 * theta["lam"] * v * (v * v - 1)

    def gradient(self, x, theta, weight):
        """{"kappa": -2 sum phi phi', "lam": sum (phi^2 - 1)^2}, weighted."""
        v = x[self.layers[0]]
        bonds, wells = (np.sum(a.reshape(len(v), -1), -1) for a in (v * neighbours(v), (v * v - 1) ** 2))
        return {"kappa": np.asarray(-(weight @ bonds)), "lam": np.asarray(weight @ wells)}


class ScalarField:
    """A scalar field on a periodic lattice of any dimension; see the module for its energy.

    Parameters
    ----------
    shape : int or tuple of int
        Sites along each axis, at least 3: shorter rings have two bonds between the same sites.
    kappa : float
        Hopping: half the coupling of neighbours.
    lam : float
        Quartic coupling, not negative.

    Examples
    --------
    >>> from physlearn import sample
    >>> ring = ScalarField(16, kappa=0.3, lam=0.5)
    >>> print(f"{ring.ring().square:.9f} {ring.ring().correlation_length:.7f}")
    0.529632949 0.8161728
    >>> drawn = sample(ring, temperature=1.0, n_samples=200, chains=50, method="hmc", target=0.9, rng=0)
    >>> bool(abs((drawn.x**2).mean() - ring.ring().square) < 0.02)
    True
    """

    def __init__(self, shape, *, kappa, lam):
        self.shape = shape_of("shape", shape)
        if min(self.shape) < 3:
            raise ValueError(f"shape: got {shape!r}, expected at least 3 sites along each axis")
        count("shape", math.prod(self.shape), each=8)
        kappa, lam = number("kappa", kappa), not_negative("lam", lam)
        if lam == 0 and not abs(kappa) < 0.5 / len(self.shape):
            raise ValueError(
                f"kappa: got {kappa:g} with lam = 0, expected below {0.5 / len(self.shape):g} in size: the Gaussian "
                "field has no norm; take lam > 0"
            )
        self.system = Energy({"phi": (Real(), self.shape)}, [FieldEnergy("phi")], {"kappa": kappa, "lam": lam})

    def __repr__(self):
        return brief(self, shape=self.shape, **{name: float(value) for name, value in self.theta.items()})

    @property
    def theta(self):
        """{"kappa", "lam"}."""
        return self.system.theta

    def with_theta(self, theta):
        """The same lattice with other couplings."""
        other = object.__new__(ScalarField)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other

    @on_one_thread
    def ring(self, points=200) -> RingField:
        """The field on a ring at T = 1, exactly, by its transfer operator.

        Parameters
        ----------
        points : int
            Of the sum that stands for the integral over one site; its error falls exponentially.

        Raises
        ------
        ValueError
            More than one axis, of which no operator of this size is known.
        """
        if len(self.shape) != 1:
            raise ValueError(f"shape: got {self.shape}, expected one axis: a transfer operator over rows is too large")
        count("points", points, least=20, most=2000)
        kappa, lam = (float(self.theta[name]) for name in ("kappa", "lam"))
        end = _end(kappa, lam)
        phi, width = np.linspace(-end, end, points, retstep=True)
        site = phi**2 + lam * (phi**2 - 1) ** 2
        log = 2 * kappa * phi[:, None] * phi - 0.5 * (site[:, None] + site)
        top = log.max()
        values, vectors = np.linalg.eigh(np.exp(log - top) * width)
        values, vectors, n = values[::-1], vectors[:, ::-1], self.shape[0]
        share = (values / values[0]) ** n
        total = share.sum()
        inside = vectors.T @ (phi[:, None] * vectors)
        square = np.einsum("ik,i,ik->k", vectors, phi**2, vectors)
        bond = np.sum(inside**2 * (values[:, None] / values[0]) ** (n - 1) * (values / values[0])[None])
        return RingField(
            float(n * (top + math.log(values[0])) + math.log(total)),
            float(square @ share / total),
            float(bond / total),
            float(1 / math.log(values[0] / values[1])),
        )


def neighbours(v):
    """Sum over the neighbours of every site, (batch, *shape)."""
    return sum(np.roll(v, step, axis) for axis in range(1, v.ndim) for step in (1, -1))


def _end(kappa, lam):
    """Field beyond which a site's weight is below rounding, whatever its neighbours say."""
    end = 1.0
    while (1 - 2 * abs(kappa)) * end**2 + lam * (end**2 - 1) ** 2 < 45.0 and end < 1e3:
        end *= 1.02
    return end
