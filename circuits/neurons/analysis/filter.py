"""The postsynaptic current of a spike train: s(t) = sum over spikes t_p <= t of h(t - t_p), exact at any times.

A kernel t^m exp(-t/tau) needs m + 1 running sums A_j = sum_p (t - t_p)^j exp(-(t - t_p)/tau): over a time d they become
exp(-d/tau) sum_i C(j, i) d^(j-i) A_i, so spikes and samples are visited once each, whatever the number of spikes.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from circuits.neurons.spikes import Spikes
from physlearn.checks import array, seen
from physlearn.kernels.jit import kernel


def spike_train_filter(spikes, kernel, *, times):
    """Filter spikes with a synapse's kernel.

    Parameters
    ----------
    spikes : Spikes or (k,) array
        A population's, or one train's times in s.
    kernel : Exponential, Gamma, Alpha or DualExponential
        With ``normalised="area"`` the kernel h has unit area (1/s), so that s(t) is a running firing rate in Hz; by
        default its peak is 1.
    times : (m,) array
        Where s is wanted, s, ascending.  A spike at a sample's own time counts.

    Returns
    -------
    (m, n) array, or (m,) for one train

    Raises
    ------
    TypeError, ValueError
        A kernel without a time course (`Delta`), times that are not ascending.

    Examples
    --------
    >>> import numpy as np
    >>> from circuits.neurons import Exponential
    >>> spike_train_filter([1e-3, 2e-3], Exponential(5e-3), times=[0.0, 1e-3, 2e-3, 7e-3])
    array([0.  , 1.  , 1.8187, 0.6691])
    """
    if not isinstance(spikes, Spikes):
        spikes = array("spikes", spikes).ravel()
    if isinstance(kernel, type) or not getattr(kernel, "taus", ()):
        raise TypeError(f"kernel: got {seen(kernel)}, expected a kernel with a time course, such as Exponential(tau)")
    times = np.ascontiguousarray(array("times", times, finite=False))
    if times.ndim != 1 or not np.all(np.isfinite(times)) or np.any(np.diff(times) < 0):
        raise ValueError(f"times: shape {times.shape}, expected (m,) finite, ascending times in s")
    if single := not isinstance(spikes, Spikes):
        trains = np.sort(spikes)
        ends, n = np.array([0, len(trains)]), 1
    else:
        trains, n = np.concatenate([*spikes.trains, np.empty(0)]), spikes.n
        ends = np.concatenate([[0], np.cumsum(spikes.counts)])
    out = np.zeros((n, len(times)))
    for coefficient, tau, power in _terms(kernel):
        add_filtered(trains, ends, times, coefficient, tau, power, out)
    return out[0] if single else np.ascontiguousarray(out.T)


def _terms(kernel):
    """A chain of filters as a sum of coefficient * t^power * exp(-t/tau)."""
    taus, gain = kernel.taus, kernel.gain
    if len(set(taus)) == 1:
        power = len(taus) - 1
        return [(gain / (factorial(power) * taus[0] ** power), taus[0], power)]
    rise, decay = taus
    c = gain * decay / (decay - rise)
    return [(c, decay, 0), (-c, rise, 0)]


@kernel
def add_filtered(trains, ends, times, coefficient, tau, power, out):
    """Add coefficient * sum (t - t_p)^power exp(-(t - t_p)/tau) of each train to out (n, m), power at most 2."""
    for i in range(len(ends) - 1):
        a0 = a1 = a2 = 0.0
        k = ends[i]
        last = trains[k] if k < ends[i + 1] else 0.0
        for j in range(len(times)):
            t = times[j]
            while k < ends[i + 1] and trains[k] <= t:
                d = trains[k] - last
                decay = np.exp(-d / tau)
                a2 = decay * (a2 + 2.0 * d * a1 + d * d * a0)
                a1 = decay * (a1 + d * a0)
                a0 = decay * a0 + 1.0
                last = trains[k]
                k += 1
            d = t - last
            if a0 == 0.0:
                continue
            decay = np.exp(-d / tau)
            if power == 0:
                out[i, j] += coefficient * decay * a0
            elif power == 1:
                out[i, j] += coefficient * decay * (a1 + d * a0)
            else:
                out[i, j] += coefficient * decay * (a2 + 2.0 * d * a1 + d * d * a0)
