"""A projection: synapses from one population to a receptor of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.parameters import fixed
from physlearn.brief import brief
from physlearn.checks import array, function, instance, seen, text
from physlearn.quantities import WEIGHTS, take_si


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from the neurons of one population to those of another.

    Parameters
    ----------
    source, target : str
        Names of populations, or slices of them such as "E[:800]", which the rule then sees as populations; the target
        is None for a probe, ``connect.low_rank`` without encoders.
    connect : rule
        From `circuits.neurons.connect`.
    weight : float, (m,) array or function
        In the units of the receptor (A; V for `Delta` and for neurons of resistance 1; S for conductances).  An array
        is in the order of sources, then targets; a function is ``(sources, targets, generator) -> (m,)``.
    delay : float, (m,) array or function
        s, whole steps of dt; 0 means that a spike at t_k acts from the step that begins at t_k.
    receptor : str or receptor, optional
        Name of the target's receptor; may be left out where it has only one.  Of ``connect.low_rank`` the filter of
        the decoded numbers itself, such as ``Exponential(5e-3, normalised="area")``.
    plasticity : STDP, ShortTermPlasticity, ..., optional
        Of ``connect.low_rank`` `PES` or `Voja`.
    name : str, optional
        For records and sweeps; "source->target" by default, "source->probe" without a target.

    Examples
    --------
    >>> from circuits.neurons import connect
    >>> Projection("E", "I", connect.fixed_probability(0.02), weight=1.62e-3, receptor="exc").name
    'E->I'
    """

    source: str
    target: str | None
    connect: Any
    weight: Any = None
    delay: Any = 0.0
    receptor: Any = None
    plasticity: Any = None
    name: str = ""

    __repr__ = brief

    def __post_init__(self):
        take_si(self, weight=WEIGHTS, delay="s")
        if isinstance(self.connect, type) or not (hasattr(self.connect, "chunks") or self.coded):
            raise TypeError(
                f"Projection: connect={self.connect!r}, expected a rule such as connect.fixed_probability(0.1); a "
                "function of (i, j) or an array goes into connect.where(...)"
            )
        probe = self.coded and self.connect.encoders is None
        text("Projection: source", self.source, "the name of a population")
        if self.target is not None or not probe:
            text("Projection: target", self.target, "the name of a population")
        instance("Projection: name", self.name, str, "text, for records and sweeps")
        if self.coded:
            self._check_coded(probe)
        elif self.receptor is not None:
            text("Projection: receptor", self.receptor, "the name of a receptor, or None")
        plasticity = self.plasticity
        if plasticity is not None and (
            isinstance(plasticity, type) or not (hasattr(plasticity, "attach") or hasattr(plasticity, "moves"))
        ):
            raise TypeError(f"Projection: plasticity={seen(plasticity)}, expected STDP(...), ShortTermPlasticity(...)")
        if plasticity is not None and hasattr(plasticity, "moves") != self.coded:
            kind = type(plasticity).__name__
            what = "its weights are never formed; expected PES or Voja" if self.coded else "it has no decoders"
            remedy = "connect.from_matrix(decoders @ encoders) forms them" if self.coded else "use connect.low_rank"
            raise ValueError(
                f"Projection: plasticity: {kind} does not fit connect.{type(self.connect).__name__}: {what}; {remedy}"
            )
        own = getattr(self.connect, "weighted", False) or getattr(self.connect, "weight", None) is not None
        if self.weight is None and not own:
            raise ValueError("Projection: weight is missing and the rule brings none")
        if self.weight is not None and own:
            raise ValueError("Projection: the rule brings weights already; drop `weight`, or take its pattern only")
        for what in ("weight", "delay"):
            value = getattr(self, what)
            if value is None and what == "weight":
                continue
            if callable(value):
                function(f"Projection: {what}", value, 3, "a function (sources, targets, generator)")
                continue
            try:
                value = array(what, value, finite=False)
            except (TypeError, ValueError):
                raise TypeError(
                    f"Projection: {what}={seen(value)}, expected a number, an array or a function"
                ) from None
            if value.ndim > 1 or not np.all(np.isfinite(value)):
                raise ValueError(f"Projection: {what}={getattr(self, what)!r}, expected finite numbers, one or (m,)")
            if what == "delay" and np.any(value < 0):
                raise ValueError(f"Projection: delay={self.delay!r} s, expected 0 or more")
            if value.ndim:
                object.__setattr__(self, what, fixed(value))
        if not self.name:
            object.__setattr__(self, "name", f"{self.source}->{self.target or 'probe'}")

    @property
    def coded(self):
        """Whether it is of low rank: decoders and encoders in the place of synapses."""
        return hasattr(self.connect, "decoders")

    def injects(self, name):
        """Whether a population gets an injected current from this."""
        return self.coded and name == self.target

    def _check_coded(self, probe):
        """Refuse what a projection of low rank cannot be."""
        if probe and self.target is not None:
            raise ValueError(
                f"Projection: target={self.target!r} of connect.low_rank without encoders, which reaches no neuron; "
                "give it encoders, or target=None for a probe"
            )
        if probe and getattr(self.plasticity, "moves", "") == "encoders":
            raise ValueError(
                f"Projection: plasticity: {type(self.plasticity).__name__} moves encoders, and a probe has none; "
                "give it encoders and a target"
            )
        if callable(self.delay) or np.ndim(self.delay):
            raise ValueError("Projection: delay: connect.low_rank has no synapses; expected one number of seconds")
        taus, reversal = (getattr(self.receptor, what, None) for what in ("taus", "reversal"))
        if isinstance(self.receptor, type) or not taus:
            raise ValueError(
                f"Projection: receptor={seen(self.receptor)} of connect.low_rank, expected the filter of its decoded "
                'numbers, such as Exponential(5e-3, normalised="area"): unfiltered they would be pulses as long as dt'
            )
        if reversal is not None:
            raise ValueError(
                f"Projection: receptor: its reversal={reversal!r} V makes a conductance, and decoded numbers are of "
                "both signs; expected a filter without one"
            )
