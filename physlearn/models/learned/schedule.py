r"""NoiseSchedule: the steps in which a diffusion model turns data into noise.

    x_k = sqrt(1 - beta_k) x_(k-1) + sqrt(beta_k) z        x_k = a_k x0 + s_k eps,   k = 0 ... N-1
    a_k^2 = prod_(j <= k) (1 - beta_j),                    s_k^2 = 1 - a_k^2

(Ho, Jain and Abbeel 2020, eqs. 2 and 4; k counts from 0 here, from 1 there).  It is the Ornstein-Uhlenbeck process of
kappa = 1 and variance 1 at the times t_k = -log a_k.  A schedule that does not end in noise is refused: what is drawn
starts from N(0, 1), which would then not be the law of x_(N-1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, number, positive
from physlearn.models.learned.parametrisation import error_scale, parametrisation

LEFT = 0.1  # largest a at the end; at 0.1 the start's law is off by 5e-3 in variance for data of variance 0.5 or 1.5


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """Variances of the steps of noising.

    Parameters
    ----------
    beta : (N,) array
        Each in (0, 1).

    Attributes
    ----------
    signal, noise : (N,) array
        a and s after every step.

    Raises
    ------
    ValueError
        Entries outside (0, 1); more than a tenth of the data's amplitude left at the end.

    Examples
    --------
    >>> schedule = NoiseSchedule.linear(100, 1e-4, 0.2)
    >>> print(f"{schedule.signal[0]:.5f} {schedule.signal[-1]:.5f} {schedule.noise[0]:.2f}")
    0.99995 0.00463 0.01
    """

    beta: Any
    signal: Any = field(default=None, init=False, repr=False)
    noise: Any = field(default=None, init=False, repr=False)

    def __repr__(self):
        return brief(self, beta=self.beta)

    def __post_init__(self):
        beta = np.array(array("beta", self.beta, ndim=1))
        if not beta.size or not np.all((beta > 0) & (beta < 1)):
            raise ValueError("beta: expected at least one number, all of them above 0 and below 1")
        log = np.cumsum(np.log1p(-beta))
        signal, noise = np.exp(0.5 * log), np.sqrt(-np.expm1(log))
        if not 0 < signal[-1] <= LEFT:
            lost = "so little that it underflows" if signal[-1] == 0 else f"expected at most {LEFT}"
            raise ValueError(
                f"beta: {signal[-1]:.3g} of the data's amplitude is left after {len(beta)} steps, {lost}: the schedule "
                "does not end in noise; take more steps or larger betas, such as NoiseSchedule.cosine(steps)"
            )
        for value in (beta, signal, noise):
            value.flags.writeable = False
        self.__dict__.update(beta=beta, signal=signal, noise=noise)

    @classmethod
    def linear(cls, steps, first=None, last=None):
        """Variances that grow evenly (Ho et al. 2020).

        Parameters
        ----------
        steps : int
        first, last : float, optional
            Default 0.1/steps and 20/steps, which is 1e-4 to 0.02 for 1,000.

        Examples
        --------
        >>> NoiseSchedule.linear(1000).beta[[0, -1]]
        array([0.0001, 0.02  ])
        """
        steps = count("steps", steps, each=8)
        first = 0.1 / steps if first is None else positive("first", first)
        last = 20.0 / steps if last is None else positive("last", last)
        if last >= 1:
            raise ValueError(f"last: {last:.3g} in {steps} steps, expected below 1; take more than 20 steps, or say it")
        return cls(np.linspace(first, last, steps))

    @classmethod
    def cosine(cls, steps, offset=0.008, most=0.999):
        """a_k near cos(pi/2 (k + 1)/N), which spends more steps where data are half seen (Nichol and Dhariwal 2021).

        Parameters
        ----------
        steps : int
        offset : float
            Added to the time, so that the first steps are not too small.
        most : float
            Largest beta.

        Examples
        --------
        >>> print(f"{NoiseSchedule.cosine(50).signal[24]:.3f}")
        0.703
        """
        u = np.arange(count("steps", steps, each=8) + 1) / steps
        offset, most = positive("offset", offset), number("most", most, 0, 1)
        left = np.cos(0.5 * np.pi * (u + offset) / (1 + offset)) ** 2
        return cls(np.minimum(1 - left[1:] / left[:-1], most))

    def __len__(self):
        return len(self.beta)

    @property
    def times(self) -> np.ndarray:
        """Times of the Ornstein-Uhlenbeck process of kappa = 1 and variance 1, -log a_k, (N,)."""
        return -np.log(self.signal)

    def noised(self, x0, k, eps) -> np.ndarray:
        """a_k x0 + s_k eps, shaped like x0.

        Parameters
        ----------
        x0 : (n, ...) array
        k : int or (n,) array of int
            Steps, from 0 on.
        eps : array
            Standard normal, shaped like x0.
        """
        x0, eps = array("x0", x0), array("eps", eps)
        if not x0.ndim or eps.shape != x0.shape:
            raise ValueError(f"eps: got the shape {eps.shape}, expected {x0.shape}, that of x0, with items first")
        a, s = (self._at(k, array, x0.ndim) for array in (self.signal, self.noise))
        return a * x0 + s * eps

    def _at(self, k, values, ndim):
        """Values (N,) at steps k, with axes for items of ``ndim`` axes."""
        k = np.asarray(k)
        if k.dtype.kind not in "iu" or np.any((k < 0) | (k >= len(self))):
            raise ValueError(f"k: expected steps from 0 to {len(self) - 1}")
        found = values[k]
        return found.reshape(-1, *(1,) * (ndim - 1)) if found.ndim else found

    def floor(self, covariance, wanted="eps") -> np.ndarray:
        """Least mean square error per coordinate on Gaussian data, at every step, (N,).

        That of eps is the mean over the covariance's eigenvalues of a^2 l/(a^2 l + s^2).

        Parameters
        ----------
        covariance : float or (d, d) array
            Of the data; a number is the variance in every direction.
        wanted : Parametrisation or str

        Examples
        --------
        >>> schedule = NoiseSchedule.linear(100, 1e-4, 0.2)
        >>> print(f"{schedule.floor(1.0).mean():.4f}")  # the mean of a^2
        0.2751
        """
        wanted = parametrisation(wanted, "wanted")
        c = array("covariance", covariance, ndim=(0, 2), finite=True)
        if c.ndim == 2 and (c.shape[0] != c.shape[1] or not np.allclose(c, c.T)):
            raise ValueError(f"covariance: got the shape {c.shape}, expected a number or a symmetric matrix")
        spread = np.atleast_1d(np.linalg.eigvalsh(c) if c.ndim else c)
        if np.any(spread < -1e-12 * np.max(np.abs(spread), initial=0.0)):
            raise ValueError("covariance: has a negative direction, expected none")
        power = self.signal[:, None] ** 2 * np.maximum(spread, 0.0)
        least = np.mean(power / (power + self.noise[:, None] ** 2), 1)
        return least * error_scale(self.signal, self.noise, wanted) ** 2
