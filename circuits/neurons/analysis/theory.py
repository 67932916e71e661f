"""Firing rates of the LIF neuron in closed form, under constant and noisy current.

Constant current: v relaxes to mu = v_rest + R I with time constant tau, fires at v_threshold, is reset to
v_reset and rests for t_ref, so that (Lapicque 1907)

    1/rate = t_ref + tau ln((mu - v_reset) / (mu - v_threshold)),   mu > v_threshold,

and with v_reset = v_rest, v_in = R I / (v_threshold - v_rest): 1/(t_ref - tau ln(1 - 1/v_in)).

White noise: tau dv/dt = mu - v + sigma sqrt(tau) xi(t), so v without threshold has variance sigma^2/2.  Then

    1/rate = t_ref + tau sqrt(pi) Int_a^b exp(u^2) (1 + erf u) du,
    CV^2 = 2 pi (tau rate)^2 Int_a^b exp(x^2) Int_-inf^x exp(u^2) (1 + erf u)^2 du dx,

a = (v_reset - mu)/sigma, b = (v_threshold - mu)/sigma (Siegert 1951; Ricciardi 1977; Brunel 2000, eqs. 21 and A.2).
Exact for delta synapses of small weight and high rate; the CV for t_ref << 1/rate as Brunel prints it.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, positive, seen

# zeta(1/2)/sqrt(2 pi): a threshold tested only at grid points acts as one 0.5826 steps of noise higher
# (Chernoff 1965; Broadie, Glasserman and Kou 1997).
OVERSHOOT = 0.5825971579390107


def lif_rate(current, cells, *, dt=None):
    """Firing rate of an LIF neuron under constant current, without noise.

    Parameters
    ----------
    current : float or array
        A, or V where the neuron's resistance is 1; any shape that broadcasts with the parameters.
    cells : LIF
        Or anything with ``tau``, ``v_rest``, ``v_threshold``, ``v_reset``, ``refractory`` (s, V) and ``resistance``.
    dt : float, optional
        Step of a simulation on a grid, s: its neuron fires at the first grid point at which v has reached the
        threshold, so the interval is rounded up to whole steps.  Default exact spike times.

    Returns
    -------
    array
        Hz; 0 up to the rheobase, R I = v_threshold - v_rest.

    Examples
    --------
    >>> from circuits.neurons import LIF
    >>> cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)
    >>> lif_rate([10e-3, 10.5e-3, 20e-3], cells).round(3)
    array([ 0.   , 15.901, 63.04 ])
    """
    check_lif(cells, "resistance", "v_rest")
    mean = cells.v_rest + np.multiply(cells.resistance, array("current", current))
    _finite("current", mean)
    dt = None if dt is None else positive("dt", dt)
    with np.errstate(divide="ignore", invalid="ignore"):
        fires = mean > cells.v_threshold
        climb = cells.tau * np.log1p((cells.v_threshold - np.asarray(cells.v_reset)) / (mean - cells.v_threshold))
        if dt is not None:
            climb = dt * np.ceil(climb / dt * (1 - 1e-12))
        return np.where(fires, 1 / (cells.refractory + climb), 0.0)


def siegert_rate(mean, deviation, cells, *, dt=None):
    """Firing rate of an LIF neuron driven by white noise (Siegert 1951).

    Parameters
    ----------
    mean : float or array
        mu, V: where v would settle, v_rest + R I.
    deviation : float or array
        sigma, V: sqrt(2) times the standard deviation of v without threshold; 0 gives the rate without noise.
    cells : LIF
        See `lif_rate`.
    dt : float, optional
        Step of a simulation whose threshold is tested at grid points only: moves the threshold up by
        0.5826 sigma sqrt(dt/tau), which is right to first order in sqrt(dt/tau).

    Returns
    -------
    array
        Hz.

    Examples
    --------
    >>> from circuits.neurons import LIF
    >>> cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    >>> float(siegert_rate(21.025e-3, 7.683e-3, cells))
    37.95
    """
    mu, sigma, tau, reset, threshold = _noisy(mean, deviation, cells, dt)
    noisy = sigma > 0
    s = np.where(noisy, sigma, 1.0)
    a, b = (reset - mu) / s, (threshold - mu) / s
    top = np.where(noisy, np.maximum(b, 0.0), 0.0) ** 2
    period = np.broadcast_to(cells.refractory / tau, mu.shape) * np.exp(-top)
    with np.errstate(divide="ignore", invalid="ignore"):
        silent = np.log1p((threshold - reset) / (mu - threshold))
        silent = np.where(mu > threshold, silent, np.inf)
        period = period + np.where(noisy, np.sqrt(np.pi) * _passage(a, b), silent)
        return (np.exp(-top) / (tau * period))[()]


def siegert_cv(mean, deviation, cells, *, dt=None):
    """Coefficient of variation of the intervals of an LIF neuron driven by white noise (Brunel 2000, eq. A.2).

    Parameters
    ----------
    mean, deviation : float or array
        V; as in `siegert_rate`.
    cells : LIF
        See `lif_rate`.
    dt : float, optional
        s; as in `siegert_rate`.

    Returns
    -------
    array
        0 without noise, towards 1 where firing is rare.

    Examples
    --------
    >>> from circuits.neurons import LIF
    >>> cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    >>> float(siegert_cv(21.025e-3, 7.683e-3, cells))
    0.675
    """
    mu, sigma, tau, reset, threshold = _noisy(mean, deviation, cells, dt)
    noisy = sigma > 0
    s = np.where(noisy, sigma, 1.0)
    a, b = (reset - mu) / s, (threshold - mu) / s
    top = np.maximum(b, 0.0) ** 2
    period = np.broadcast_to(cells.refractory / tau, mu.shape) * np.exp(-top) + np.sqrt(np.pi) * _passage(a, b)
    return np.where(noisy, np.sqrt(2 * np.pi * _spread(a, b)) / period, 0.0)[()]


def check_lif(cells, *more):
    """Refuse anything without the parameters of an LIF neuron."""
    needed = ("tau", "v_threshold", "v_reset", "refractory", *more)
    if isinstance(cells, type) or (missing := [name for name in needed if not hasattr(cells, name)]):
        lacks = "" if isinstance(cells, type) else f" without {', '.join(missing)}"
        raise TypeError(f"cells: got {seen(cells)}{lacks}, expected an LIF, or anything with {', '.join(needed)}")


def _noisy(mean, deviation, cells, dt):
    check_lif(cells)
    mean, deviation = array("mean", mean), array("deviation", deviation)
    dt = None if dt is None else positive("dt", dt)
    mu, sigma, tau, reset, threshold = (
        np.array(x, dtype=float)
        for x in np.broadcast_arrays(mean, deviation, cells.tau, cells.v_reset, cells.v_threshold)
    )
    _finite("mean", mu)
    _finite("deviation", sigma)
    if np.any(sigma < 0):
        raise ValueError(f"deviation: got {sigma.min()}, expected 0 or more volts")
    if np.any(threshold <= reset):
        raise ValueError("cells: v_threshold is not above v_reset, so the rate is not finite")
    if dt is not None:
        threshold = threshold + OVERSHOOT * sigma * np.sqrt(dt / tau)
    return mu, sigma, tau, reset, threshold


def _finite(name, value):
    if not np.all(np.isfinite(value)):
        raise ValueError(f"{name}: NaN or infinite, expected finite numbers")


def _nodes(breaks):
    """Gauss-Legendre nodes u and weights (..., k) on the intervals between sorted breaks (..., m), through u = sinh s.

    In s the integrands, which fall like 1/|u|, are smooth on intervals that span decades.
    """
    x, w = np.polynomial.legendre.leggauss(20)
    panels = 8
    s = np.arcsinh(breaks)
    low, width = s[..., :-1, None], np.diff(s)[..., None] / panels
    centres = low + width * (np.arange(panels) + 0.5)
    nodes = centres[..., None] + 0.5 * width[..., None] * x
    weights = 0.5 * width[..., None] * w * np.cosh(nodes)
    flat = (*nodes.shape[:-3], -1)
    return np.sinh(nodes).reshape(flat), weights.reshape(flat)


def _passage(a, b):
    """exp(-max(b, 0)^2) Int_a^b exp(u^2) (1 + erf u) du, which overflows nowhere."""
    from scipy.special import erfc, erfcx

    edge = b - np.minimum(20 / np.maximum(np.abs(b), 3.0), 6.5)  # the integrand rises to b within 1/(2b)
    breaks = np.sort(np.clip(np.stack([a, np.zeros_like(a), edge, b], -1), a[..., None], b[..., None]), axis=-1)
    u, w = _nodes(breaks)
    top = np.maximum(b, 0.0)[..., None]
    below = erfcx(np.maximum(-u, 0.0)) * np.exp(-(top**2))
    above = erfc(-np.maximum(u, 0.0)) * np.exp((u - top) * (u + top) * (u > 0))
    return np.sum(w * np.where(u > 0, above, below), axis=-1)


def _spread(a, b):
    """exp(-2 max(b, 0)^2) Int_a^b exp(x^2) Int_-inf^x exp(u^2) (1 + erf u)^2 du dx.

    Integrated over x first: Int_m^b exp(x^2) dx = exp(b^2) D(b) - exp(m^2) D(m), D Dawson's function, m = max(u, a).
    """
    from scipy.special import dawsn, erfc, erfcx

    first = np.minimum(np.minimum(a, b), 0.0)
    lowest = first - np.minimum(20 / np.maximum(np.abs(first), 3.0), 6.5)
    edge = b - np.minimum(20 / np.maximum(np.abs(b), 3.0), 6.5)
    points = [lowest, first, a, np.zeros_like(a), edge, b]
    breaks = np.sort(np.clip(np.stack(points, -1), lowest[..., None], b[..., None]), axis=-1)
    u, w = _nodes(breaks)
    a, b = a[..., None], b[..., None]
    m, top = np.maximum(u, a), 2 * np.maximum(b, 0.0) ** 2
    sign = np.where(u > 0, 1.0, -1.0)  # exp(u^2)(1 + erf u)^2 is exp(-u^2) erfcx(-u)^2 on the left
    scale = np.where(u > 0, erfc(-np.maximum(u, 0.0)), erfcx(np.maximum(-u, 0.0))) ** 2
    rest = np.exp(b * b + sign * u * u - top) * dawsn(b) - np.exp(m * m + sign * u * u - top) * dawsn(m)
    return np.sum(w * scale * rest, axis=-1)
