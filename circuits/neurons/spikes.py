"""Spikes of a population: times, neurons, and their statistics.

A record covers the times t_start < t <= t_stop (seconds): a step's spikes are stamped with the step's end.
Intervals between a neuron's successive spikes have the coefficient of variation CV = std/mean: 0 for a
clock, 1 for a Poisson process.  The Fano factor is the variance of spike counts over their mean (Fano
1947), 1 for a Poisson process at any window.  Richer statistics: Elephant, through `Spikes.to_neo`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from circuits.neurons.parameters import fixed, one_number_each
from physlearn.checks import MOST, array, count, integers, memory, number, seen, sequence


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike times and the neurons that fired, sorted by time.

    Parameters
    ----------
    times : (k,) array
        Seconds, ascending.
    ids : (k,) array of int
        Which of the n neurons fired.
    n : int
        Size of the population, silent neurons included.
    t_stop, t_start : float
        Ends of the record, s; spikes lie in (t_start, t_stop].
    recorded : (m,) array of int, optional
        Neurons whose spikes were recorded, ascending; all by default.  Means are over these; the others' rates are NaN.

    Raises
    ------
    ValueError
        Times that are not finite, not sorted or outside the record, ids that belong to no recorded neuron.

    Examples
    --------
    >>> spikes = Spikes([0.1, 0.2, 0.2, 0.3], [0, 0, 1, 0], n=3, t_stop=0.5)
    >>> spikes
    Spikes(4 of 3 neurons, 0 to 0.5 s, 2.667 Hz)
    >>> spikes.counts
    array([3, 1, 0])
    >>> spikes.rates()
    array([6., 2., 0.])
    """

    times: np.ndarray
    ids: np.ndarray
    n: int = field(kw_only=True)
    t_stop: float = field(kw_only=True)
    t_start: float = field(kw_only=True, default=0.0)
    recorded: np.ndarray | None = field(kw_only=True, default=None)

    def __post_init__(self):
        times = np.ascontiguousarray(array("times", self.times, finite=False, ndim=1))
        ids = np.ascontiguousarray(self.ids)
        if ids.size == 0:
            ids = ids.astype(np.int64)
        if times.ndim != 1 or times.shape != ids.shape:
            raise ValueError(f"times, ids: shapes {times.shape} and {ids.shape}, expected (k,) both, one id per spike")
        if ids.dtype.kind not in "iu":
            raise TypeError(f"ids: dtype {ids.dtype}, expected integers: the number of the neuron that fired")
        if not isinstance(self.n, int | np.integer) or isinstance(self.n, bool):
            raise TypeError(f"n: got {seen(self.n)}, expected the number of neurons, an integer")
        count("n", self.n, -MOST, each=8)  # fewer than 1 are refused below
        one_number_each(self, ("t_stop", "t_start"))
        if not (np.isfinite(self.t_start) and np.isfinite(self.t_stop)) or self.t_stop <= self.t_start:
            raise ValueError(f"t_stop: got {self.t_stop} with t_start {self.t_start} s, expected a later, finite time")
        if self.n < 1:
            raise ValueError(f"n: got {self.n}, expected the number of neurons, at least 1")
        if times.size:
            if ids.min() < 0 or ids.max() >= self.n:
                wrong = int(ids.min() if ids.min() < 0 else ids.max())
                raise ValueError(f"ids: {wrong} is no neuron of a population of {self.n}, expected 0 to {self.n - 1}")
            if not np.all(times[1:] >= times[:-1]) or not np.isfinite(times[-1]):
                raise ValueError("times: not ascending or not finite; Spikes.from_trains sorts, one array per neuron")
            slack = 1e-9 * (self.t_stop - self.t_start) + 1e-12 * abs(self.t_stop)  # rounding of k dt
            if times[0] < self.t_start - slack or times[-1] > self.t_stop + slack:
                raise ValueError(
                    f"times: {times[0]} to {times[-1]} s, expected within {self.t_start} to {self.t_stop} s"
                )
        if self.recorded is not None:
            recorded = integers("recorded", self.recorded, ndim=1, low=0, high=self.n - 1)
            if not len(recorded) or np.any(np.diff(recorded) <= 0):
                raise ValueError(f"recorded: got {seen(self.recorded)}, expected ascending numbers of neurons")
            if len(other := np.setdiff1d(ids, recorded)):
                raise ValueError(f"ids: {other[0]} is none of the recorded neurons {seen(self.recorded)}")
            object.__setattr__(self, "recorded", fixed(recorded))
        object.__setattr__(self, "times", fixed(times))
        object.__setattr__(self, "ids", fixed(ids))

    @classmethod
    def checked(cls, times, ids, *, n, t_stop, t_start, recorded):
        """As the constructor, of arrays that a run has made: nothing is asked or copied."""
        spikes = cls.__new__(cls)
        spikes.__dict__.update(times=times, ids=ids, n=n, t_stop=t_stop, t_start=t_start, recorded=recorded)
        return spikes

    @classmethod
    def from_trains(cls, trains, *, t_stop, t_start=0.0):
        """Spikes from one array of times for each neuron.

        Parameters
        ----------
        trains : sequence of (k_i,) arrays
            Seconds, in any order within each.
        t_stop, t_start : float
            Ends of the record, s.

        Examples
        --------
        >>> Spikes.from_trains([[0.3, 0.1], [0.2]], t_stop=1.0).ids
        array([0, 1, 0])
        """
        trains = sequence("trains", trains, expected="one array of times for each neuron")
        if not trains:
            raise ValueError("trains: got none, expected one array of times for each neuron, at least one")
        trains = [array(f"trains[{k}]", train).ravel() for k, train in enumerate(trains)]
        ids = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
        times = np.concatenate([*trains, np.empty(0)])
        order = np.lexsort((ids, times))
        return cls(times[order], ids[order], n=len(trains), t_stop=t_stop, t_start=t_start)

    def __len__(self):
        return len(self.times)

    def __repr__(self):
        span = f"{self.t_start:g} to {self.t_stop:g} s"
        some = "" if self.recorded is None else f"{len(self.recorded)} recorded of "
        return f"Spikes({len(self)} of {some}{self.n} neurons, {span}, {float(self.rate()):.4g} Hz)"

    @property
    def duration(self) -> float:
        """Length of the record, s."""
        return self.t_stop - self.t_start

    @property
    def _watched(self) -> int:
        """Number of neurons whose spikes were recorded."""
        return self.n if self.recorded is None else len(self.recorded)

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of spikes of each neuron, (n,)."""
        return np.bincount(self.ids, minlength=self.n)

    @cached_property
    def _by_neuron(self):
        return self.times[np.argsort(self.ids, kind="stable")]

    @cached_property
    def trains(self) -> list[np.ndarray]:
        """Spike times of each neuron, s: a list of n arrays."""
        return np.split(self._by_neuron, np.cumsum(self.counts)[:-1])

    def rate(self) -> float:
        """Mean firing rate of the recorded neurons, Hz per neuron."""
        return len(self) / (self._watched * self.duration)

    def rates(self) -> np.ndarray:
        """Firing rate of each neuron, (n,) Hz: its spikes over the duration, so resolved to 1/duration."""
        rates = self.counts / self.duration
        if self.recorded is not None:
            rates[np.setdiff1d(np.arange(self.n), self.recorded)] = np.nan
        return rates

    def between(self, t_start, t_stop) -> Spikes:
        """The spikes in (t_start, t_stop], such as all after a transient.

        Parameters
        ----------
        t_start, t_stop : float
            s; infinite where the record's own end is meant.

        Examples
        --------
        >>> Spikes([0.1, 0.2, 0.3], [0, 0, 0], n=1, t_stop=0.5).between(0.1, 0.3).times
        array([0.2, 0.3])
        """
        for name, value in (("t_start", t_start), ("t_stop", t_stop)):
            if np.isnan(array(name, value, ndim=0, finite=False)):
                raise ValueError(f"{name}: got NaN, expected a time in s")
        slack = 1e-12 * max(abs(self.t_start), abs(self.t_stop))  # rounding of k dt
        low, high = np.searchsorted(self.times, [t_start + slack, t_stop + slack], side="right")
        t_start, t_stop = max(t_start, self.t_start), min(t_stop, self.t_stop)
        ends = {"t_start": t_start, "t_stop": t_stop}
        return Spikes(self.times[low:high], self.ids[low:high], n=self.n, recorded=self.recorded, **ends)

    def select(self, neurons) -> Spikes:
        """The spikes of some neurons, renumbered 0, 1, ... in the order given.

        Parameters
        ----------
        neurons : (m,) array of int, or slice

        Examples
        --------
        >>> Spikes([0.1, 0.2, 0.3], [2, 0, 1], n=3, t_stop=0.5).select([2, 1]).ids
        array([0, 1])
        """
        if not isinstance(neurons, slice) and np.asarray(neurons).dtype != bool:
            neurons = integers("neurons", neurons, low=-self.n, high=self.n - 1)
        elif not isinstance(neurons, slice):
            neurons = array("neurons", neurons, shape=(self.n,)) > 0
        chosen = np.arange(self.n)[neurons].ravel()
        if len(set(chosen.tolist())) < len(chosen) or not len(chosen):
            raise ValueError("neurons: empty or with repeated ids, expected distinct neurons")
        if self.recorded is not None and len(other := np.setdiff1d(chosen, self.recorded)):
            raise ValueError(f"neurons: the spikes of {other[0]} were not recorded, expected some of {self.recorded}")
        number = np.full(self.n, -1)
        number[chosen] = np.arange(len(chosen))
        new = number[self.ids]
        kept = new >= 0
        return Spikes(self.times[kept], new[kept], n=len(chosen), t_start=self.t_start, t_stop=self.t_stop)

    @cached_property
    def _gaps(self):
        """Intervals of all neurons in order of neuron, and each one's neuron."""
        same = np.repeat(np.arange(self.n), np.maximum(self.counts - 1, 0))
        gaps, ends = np.diff(self._by_neuron), np.cumsum(self.counts)[:-1]
        ends = ends[(ends > 0) & (ends < len(self))]
        return np.delete(gaps, np.unique(ends) - 1), same

    def isi(self) -> np.ndarray:
        """Intervals between a neuron's successive spikes, s: those of neuron 0, then 1, ...

        Examples
        --------
        >>> Spikes([0.1, 0.2, 0.2, 0.4], [0, 0, 1, 0], n=2, t_stop=0.5).isi()
        array([0.1, 0.2])
        """
        return self._gaps[0]

    def cv(self, *, min_intervals=4) -> np.ndarray:
        """Coefficient of variation of each neuron's intervals, (n,): std/mean; average with `numpy.nanmean`.

        Parameters
        ----------
        min_intervals : int
            Neurons with fewer intervals get NaN: so few say nothing.

        Examples
        --------
        >>> float(Spikes.from_trains([[0.1, 0.2, 0.4, 0.5, 0.7]], t_stop=1.0).cv()[0])
        0.333
        """
        min_intervals = count("min_intervals", min_intervals)
        gaps, who = self._gaps
        number = np.bincount(who, minlength=self.n)
        mean = np.bincount(who, gaps, self.n) / np.maximum(number, 1)
        variance = np.bincount(who, (gaps - mean[who]) ** 2, self.n) / np.maximum(number, 1)
        enough = (number >= min_intervals) & (mean > 0)
        return np.where(enough, np.sqrt(variance) / np.where(enough, mean, 1.0), np.nan)

    def fano(self, window) -> np.ndarray:
        """Fano factor of each neuron's counts in windows, (n,); NaN for silent neurons.

        Parameters
        ----------
        window : float
            Length, s; whole windows from t_start on are counted, at least 2 must fit.

        Examples
        --------
        >>> clock = Spikes.from_trains([np.arange(1, 101) * 0.01], t_stop=1.0)
        >>> float(clock.fano(0.1)[0])
        0.0
        """
        counts = self._counts(window, "window")
        if len(counts) < 2:
            raise ValueError(f"window: {window} s leaves {len(counts)} in {self.duration} s, expected at least 2")
        mean = counts.mean(0)
        return np.where(mean > 0, counts.var(0, ddof=1) / np.where(mean > 0, mean, 1.0), np.nan)

    def binned(self, width) -> np.ndarray:
        """Spike counts in successive bins (t, t + width], (bins, n); a last bin that is not whole is left out.

        Parameters
        ----------
        width : float
            Length of a bin, s.

        Examples
        --------
        >>> Spikes([0.1, 0.2, 0.9], [0, 1, 0], n=2, t_stop=1.0).binned(0.5)
        array([[1, 1],
               [1, 0]])
        """
        return self._counts(width, "width")

    def _counts(self, width, name):
        index, bins = self._bins(width, name, 8 * self.n)
        inside = index < bins
        flat = index[inside] * self.n + self.ids[inside]
        return np.bincount(flat, minlength=bins * self.n).reshape(bins, self.n)

    def population_rate(self, width) -> tuple[np.ndarray, np.ndarray]:
        """Mean rate of the population in successive bins: the bins' centres (s) and the rates (Hz per neuron).

        Parameters
        ----------
        width : float
            Length of a bin, s.

        Examples
        --------
        >>> t, rate = Spikes([0.1, 0.2, 0.9], [0, 1, 0], n=2, t_stop=1.0).population_rate(0.5)
        >>> t, rate
        (array([0.25, 0.75]), array([2., 1.]))
        """
        index, bins = self._bins(width)
        total = np.bincount(index[index < bins], minlength=bins)
        return self.t_start + width * (np.arange(bins) + 0.5), total / (self._watched * width)

    def _bins(self, width, name="width", each=8):
        if not 0 < number(name, width) <= self.duration:
            raise ValueError(f"{name}: got {width} s, expected more than 0 and at most the record's {self.duration} s")
        bins = int(self.duration / width * (1 + 1e-9))
        if bins * each > memory():
            raise ValueError(
                f"{name}: got {width} s, which makes {bins} bins of {self.duration} s: too many for memory"
            )
        # spikes on a bin's end belong to it; the margin is for the rounding of k dt
        index = np.ceil((self.times - self.t_start) / width - 1e-6).astype(np.int64) - 1
        return np.maximum(index, 0), bins

    def to_dataset(self):
        """Times (s) and neurons as an xarray.Dataset along "spike"."""
        import xarray

        data = {"time": (("spike",), self.times, {"units": "s"}), "neuron": (("spike",), self.ids)}
        return xarray.Dataset(data, attrs={"n": self.n, "t_start": self.t_start, "t_stop": self.t_stop})

    def to_neo(self):
        """One `neo.SpikeTrain` for each recorded neuron, for Elephant and for the formats that Neo writes.

        Returns
        -------
        list of neo.SpikeTrain
            In seconds, annotated with ``neuron``.

        Raises
        ------
        ImportError
            Neo is not installed: ``pip install physlearn-sim[neuro]``.

        Examples
        --------
        >>> trains = Spikes([0.1, 0.2], [0, 0], n=2, t_stop=0.5).to_neo()
        >>> [len(train) for train in trains], trains[0].annotations
        ([2, 0], {'neuron': 0})
        """
        try:
            import neo
            import quantities as pq
        except ImportError as error:
            raise ImportError("to_neo needs Neo: pip install 'physlearn-sim[neuro]'") from error
        # Neo refuses a spike one rounding error outside the record
        start, stop = min(self.t_start, *self.times[:1], self.t_stop), max(self.t_stop, *self.times[-1:], self.t_start)
        return [
            neo.SpikeTrain(train, units="s", t_start=start * pq.s, t_stop=stop * pq.s, neuron=k)
            for k, train in enumerate(self.trains)
            if self.recorded is None or k in self.recorded
        ]
