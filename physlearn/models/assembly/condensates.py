"""Condensates: phases of a well-mixed soup of molecules, and the phase as an answer.

N species meet each other on equal terms: on M sites, each of which can touch every other,

    E = 1/2M sum_ij J_ij n_i n_j + sum_i mu_i n_i,    mu_i = -T ln c_i

with n_i molecules of species i out of a reservoir of concentration c_i, the remaining sites empty.  For large M the
fractions phi_i = n_i/M are where the grand potential per site is least,

    omega(phi) = T (sum_i phi_i ln phi_i + phi_0 ln phi_0) + phi'J phi/2 + sum_i mu_i phi_i,  phi_0 = 1 - sum_i phi_i
    phi_i = c_i exp(-(J phi)_i/T)/(1 + sum_j c_j exp(-(J phi)_j/T))   at rest, where  omega = T ln phi_0 - phi'J phi/2

Several phases may be at rest; the soup falls into the one of least omega.  As a function of the concentrations that is
a classifier: omega_a - omega_b has the slope T (phi^b - phi^a) along ln c, so that compositions are weights.  With M
sites the answers have the odds exp(-M omega_a/T); their likelihood has the gradient

    d ln P(y)/dJ = -(M/2T) (phi^y phi^y' - sum_a P(a) phi^a phi^a')

molecules of the wanted phase attract each other, those of the others let go: a contrast of phases.

For N = 1 the phases are known in closed form (the mean field of a lattice gas): they coexist at ln c = J/2T, with
phi = (1 +- m)/2, m = tanh(-J m/4T), below T = -J/4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, integers, positive
from physlearn.energy import Energy, Potts
from physlearn.terms.potts import PottsPairs
from physlearn.terms.potts_bias import PottsBias
from physlearn.threads import on_one_thread

REST = 1e-12  # change of a fraction that counts as rest
SAME = 1e-6  # difference of fractions up to which two phases are one
PATIENCE = 20_000  # steps of the self-consistent equations
EDGE = 1e-12  # distance of a root from the ends of (0, 1)


class Phases(NamedTuple):
    """Phases of soups.

    Attributes
    ----------
    phi : (n, K, N) array
        Fractions of the species in the phase that each start leads to.
    potential : (n, K) array
        omega, energy per site; infinite where the start leads to the phase of another start, which is nearer to it.
    residual : (n, K) array
        Largest error of the self-consistent equations.
    """

    phi: np.ndarray
    potential: np.ndarray
    residual: np.ndarray

    __repr__ = brief

    @property
    def converged(self) -> bool:
        """Whether all are at rest."""
        return bool(np.all(self.residual <= REST))


@dataclass(frozen=True, eq=False)
class Condensates:
    """A well-mixed soup and the phases that are told apart.

    Parameters
    ----------
    J : (N, N) array
        Symmetric energies of contact; negative attracts.
    starts : (K, N) array
        Fractions at which phase a is looked for, each row's sum below 1; a row of zeros for the dilute phase.
    temperature : float

    Examples
    --------
    Two species that condense alone; the one that is more concentrated does, and 0.2 of energy make up for a factor
    exp(0.1) of concentration:

    >>> import numpy as np
    >>> soup = Condensates([[-5.2, 0.0], [0.0, -5.0]], [[0.9, 0.0], [0.0, 0.9]], 1.0)
    >>> soup.answer([[0.12, 0.10], [0.10, 0.12], [0.10, 0.105]])
    array([0, 1, 0])
    >>> soup.phases([[0.1, 0.1]]).phi.round(2)
    array([[[0.91, 0.01],
            [0.01, 0.88]]])
    """

    J: Any
    starts: Any
    temperature: float = 1.0

    __repr__ = brief

    def __post_init__(self):
        starts = np.array(array("starts", self.starts, ndim=2, low=0.0))
        k, n = starts.shape
        if not k or not n or np.any(starts.sum(1) >= 1):
            raise ValueError(f"starts: shape {starts.shape}, expected (K, N), at least one row, each of a sum below 1")
        j = np.array(array("J", self.J, shape=(n, n)))
        if not np.allclose(j, j.T, rtol=1e-10, atol=1e-12 * np.max(np.abs(j))):
            raise ValueError("J: not symmetric; pass (J + J.T) / 2")
        self.__dict__.update(J=0.5 * (j + j.T), starts=starts, temperature=positive("temperature", self.temperature))

    @on_one_thread
    def phases(self, c) -> Phases:
        """The phases at concentrations c (n, N), positive."""
        c = self._concentrations(c)
        phi = np.array(np.broadcast_to(self.starts, (len(c), *self.starts.shape)))
        attraction = -np.linalg.eigvalsh(self.J)
        # full steps go down where J only attracts; repulsion needs shorter ones, for which omega falls as well
        step, going = 1.0 / (1.0 + 0.25 * max(-attraction.min(), 0.0) / self.temperature), np.arange(len(c))
        residual = np.full(phi.shape[:2], np.inf)
        for _ in range(PATIENCE):
            change = self._rest(phi[going], c[going]) - phi[going]
            residual[going] = np.max(np.abs(change), 2)
            phi[going] += step * change
            going = going[np.any(residual[going] > REST, 1)]
            if not going.size:
                break
        potential = self.potential(phi, c[:, None])
        away = np.max(np.abs(phi - self.starts), 2)
        for k in range(len(self.starts)):
            same = np.max(np.abs(phi - phi[:, [k]]), 2) < SAME
            nearest = np.argmin(np.where(same, away, np.inf), 1) == k
            potential[:, k] = np.where(nearest, potential[:, k], np.inf)
        return Phases(phi, potential, residual)

    def potential(self, phi, c) -> np.ndarray:
        """omega of fractions phi (..., N) at concentrations c that fit, energy per site."""
        empty = 1.0 - np.sum(phi, -1)
        entropy = np.sum(_xlogx(phi), -1) + _xlogx(empty)
        energy = 0.5 * np.einsum("...i,ij,...j->...", phi, self.J, phi)
        return self.temperature * (entropy - np.sum(phi * np.log(c), -1)) + energy

    def answer(self, c) -> np.ndarray:
        """Number of the phase of least potential, (n,)."""
        return np.argmin(self.phases(c).potential, 1)

    def probability(self, c, sites) -> np.ndarray:
        """Odds of the phases for a soup of so many sites, exp(-M omega/T) normalised, (n, K)."""
        return self._odds(self.phases(c).potential, count("sites", sites))

    def energy(self, c, sites) -> Energy:
        """The soup of M sites at concentrations c (N,), for `sample`: one layer of codes, 0 where a site is empty."""
        sites = count("sites", sites, least=2)
        (c,) = self._concentrations(np.atleast_2d(array("c", c)))
        n = len(self.J)
        j, bias = np.zeros((n + 1, n + 1)), np.zeros((sites, n + 1))
        j[1:, 1:], bias[:, 1:] = -self.J / sites, self.temperature * np.log(c)
        pairs = np.stack(np.triu_indices(sites, 1), 1)
        terms = [PottsPairs("s", pairs, n + 1, n=sites), PottsBias("s")]
        return Energy({"s": (Potts(n + 1), sites)}, terms, {"J": j, "bias": bias})

    @on_one_thread
    def taught(self, c, labels, *, sites=50, lr=0.5, steps=200) -> Condensates:
        """The soup that has learnt to answer ``labels``, by ascending the likelihood of its answers.

        Parameters
        ----------
        c : (n, N) array
            Concentrations.
        labels : (n,) array of int
            The phase wanted, 0 to K - 1.
        sites : int
            M of the odds: the larger, the sharper they are.
        lr : float
            Step of J, in units of T; the gradient is per site.
        steps : int
        """
        c, k = self._concentrations(c), len(self.starts)
        labels = integers("labels", labels, shape=(len(c),), low=0, high=k - 1)
        count("sites", sites)
        lr, soup, wanted = positive("lr", lr) * self.temperature, self, np.eye(k)[labels]
        for _ in range(count("steps", steps)):
            found = soup.phases(c)
            share = wanted - self._odds(found.potential, sites)
            contrast = np.einsum("na,nai,naj->ij", share, found.phi, found.phi) / len(c)
            soup = replace(soup, J=soup.J - lr * contrast)
        return soup

    def _rest(self, phi, c):
        a = np.log(c)[:, None] - phi @ self.J / self.temperature
        top = np.maximum(a.max(-1, keepdims=True), 0.0)
        e = np.exp(a - top)
        return e / (np.exp(-top) + e.sum(-1, keepdims=True))

    def _odds(self, potential, sites):
        log = -sites * (potential - potential.min(1, keepdims=True)) / self.temperature
        odds = np.exp(log)  # 0 of phases that are not there
        return odds / odds.sum(1, keepdims=True)

    def _concentrations(self, c):
        found = array("c", c, shape=("n", len(self.J)))
        if np.any(found <= 0):
            raise ValueError(f"c: got {found.min():.3g} among its entries, expected positive concentrations")
        return found


def binodal(J, temperature) -> tuple[float, float]:
    """Fractions of the dilute and of the dense phase that coexist in a soup of one species.

    Parameters
    ----------
    J : float
        Energy of contact, negative.
    temperature : float
        Below -J/4, the critical one.

    Examples
    --------
    >>> print("{:.4f} {:.4f}".format(*binodal(-6.0, 1.0)))
    0.0707 0.9293
    """
    from scipy.optimize import brentq

    temperature, j = positive("temperature", temperature), -float(array("J", J, shape=()))
    if not j > 4.0 * temperature:
        raise ValueError(f"J: got {J!r}, expected less than -4 T = {-4 * temperature:g}; there is one phase")
    m: Any = brentq(lambda m: np.tanh(j * m / (4.0 * temperature)) - m, EDGE, 1.0, xtol=1e-15, rtol=np.float64(1e-14))
    dense = 0.5 * (1.0 + m)
    return float(1.0 / (1.0 + np.exp(j * m / (2.0 * temperature)))), float(dense)


def _xlogx(x):
    """x ln x, 0 at 0."""
    return np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), 0.0)
