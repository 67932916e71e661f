r"""Draws of one law that stand for another: weights, their effective number, means and log Z.

With draws x_i of a known density q and p = exp(-U/T)/Z,

    w_i = exp(-U(x_i)/T)/q(x_i),   Z ~ mean w,   <f>_p ~ sum w f / sum w,   effective number (sum w)^2 / sum w^2

(Nicoli et al. 2020).  The mean of w is Z without bias; log Z and <f> are consistent, with a bias of order 1/n.  Where q
misses a mode of p, no draw and no weight tells: compare with a chain that starts there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, positive
from physlearn.dynamics.annealing.ais import LogZ, estimate
from physlearn.dynamics.sampling.engines import NO_ENERGY
from physlearn.rng import generator
from physlearn.systems import energy_of, variables
from physlearn.threads import on_one_thread

ROWS = 500  # draws whose energies are computed together


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Weighted draws.

    Attributes
    ----------
    x : (n, *shape) array
    log_weights : (n,) array
        log w.
    """

    x: Any
    log_weights: Any

    __repr__ = brief

    def __post_init__(self):
        x, log_w = array("x", self.x), array("log_weights", self.log_weights, ndim=1, finite=False)
        n = len(np.atleast_1d(x))
        if n != len(log_w) or not np.any(log_w > -np.inf) or not np.all(log_w < np.inf):  # false for NaN
            raise ValueError(
                f"log_weights: got the shape {log_w.shape} for {n} draws, expected one number below infinity for each, "
                "not all of them minus infinity"
            )
        self.__dict__.update(x=x, log_weights=log_w)

    @property
    def weights(self) -> np.ndarray:
        """w over their sum, (n,)."""
        w = np.exp(self.log_weights - np.max(self.log_weights))
        return w / w.sum()

    @property
    def effective(self) -> float:
        """Effective number of draws."""
        return float(1.0 / np.sum(self.weights**2))

    @property
    def log_z(self) -> LogZ:
        """log Z, its standard error and the effective number."""
        return estimate(self.log_weights, 0.0)

    def mean(self, values):
        """Mean of an observable and its standard error, by the delta method.

        Parameters
        ----------
        values : callable or (n,) array
            The observable, a function of ``x``, or its values.

        Examples
        --------
        >>> import numpy as np
        >>> draws = Reweighted(np.array([[0.0], [1.0]]), np.log([1.0, 3.0]))
        >>> draws.mean(lambda x: x[:, 0])[0]
        0.75
        """
        given = callable(values) and not isinstance(values, type)
        v = array("values", values(self.x) if given else values, shape=(len(self.log_weights),))
        w = self.weights
        found = float(w @ v)
        return found, math.sqrt(float(np.sum((w * (v - found)) ** 2)))


@on_one_thread
def reweighted(flow, energy, n, *, temperature=1.0, rng=None) -> Reweighted:
    """Draws of a flow, weighted to the law exp(-U/T)/Z of an energy.

    Parameters
    ----------
    flow : CouplingFlow or ContinuousFlow
        Any object with ``shape`` and ``decode(z) -> (x, log_q)``.
    energy : Energy or Machine
        U, of one layer shaped like the flow's points.
    n : int
    temperature : float
        T, in the energy's units.
    rng : int, Generator or None

    Examples
    --------
    >>> from physlearn import Energy, Real
    >>> from physlearn.models import CouplingFlow
    >>> from physlearn.terms import Parabola
    >>> well = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0, 2.0]})
    >>> draws = reweighted(CouplingFlow(2, rng=0), well, 4000, rng=0)  # of N(0, 1), for variances 1 and 1/2
    >>> print(f"{draws.log_z.value:.2f} {draws.mean(lambda x: x[:, 1] ** 2)[0]:.2f} {draws.effective / 4000:.2f}")
    1.49 0.51 0.87
    """
    for name in ("shape", "decode"):
        if not hasattr(flow, name):
            raise TypeError(f"flow: got {type(flow).__name__}, expected a flow, such as CouplingFlow")
    system = energy_of(energy, NO_ENERGY)
    size = math.prod(flow.shape)
    if variables(system) != size or len(system.layers) != 1:
        raise ValueError(
            f"energy: its layers are {dict(system.layers)}, expected one of shape {flow.shape}, the flow's"
        )
    count("n", n, least=2, each=8 * size)
    t = positive("temperature", temperature)
    x, log_q = flow.decode(generator(rng).standard_normal((n, *flow.shape)))
    shape = next(iter(system.layers.values())).shape
    with np.errstate(over="ignore"):
        u = np.concatenate([system(x[i : i + ROWS].reshape(-1, *shape).astype(float)) for i in range(0, n, ROWS)])
    log_w = np.where(np.isnan(u), -np.inf, -u / t) - log_q
    if not np.any(np.isfinite(log_w)):
        raise ValueError("energy: it is not finite at any draw of the flow; train the flow, or start it nearer")
    return Reweighted(x, log_w.astype(float))
