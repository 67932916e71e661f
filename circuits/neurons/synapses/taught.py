"""Plasticity of projections of low rank: `PES` moves decoders down an error, `Voja` encoders towards what they see.

With a the filtered activity of the neurons (Hz), e an error and x the decoded numbers of the projection,

    PES:    d decoders_i / dt = -(rate / sources) a_i e
    Voja:   d encoders_j / dt = rate a_j (scale_j x - encoders_j)

each step once, after its spikes have arrived: a by a first-order filter of unit area on the grid.  PES is the online
gradient of |e|^2 / 2 where e = decoded - wanted (D. MacNeil and C. Eliasmith, PLoS ONE 6 (2011) e22885); Voja is
Oja's rule on vectors (A. R. Voelker, E. Crawford and C. Eliasmith, Proc. CogSci (2014)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import carray

from circuits.neurons.parameters import fixed
from circuits.neurons.program import LEARNING
from circuits.neurons.synapses.arriving import DELAY, PARTS, SOURCES, arriving
from physlearn.brief import brief
from physlearn.checks import array, mapping, number, positive, seen
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import inlined
from physlearn.quantities import take_si

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

assert (DELAY, PARTS, SOURCES) == (0, 1, 2)


@dataclass(frozen=True)
class PES:
    """The prescribed error sensitivity rule: decoders move so that an error falls.

    Parameters
    ----------
    learning_rate : float
        1/s for decoders of an area (Nengo's unit: 1e-4 there is 1e-4 here); 0 or more.
    error : str or mapping of str to float
        Where the error comes from: the name of a probe, of a projection of low rank (this one too) or of a `Signal`; or
        several with their factors, ``{"decoded": 1.0, "wanted": -1.0}``.  Of as many numbers as the decoders.
    tau : float
        s; of the filter of the source's activity.

    Examples
    --------
    >>> PES(1e-4, {"decoded": 1.0, "wanted": -1.0}).teachers
    ('decoded', 'wanted')
    """

    learning_rate: float
    error: Any
    tau: float = 5e-3

    __repr__ = brief
    moves: ClassVar = "decoders"

    def __post_init__(self):
        take_si(self, tau="s")
        number("PES: learning_rate", self.learning_rate, 0.0)
        positive("PES: tau in s", self.tau)
        error = self.error
        if not (isinstance(error, str) and error) and not (isinstance(error, Mapping) and error):
            raise TypeError(
                f"PES: error={seen(error)}, expected the name of a probe, or a mapping of names to factors such as "
                "{'decoded': 1.0, 'wanted': -1.0}"
            )
        if isinstance(error, Mapping):
            for name, factor in mapping("PES: error", error).items():
                number(f"PES: error[{name!r}]", factor)
            object.__setattr__(self, "error", dict(error))

    @property
    def teachers(self):
        """Names of what the error is made of."""
        return (self.error,) if isinstance(self.error, str) else tuple(self.error)

    def follow(self, plan, projection):
        """Add the learning of a projection to a plan in which all values have their place."""
        index, parts, _, factors = plan.learnt[projection.name]
        factor = np.array([1.0] if isinstance(self.error, str) else list(self.error.values()), float)
        taught = np.array([plan.address(plan.values[name][1]) for name in self.teachers], np.int64)
        source, rank = plan.network.populations[projection.source].n, projection.connect.rank
        delay, sources = int(plan.network.delays(plan.dt)[index]), plan.sources(projection.source)
        for k, (part, decoders) in enumerate(zip(parts, factors, strict=True)):
            active = plan.keep(f"{projection.name}#{index}/{k}/active", np.zeros(source))
            numbers = np.array([*_filter(self.tau, plan.dt), self.learning_rate * plan.dt / source])
            plan.action(
                LEARNING, part, descend, delay, len(sources), sources, active, source, numbers, decoders, rank, taught,
                factor, len(taught), np.zeros(rank),
            )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Voja:
    """Encoders of active neurons move towards the decoded numbers.

    Parameters
    ----------
    learning_rate : float
        1 (per spike of a neuron, whose activity is in Hz); 0 or more.
    tau : float
        s; of the filter of the target's activity.
    scale : float or (targets,) array, optional
        Length that encoders tend to for numbers of length 1; by default the length that each has at the beginning,
        which for unit encoders times a gain is the gain (over the radius).

    Examples
    --------
    >>> Voja(1e-2).moves
    'encoders'
    """

    learning_rate: float
    tau: float = 5e-3
    scale: Any = None

    __repr__ = brief
    moves: ClassVar = "encoders"

    def __post_init__(self):
        take_si(self, tau="s")
        number("Voja: learning_rate", self.learning_rate, 0.0)
        positive("Voja: tau in s", self.tau)
        if self.scale is not None:
            scale = array("Voja: scale", self.scale, ndim=(0, 1))
            object.__setattr__(self, "scale", fixed(scale) if scale.ndim else float(scale))

    def follow(self, plan, projection):
        """Add the learning of a projection to a plan."""
        index, parts, values, factors = plan.learnt[projection.name]
        lengths = np.sqrt(np.sum(projection.connect.encoders**2, axis=0))
        scale = lengths if self.scale is None else self.scale
        if np.shape(scale) not in ((), lengths.shape):
            raise ValueError(f"Voja: scale has shape {np.shape(scale)}, expected a number or {lengths.shape}")
        scale, rank = np.broadcast_to(np.asarray(scale, float), lengths.shape), projection.connect.rank
        for k, (part, x, encoders) in enumerate(zip(parts, values, factors, strict=True)):
            active = plan.keep(f"{projection.name}#{index}/{k}/active", np.zeros(part.n))
            numbers = np.array([*_filter(self.tau, plan.dt), self.learning_rate * plan.dt])
            own = np.array([(plan.address(part.history.head), 0)], np.int64)
            plan.action(
                LEARNING, part, approach, 0, 1, own, active, part.n, numbers, encoders, rank, x,
                np.array(scale[part.low : part.high]),
            )  # fmt: skip


def _filter(tau, dt):
    """Decay of a first-order filter over a step, and its jump at a spike: unit area on the grid."""
    return np.exp(-dt / tau), -np.expm1(-dt / tau) / dt


ACTIVE, N, NUMBERS, FACTORS, RANK = range(SOURCES + 1, SOURCES + 6)  # more in the tables of both rules
DECAY, JUMP, RATE = range(3)


@inlined
def _follow(t, step):
    """Filter the activity of the neurons; return it and the numbers of the rule."""
    active, f = carray(pointer(t[ACTIVE]), t[N], np.float64), carray(pointer(t[NUMBERS]), 3, np.float64)
    for i in range(active.size):
        active[i] *= f[DECAY]
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            active[ids[q] + low_id] += f[JUMP]
    return active, f


def descend(step, at):
    """PES; table: as above with decoders (sources, D); then addresses of teachers, their factors, number; e (D)."""
    t = carray(at, SOURCES + 10)
    d, teachers = t[RANK], t[RANK + 3]
    active, f = _follow(t, step)
    taught, factor = (
        carray(pointer(t[RANK + 1]), teachers, np.int64),
        carray(pointer(t[RANK + 2]), teachers, np.float64),
    )
    decoders = carray(pointer(t[FACTORS]), (active.size, d), np.float64)
    e = carray(pointer(t[RANK + 4]), d, np.float64)
    for k in range(d):
        e[k] = 0.0
    for j in range(teachers):
        x = carray(pointer(taught[j]), d, np.float64)
        for k in range(d):
            e[k] -= f[RATE] * factor[j] * x[k]
    for i in range(active.size):
        for k in range(d):
            decoders[i, k] += active[i] * e[k]
    return 0


def approach(step, at):
    """Voja; table: as above with encoders (D, n), then x (D), scale (n)."""
    t = carray(at, SOURCES + 8)
    d = t[RANK]
    active, f = _follow(t, step)
    x, scale = carray(pointer(t[RANK + 1]), d, np.float64), carray(pointer(t[RANK + 2]), active.size, np.float64)
    encoders = carray(pointer(t[FACTORS]), (d, active.size), np.float64)
    for k in range(d):
        row = encoders[k]
        for i in range(active.size):
            row[i] += f[RATE] * active[i] * (scale[i] * x[k] - row[i])
    return 0
