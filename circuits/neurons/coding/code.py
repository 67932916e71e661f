"""A population code: ensembles, and connections that decode a function of one and filter it into another.

The same code runs in two modes.  In rate mode it is a `System` of as many variables as its ensembles represent, whose
parameters are the decoders: `integrate`, `relax` and `learn` take it.  `PopulationCode.network` is the same code in
spikes.  With few neurons or slow filters they differ by the noise of the spikes, of the order 1/sqrt(n).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.neurons.coding.decoders import decoders
from circuits.neurons.coding.ensemble import Ensemble
from circuits.neurons.coding.rates import Decoded, RateSystem, Represented
from circuits.neurons.parameters import fixed
from physlearn import Readout, System
from physlearn.brief import brief
from physlearn.checks import array, function, instance, mapping, not_negative, positive, sequence, text
from physlearn.terms import Parabola


@dataclass(frozen=True, eq=False)
class Connection:
    """A function of what one ensemble represents, filtered and added to what another represents.

    Parameters
    ----------
    source, target : str
        Names of ensembles, which may be one.
    function : function, optional
        ``f(x) -> (m, k)`` of points x (m, D) of the source, k what the target represents.  Default x itself.
    tau : float
        Time constant of the filter, s; the same for all connections to one target.
    decoders : (n, k) array, optional
        In place of a function: k numbers per Hz of each neuron of the source.
    regularisation : float
        See `decoders`.
    name : str, optional
        "source->target" by default; its decoders are theta["name.decoders"].

    Examples
    --------
    >>> Connection("a", "b", lambda x: x**2, tau=5e-3).name
    'a->b'
    """

    source: str
    target: str
    function: Callable | None = None
    tau: float = 0.1
    decoders: Any = None
    regularisation: float = 0.1
    name: str = ""

    __repr__ = brief

    def __post_init__(self):
        for end in ("source", "target"):
            text(f"Connection: {end}", getattr(self, end), "the name of an ensemble")
        instance("Connection: name", self.name, str, "text")
        if not self.name:
            object.__setattr__(self, "name", f"{self.source}->{self.target}")
        what = f"Connection {self.name!r}"
        if isinstance(self.tau, int | float) and self.tau == 0:
            raise ValueError(
                f"{what}: tau: got 0 s, expected the time constant of a filter: without one spikes would be pulses of "
                "infinite height, and a loop would have no state"
            )
        positive(f"{what}: tau", self.tau)
        not_negative(f"{what}: regularisation", self.regularisation)
        if self.function is not None:
            function(f"{what}: function", self.function, 1, "a function of points x (m, D)")
        if self.decoders is not None:
            if self.function is not None:
                raise ValueError(f"{what}: got a function and decoders; give one of them")
            object.__setattr__(self, "decoders", fixed(array(f"{what}: decoders", self.decoders, ndim=2)))


@dataclass(frozen=True, eq=False)
class PopulationCode:
    """Ensembles and the connections between them.

    Parameters
    ----------
    ensembles : mapping of str to Ensemble
    connections : sequence of Connection
    readouts : mapping of str to Readout, optional
        Further readouts of the layers, such as a sum of them.

    Attributes
    ----------
    system : System
        Rate mode: a layer of D variables for each ensemble, what it represents.  An ensemble that no connection
        reaches is clamped at zero, unless a verb clamps it at something else.  Readout "name.input" is a force: it adds
        to dx/dt, in units of x per second.  Layers tell `integrate` their time constants.
    theta : mapping of str to array
        "connection.decoders", (n, k).

    Examples
    --------
    A leaky memory of 100 neurons, driven for 50 ms:

    >>> from circuits.neurons import Connection, Ensemble, PopulationCode
    >>> from physlearn import integrate, relax
    >>> ensemble = Ensemble(100, 1, rng=1)
    >>> code = PopulationCode({"x": ensemble}, [Connection("x", "x", lambda x: 0.8 * x, tau=0.1)])
    >>> run = integrate(code, (0.0, 0.05), clamp={"x.input": [10.0]})
    >>> run.final.round(2)
    array([0.48])
    >>> relax(code, [0.0], clamp={"x.input": [1.0]}).x.round(2)
    array([0.5])
    """

    ensembles: Mapping[str, Ensemble]
    connections: Sequence[Connection]
    readouts: Mapping[str, Readout] = field(default_factory=dict)
    system: System = field(init=False, repr=False)
    _own: dict = field(init=False, repr=False, default_factory=dict)  # decoders of what each ensemble represents

    def __repr__(self):
        shown = {name: f"{e.n} neurons, D = {e.dimensions}" for name, e in self.ensembles.items()}
        return brief(self, ensembles=shown, connections=[c.name for c in self.connections])

    def __post_init__(self):
        ensembles = dict(
            mapping("PopulationCode: ensembles", self.ensembles, expected="a mapping of names to Ensembles")
        )
        if not ensembles:
            raise ValueError("PopulationCode: ensembles: got none, expected at least one")
        for name, ensemble in ensembles.items():
            text("PopulationCode: ensembles", name, "a name for each ensemble")
            instance(f"PopulationCode: ensembles[{name!r}]", ensemble, Ensemble, "an Ensemble")
        connections = sequence("PopulationCode: connections", self.connections, Connection, "a list of Connections")
        object.__setattr__(self, "ensembles", ensembles)
        object.__setattr__(self, "connections", connections)
        readouts = dict(mapping("PopulationCode: readouts", self.readouts, expected="a mapping of names to Readouts"))
        object.__setattr__(self, "readouts", readouts)
        self._check()
        theta = {f"{c.name}.decoders": value for c, value in zip(connections, self._solved(), strict=True)}
        object.__setattr__(self, "system", self._system(theta))

    def _check(self):
        """Refuse ends that are no ensemble, equal names, and several filters into one ensemble."""
        taus: dict = {}
        names = [c.name for c in self.connections]
        for c in self.connections:
            for end in ("source", "target"):
                if getattr(c, end) not in self.ensembles:
                    raise ValueError(
                        f"Connection {c.name!r}: {end}: {getattr(c, end)!r} is no ensemble, expected one of "
                        f"{list(self.ensembles)}"
                    )
            if names.count(c.name) > 1:
                raise ValueError(f"PopulationCode: two connections are called {c.name!r}; give them a `name`")
            if taus.setdefault(c.target, c.tau) != c.tau:
                raise ValueError(
                    f"Connection {c.name!r}: tau: got {c.tau!r} s, but another connection to {c.target!r} has "
                    f"{taus[c.target]!r} s; what an ensemble represents is the state of one filter: use one tau, or an "
                    "ensemble of its own between"
                )

    def _solved(self):
        """Decoders of every connection, one factorisation for each source and regularisation."""
        found: list = [c.decoders for c in self.connections]
        groups: dict = {}
        for k, c in enumerate(self.connections):
            if c.decoders is None:
                groups.setdefault((c.source, c.regularisation), []).append(k)
        for (source, regularisation), members in groups.items():
            functions = {self.connections[k].name: self.connections[k].function for k in members} | {"": None}
            solved = decoders(self.ensembles[source], functions, regularisation=regularisation)
            self._own.setdefault(source, solved[""].values)
            for k in members:
                found[k] = solved[self.connections[k].name].values
        for c, value in zip(self.connections, found, strict=True):
            wanted = (self.ensembles[c.source].n, self.ensembles[c.target].dimensions)
            if value.shape != wanted:
                what = "decoders" if c.decoders is not None else "function"
                raise ValueError(
                    f"Connection {c.name!r}: {what}: gives {value.shape[1]} numbers of {value.shape[0]} neurons, "
                    f"expected {wanted[1]} of {wanted[0]}, what {c.target!r} represents of {c.source!r}"
                )
        return found

    def _system(self, theta):
        size = {name: e.dimensions for name, e in self.ensembles.items()}
        taus = {c.target: c.tau for c in self.connections}
        layers = {}
        for name, e in self.ensembles.items():
            d = e.dimensions
            layers[name] = Represented(scale=(e.radius,) * d, start=(0.0,) * d, tau=taus.get(name, 1.0)), d
        terms: list = [Parabola(name, fixed=np.ones(size[name])) for name in taus]
        terms += [Decoded(c.source, c.target, self.ensembles[c.source], f"{c.name}.decoders") for c in self.connections]
        readouts = {
            f"{name}.input": Readout(name, rows=tau * np.eye(size[name]), force=True) for name, tau in taus.items()
        }
        held = {name: np.zeros(d) for name, d in size.items() if name not in taus}
        return RateSystem(layers, terms, theta, {**readouts, **self.readouts}, held)

    @property
    def theta(self):
        """Decoders of every connection, {"name.decoders": (n, k)}; read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same code with other decoders.

        Parameters
        ----------
        theta : mapping of str to array
            Some or all of the decoders, shaped as they are.

        Examples
        --------
        >>> from circuits.neurons import Connection, Ensemble, PopulationCode
        >>> code = PopulationCode({"x": Ensemble(3, 1, rng=1)}, [Connection("x", "x")])
        >>> code.with_theta({"x->x.decoders": [[0.0], [0.0], [1.0]]}).theta["x->x.decoders"].ravel()
        array([0., 0., 1.])
        """
        new = copy(self)
        object.__setattr__(new, "system", self.system.with_theta(theta))
        return new

    def network(self, given=None, *, probe=20e-3, plasticity=None):
        """The same code in spikes, as a `SpikingNetwork`: `integrate` takes it, with steps of 1 ms.

        Each connection is a projection of rank k (`connect.low_rank`) of its name, so that theta has the same names in
        both modes.  What an ensemble "x" represents is that of a probe: ``record={"x.decoded": Record(["x"])}``.

        Parameters
        ----------
        given : mapping of str to array or function, optional
            What ``clamp`` gives in rate mode, under the same names: values of an ensemble, or forces such as "x.input";
            constant (k,), or functions of times (m,) in s that return (m, k).
        probe : float
            Time constant of the filter of what is recorded, s.
        plasticity : mapping of str to PES or Voja, optional
            Rules of connections, by their names.

        Examples
        --------
        >>> from circuits.neurons import Record, integrator
        >>> from physlearn import integrate
        >>> network = integrator(100, rng=1).network({"x.input": lambda t: 2.0 * (t < 0.25)})
        >>> run = integrate(network, (0.0, 0.5), dt=1e-3, record={"x.decoded": Record(["x"])})
        >>> bool(abs(run.traces["x.decoded"]["x"][-100:].mean() - 0.5) < 0.1)
        True
        """
        from circuits.neurons.coding.spiking import network_of

        for name, ensemble in self.ensembles.items():
            if name not in self._own:
                self._own[name] = decoders(ensemble).values
        return network_of(self, self._own, given, probe, plasticity)
