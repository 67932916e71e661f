"""Learning rules whose phases are sampled: dtheta = -lr (<dE/dtheta>_data - <dE/dtheta>_model)/T.

The data phase clamps every readout in the data, the model phase only those named in ``given``; all other variables
are drawn from exp(-E/T), or summed over.  Both phases weigh 1/T, so the step climbs the
likelihood of the data, or of the other readouts given those in ``given``; equally it lowers the divergence
KL(data || model), whose slope by a coupling w of E = -w s_i s_j is (<s_i s_j>_model - <s_i s_j>_data)/T.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, flag, mapping, positive, seen, sequence, text


def _precision(value):
    choice("precision", value, ("double", "single"))


def _names(given):
    sequence("given", given, of=str, expected="a tuple of readouts' names, such as ('input',)")


@dataclass(frozen=True)
class BoltzmannLearning:
    """Follow the likelihood's gradient: exact by enumeration where small, else sampled at equilibrium.

    Source: Ackley, Hinton and Sejnowski 1985, eq. 7; the model phase is their "sleep".

    Parameters
    ----------
    temperature : float
        T, in the energy's units.
    exact : bool or None
        Sum over all states instead of sampling; None: where no phase has more than 2^14 states, over all
        distinct samples, and no ``method`` is named.
    chains : int
        Chains of the model phase; those of the data phase are its samples.
    warmup, draws : int
        Sweeps before the first draw of each phase, which starts at random; draws, one a sweep.
    given : tuple of str
        Readouts of the data that are clamped in the model phase too (inputs).
    method : str
        Sampler of both phases: "auto", or an engine of `sample` by name.  With "spikes" a machine learns by spikes.
    settings : mapping, optional
        Of the engine.

    Examples
    --------
    >>> BoltzmannLearning(method="spikes", settings={"tau": 5}, exact=False).settings
    {'tau': 5}
    """

    temperature: float = 1.0
    exact: bool | None = None
    chains: int = 100
    warmup: int = 50
    draws: int = 10
    given: tuple[str, ...] = ()
    method: str = "auto"
    settings: Mapping[str, Any] = field(default_factory=dict)
    own_method: ClassVar[str] = "sample"
    limit: ClassVar[str] = "likelihood"
    takes_cost: ClassVar[bool] = False

    __repr__ = brief

    def __post_init__(self):
        positive("temperature", self.temperature)
        if self.exact is not None:
            flag("exact", self.exact)
        for name, least in (("chains", 1), ("warmup", 0), ("draws", 1)):
            count(name, getattr(self, name), least)
        _names(self.given)
        text("method", self.method, "'auto' or an engine of `sample`")
        mapping("settings", self.settings, expected="a mapping of the engine's settings")
        if self.settings and self.method == "auto":
            raise ValueError(f"settings: got {seen(self.settings)} with method='auto', expected their engine's name")
        if self.exact and self.method != "auto":
            raise ValueError(f"method: {self.method!r} with exact=True, which samples nothing; leave out one of them")

    def start(self, system, task, generator):
        """Memory: the root of the random streams."""
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.start(system, generator)

    def contrast(self, system, task):
        """Both phases, by enumeration or by samplers; see `ContrastRule`."""
        from physlearn.learning.engines import enumerated, sampled

        sampled.check(system, task, self.given)
        if self._sums(system, task):
            return enumerated.Enumerated(system, task, self.temperature, self.given)
        return sampled.Equilibrium(
            system, task, self.temperature, self.given, chains=self.chains, warmup=self.warmup, draws=self.draws,
            method=self.method, settings=self.settings,
        )  # fmt: skip

    def monitor(self, system, task):
        """The negative log-likelihood where it is exact, which is the cost, else the log pseudo-likelihood."""
        from physlearn.learning.engines.pseudo_likelihood import monitor_of

        if self._sums(system, task):
            return "negative log-likelihood", None
        return monitor_of(system, task, self.temperature, self.given)

    def _sums(self, system, task):
        from physlearn.learning.engines.enumerated import few_states

        if self.method != "auto":
            return False
        return few_states(system, task, self.given) if self.exact is None else self.exact


@dataclass(frozen=True)
class ContrastiveDivergence:
    """Contrast the data with their state after k sweeps (CD-k): cheap, but no function's gradient.

    Its fixed point tends to maximum likelihood as k grows.  Source: Hinton 2002, eq. 5.

    Parameters
    ----------
    k : int
        Sweeps of the model phase, from the data.
    temperature : float
        T, in the energy's units.
    given : tuple of str
        Readouts of the data that are clamped in the model phase too (inputs).
    precision : {"double", "single"}
        Arithmetic of the compiled engine; single is about twice as fast.
    """

    k: int = 1
    temperature: float = 1.0
    given: tuple[str, ...] = ()
    precision: str = "double"
    limit: ClassVar[str] = "none"
    takes_cost: ClassVar[bool] = False
    method: ClassVar[str] = "sample"

    __repr__ = brief

    def __post_init__(self):
        count("k", self.k)
        positive("temperature", self.temperature)
        _precision(self.precision)
        _names(self.given)

    def start(self, system, task, generator):
        """Memory: the root of the random streams."""
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.start(system, generator)

    def compiled(self, system, task):
        """Whole epochs of a restricted Boltzmann machine, or why not; see `ContrastRule`."""
        if self.given:
            return "it knows contrastive divergence without given inputs only"
        return _compiled(system, task, self.k, self.temperature, 0, self.precision)

    def contrast(self, system, task):
        """The data's phase, and one k sweeps later; see `ContrastRule`."""
        from physlearn.learning.engines import sampled

        sampled.check(system, task, self.given)
        return sampled.Contrastive(system, task, self.temperature, self.given, self.k)

    def monitor(self, system, task):
        """The log pseudo-likelihood."""
        from physlearn.learning.engines.pseudo_likelihood import monitor_of

        return monitor_of(system, task, self.temperature, self.given)


@dataclass(frozen=True)
class PersistentContrastiveDivergence:
    """Contrast the data with chains that continue from step to step (PCD-k, stochastic maximum likelihood).

    Follows the likelihood's gradient as the learning rate tends to zero.  Source: Tieleman 2008, section 3;
    Younes 1989.

    With ``hotter`` temperatures every chain has replicas there, which swap states with their neighbours by the
    rule of replica exchange (see `tempering`), so that it crosses barriers that a chain at T does not; the chains
    at T alone give the negative phase (tempered PCD: Desjardins et al. 2010; Cho, Raiko and Ilin 2010).

    Parameters
    ----------
    k : int
        Sweeps of the model phase between two steps, and between two attempts to swap.
    chains : int
        Persistent chains, started at random.
    temperature : float
        T, in the energy's units.
    precision : {"double", "single"}
        Arithmetic of the compiled engine; single is about twice as fast.
    hotter : tuple of float
        Temperatures of the replicas, increasing, above T.  Not compiled: the engine is "sample".
    """

    k: int = 1
    chains: int = 100
    temperature: float = 1.0
    precision: str = "double"
    hotter: tuple[float, ...] = ()
    limit: ClassVar[str] = "likelihood"
    takes_cost: ClassVar[bool] = False
    method: ClassVar[str] = "sample"

    __repr__ = brief

    def __post_init__(self):
        count("k", self.k)
        count("chains", self.chains)
        positive("temperature", self.temperature)
        _precision(self.precision)
        ladder = np.append(self.temperature, array("hotter", self.hotter, ndim=(0, 1)))
        if np.any(np.diff(ladder) <= 0):
            raise ValueError(
                f"hotter: got {self.hotter!r}, expected increasing finite temperatures above {self.temperature:g}"
            )
        object.__setattr__(self, "hotter", tuple(float(t) for t in ladder[1:]))

    def start(self, system, task, generator):
        """Memory: the root of the random streams, and the chains."""
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.start(system, generator, self.chains * (1 + len(self.hotter)))

    def compiled(self, system, task):
        """Whole epochs of a restricted Boltzmann machine, or why not; see `ContrastRule`."""
        if self.hotter:
            return "it has no replicas at other temperatures"
        return _compiled(system, task, self.k, self.temperature, self.chains, self.precision)

    def contrast(self, system, task):
        """The data's phase, and that of the chains; see `ContrastRule`."""
        from physlearn.learning.engines import sampled

        sampled.check(system, task)
        return sampled.Persistent(system, task, self.temperature, k=self.k, chains=self.chains, hotter=self.hotter)

    def monitor(self, system, task):
        """The log pseudo-likelihood."""
        from physlearn.learning.engines.pseudo_likelihood import monitor_of

        return monitor_of(system, task, self.temperature)


def _compiled(system, task, *walk):
    from physlearn.learning.engines import bipartite

    return bipartite.refusal(system, task) or partial(bipartite.runner, system, task, bipartite.Walk(*walk))
