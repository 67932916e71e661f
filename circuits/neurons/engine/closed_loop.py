"""Python within a run: a function that sees spikes and values every k steps, and sets signals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from circuits.neurons.engine.recording import nearest
from circuits.neurons.program import steps_of
from physlearn.brief import brief
from physlearn.checks import array, function, mapping, positive
from physlearn.quantities import take_si


@dataclass(frozen=True, eq=False)
class ClosedLoop:
    """What ``integrate(network, ..., closed_loop=)`` calls while the network runs.

    Parameters
    ----------
    function : function
        ``function(t, seen) -> {signal: values}`` or None.  t is the time in s; ``seen["E"]`` of a population is how
        often each neuron spiked since the call before, (n,); ``seen["x"]`` of a probe, a projection of low rank or a
        `Signal` its D numbers now.  The values, (D,) each, go to `Signal` inputs that are held (given numbers in the
        place of a function) and stay until the next call.
    every : float
        s between two calls, whole steps; they fall on multiples of it, from the start of the run on, not at its end.
        What the function keeps of its own is no part of the state of the network: a run that is continued calls it as
        it then is.

    Examples
    --------
    A current that holds a neuron at 50 Hz, by integral control:

    >>> from circuits.neurons import LIF, Population, Signal, SpikingNetwork
    >>> from physlearn import integrate
    >>> cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, exact_times=True)
    >>> network = SpikingNetwork({"E": Population(cell, 1)}, inputs=[Signal("E", [1.0], [[1.0]], name="drive")])
    >>> drive = [1.0]
    >>> def control(t, seen):
    ...     drive[0] += 0.02 * (5 - seen["E"][0])
    ...     return {"drive": drive}
    >>> run = integrate(network, (0.0, 10.0), dt=1e-3, closed_loop=ClosedLoop(control, every=0.1))
    >>> float(run.spikes["E"].between(5.0, 10.0).rate())
    50.0
    """

    function: Callable
    every: float

    __repr__ = brief

    def __post_init__(self):
        take_si(self, every="s")
        function("ClosedLoop: function", self.function, 2, "a function (t, seen)")
        positive("ClosedLoop: every in s", self.every)


class Loop:
    """A `ClosedLoop` in one run.

    Parameters
    ----------
    given : ClosedLoop
    plan : Plan
    """

    def __init__(self, given, plan):
        self.given, self.plan = given, plan
        self.steps = int(steps_of("ClosedLoop: every", given.every, plan.dt, 1))
        self.seen = Seen(plan)

    def until(self, step):
        """The next step at which the function is called."""
        return (step // self.steps + 1) * self.steps

    def call(self, step):
        """Call the function at a step, if it is one of its own, and set what it returns."""
        if step % self.steps:
            return
        t = step * self.plan.dt
        found = self.given.function(t, self.seen)
        self.seen = Seen(self.plan)
        if found is None:
            return
        what = "closed_loop: what the function returns"
        for name, values in mapping(what, found, expected="a mapping of signals to values, or None").items():
            if name not in self.plan.held:
                nearest(what, name, list(self.plan.held))
            x = self.plan.held[name]
            x[:] = array(f"closed_loop: {name!r} at t = {t:.9g} s", values, shape=x.shape)

    def take(self, first, last):
        """See the spikes stamped first .. last - 1."""
        for name, parts in self.plan.parts.items():
            for part in parts:
                ids = part.history.numbers(first, last)
                self.seen.ids[name].append(ids + part.low if part.low else ids)


class Seen(Mapping):
    """Spikes since the last call, and values now; see `ClosedLoop`."""

    def __init__(self, plan):
        self.plan, self.ids = plan, {name: [] for name in plan.parts}

    def __getitem__(self, name):
        if name in self.ids:
            ids = np.concatenate([*self.ids[name], np.zeros(0, np.int64)])
            return np.bincount(ids, minlength=self.plan.network.populations[name].n)
        nearest("closed_loop: seen", name, list(self))
        return self.plan.values[name][1].copy()

    def __iter__(self) -> Iterator[str]:
        return iter((*self.ids, *self.plan.values))

    def __len__(self):
        return len(self.ids) + len(self.plan.values)
