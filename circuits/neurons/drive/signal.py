"""A vector that varies in time: the input of a population code, or what a projection learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.parameters import fixed
from circuits.neurons.program import CURRENTS
from circuits.neurons.synapses.coded import add_encoded, encode
from physlearn.brief import brief
from physlearn.checks import array, function, instance, positive, text
from physlearn.kernels.cfuncs import pointer
from physlearn.quantities import take_si

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false


@dataclass(frozen=True, eq=False)
class Signal:
    """D numbers that vary in time, which drive a population through encoders: x(t) @ encoders is its current.

    Values are taken at the beginning of a step and held (at its middle for methods of higher order).

    Parameters
    ----------
    target : str or None
        Name of a population; None for a signal that only teaches (`PES`) or is only recorded.
    function : function or (D,) array
        ``function(t) -> (steps, D)`` of times (steps,) in s; (steps,) where D is 1.  Or D numbers that are held until a
        `ClosedLoop` sets others, by the signal's name.
    encoders : (D, n) array, optional
        Current of each neuron for each number, A (V for neurons of resistance 1); with a target only.
    name : str, optional
        By which `PES` learns from it and records know it.
    tau : float, optional
        s; the numbers pass a first-order filter first, which starts at zero.  Values are then its means over steps.

    Examples
    --------
    >>> import numpy as np
    >>> Signal("a", lambda t: np.sin(2 * np.pi * t), encoders=[[1.0, -1.0]]).rank
    1
    """

    target: str | None
    function: Any
    encoders: Any = None
    name: str = ""
    tau: float | None = None

    __repr__ = brief

    def __post_init__(self):
        instance("Signal: name", self.name, str, "text")
        take_si(self, tau="s")
        if self.tau is not None:
            positive("Signal: tau in s", self.tau)
        if self.target is not None:
            text("Signal: target", self.target, "the name of a population, or None")
        if (self.target is None) != (self.encoders is None):
            raise ValueError(
                f"Signal: target={self.target!r} {'without' if self.encoders is None else 'with'} encoders, expected a "
                "population and encoders (D, n), or neither for a signal that only teaches"
            )
        if self.target is None and not self.name:
            raise ValueError("Signal: without a target it needs a name, by which projections learn from it")
        if callable(self.function):
            function("Signal: function", self.function, 1, "a function of times (steps,) in s, or D numbers")
        else:
            values = array("Signal: function", self.function, ndim=1)
            if not values.size:
                raise ValueError("Signal: function: got no numbers, expected a function of times, or D numbers")
            object.__setattr__(self, "function", fixed(values))
        found = self.at(np.zeros(1))
        if self.encoders is not None:
            encoders = array("Signal: encoders", self.encoders, ndim=2)
            if len(encoders) != found.shape[1]:
                raise ValueError(
                    f"Signal: encoders of shape {encoders.shape} for a function of {found.shape[1]} numbers, expected "
                    f"({found.shape[1]}, n)"
                )
            object.__setattr__(self, "encoders", fixed(encoders))

    def at(self, t):
        """Values at times (steps,), (steps, D)."""
        if not callable(self.function):
            return np.broadcast_to(self.function, (len(t), len(self.function)))
        found = self.function(t)
        if not (
            type(found) is np.ndarray and found.dtype == float and found.ndim in (1, 2) and np.isfinite(found).all()
        ):
            found = array("Signal: function", found, ndim=(1, 2))  # which is slower to say the same
        if len(found) != len(t):
            raise ValueError(
                f"Signal: function of {len(t)} times has shape {found.shape}, expected ({len(t)}, D), one row a time"
            )
        return found.reshape(len(t), -1)

    @property
    def rank(self):
        """D."""
        return self.at(np.zeros(1)).shape[1]

    def check(self, population):
        """Refuse encoders that do not fit the population."""
        if np.shape(self.encoders)[1] != population.n:
            raise ValueError(
                f"Signal: encoders of shape {np.shape(self.encoders)}, expected (D, {population.n}), one column per "
                f"neuron of {self.target!r}"
            )

    def injects(self, name):
        """Whether a population gets current from this."""
        return self.target is not None and name == self.target

    def attach(self, plan, index):
        """Add what the signal does to the plan."""
        rank = self.rank
        parts = plan.all_parts[:1] if self.target is None else plan.parts[self.target]
        if self.tau is not None:
            self._filter(plan, index, parts)
            return
        if not callable(self.function):
            self._hold(plan, index, parts)
            return
        values, clock = plan.course(self.at, parts[0].middle and self.target is not None, rank)
        if self.name:
            x = plan.keep(f"{self.name}#{index}/value", np.zeros(rank))
            plan.action(CURRENTS, parts[0], shown, values, clock, x, rank)
            plan.values[self.name] = parts[0], x
        if self.target is not None:
            for part in parts:
                encoders = np.array(self.encoders[:, part.low : part.high], order="C")
                plan.varying(part, driven, encoders, values, clock, rank)

    def _hold(self, plan, index, parts):
        """Add a signal whose numbers a closed loop sets."""
        x = plan.keep(f"{self.name}#{index}/value", np.array(self.function))
        if self.name:
            plan.values[self.name], plan.held[self.name] = (parts[0], x), x
        if self.target is not None:
            for part in parts:
                plan.varying(part, encode, np.array(self.encoders[:, part.low : part.high], order="C"), x, self.rank)

    def _filter(self, plan, index, parts):
        """Add a signal whose numbers pass a filter, one for each part, so that threads share none."""
        rank, held, course = self.rank, None, ()
        if callable(self.function):
            course = plan.course(self.at, parts[0].middle and self.target is not None, rank)
        else:
            held = plan.keep(f"{self.name}#{index}/value", np.array(self.function))
            if self.name:
                plan.held[self.name] = held
        decay = np.exp(-plan.dt / self.tau)
        numbers = np.array([decay, (1 - decay) * self.tau / plan.dt])
        for k, part in enumerate(parts):
            u = np.zeros(rank) if held is None else held
            y = plan.keep(f"{self.name}#{index}/{k}/filter", np.zeros(rank))
            x = plan.keep(f"{self.name}#{index}/{k}/value", np.zeros(rank))
            if course:
                plan.action(CURRENTS, part, shown, *course, u, rank)
            plan.action(CURRENTS, part, smoothed, u, y, x, numbers, rank)
            if self.target is not None:
                plan.varying(part, encode, np.array(self.encoders[:, part.low : part.high], order="C"), x, rank)
            if self.name and k == 0:
                plan.values[self.name] = part, x


def driven(step, at):
    """Add the current of this step; table: injected, n, encoders (D, n), values of the block, clock, D."""
    t = carray(at, 6)
    first = carray(pointer(t[4]), 1, np.int64)[0]
    add_encoded(t[0], t[1], t[2], t[3] + 8 * t[5] * (step - first), t[5])
    return 0


def shown(step, at):
    """Copy the values of this step for those that read them; table: values of the block, clock, x (D), D."""
    t = carray(at, 4)
    first = carray(pointer(t[1]), 1, np.int64)[0]
    row = carray(pointer(t[0] + 8 * t[3] * (step - first)), t[3], np.float64)
    x = carray(pointer(t[2]), t[3], np.float64)
    for k in range(t[3]):
        x[k] = row[k]
    return 0


def smoothed(step, at):
    """Advance a first-order filter over the step and take its mean; table: input, filter, mean, numbers, D."""
    t = carray(at, 5)
    d = t[4]
    u, y = carray(pointer(t[0]), d, np.float64), carray(pointer(t[1]), d, np.float64)
    x, f = carray(pointer(t[2]), d, np.float64), carray(pointer(t[3]), 2, np.float64)
    for k in range(d):
        x[k] = u[k] + f[1] * (y[k] - u[k])
        y[k] = u[k] + f[0] * (y[k] - u[k])
    return 0
