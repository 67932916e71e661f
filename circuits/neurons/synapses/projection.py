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
        Names of populations.
    connect : rule
        From `circuits.neurons.connect`.
    weight : float, (m,) array or function
        In the units of the receptor (A; V for `Delta` and for neurons of resistance 1; S for conductances).  An array
        is in the order of sources, then targets; a function is ``(sources, targets, generator) -> (m,)``.
    delay : float, (m,) array or function
        s, whole steps of dt; 0 means that a spike at t_k acts from the step that begins at t_k.
    receptor : str, optional
        Name of the target's receptor; may be left out where it has only one.
    plasticity : STDP or ShortTermPlasticity, optional
    name : str, optional
        For records and sweeps; "source->target" by default.

    Examples
    --------
    >>> from circuits.neurons import connect
    >>> Projection("E", "I", connect.fixed_probability(0.02), weight=1.62e-3, receptor="exc").name
    'E->I'
    """

    source: str
    target: str
    connect: Any
    weight: Any = None
    delay: Any = 0.0
    receptor: str | None = None
    plasticity: Any = None
    name: str = ""

    __repr__ = brief

    def __post_init__(self):
        take_si(self, weight=WEIGHTS, delay="s")
        for what in ("source", "target"):
            text(f"Projection: {what}", getattr(self, what), "the name of a population")
        if self.receptor is not None:
            text("Projection: receptor", self.receptor, "the name of a receptor, or None")
        instance("Projection: name", self.name, str, "text, for records and sweeps")
        plasticity = self.plasticity
        if plasticity is not None and (isinstance(plasticity, type) or not hasattr(plasticity, "attach")):
            raise TypeError(f"Projection: plasticity={seen(plasticity)}, expected STDP(...), ShortTermPlasticity(...)")
        if isinstance(self.connect, type) or not hasattr(self.connect, "chunks"):
            raise TypeError(
                f"Projection: connect={self.connect!r}, expected a rule such as connect.fixed_probability(0.1)"
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
            object.__setattr__(self, "name", f"{self.source}->{self.target}")
