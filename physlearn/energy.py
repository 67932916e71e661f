"""The idea, in one file.

A physical system is a set of **layers** (its state ``x``) coupled by **terms** whose sum is one energy::

    E(x; theta) = sum_t  term_t(x; theta)

A resistor network, a Hopfield memory, a Boltzmann machine, a soup of binding molecules and a predictive-coding network
differ only in which layers and terms they are made of.  Each layer has a **kind**: what its variables do with the field
on them.  The field on a ``Real`` variable is -dE/dx; on a discrete one the energy gap (Spin: -(E(+1) - E(-1))/2,
Binary: -(E(1) - E(0))) or one number a level (f(k) = -E(k) up to a constant), exact for all energies.  Temperatures are
energies (k_B = 1).  A kind may carry an activation g, the gradient of a Lagrangian L (``activation(x)``,
``lagrangian(x) -> (batch,)``): terms then see g(x), fields are -dE/dg, the layer adds x.g - L to the energy, and it is
at rest where x = field.

A **term** is any object with ``layers`` (a layer's name once per occurrence) and three methods

    energy(x, theta) -> (batch,)
    field(x, theta, layer) -> like x[layer]               (one more axis where it gives one number a level)
    gradient(x, theta, weight) -> {name: sum_b weight_b dE_b/dtheta[name]}

which is enough for every verb.  Optional forms open faster engines: ``help("physlearn.terms")`` lists them, and
`check_energy` audits each.

A `System` is the same sum without an energy: transistors, non-reciprocal bonds.  Its terms have ``field`` and
``response`` (what each learning degree of freedom sees) instead of an energy's gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count
from physlearn.kinds import Binary, Potts, Real, Spin
from physlearn.levels import level_field
from physlearn.parts import Layer, Local, Theta, batch_size, changed_theta, parts_of, read_only, state_of
from physlearn.readout import Nudge, Readout, State
from physlearn.rng import generator
from physlearn.threads import one_blas_thread

__all__ = ["Binary", "Energy", "Layer", "Local", "Nudge", "Potts", "Readout", "Real", "Spin", "State", "System"]
SINGLE = 8192  # multiplications below which BLAS takes one thread anyway, and asking for one costs more than they do


@dataclass(frozen=True, eq=False)
class System:
    """Layers driven by the sum of their terms' fields, which need not be a gradient.

    Parameters
    ----------
    layers : mapping of str to (kind, shape)
        An int shape means a line of that many variables.
    terms : sequence of terms
        See the module's docstring.
    theta : mapping of str to array
        Learning degrees of freedom, shared by all terms, under any names (entries that no term reads are kept);
        copied, and read-only from then on: `with_theta` gives a system with others.
    readouts : mapping of str to Readout, optional
        Names for what is clamped, nudged or read.  A layer's own name reads all of it.
    fixed : mapping of str to array, optional
        Clamps that hold always (ground), unless a verb is given another value for that readout; copied.

    Examples
    --------
    A rotor: no energy has this field, yet it has a rest.

    >>> import numpy as np
    >>> from physlearn import Real, System, relax
    >>> class Rotor:
    ...     layers = ("x", "x")  # named twice: its variables act on each other
    ...     def field(self, x, theta, layer):
    ...         return (1.0 - x["x"]) @ theta["A"].T
    ...     def response(self, x, theta, weight):
    ...         return {}
    >>> rotor = System({"x": (Real(), 2)}, [Rotor()], {"A": [[1.0, 2.0], [-2.0, 1.0]]})
    >>> np.round(relax(rotor).x, 6)
    array([1., 1.])
    """

    layers: Mapping[str, Any]
    terms: Sequence[Any]
    theta: Mapping[str, Any]
    readouts: Mapping[str, Readout] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    plans: dict = field(default_factory=dict, init=False, repr=False)  # the engines' symbolic work, for every theta
    numbers: dict = field(default_factory=dict, init=False, repr=False)  # their numeric work, for this theta alone

    def __repr__(self):
        named = {"readouts": list(self.readouts), "fixed": list(self.fixed)}
        return brief(self, layers=self.layers, terms=self.terms, theta=self.theta, **named)

    def __post_init__(self):
        self.__dict__.update(parts_of(self.layers, self.terms, self.theta, self.readouts, self.fixed))

    def __getstate__(self):
        """State to copy and to pickle: everything but the engines' work, which is redone when it is needed."""
        return self.__dict__ | {"theta": dict(self.theta), "fixed": dict(self.fixed), "plans": {}, "numbers": {}}

    def __setstate__(self, state):
        theta = Theta(state["theta"], state["terms"])
        self.__dict__.update(state | {"theta": read_only(theta), "fixed": read_only(state["fixed"])})

    @property
    def system(self):
        """The system itself, as every `Machine` has one."""
        return self

    def with_theta(self, theta):
        """Return the same system with other learning degrees of freedom; symbolic work is shared.

        Parameters
        ----------
        theta : mapping of str to array
            Some or all of the parameters, shaped as they are.

        Raises
        ------
        ValueError
            A name that is no parameter, another shape, NaN or infinity.

        Examples
        --------
        >>> from physlearn import Energy, Spin
        >>> from physlearn.terms import Pairs
        >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
        >>> pair.with_theta({"J": [2.0]}).theta["J"]
        array([2.])
        """
        other = copy(self)  # nothing else is checked again: this runs at every step of a training
        other.__dict__.update(theta=read_only(changed_theta(self.theta, theta, self.terms)), plans=self.plans)
        return other

    def check_terms(self):
        """Have every term check, once, that theta and the layers fit it."""
        if "checked" not in self.numbers:
            for term in self.terms:
                if hasattr(term, "check"):
                    term.check(self.layers, self.theta)
            self.numbers["checked"] = True

    def field(self, x: State, layer: str, index=None) -> np.ndarray:
        """Sum of the terms' fields on a layer, like x[layer], by levels one axis more; of ``index`` only."""
        self.check_terms()
        shown = self.shown(x)
        if layer in self.layers and self.layers[layer].by_level:
            return level_field(self, shown, layer, index)
        parts = [t.field(shown, self.theta, layer) for t in self.terms if layer in t.layers]
        if not parts:
            if layer not in self.layers:
                raise ValueError(f"layer: there is no {layer!r}, expected one of {list(self.layers)}")
            parts = [np.zeros(x[layer].shape)]
        total = np.asarray(sum(parts))
        return total if index is None else total.reshape(len(total), -1)[:, index]

    def force(self, x: State, layer: str) -> np.ndarray:
        """Force, zero at rest: the field, or field - x on a layer with an activation; shaped like x[layer]."""
        f = self.field(x, layer)
        return f - x[layer] if hasattr(self.layers[layer].kind, "activation") else f

    def response(self, x: State, weight=None) -> dict[str, np.ndarray]:
        """What each learning degree of freedom sees, {name: array}: sum_b weight_b dE_b/dtheta for an energy."""
        self.check_terms()
        shown, out = self.shown(x), {}
        weight = np.ones(batch_size(x)) if weight is None else np.asarray(weight)
        for t in self.terms:
            part = t.response if hasattr(t, "response") else t.gradient
            for name, value in part(shown, self.theta, weight).items():
                out[name] = out[name] + value if name in out else value
        return out

    def shown(self, x: State) -> State:
        """State as terms see it: g(x) on layers with an activation, x elsewhere."""
        g = {n: layer.kind.activation(x[n]) for n, layer in self.layers.items() if hasattr(layer.kind, "activation")}
        return {**x, **g} if g else x

    def state(self, x, name="x") -> State:
        """A state given as an array (one layer) or a mapping, as {layer: (batch, *shape)}; ``name`` for errors."""
        return state_of(self.layers, x, name)

    def random_state(self, batch: int, rng) -> State:
        """A random state of ``batch`` items, {layer: (batch, *shape)}; rng : int, Generator or None."""
        count("batch", batch, each=8 * sum(layer.size for layer in self.layers.values()))
        rng = generator(rng)
        return {name: kind.random((batch, *shape), rng) for name, (kind, shape) in self.layers.items()}


class Energy(System):
    """A system whose field is the gradient of a sum of terms: ``energy(x) -> (batch,)``.

    Parameters
    ----------
    layers, terms, theta, readouts, fixed
        As for `System`; ``theta`` may have any names.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]})
    >>> float(divider(np.array([3.0, 1.0, 0.0])))  # (3-1)^2/2 + 2 (1-0)^2/2
    3.0
    """

    def __post_init__(self):
        super().__post_init__()
        for term in self.terms:
            if not hasattr(term, "energy"):
                what = type(term).__name__
                raise TypeError(f"terms: {what} has no energy; build a System, whose field need not be a gradient")

    def __call__(self, x):
        """Energy of a state: (batch,), or a number for a single item."""
        self.check_terms()
        state = self.state(x)
        work = batch_size(state) * sum(value.size for value in self.theta.values())
        with one_blas_thread() if work > SINGLE else nullcontext():
            total = np.asarray(sum(self.shares(state).values()))
        first, layer = next(iter(self.layers.items()))
        single = np.ndim(x[first] if isinstance(x, Mapping) else x) == len(layer.shape)
        return total[0] if single else total

    def curvature(self, x: State, layer: str):
        """Sum of the terms' curvatures on one layer, shaped like it; None if a term that touches it has none."""
        self.check_terms()
        touching = [t for t in self.terms if layer in t.layers]
        if not all(hasattr(t, "curvature") for t in touching):
            return None
        shown = self.shown(x)
        parts = [t.curvature(shown, self.theta, layer) for t in touching]
        return None if any(part is None for part in parts) else sum(parts)

    def shares(self, x: State) -> dict[str, np.ndarray]:
        """Share of every term in the energy of a valid state, (batch,) each; see `energy_terms`."""
        self.check_terms()
        shown, shares = self.shown(x), {}
        for name, layer in self.layers.items():
            if hasattr(layer.kind, "activation"):
                product = np.sum((x[name] * shown[name]).reshape(len(x[name]), -1), -1)
                shares[f"layer {name}"] = product - layer.kind.lagrangian(x[name])
        for number, term in enumerate(self.terms):
            shares[f"{number} {type(term).__name__}"] = term.energy(shown, self.theta)
        return shares
