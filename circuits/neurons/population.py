"""A population: neurons of one model, and the receptors through which spikes reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.neurons.parameters import fixed
from circuits.neurons.synapses.receptors import Delta
from physlearn.brief import brief
from physlearn.checks import array, count, function, seen, text
from physlearn.quantities import si, take_si


@dataclass(frozen=True)
class Population:
    """n neurons of one model.

    Parameters
    ----------
    model : LIF, AdEx, Izhikevich, HodgkinHuxley, Neuron, ...
        Its parameters are shared, or (n,) arrays.
    n : int
    receptors : mapping of str to receptor
        Named receptors; projections and inputs say to which of them they go.
    initial : mapping of str to value
        Start of the model's variables where it is not rest: a number, an (n,) array, or a function
        ``(generator, n) -> (n,)``, drawn from the network's seed.
    positions : (n, d) array, optional
        m; for connections that depend on distance.

    Examples
    --------
    >>> from circuits.neurons import LIF, Exponential
    >>> cells = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3)
    >>> Population(cells, 10, receptors={"exc": Exponential(5e-3)}).rows
    ['v', 'exc']
    """

    model: Any
    n: int
    receptors: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    positions: np.ndarray | None = None

    __repr__ = brief

    def __post_init__(self):
        if isinstance(self.n, bool) or not isinstance(self.n, int | np.integer) or self.n < 1:
            raise ValueError(f"Population: n={seen(self.n)}, expected a positive integer")
        count("Population: n", self.n, each=8)
        for name in ("program", "initial", "variables"):
            if isinstance(self.model, type) or not hasattr(self.model, name):
                raise TypeError(f"Population: model {self.model!r} has no `{name}`; expected LIF(...), AdEx(), ...")
        for what in ("receptors", "initial"):
            if not isinstance(getattr(self, what), Mapping):
                raise TypeError(f"Population: {what}={getattr(self, what)!r}, expected a mapping of names")
            own = {k: fixed(v) if isinstance(v, np.ndarray) else v for k, v in getattr(self, what).items()}
            object.__setattr__(self, what, own)
        for name, receptor in self.receptors.items():
            text("Population: receptors", name)
            if isinstance(receptor, type) or not hasattr(receptor, "taus"):
                raise TypeError(f"Population: receptors[{name!r}] is {receptor!r}, expected Exponential(tau), ...")
            if name in self.model.variables:
                raise ValueError(f"Population: receptor {name!r} has the name of a variable of the model; rename it")
        if sum(isinstance(r, Delta) for r in self.receptors.values()) > 1:
            raise ValueError("Population: receptors: one Delta is enough, two would do the same thing")
        units = dict(zip(self.model.variables, getattr(self.model, "units", ()), strict=False))
        started = {k: si(f"Population: initial[{k!r}]", v, *[units.get(k, "1")]) for k, v in self.initial.items()}
        object.__setattr__(self, "initial", started)
        take_si(self, positions="m")
        for name, start in self.initial.items():
            if name not in self.model.variables:
                raise ValueError(f"Population: initial: {name!r} is none of {list(self.model.variables)}")
            if callable(start):
                function(f"Population: initial[{name!r}]", start, 2, "numbers or a function (generator, n)")
            else:
                array(f"Population: initial[{name!r}]", start)
        if self.positions is not None:
            positions = array("Population: positions", self.positions, shape=(self.n, "dimensions"))
            object.__setattr__(self, "positions", fixed(positions))

    @property
    def rows(self):
        """Names of the rows of state: variables, then the rows of each receptor (the last carries its name)."""
        names = list(self.model.variables)
        for name, receptor in self.receptors.items():
            names += [f"{name}.{k}" for k in range(receptor.rows - 1)] + [name]
        return names

    @property
    def units(self):
        """SI units of the rows."""
        units = list(self.model.units)
        for receptor in self.receptors.values():
            unit = "V" if isinstance(receptor, Delta) else "A" if receptor.reversal is None else "S"
            units += [unit] * receptor.rows
        return units

    def jump_row(self, receptor):
        """Row of state that a spike's weight is added to, and the gain of the weight."""
        row = len(self.model.variables)
        for name, kernel in self.receptors.items():
            if name == receptor:
                return row, kernel.gain
            row += kernel.rows
        raise ValueError(f"receptor: {receptor!r} is none of {list(self.receptors)}")

    def start(self, generator):
        """The state at the beginning, (rows, n)."""
        state = np.zeros((len(self.rows), self.n))
        count = len(self.model.variables)
        state[:count] = self.model.initial(self.n)
        for name, value in self.initial.items():
            drawn: Any = value(generator, self.n) if callable(value) else value
            drawn = array(f"Population: initial[{name!r}]", drawn, finite=False)
            try:
                state[self.model.variables.index(name)] = drawn
            except ValueError:
                raise ValueError(
                    f"Population: initial[{name!r}] has shape {np.shape(drawn)}, expected a number or ({self.n},)"
                ) from None
        if not np.all(np.isfinite(state)):
            raise ValueError("Population: initial: values that are not finite")
        return state
