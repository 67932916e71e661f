"""A network of spiking neurons, and its time evolution on an integer grid.

Conventions
-----------
The grid is t_k = k dt; counters are integers, times are never compared as floats.  In the step from t_k to t_{k+1}

1. every population advances with its inputs.  Receptors decay exactly.  Injected currents are held at their value at
   t_k (methods of higher order: at the middle of the step), as are conductances; `LIF` with current receptors is
   advanced by the joint propagator of membrane and receptors, so only injected currents are held;
2. neurons at or above threshold spike.  The spike is stamped t_{k+1} (with ``exact_times``, when it crossed the
   threshold inside the step, or t_k if a jump took it across; a second spike within the step stops the run).  They are
   reset at once, and stay refractory for exactly refractory / dt steps;
3. spikes arrive delay / dt whole steps after their stamp.  Those that arrive at t_{k+1} are added to their receptor
   after the resets and act from the next step on.  A delay of 0 is exact and causal: same grid point, next step.

A `Delta` receptor adds its jumps to v at the beginning of the next step, unless the neuron is refractory at arrival.
Values recorded at t_{k+1} are those after step 3; v is then the limit from the left of a jump that arrives at t_{k+1}.
A time (delay, refractory period, ends of the run) that is not a multiple of dt is refused.

Brian2 uses the same order; it stamps t_k, and its refractory period is one step shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from circuits.neurons.connect.slices import unsliced
from circuits.neurons.engine.plan import bounds_of, root
from circuits.neurons.population import Population
from circuits.neurons.program import steps_of
from circuits.neurons.synapses.plasticity import STDP
from circuits.neurons.synapses.three_factor import ThreeFactorSTDP
from circuits.neurons.synapses.wiring import Drawn, values_of, wire
from physlearn.brief import brief
from physlearn.checks import count, seen, text
from physlearn.parts import changed_theta, read_only

MOST_STEPS = 2**24  # of a delay: spikes on their way are kept for as long


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """Populations, the projections between them, and inputs.

    Parameters
    ----------
    populations : mapping of str to Population
    projections : sequence of Projection
    inputs : sequence of inputs
        `Constant`, `Step`, `Ramp`, `Sine`, `Piecewise`, `OrnsteinUhlenbeck`, `Poisson`, `SpikeTrains`.
    seed : int
        Of connections and of random initial values; noise is seeded by the run.

    Examples
    --------
    >>> from circuits.neurons import LIF, Exponential, Population, Projection, connect
    >>> cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    >>> receptors = {"exc": Exponential(5e-3)}
    >>> network = SpikingNetwork(
    ...     {"E": Population(cells, 100, receptors=receptors)},
    ...     [Projection("E", "E", connect.fixed_probability(0.1), weight=1e-4, receptor="exc")], seed=1)
    >>> network.synapses("E->E")[0].size
    960
    """

    populations: Mapping[str, Population]
    projections: Sequence[Any] = ()
    inputs: Sequence[Any] = ()
    seed: int = 0
    bounds: dict = field(init=False, repr=False)
    _drawn: dict = field(init=False, repr=False, default_factory=dict)
    _live: dict = field(init=False, repr=False, default_factory=dict)  # the run that may go on; see `engine.run`

    def __getstate__(self):
        return self.__dict__ | {"_live": {}}

    def __repr__(self):
        populations = ", ".join(f"{name}: {p.n} {type(p.model).__name__}" for name, p in self.populations.items())
        projections = [projection.name for projection in self.projections]
        inputs = [f"{type(given).__name__} to {given.target}" for given in self.inputs]
        return brief(self, populations=populations, projections=projections, inputs=inputs, seed=self.seed)

    def __post_init__(self):
        if not isinstance(self.populations, Mapping) or not self.populations:
            raise TypeError(
                f"SpikingNetwork: populations={self.populations!r}, expected a mapping such as {{'E': Population(...)}}"
            )
        for what, method in (("projections", "connect"), ("inputs", "attach")):
            given = getattr(self, what)
            found = isinstance(given, Sequence) and not isinstance(given, str)
            if not found or not all(hasattr(item, method) and not isinstance(item, type) for item in given):
                raise TypeError(f"SpikingNetwork: {what}={seen(given)}, expected a list of {what}")
        count("SpikingNetwork: seed", self.seed, 0, most=2**128)
        object.__setattr__(self, "populations", dict(self.populations))
        whole = tuple(unsliced(projection, self.populations) for projection in self.projections)
        object.__setattr__(self, "projections", whole)
        object.__setattr__(self, "inputs", tuple(self.inputs))
        for name, population in self.populations.items():
            text("SpikingNetwork: populations", name, "a name for each population")
            if not isinstance(population, Population):
                raise TypeError(f"SpikingNetwork: populations[{name!r}] is {population!r}, expected a Population")
        for projection in self.projections:
            what = f"Projection {projection.name!r}"
            for end in ("source", "target"):
                if getattr(projection, end) is not None:
                    self._known(f"{what}: {end}", getattr(projection, end))
            if projection.coded:
                ends = (self.populations.get(end) for end in (projection.source, projection.target))
                projection.connect.fits(what, *ends)
                if projection.target is not None:
                    self._listens(what, projection.target)
                continue
            least = getattr(projection.plasticity, "w_min", 0.0)
            self._opens(f"Projection {projection.name!r}: w_min", projection, least)
            if not isinstance(projection.plasticity, STDP | ThreeFactorSTDP):
                self._listens(f"Projection {projection.name!r}: without STDP", projection.target)
        for given in self.inputs:
            if given.target is None:  # a `Signal` that only teaches
                continue
            self._known(f"{type(given).__name__}: target", given.target)
            self._listens(type(given).__name__, given.target)
            given.check(self.populations[given.target])
            if hasattr(given, "receptor"):
                self._opens(type(given).__name__, given, given.weight)
        names = [projection.name for projection in self.projections]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"SpikingNetwork: two projections are called {name!r}; give them a `name`")
        self._check_teachers()
        object.__setattr__(self, "bounds", {name: bounds_of(self, name) for name in self.populations})

    @property
    def values(self):
        """Lengths of the vectors that can be recorded and learnt from, {name: D}: probes, projections, signals."""
        found = {projection.name: projection.connect.rank for projection in self.projections if projection.coded}
        signals = [given for given in self.inputs if getattr(given, "name", "")]
        for given in signals:
            if given.name in found or given.name in self.populations:
                raise ValueError(f"Signal: name={given.name!r} is taken in this network; give another")
            found[given.name] = given.rank
        return found

    def _check_teachers(self):
        """Refuse errors of learning projections that are no vector of this network, or one of another length."""
        values = self.values
        for projection in self.projections:
            for name in getattr(projection.plasticity, "teachers", ()):
                what = f"Projection {projection.name!r}: {'error' if projection.coded else 'modulator'}"
                if name not in values:
                    raise ValueError(
                        f"{what}: {name!r} is no probe, projection or signal, expected some of {list(values)}"
                    )
                wanted, why = (projection.connect.rank, ", as the decoders") if projection.coded else (1, "")
                if values[name] != wanted:
                    raise ValueError(f"{what}: {name!r} has {values[name]} numbers, expected {wanted}{why}")

    def _known(self, what, name):
        if name not in self.populations:
            raise ValueError(f"{what}: {name!r} is no population, expected one of {list(self.populations)}")

    def _listens(self, what, name):
        model = self.populations[name].model
        if getattr(model, "sends_only", False):
            raise ValueError(f"{what}: would do nothing to {name!r}, which only sends spikes ({type(model).__name__})")

    def receptor_of(self, item):
        """Name of the receptor that a projection or a spike input goes to."""
        receptors = self.populations[item.target].receptors
        what = f"{type(item).__name__} {getattr(item, 'name', item.target)!r}"
        if item.receptor is None:
            if not receptors:
                raise ValueError(f"{what}: population {item.target!r} has no receptors; give it `receptors`")
            if len(receptors) != 1:
                raise ValueError(f"{what}: receptor is missing, expected one of {list(receptors)}")
            return next(iter(receptors))
        if item.receptor not in receptors:
            raise ValueError(f"{what}: receptor {item.receptor!r} is none of {list(receptors)}")
        return item.receptor

    def _opens(self, what, item, weights):
        """Refuse weights that would make a conductance negative."""
        name = self.receptor_of(item)
        reversal = self.populations[item.target].receptors[name].reversal
        if reversal is not None and any(
            np.any(np.less(w, 0)) for w in (weights if isinstance(weights, list) else [weights])
        ):
            raise ValueError(
                f"{what}: a negative weight on {name!r}, a conductance of {item.target!r}, would drive v away from "
                f"reversal={reversal!r} V; inhibition is a positive weight on a receptor of lower reversal"
            )

    def stream(self, *key):
        """A seed below the network's own."""
        return root(self.seed, *key)

    def wiring(self, index):
        """Synapses of a projection (drawn once), and the weights that its rule brings."""
        if index not in self._drawn:
            projection = self.projections[index]
            if projection.coded:
                raise ValueError(
                    f"name: {projection.name!r} is of low rank and has no synapses; its decoders and encoders are in "
                    "`theta`, and `projection.connect.matrix` forms the weights"
                )
            source, target = self.populations[projection.source], self.populations[projection.target]
            seed = self.stream(2, index)
            self._drawn[index] = wire(projection, source, target, self.bounds[projection.target], seed)
        return self._drawn[index]

    def weights(self, index):
        """Weights of a projection: a float, or one array for each part of the target."""
        wiring, brought = self.wiring(index)
        value = self.projections[index].weight if brought is None else brought
        value = values_of("weight", value, wiring, self.stream(3, index), 0)
        self._opens(f"Projection {self.projections[index].name!r}", self.projections[index], value)
        return value

    def delays(self, dt):
        """Delay of each projection in steps: () or (synapses,) int64."""
        delays = []
        for index, projection in enumerate(self.projections):
            value = projection.delay
            if np.ndim(value) or callable(value):
                wiring, _ = self.wiring(index)
                value = values_of("delay", value, wiring, self.stream(4, index), 0)
                value = wiring.joined(value) if isinstance(value, list) else value
            steps = np.asarray(steps_of(f"Projection {projection.name!r}: delay", value, dt))
            if np.any(steps > MOST_STEPS):
                raise ValueError(
                    f"Projection {projection.name!r}: delay of {steps.max()} steps of dt={dt!r} s, expected at most "
                    f"{MOST_STEPS}; delays are in seconds"
                )
            delays.append(steps)
        return delays

    def synapses(self, name):
        """Sources, targets and weights of a projection's synapses, (m,) each, by source and then target.

        Parameters
        ----------
        name : str
            Of the projection.
        """
        names = [projection.name for projection in self.projections]
        if not isinstance(name, str) or name not in names:
            raise ValueError(f"name: {name!r} is no projection, expected one of {names}")
        wiring, _ = self.wiring(names.index(name))
        weights = self.weights(names.index(name))
        sources, targets = wiring.pairs()
        values = wiring.joined(weights) if isinstance(weights, list) else np.full(len(sources), weights)
        return sources, targets, values

    @property
    def system(self):
        """The network itself: it has no fields to add up, and `integrate` is its only verb."""
        return self

    @property
    def theta(self):
        """What can learn: the weights of each projection, {name: (m,) array}, by source and then target; read-only.

        Of a projection of low rank "name.decoders" (sources, D) and "name.encoders" (D, targets).
        """
        found = {}
        for projection in self.projections:
            if not projection.coded:
                found[projection.name] = self.synapses(projection.name)[2]
                continue
            for factor in ("decoders", "encoders"):
                if getattr(projection.connect, factor) is not None:
                    found[f"{projection.name}.{factor}"] = np.array(getattr(projection.connect, factor))
        return read_only(found)

    def with_theta(self, theta):
        """The same network, of the same synapses, with other weights, such as ``recording.weights``.

        Parameters
        ----------
        theta : mapping of str to (m,) array
            Of some or all projections, in the order of `synapses`.

        Examples
        --------
        >>> from circuits.neurons import LIF, Exponential, Population, Projection, connect
        >>> cells = Population(LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3), 2,
        ...                    receptors={"exc": Exponential(5e-3)})
        >>> pair = SpikingNetwork({"E": cells}, [Projection("E", "E", connect.all_to_all(), weight=1e-4)])
        >>> pair.with_theta({"E->E": [1e-4, 3e-4]}).synapses("E->E")[2]
        array([0.0001, 0.0003])
        """
        changed, projections, drawn = changed_theta(self.theta, theta, ()), list(self.projections), dict(self._drawn)
        for index, projection in enumerate(projections):
            if projection.coded:
                names = {factor: f"{projection.name}.{factor}" for factor in ("decoders", "encoders")}
                own = {factor: changed[name] for factor, name in names.items() if name in theta}
                projections[index] = replace(projection, connect=replace(projection.connect, **own))
            elif projection.name in theta:
                wiring, brought = self.wiring(index)
                connect = projection.connect if brought is None else Drawn(*wiring.pairs())
                projections[index] = replace(projection, connect=connect, weight=changed[projection.name])
                drawn[index] = wiring, None
        network = replace(self, projections=projections)
        network._drawn.update(drawn)  # the synapses are not drawn again
        return network

    def __integrate__(
        self,
        t_span,
        *,
        dt,
        record="spikes",
        x0=None,
        state=None,
        rng=None,
        method="auto",
        stream=None,
        threads=1,
        sweep=None,
        closed_loop=None,
        progress=None,
    ):
        """Advance the network; called by ``physlearn.integrate(network, t_span, dt=..., ...)``.

        Parameters
        ----------
        t_span : (float, float)
            s, whole steps of dt.
        dt : float
            Step of the grid, s.
        record : "spikes", None, or mapping of population to "spikes", None or Record
            By default the spikes of all populations.  A mapping names those to keep, with a `Record` of
            their variables and spikes: ``{"E": Record(["v"], every=1e-3, neurons=[0, 1])}``; of projections with STDP
            too: ``{"E->E": Record(["w"], every=0.1)}`` samples their weights.
        x0 : NetworkState, optional
            Continue from the end of another run, its ``final``; the result is the same as of one uninterrupted run (the
            state of a closed loop is the caller's).  Pieces that follow each other with the same settings share one
            plan.
            Under ``sweep`` a list of them.
        state : NetworkState, optional
            The former name of ``x0``.
        rng : int, Generator or None
            Of the noise; a continued run takes it from the state.
        method : str, or mapping of population to str
            "auto", or a method of the models; populations that a mapping does not name take "auto".
        stream : path, optional
            A new directory for the record, which is then written as it grows, so that memory does not grow with the
            duration; see `read_stream`, which also reads it during the run.
        threads : int
            Results do not depend on it.  Threads share the parts of large populations, or the parameter sets of a
            sweep; where there are none to share or a delay is shorter than 2 steps, one thread does all, as
            `Recording.method` reports.
        sweep : mapping of str to (m,) array, optional
            m parameter sets, such as ``{"E->I.weight": weights}`` or ``{"E.tau": taus}``: same connections, copies
            run side by side in ``threads``; see `circuits.neurons.engine.sweep` for the names.
        closed_loop : ClosedLoop, optional
            A function of Python that is called every k steps, sees spikes and values, and sets signals.
        progress : bool, optional
            Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

        Returns
        -------
        Recording
            A list of them, one per parameter set, under ``sweep``.
        """
        from circuits.neurons.engine import run as engine

        if x0 is not None and state is not None:
            raise ValueError("x0, state: got both; state is the former name of x0, give one of them")
        state, what = (state, "state") if x0 is None else (x0, "x0")
        if sweep is not None and closed_loop is not None:
            raise ValueError("closed_loop: not with sweep; run the parameter sets one by one, each with its own")
        if sweep is not None:
            from circuits.neurons.engine.sweep import run

            return run(
                self, t_span, sweep, dt=dt, record=record, state=state, rng=rng, method=method, threads=threads,
                stream=stream, progress=progress, what=what,
            )  # fmt: skip
        return engine.evolve(
            self,
            t_span,
            dt=dt,
            record=record,
            state=state,
            rng=rng,
            method=method,
            stream=stream,
            threads=threads,
            progress=progress,
            what=what,
            closed_loop=closed_loop,
        )
