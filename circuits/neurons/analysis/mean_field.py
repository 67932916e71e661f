"""Stationary rates of networks of LIF neurons in mean field (Brunel 2000).

Every neuron sees independent Poisson inputs of rate nu_j, so mu and sigma^2 are sums of indegree x weight x rate and
indegree x weight^2 x rate (times tau), and the rates solve nu = rate(mu(nu), sigma(nu)) with the rate of Siegert
(`circuits.neurons.analysis.theory`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from circuits.neurons.analysis.theory import check_lif, siegert_cv, siegert_rate
from physlearn.brief import brief
from physlearn.checks import array

SLOW = 0.1  # membranes slower than this many s have rates below 1 Hz that are not small
LONGEST = 1e4  # time that a flow of rates is given to settle, in units of its time constant


class MeanField(NamedTuple):
    """Rates of populations that drive each other, and the input of each neuron.

    Attributes
    ----------
    rate : (p,) array
        Hz.
    cv : (p,) array
        Of the intervals, for Poisson input; recurrent input is more regular where neurons are.
    mean, deviation : (p,) array
        mu and sigma, V.
    """

    rate: np.ndarray
    cv: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    __repr__ = brief


def mean_field(cells, *, indegree, weight, external_rate, external_weight, start=0.0, dt=None) -> MeanField:
    """Stationary rates of populations of LIF neurons coupled by delta synapses (Brunel 2000).

    The rates are followed along d nu/dt = rate(nu) - nu from ``start`` and polished by Newton's method: where several
    solutions exist, the one that this flow reaches is returned.

    Parameters
    ----------
    cells : LIF
        Of all populations; parameters may be (p,) arrays.
    indegree : (p, p) array
        Synapses onto a neuron of population i from population j.
    weight : (p, p) array
        Jump of v per spike, V.
    external_rate, external_weight : (p,) array or float
        Rate of all external Poisson spikes onto a neuron together (Hz), and their weight (V).
    start : float or (p,) array
        Rates to start from, Hz.
    dt : float, optional
        See `siegert_rate`.

    Raises
    ------
    ConvergenceError
        The flow has not settled, or rests at unstable rates.

    Examples
    --------
    The network of Brunel (2000) at g = 5 and twice the threshold rate:

    >>> from circuits.neurons import LIF
    >>> cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    >>> J = 0.1e-3
    >>> found = mean_field(cells, indegree=[[1000, 250]] * 2, weight=[[J, -5 * J]] * 2,
    ...                    external_rate=20e3, external_weight=J)
    >>> found.rate, found.cv
    (array([37.95, 37.95]), array([0.675, 0.675]))
    """
    from scipy.integrate import solve_ivp
    from scipy.optimize import root

    from physlearn.errors import ConvergenceError

    check_lif(cells, "v_rest")
    indegree, weight = array("indegree", indegree, low=0.0), array("weight", weight)
    if weight.shape not in ((), indegree.shape):
        raise ValueError(f"weight: got the shape {weight.shape}, expected that of indegree, {indegree.shape}")
    indegree, weight = np.broadcast_arrays(indegree, weight)
    if indegree.ndim != 2 or indegree.shape[0] != indegree.shape[1]:
        raise ValueError(f"indegree, weight: shape {indegree.shape}, expected (p, p), from column to row")
    p = len(indegree)
    tau = np.broadcast_to(cells.tau, p)
    external_rate = _each("external_rate", external_rate, p, low=0.0)
    external_weight = _each("external_weight", external_weight, p)
    start = _each("start", start, p, low=0.0)
    least = min(1.0, SLOW / float(np.max(tau)))  # Hz: a rate that is small for such neurons
    outer, outer_variance = external_rate * external_weight, external_rate * np.square(external_weight)

    def seen(rate):
        mean = cells.v_rest + tau * (outer + (indegree * weight) @ rate)
        return mean, np.sqrt(tau * (outer_variance + (indegree * weight**2) @ rate))

    def surplus(rate):
        return siegert_rate(*seen(np.maximum(rate, 0.0)), cells, dt=dt) - rate

    def unsettled(_, rate):
        return np.max(np.abs(surplus(rate))) - 1e-5 * (least + np.max(rate))

    unsettled.terminal = True
    begin = start.copy()
    flow = solve_ivp(
        lambda _, rate: surplus(rate),
        (0.0, LONGEST),
        begin,
        method="LSODA",
        rtol=1e-6,
        atol=1e-6 * least,
        events=unsettled,
    )
    solved = root(surplus, flow.y[:, -1], tol=1e-12)
    near = np.max(np.abs(solved.x - flow.y[:, -1])) <= 1e-2 * (least + np.max(flow.y[:, -1]))
    rate = np.maximum(solved.x if near else flow.y[:, -1], 0.0)
    mean, deviation = seen(rate)
    found = MeanField(rate, siegert_cv(mean, deviation, cells, dt=dt), mean, deviation)
    worst = np.max(np.abs(surplus(rate)))
    if not worst <= 1e-6 * (least + np.max(rate)):
        raise ConvergenceError(
            f"mean_field: the rates {rate} Hz miss self-consistency by {worst:.3g} Hz; try `start`", found
        )
    by = 1e-4 * (least + rate)
    slopes = np.transpose([(surplus(rate + h) - surplus(rate)) / h.sum() for h in np.diag(by)])
    if np.max(np.linalg.eigvals(slopes).real) > 0:
        raise ConvergenceError(
            f"mean_field: the rates {rate} Hz are self-consistent but unstable, and the flow from `start` stood "
            "still there; try another `start`",
            found,
        )
    return found


def _each(name, value, p, **limits):
    """One number for each of p populations."""
    found = array(name, value, **limits)
    if found.shape not in ((), (p,)):
        raise ValueError(f"{name}: got the shape {found.shape}, expected a number or ({p},), one for each population")
    return np.broadcast_to(found, p)
