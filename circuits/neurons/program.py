"""The interface of a neuron model to the network: one compiled step of a population, and its numbers.

The state of a population is one array (rows, n): the model's variables, row 0 being v, then the rows of its
receptors.  A model is a frozen dataclass with

- ``variables``, ``units``: names and SI units of its rows; ``initial(n)``: the rows at rest, (S, n);
- ``check(n, dt, method)``: raises where a step of dt would be wrong;
- ``program(n, dt, receptors, method)``: a `Program`.

Parameters may be (n,) arrays; a network that is cut into parts cuts them too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from physlearn.checks import MOST, number, seen

STREAM = 1024  # neurons that share a stream of random numbers; parts are multiples of it
ROUNDING = 1e-6  # of a step: times that are no further from a grid point are on it
FINITE = 1e300  # a state at or beyond it has diverged
ROOM, CLEAR, CURRENTS, RECEPTORS, ADVANCE, ARRIVALS, LEARNING = range(7)  # stages of a step


@dataclasses.dataclass(frozen=True)
class Adaptive:
    """The adaptive method with a chosen tolerance; ``method="adaptive"`` means ``Adaptive()``.

    The tolerance bounds errors under inputs that are constant over every step of the grid; others (`Sine`, noise,
    receptors with a time constant) are refused, because they are held over a step whatever the tolerance.

    Parameters
    ----------
    tolerance : float
        Estimated error of one inner step, relative to |x_i| + scale_i.

    Examples
    --------
    >>> Adaptive(1e-9)
    Adaptive(tolerance=1e-09)
    """

    tolerance: float = 1e-6

    def __post_init__(self):
        number("tolerance", self.tolerance, 1e-14, 0.1)


class Program(NamedTuple):
    """One step of n neurons.

    Parameters
    ----------
    update : function
        A plain module-level function that Numba compiles for the signature `physlearn.kernels.cfuncs.UPDATE`:
        ``update(step, n, state, drive, floats, ints, spiked, late)``, all arrays by pointer (`numba.carray`).
        It advances state (rows, n) from t_k to t_{k+1}, k = step, writes the ascending numbers of the neurons that
        spiked to ``spiked`` and returns their number, or -(i + 1) if neuron i is not finite, or -(n + i + 1) if it
        would spike twice in the step, or -(2 n + i + 1) if a user's function failed for it.  ``drive`` is (3, n):
        injected current, and where receptors are conductances their sum g and the sum of g times reversal.
    floats : (...) float64
        Parameters, constant during a run.
    ints : (...) int64
        Counters, kept from step to step and saved with the state, then constants of a run.
    counters : int, optional
        Number of ``ints`` that are counters; all of them by default.
    receptors_inside : bool
        The update advances the receptor rows itself; else they have been advanced, and ``drive`` filled, before it.
    held : {"start", "middle"}
        Time within the step at which ``drive`` is taken.
    driven_at : int, optional
        Place in ``floats`` where the network writes 1 if any current is injected, else 0.
    stream_at : int, optional
        Place in ``ints`` of four words of random state, which the network seeds.
    steady : bool
        The drive must be constant over every step, since the update bounds its error.
    exact_times : bool
        The update writes to ``late[j]`` the fraction of dt by which spike j precedes t_{k+1}.
    name : str
        Of the method, for the record; that of the function by default.
    failure : function, optional
        ``failure(owner, i, drive)`` is the error to raise where a user's function failed for neuron i.
    filtered : function, optional
        ``filtered(taus) -> (m,)``: weights of the rows of a filter in the current that, held over the step, does what
        the filter's last row would; by default its value at the time that ``held`` names.
    """

    update: Callable
    floats: np.ndarray
    ints: np.ndarray
    counters: int | None = None
    receptors_inside: bool = False
    held: str = "start"
    driven_at: int | None = None
    stream_at: int | None = None
    steady: bool = False
    exact_times: bool = False
    name: str = ""
    failure: Callable | None = None
    filtered: Callable | None = None


def part_of(model, n, low, high):
    """The model of neurons low..high-1 of n: parameters that are (n,) arrays are cut, others shared.

    A model with arrays of another meaning has its own ``part(low, high)``.
    """
    if low == 0 and high == n:
        return model
    if hasattr(model, "part"):
        return model.part(low, high)
    values = {f.name: getattr(model, f.name) for f in dataclasses.fields(model) if f.init}
    cut = {k: v[low:high] for k, v in values.items() if isinstance(v, np.ndarray) and v.shape == (n,)}
    return dataclasses.replace(model, **cut) if cut else model


def stamps_of(times, dt):
    """First grid point that is not before each time; `ROUNDING` of a step is taken for rounding."""
    return np.ceil(np.asarray(times) / dt - ROUNDING).astype(np.int64)


def on_grid(times, dt):
    """Whether every finite time is a whole number of steps, to 1e-6 of a step."""
    steps = np.asarray(times, dtype=float) / dt
    steps = steps[np.isfinite(steps)]
    return bool(np.all(np.abs(steps - np.rint(steps)) <= 1e-6 + 1e-12 * np.abs(steps)))


def steps_of(name, seconds, dt, least=0):
    """Whole steps in a time, (same shape); refuses any other time than a multiple of dt."""
    steps = np.asarray(seconds, dtype=float) / dt
    whole = np.rint(steps)
    if np.any(np.abs(whole) > MOST):
        raise ValueError(f"{name}: got {seen(seconds)} s, expected at most {MOST} steps of dt={dt!r} s")
    if not np.all(np.isfinite(steps)) or np.any(np.abs(steps - whole) > ROUNDING + 1e-12 * np.abs(whole)):
        raise ValueError(
            f"{name}: {seconds!r} s is no whole number of steps of dt={dt!r} s; round it, or choose a dt that "
            "divides it"
        )
    if np.any(whole < least):
        raise ValueError(f"{name}: got {seconds!r} s, expected at least {least} steps of dt={dt!r} s")
    return whole.astype(np.int64)
