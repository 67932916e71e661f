"""A network laid out for the loop: parts of populations, arrays of state, the list of actions.

Populations are cut into parts, which depend on the network alone: a part's jump row fits the nearest cache, and
threads take whole parts, so that the number of threads changes no bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np

from circuits.neurons.engine import loop
from circuits.neurons.engine.history import History, Part, free_steps
from circuits.neurons.engine.state import Layout, NetworkState, Snapshot
from circuits.neurons.program import ADVANCE, ARRIVALS, CLEAR, CURRENTS, LEARNING, RECEPTORS, ROOM, STREAM, part_of
from circuits.neurons.synapses import coded, delivery, receptor_step
from circuits.neurons.synapses.propagator import chain_step
from physlearn.kernels.cfuncs import ACTION, UPDATE, compiled
from physlearn.rng import seed_sequence

PART, SYNAPSES = 3072, 128  # least neurons in a part, least synapses of a row within a part


def bounds_of(network, name):
    """Where a population is cut into parts."""
    n = network.populations[name].n
    longest = max(
        [
            projection.connect.row_length(network.populations[projection.source], network.populations[name])
            for projection in network.projections
            if projection.target == name and hasattr(projection.connect, "row_length")
        ],
        default=0,
    )
    count = max(1, min(16, n // PART, int(longest) // SYNAPSES), -(-n // (1 << 22)), 4 if n >= 1 << 16 else 1)
    blocks = -(-n // STREAM)
    return tuple(min(n, STREAM * (blocks * k // count)) for k in range(count)) + (n,)


class Plan:
    """A network with its arrays; `actions` of each group of parts, in the order of a step.

    Parameters
    ----------
    network : SpikingNetwork
    dt : float
        s.
    first : int
        Step at which the run starts.
    rng : SeedSequence
        Of the noise.
    method : str or mapping of population to str
    block : int
        Most steps between two visits of Python.
    """

    def __init__(self, network, dt, first, rng, method, block):
        self.network, self.dt, self.first, self.block, self.rng = network, dt, first, block, rng
        self.kept, self.parts, self.methods = {}, {}, {}
        self._alive, self._stages = [], [[] for _ in range(LEARNING + 1)]
        self.courses: list = []
        self.plastic: dict = {}
        self.values: dict = {}  # of probes, projections of low rank and signals: part, numbers (D,)
        self.held: dict = {}  # signals that a closed loop may set
        self.learnt: dict = {}  # factors of low rank that learn, one array for each part
        self.modulated: list = []  # what attached rules of three factors wait for until `follow`
        delays = network.delays(dt)
        self.shortest = min((d.min() for d in delays if d.size), default=block)
        self.longest = int(max((d.max(initial=0) for d in delays), default=0))
        methods = method if isinstance(method, Mapping) else dict.fromkeys(network.populations, method)
        for name in methods:
            if name not in network.populations:
                raise ValueError(f"method: {name!r} is no population, expected some of {list(network.populations)}")
        for index, name in enumerate(network.populations):
            self._populate(index, name, first, methods.get(name, "auto"))
        for index, (projection, delay) in enumerate(zip(network.projections, delays, strict=True)):
            self._project(index, projection, delay)
        for index, given in enumerate(network.inputs):
            given.attach(self, index)
        for projection in network.projections:  # now all values have their place
            if hasattr(projection.plasticity, "follow"):
                projection.plasticity.follow(self, projection)
        for part in self.all_parts:
            part.injected[:] = part.base

    @property
    def teaching(self):
        """Whether values of one part change weights onto another within a step, so that one thread does all."""
        taught = (getattr(projection.plasticity, "teachers", ()) for projection in self.network.projections)
        return bool(self.learnt) or any(taught)

    @property
    def all_parts(self):
        """Parts of all populations, in their order."""
        return [part for parts in self.parts.values() for part in parts]

    def seeds(self, key, first, blocks, words):
        """Random words of blocks first, first + 1, ... of a population, (blocks, words) uint64."""
        children = [root(self.rng, key, first + block) for block in range(blocks)]
        return np.array([child.generate_state(words, np.uint64) for child in children])

    # an action and its table -------------------------------------------------------------------------------------

    def address(self, array):
        """Address of an array that the plan keeps alive."""
        if not (array.flags.c_contiguous and array.flags.aligned):
            raise AssertionError("kernels take contiguous arrays")
        self._alive.append(array)
        return array.ctypes.data

    def action(self, stage, part, function, *entries):
        """Append an action for a part to a stage of the step (see `ROOM` and the others above)."""
        table = np.array([self.address(e) if isinstance(e, np.ndarray) else int(e) for e in entries], np.int64)
        self._stages[stage].append((part, compiled(function, ACTION).address, self.address(table)))

    def lists(self, chosen, extra=()):
        """Addresses of actions and tables of the chosen parts, in the order of a step; ``extra`` come last."""
        chosen = {id(part) for part in chosen}
        rows = [row for stage in self._stages for row in stage if id(row[0]) in chosen]
        rows += [row for row in extra if id(row[0]) in chosen]
        return (
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.int64),
            [row[0] for row in rows],
        )

    def keep(self, name, array):
        """Register an array that is part of the state of the run."""
        self.kept[name] = array
        return array

    def varying(self, part, function, *entries):
        """Append an action that adds to a part's injected current, which is cleared at the start of each step."""
        if not part.varying:
            part.varying = True
            self.action(CLEAR, part, loop.clear, part.injected, part.base, part.n)
        self.action(CURRENTS, part, function, part.injected, part.n, *entries)

    def course(self, function, middle, width=None):
        """Entries (values, clock) of a function of time, sampled for each block: (steps,) or (steps, width) values.

        ``function`` takes times (steps,) in seconds; values[step - clock[0]] is that of the step.
        """
        values = np.zeros(self.block if width is None else (self.block, width))
        clock = np.zeros(1, np.int64)
        self.courses.append((function, 0.5 if middle else 0.0, values, clock))
        return values, clock

    def prepare(self, first, last):
        """Sample the courses for steps first .. last - 1."""
        steps = np.arange(first, last)
        for function, shift, values, clock in self.courses:
            values[: last - first] = function((steps + shift) * self.dt)
            clock[0] = first

    # populations -------------------------------------------------------------------------------------------------

    def _populate(self, index, name, first, method):
        population = self.network.populations[name]
        bounds = self.network.bounds[name]
        population.model.check(population.n, self.dt, method)
        state = population.start(np.random.default_rng(self.network.stream(1, index)))
        receptors = tuple(population.receptors.values())
        driven = bool(self._injecting(name))
        self.parts[name] = []
        for k, (low, high) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            n, key = high - low, f"{name}/{k}"
            program = part_of(population.model, population.n, low, high).program(n, self.dt, receptors, method)
            self.methods[name] = program.name or program.update.__name__
            if program.steady:
                self._check_steady(name, population.receptors)
            floats = np.ascontiguousarray(program.floats, dtype=float)
            ints = np.ascontiguousarray(program.ints, dtype=np.int64).copy()
            if program.driven_at is not None:
                floats[program.driven_at] = float(driven)
            if program.stream_at is not None:
                seeds = self.seeds(2 + index, low // STREAM, 1, 4)[0]
                ints[program.stream_at : program.stream_at + 4] = seeds.view(np.int64)
            drive = np.zeros((3, n))
            history = History(
                n=n,
                base=first + 1 - self.longest,
                capacity=max(n, 1 << 14) + free_steps(n) * n,
                steps=self.block + self.longest,
                exact=program.exact_times,
            )
            injected = drive[0] if program.receptors_inside or not receptors else np.zeros(n)
            rows, middle = np.ascontiguousarray(state[:, low:high]), program.held == "middle"
            filtered = program.filtered or partial(_last_row, ahead=0.5 * self.dt if middle else 0.0)
            part = Part(
                name, low, high, rows, drive, injected, np.zeros(n), ints, history, middle, program.failure, filtered
            )
            self.parts[name].append(part)
            self.keep(f"{key}/state", part.state)
            self.keep(f"{key}/ints", ints[: program.counters])
            self.action(ROOM, part, loop.room, n, history.head)
            if receptors and not program.receptors_inside:
                structure, numbers = receptor_step.layout(population.model, receptors, program.held, self.dt)
                self.action(
                    RECEPTORS, part, receptor_step.advance, n, part.state, drive, injected, ints, numbers, structure
                )
            update = compiled(program.update, UPDATE, "update", "or use a built-in neuron").address
            self.action(ADVANCE, part, loop.advance, update, n, part.state, drive, floats, ints, history.head)

    def _injecting(self, name):
        """Inputs and projections that add to the injected current of a population."""
        return [thing for thing in (*self.network.inputs, *self.network.projections) if thing.injects(name)]

    def _check_steady(self, name, receptors):
        """Refuse what changes within a step of dt, for a method that bounds its error."""
        varying = [f"receptor {label!r}" for label, receptor in receptors.items() if receptor.taus]
        varying += [
            type(given).__name__
            for given in self._injecting(name)
            if not (hasattr(given, "steady") and given.steady(self.dt))
        ]
        if varying:
            raise ValueError(
                f"method: {self.methods[name]!r} of {name!r} bounds its error only under a current that is constant "
                f"over every step of dt={self.dt!r} s, and {varying[0]} varies within one; take another method of the "
                "model, such as 'rk4', whose error falls with dt"
            )

    # projections -------------------------------------------------------------------------------------------------

    def sources(self, name):
        """Address of the history's head and first neuron of each part of a population, (parts, 2) int64."""
        return np.array([(self.address(part.history.head), part.low) for part in self.parts[name]], np.int64)

    def deliver(self, part, function, delay, sources, rows, targets, weights, jump, *more):
        """Append a delivery to a part, with its table; see `circuits.neurons.synapses.arriving`."""
        entries = (delay, len(sources), sources, rows.starts, targets, weights, jump, part.n)
        self.action(ARRIVALS, part, function, *entries, *more)

    def _project(self, index, projection, delay):
        network = self.network
        if projection.coded:
            parts, values, factors = coded.attach(self, index, projection, int(delay))
            self.values[projection.name] = parts[0], values[0]
            if projection.plasticity is not None:
                self.learnt[projection.name] = index, parts, values, factors
            return
        wiring, _ = network.wiring(index)
        row, gain = network.populations[projection.target].jump_row(network.receptor_of(projection))
        weights = network.weights(index)
        least = int(delay.min()) if delay.size else 0  # a projection without synapses
        extra = None if delay.ndim == 0 else wiring.cut(delay - least)
        sources = self.sources(projection.source)
        for k, (part, rows) in enumerate(zip(self.parts[projection.target], wiring.rows, strict=True)):
            own = weights[k] if isinstance(weights, list) else None
            jump = part.state[row]
            if projection.plasticity is not None:
                weight = np.broadcast_to(weights if own is None else own, len(rows.targets))
                numbers, key = wiring.cut(np.arange(wiring.size))[k], f"{projection.name}#{index}/{k}"
                laters: Any = [None] if extra is None else np.unique(extra[k])
                for later in laters:  # traces meet each delay at its time
                    some = slice(None) if extra is None else np.flatnonzero(extra[k] == later)
                    chosen = rows if extra is None else rows.some(some)
                    name, delay = (key, least) if extra is None else (f"{key}/{later}", least + int(later))
                    w = projection.plasticity.attach(self, name, part, chosen, weight[some], gain, jump, delay, sources)
                    if w is not None:
                        self.plastic.setdefault(projection.name, (wiring, []))[1].append((part, w, numbers[some]))
                continue
            short, targets = rows.targets.dtype == np.uint16, rows.targets
            if extra is not None:
                values = np.full(len(targets), weights * gain) if own is None else own * gain
                slots = int(max(e.max(initial=0) for e in extra)) + 1
                ring = self.keep(f"{projection.name}#{index}/{k}/ring", np.zeros((slots, part.n)))
                function, more = delivery.delayed, (extra[k].astype(np.uint32), ring, slots)
                targets = targets.astype(np.uint32)
            elif own is None:
                function, more = delivery.shared_short if short else delivery.shared_long, ()
                values = np.array([weights * gain])
            else:
                function, more = delivery.own_short if short else delivery.own_long, ()
                values = own * gain
            self.deliver(part, function, least, sources, rows, targets, values, jump, *more)

    def weights(self):
        """Weights of the plastic projections now, {name: (m,)}, and factors of those of low rank that learn."""
        found = {name: np.empty(wiring.size) for name, (wiring, _) in self.plastic.items()}
        for name, (_, pieces) in self.plastic.items():
            for _, w, numbers in pieces:
                found[name][numbers] = w
        for name, (index, _, _, factors) in self.learnt.items():
            moves = self.network.projections[index].plasticity.moves
            found[f"{name}.{moves}"] = factors[0].copy() if moves == "decoders" else np.concatenate(factors, axis=1)
        return found

    # state of the run --------------------------------------------------------------------------------------------

    @cached_property
    def layout(self):
        """Where the arrays of the state lie."""
        return Layout(self.kept)

    def save(self, step):
        """Copies of all that the next step depends on, as a `NetworkState`."""
        longest: int = self.longest
        recent: list[Any] = []
        if longest:
            recent = [part.history.counted(step + 1 - longest, step + 1) for part in self.all_parts]

        def more():
            names = [f"{name}/{k}/recent" for name, parts in self.parts.items() for k in range(len(parts))]
            found = {"longest": np.array(longest)} | {name: np.zeros((2, 0), np.int64) for name in names}
            for name, (counts, ids) in zip(names, recent, strict=False):
                found[name] = np.stack([np.repeat(np.arange(1 - longest, 1), counts), ids])
            return found

        return NetworkState.later(step, self.dt, Snapshot(self.layout, more))

    @property
    def bytes(self):
        """Of all arrays that the plan keeps alive."""
        return sum(array.nbytes for array in self._alive) + sum(part.history.ids.nbytes for part in self.all_parts)

    def restore(self, arrays, step, what="state"):
        """Take up a saved state; ``what`` names it in errors."""
        if "longest" in arrays and arrays["longest"] != self.longest:
            raise ValueError(
                f"{what}: it keeps the spikes of {arrays['longest']} steps, but the longest delay of this network is "
                f"{self.longest} steps; begin a new run"
            )
        recent = {f"{name}/{k}/recent" for name, parts in self.parts.items() for k in range(len(parts))}
        expected = {*self.kept, *recent, "longest"}
        if set(arrays) != expected:
            odd = sorted(set(arrays) ^ expected)[0]
            raise ValueError(f"{what}: it belongs to another network ({odd!r} is in one of the two only)")
        for name, array in self.kept.items():
            if arrays[name].shape != array.shape:
                raise ValueError(f"{what}: {name!r} has shape {arrays[name].shape}, expected {array.shape}")
            array[...] = arrays[name]
        for name, parts in self.parts.items():
            for k, part in enumerate(parts):
                back, ids = arrays[f"{name}/{k}/recent"]
                counts = np.bincount(back + self.longest - 1, minlength=self.longest)
                part.history.load(ids, counts)


def _last_row(taus, ahead):
    """Weights of a filter's rows in its value a time ahead, (m,)."""
    return chain_step(taus, ahead)[-1]


def root(rng, *key):
    """A seed sequence below the root of a call."""
    sequence = seed_sequence(rng)
    return np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, *key))
