"""Theory of Hebb's rule at load alpha = m/n and temperature T, for large n.

Replica-symmetric mean field of Amit, Gutfreund and Sompolinsky 1985, 1987, with overlap M, noise sigma^2 = alpha r
of the other patterns, and Gaussian averages over z:

    M = <tanh((M + sigma z)/T)>,  q = <tanh^2(...)>,  r = q/(1 - (1 - q)/T)^2

At T = 0: M = erf(y) with y (sqrt(2 alpha) + (2/sqrt pi) exp(-y^2)) = erf(y).  Retrieval ends at alpha_c(T), with
alpha_c(0) = 0.137906 and M = 0.967417 there, and alpha_c(1) = 0.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, not_negative


def first_step_error(load):
    """Fraction of a pattern's neurons whose field points the wrong way, erfc(1/sqrt(2 alpha))/2.

    Parameters
    ----------
    load : float or array
        alpha, positive.

    Examples
    --------
    >>> float(first_step_error(0.1).round(7))
    0.0007827
    """
    from scipy.special import erfc

    return 0.5 * erfc(1.0 / np.sqrt(2.0 * _positive(load, "load")))


def mean_field_overlap(load, temperature=0.0):
    """Overlap of the retrieval state at a load and a temperature; 0 where there is none.

    Parameters
    ----------
    load : float or array
        alpha, positive.
    temperature : float
        T, in [0, 1); below 0.005 to first order in T, where alpha_c is then known to 2e-5.

    Examples
    --------
    >>> mean_field_overlap([0.05, 0.1, 0.12, 0.15]).round(6)
    array([0.999992, 0.997999, 0.993223, 0.      ])
    """
    load = _positive(load, "load")
    loads, overlaps, top = _branch(temperature)
    # along the branch from sigma = 0 to the end of retrieval the load rises
    found = np.interp(load, loads[: top + 1], overlaps[: top + 1])
    return np.where(load <= loads[top], found, 0.0)


def critical_load(temperature=0.0):
    """Load alpha_c(T) at which retrieval ends, and the overlap there.

    Parameters
    ----------
    temperature : float
        T, in [0, 1).

    Examples
    --------
    >>> load, overlap = critical_load()
    >>> f"{load:.6f} {overlap:.5f}"
    '0.137906 0.96742'
    """
    loads, overlaps, top = _branch(temperature)
    return float(loads[top]), float(overlaps[top])


def retrieval_boundary(temperatures):
    """alpha_c at each temperature, shaped like ``temperatures``; 0 from T = 1 on.

    Parameters
    ----------
    temperatures : array of float
        At least 0.

    Examples
    --------
    >>> retrieval_boundary([0.0, 0.5, 1.0]).round(3)
    array([0.138, 0.059, 0.   ])
    """
    temperatures = array("temperatures", temperatures, low=0)
    flat = [0.0 if t >= 1.0 else critical_load(t)[0] for t in temperatures.ravel()]
    return np.array(flat).reshape(temperatures.shape)


def _branch(temperature):
    """Loads and overlaps of retrieval states on a fine grid of noise, and where the load is largest."""
    from scipy.special import erf

    if not not_negative("temperature", temperature) < 1:
        raise ValueError(f"temperature: got {temperature}, expected a number in [0, 1), where patterns are retrieved")
    if temperature < 0.005:
        y = np.geomspace(8.0, 0.8, 200_001)
        overlaps, slope = erf(y), 2.0 / np.sqrt(np.pi) * np.exp(-y * y)
        # (1 - q)/T = y slope/M up to T^2, and so is M = erf(y)
        loads = 0.5 * (overlaps / y - slope) ** 2 / (1.0 - temperature * y * slope / overlaps)
    else:
        sigma = np.geomspace(1e-3, 2.0, 600)[:, None]
        z = np.linspace(-8.0, 8.0, max(401, int(20.0 / temperature) + 1))  # steps that resolve tanh
        weight = np.exp(-0.5 * z * z)
        weight /= weight.sum()
        m = np.ones_like(sigma)
        for _ in range(60):  # Newton on a concave function from above: falls to the largest root
            t = np.tanh((m + sigma * z) / temperature)
            slope = ((1.0 - t * t) @ weight)[:, None] / temperature - 1.0
            last, m = m, np.clip(m - ((t @ weight)[:, None] - m) / np.minimum(slope, -1e-12), 0.0, 1.0)
            if np.max(np.abs(m - last)) < 1e-14:
                break
        t = np.tanh((m + sigma * z) / temperature)
        q = (t * t) @ weight
        stiff = 1.0 - (1.0 - q) / temperature
        loads = np.where((m[:, 0] > 1e-6) & (stiff > 0), sigma[:, 0] ** 2 * stiff**2 / q, 0.0)
        overlaps = m[:, 0]
    return loads, overlaps, int(np.argmax(loads))


def _positive(value, name):
    value = array(name, value, finite=False)
    if not np.all((value > 0) & np.isfinite(value)):
        raise ValueError(f"{name}: got {value}, expected positive finite numbers")
    return value
