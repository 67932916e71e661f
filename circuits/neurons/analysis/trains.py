"""Spikes together: responses to events, correlations of counts, correlograms, synchrony.

With n_i(k) the spikes of neuron i in bin k,

    PSTH:        mean over events of n_i at each time from the event, over the bin's length (Hz)
    correlation: cov(n_i, n_j) / sqrt(var n_i var n_j)
    correlogram: pairs of spikes at each distance, over what independent trains of these rates would have
    synchrony:   var(mean_i n_i) / mean_i var(n_i): 1/N for independent neurons, 1 if all do the same

(G. L. Gerstein and N. Y.-S. Kiang, Biophys. J. 1 (1960) 15; D. H. Perkel, G. L. Gerstein and G. P. Moore, Biophys. J.
7 (1967) 419; D. Golomb and J. Rinzel, Phys. Rev. E 48 (1993) 4810, whose chi is the root of the last, of voltages.)
"""

from __future__ import annotations

import numpy as np

from circuits.neurons.spikes import Spikes
from physlearn.checks import array, instance, integer, number, positive


def psth(spikes, events, *, before=0.0, after, width):
    """Mean rate of each neuron around events, the peristimulus time histogram.

    Parameters
    ----------
    spikes : Spikes
    events : (m,) array
        Times, s; the windows around all of them must lie in the record.
    before, after : float
        Ends of the window, s before and after an event.
    width : float
        Of a bin, s; bins are (t, t + width], and the window must be a whole number of them.

    Returns
    -------
    t : (bins,) array
        Centres of the bins, s from the event.
    rate : (bins, n) array
        Hz.

    Examples
    --------
    >>> spikes = Spikes([0.11, 0.31, 0.52], [0, 0, 0], n=1, t_stop=1.0)
    >>> psth(spikes, [0.1, 0.3, 0.5], after=0.1, width=0.05)
    (array([0.025, 0.075]), array([[20.],
           [ 0.]]))
    """
    instance("spikes", spikes, Spikes, "the Spikes of a population")
    events = array("events", events, ndim=1)
    before, after, width = number("before", before), number("after", after), positive("width", width)
    bins = int(np.rint((before + after) / width))
    if bins < 1 or abs(bins * width - before - after) > 1e-6 * width:
        raise ValueError(f"width: {width} s does not divide the window of {before + after} s into whole bins")
    slack = 1e-9 * max(spikes.duration, 1.0)
    if (
        not events.size
        or events.min() - before < spikes.t_start - slack
        or events.max() + after > spikes.t_stop + slack
    ):
        raise ValueError(
            f"events: windows from {-before} to {after} s around them leave the record, {spikes.t_start} to "
            f"{spikes.t_stop} s; leave out those at its ends"
        )
    counts = np.zeros((bins, spikes.n))
    for event in events:
        low, high = np.searchsorted(spikes.times, [event - before - slack, event + after + slack])
        index = np.ceil((spikes.times[low:high] - event + before) / width - 1e-6).astype(int) - 1
        inside = (index >= 0) & (index < bins)
        np.add.at(counts, (index[inside], spikes.ids[low:high][inside]), 1.0)
    return (np.arange(bins) + 0.5) * width - before, counts / (len(events) * width)


def correlation(spikes, width):
    """Correlation coefficients of all pairs of neurons' counts in bins, (n, n); NaN where a count never varies.

    Parameters
    ----------
    spikes : Spikes
    width : float
        Of a bin, s.

    Examples
    --------
    >>> together = Spikes([0.1, 0.1, 0.4, 0.4, 0.9], [0, 1, 0, 1, 2], n=3, t_stop=1.0)
    >>> correlation(together, 0.2).round(2)
    array([[ 1.  ,  1.  , -0.41],
           [ 1.  ,  1.  , -0.41],
           [-0.41, -0.41,  1.  ]])
    """
    counts = _centred(spikes, width)
    spread = np.sqrt(np.sum(counts**2, axis=0))
    if spikes.recorded is not None:
        spread[np.setdiff1d(np.arange(spikes.n), spikes.recorded)] = 0.0
    product = np.outer(spread, spread)
    return np.where(product > 0, (counts.T @ counts) / np.where(product > 0, product, 1.0), np.nan)


def correlogram(spikes, first, second, *, span, width):
    """Spikes of one neuron around those of another, over what independent trains of their rates would have.

    Parameters
    ----------
    spikes : Spikes
    first, second : int
        Neurons; the same one twice leaves out each spike's pair with itself.
    span : float
        Longest distance, s.
    width : float
        Of a bin, s; the middle one is centred on 0.

    Returns
    -------
    lag : (bins,) array
        Of the second neuron's spikes after the first's, s: centres of the bins.
    ratio : (bins,) array
        1 for independent trains; the part of the record that a distance leaves is taken into account.

    Examples
    --------
    >>> import numpy as np
    >>> times = np.arange(1, 100) * 0.01
    >>> trains = Spikes.from_trains([times, times + 0.002], t_stop=1.01)
    >>> lag, ratio = correlogram(trains, 0, 1, span=0.004, width=0.002)
    >>> lag[ratio > 0]
    array([0.002])
    """
    instance("spikes", spikes, Spikes, "the Spikes of a population")
    first, second = integer("first", first, 0, spikes.n - 1), integer("second", second, 0, spikes.n - 1)
    span, width = positive("span", span), positive("width", width)
    half = int(span / width + 0.5)
    if half < 1 or span >= spikes.duration:
        raise ValueError(
            f"span: got {span} s with bins of {width} s, expected at least one bin and less than the record's "
            f"{spikes.duration} s"
        )
    a, b = spikes.trains[first], spikes.trains[second]
    reach = (half + 0.5) * width
    low, high = np.searchsorted(b, a - reach), np.searchsorted(b, a + reach)
    each = high - low  # spikes of b around each of a
    place = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each - low, each)
    index = np.floor((b[place] - np.repeat(a, each) + reach) / width * (1 + 1e-12)).astype(int)
    inside = (index >= 0) & (index < 2 * half + 1)
    counts = np.bincount(index[inside], minlength=2 * half + 1).astype(float)
    if first == second:
        counts[half] -= len(a)
    lag = (np.arange(counts.size) - half) * width
    expected = len(a) * len(b) / spikes.duration**2 * width * (spikes.duration - np.abs(lag))
    if not expected.all():
        raise ValueError(
            f"first, second: neurons {first} and {second} have {len(a)} and {len(b)} spikes, expected some"
        )
    return lag, counts / expected


def synchrony(spikes, width):
    """Variance of the population's mean count over the mean variance of its neurons' counts.

    Parameters
    ----------
    spikes : Spikes
    width : float
        Of a bin, s.

    Examples
    --------
    >>> synchrony(Spikes([0.1, 0.1, 0.4, 0.4], [0, 1, 0, 1], n=2, t_stop=1.0), 0.2)
    1.0
    """
    counts = _centred(spikes, width)[:, slice(None) if spikes.recorded is None else spikes.recorded]
    each = float(np.mean(np.var(counts, axis=0)))
    if each == 0.0:
        raise ValueError("spikes: no count varies between bins, so there is no synchrony; take a longer record")
    return float(np.var(np.mean(counts, axis=1))) / each


def _centred(spikes, width):
    """Counts in bins less each neuron's mean, (bins, n)."""
    counts = instance("spikes", spikes, Spikes, "the Spikes of a population").binned(width).astype(float)
    if len(counts) < 2:
        raise ValueError(
            f"width: got {width} s, which leaves {len(counts)} bin of {spikes.duration} s, expected several"
        )
    return counts - counts.mean(axis=0)
