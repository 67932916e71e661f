"""Exact steps of linear membranes and receptors: exp(A h) of their joint matrix.

The joint state is (v - v_rest, chain of receptor 1, chain of receptor 2, ...):
dv/dt = -(v - v_rest) / tau + resistance / tau * (sum of the chains' last rows + injected current I), with I held
over the step.  A is block triangular, so equal time constants are no special case (closed forms divide by their
difference).
"""

from __future__ import annotations

import numpy as np


def exponential(a):
    """exp(a) of a stack of small matrices (..., m, m), by a Taylor series, scaled and squared.

    SciPy's `expm` wakes the threads of BLAS for a 2 x 2 matrix, which costs more than a run of a small network.
    """
    squarings = max(0, int(np.ceil(np.log2(max(np.max(np.sum(np.abs(a), axis=-1)), 1e-300)))) + 2)
    scaled = a / 2.0**squarings  # norm at most 1/4: 14 terms reach 1e-20
    total = term = np.broadcast_to(np.eye(a.shape[-1]), a.shape)
    for k in range(1, 15):
        term = np.einsum("...ij,...jk->...ik", term, scaled) / k
        total = total + term
    for _ in range(squarings):
        total = np.einsum("...ij,...jk->...ik", total, total)
    return total


def chain_matrix(taus):
    """Generator of one receptor's chain, (m, m): dy/dt = A y."""
    rates = 1.0 / np.asarray(taus, dtype=float)
    return np.diag(-rates) + np.diag(rates[:-1], -1)


def chain_step(taus, h):
    """exp(A h) of one receptor's chain, (m, m)."""
    return exponential(chain_matrix(taus) * h)


def membrane_step(tau, resistance, receptors, h):
    """One exact step of a membrane with its receptors.

    Parameters
    ----------
    tau, resistance : float or (n,) array
        s; ohm (1 where currents are given in volts).
    receptors : sequence of receptors
        Those with a chain; `Delta` has none.
    h : float
        s.

    Returns
    -------
    leak : (k,) array
        Factor of v - v_rest; k is 1 where parameters are shared, else n.
    current : (k,) array
        Of the injected current.
    into_v : list of (m, k) arrays
        Of each receptor's rows, into v.
    chains : list of (m, m) arrays
        Of each receptor's rows, into themselves.
    """
    tau, resistance = np.broadcast_arrays(np.atleast_1d(np.asarray(tau, float)), np.asarray(resistance, float))
    leak = np.exp(-h / tau)
    current = -np.expm1(-h / tau) * resistance
    into_v, chains = [], []
    for receptor in receptors:
        m = len(receptor.taus)
        joint = np.zeros((len(tau), m + 1, m + 1))
        joint[:, :m, :m] = chain_matrix(receptor.taus)
        joint[:, m, m - 1] = 1.0 / tau  # ohms come after: a large entry would cost digits in every squaring
        joint[:, m, m] = -1.0 / tau
        step = exponential(joint * h)
        into_v.append(np.ascontiguousarray(step[:, m, :m].T * resistance))
        chains.append(chain_step(receptor.taus, h))
    return leak, current, into_v, chains


def mean_over(taus, h):
    """Weights of a chain's rows in the mean of its last row over a time h without spikes, (m,)."""
    m = len(taus)
    joint = np.zeros((m + 1, m + 1))
    joint[:m, :m] = chain_matrix(taus)
    joint[m, m - 1] = 1.0 / h
    return exponential(joint * h)[m, :m]


def as_held(tau, taus, h):
    """Weights of a chain's rows in the current that, held over h, moves a membrane as the chain's last row does, (m,).

    The mean over h where membranes have several time constants.
    """
    tau = np.unique(np.asarray(tau, dtype=float))
    if tau.size > 1:
        return mean_over(taus, h)
    m = len(taus)
    joint = np.zeros((m + 1, m + 1))
    joint[:m, :m] = chain_matrix(taus)
    joint[m, m - 1], joint[m, m] = 1.0 / tau[0], -1.0 / tau[0]
    return exponential(joint * h)[m, :m] / -np.expm1(-h / tau[0])
