"""Tilted transport: posteriors drawn by the prior's own reverse process (Bruna and Han 2024).

A measurement y = A x + s z, or any quadratic likelihood, tilts the law of the data,

    p(x) exp(-x'Qx/2 + b'x)/Z,    Q = A'A/s^2,    b = A'y/s^2.

Along the prior's reverse SDE with alpha = 1, whatever the prior, the tilted law comes from a tilted law at time t,

    Q_t = e^(2t) Q (1 + Q - e^(2t) Q)^-1,    b_t = e^t (1 + Q - e^(2t) Q)^-1 b,

up to the time log(1 + 1/max Q)/2 at which Q_t diverges (units in which the process has kappa = 1 and variance 1).  So
posteriors are drawn by starting there, where the law is smoother, and running the prior back.  With little noise the
time is tiny: s = 0.1 gives 0.005, and the start is nearly as hard to draw as the posterior.  Other alpha end elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, instance, not_negative, positive
from physlearn.models.generative.mixture import GaussianMixture
from physlearn.models.generative.ou import OUProcess
from physlearn.threads import on_one_thread


@dataclass(frozen=True, eq=False)
class Tilt:
    """The factor exp(-x'Qx/2 + b'x).

    Parameters
    ----------
    precision : (d, d) array
        Q, symmetric, no eigenvalue below 0.
    shift : (d,) array
        b.

    Examples
    --------
    >>> import numpy as np
    >>> tilt = measured([[1.0, 0.0]], [0.5], 0.5)  # the first of two coordinates, to +-0.5
    >>> tilt.of(GaussianMixture([[0.0, 0.0]], 1.0)).mean
    array([0.4, 0. ])
    >>> print(f"{tilt.limit(OUProcess()):.4f}")
    0.1116
    """

    precision: Any
    shift: Any

    __repr__ = brief

    def __post_init__(self):
        q = np.array(array("precision", self.precision, ndim=2))
        b = np.array(array("shift", self.shift, shape=(len(q),)))
        top = np.max(np.abs(q), initial=0.0)
        if q.shape != (len(q), len(q)) or not np.allclose(q, q.T, rtol=1e-10, atol=1e-12 * top):
            raise ValueError(f"precision: got the shape {q.shape}, expected a symmetric matrix; pass (Q + Q.T) / 2")
        if np.min(np.linalg.eigvalsh(q), initial=0.0) < -1e-10 * top:
            raise ValueError("precision: has a negative eigenvalue, expected none: the tilted law may have no norm")
        self.__dict__.update(precision=0.5 * (q + q.T), shift=b)

    def limit(self, process) -> float:
        """Time up to which `at` exists; infinite where nothing is measured."""
        instance("process", process, OUProcess, "an OUProcess")
        top = process.stationary * float(np.max(np.linalg.eigvalsh(self.precision), initial=0.0))
        return float(np.log1p(1.0 / top) / (2.0 * process.kappa)) if top > 0 else float("inf")

    @on_one_thread
    def at(self, process, t) -> Tilt:
        """The tilt at time t whose law the reverse process (alpha = 1) turns into this one at time 0."""
        t, limit = not_negative("t", t), self.limit(process)
        if t >= limit:
            raise ValueError(
                f"t: got {t:g}, expected a time below {limit:.4g}, beyond which no tilt leads to this one; start "
                "earlier (the less noise in what is measured, the earlier)"
            )
        v, grown = process.stationary, np.exp(process.kappa * t)
        eigen, u = np.linalg.eigh(self.precision)
        eigen = np.maximum(v * eigen, 0.0)
        left = 1.0 - eigen * np.expm1(2.0 * process.kappa * t)
        return Tilt((u * (grown**2 * eigen / left / v)) @ u.T, u @ (grown / left * (u.T @ self.shift)))

    @on_one_thread
    def of(self, law) -> GaussianMixture:
        """The tilted law of a mixture, exactly: a mixture, also of data (covariances 0)."""
        instance("law", law, GaussianMixture, "a GaussianMixture")
        q, b, unit = self.precision, self.shift, np.eye(len(self.shift))
        if law.dimensions != len(b):
            raise ValueError(f"law: has {law.dimensions} dimensions, expected {len(b)}, those of the tilt")
        means, covariances, logs = [], [], np.log(law.weights)
        c = law.covariances
        for k, m in enumerate(law.means):
            cov = c[k] if c.ndim == 3 else (c if c.ndim == 0 else c[k]) * unit
            after = np.linalg.solve(unit + cov @ q, cov)
            pull = b - q @ m
            means.append(m + after @ pull)
            covariances.append(0.5 * (after + after.T))
            half = np.linalg.slogdet(unit + cov @ q)[1]
            logs[k] += 0.5 * (pull @ after @ pull - half) - 0.5 * m @ q @ m + b @ m
        kept = np.exp(logs - logs.max()) > 1e-300
        weights = np.exp(logs - logs.max())[kept]
        return GaussianMixture(np.array(means)[kept], np.array(covariances)[kept], weights)


def measured(matrix, y, noise) -> Tilt:
    """The tilt of a linear measurement y = A x + noise z.

    Parameters
    ----------
    matrix : (m, d) array
        A: rows of the unit matrix where some of x is seen (inpainting), a blur, a projection.
    y : (m,) array
    noise : float
        Standard deviation, positive.

    Examples
    --------
    >>> measured([[2.0]], [1.0], 0.5)
    Tilt(precision=(1, 1) array all 16, shift=(1,) array all 8)
    """
    a, s = array("matrix", matrix, ndim=2), positive("noise", noise)
    y = array("y", y, ndim=1)
    if len(y) != len(a):
        raise ValueError(f"matrix: has {len(a)} rows, expected one for each of the {len(y)} entries of y")
    return Tilt(a.T @ a / s**2, a.T @ y / s**2)
