"""The compiled engine of `learn` for restricted Boltzmann machines under contrastive divergence.

Recognises two layers of `Binary` or `Spin` variables joined by one `Dense` term, with a `Bias` each at most,
one of them clamped by the data; flattens them for `bipartite_epoch.run_epochs`.  Hidden units enter both
phases by their mean given the visible ones, which has the samples' expectation and less noise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.dynamics.sites.fields import TWO_VALUES
from physlearn.energy import Energy
from physlearn.kinds import two_values
from physlearn.learning.engines.called import Called
from physlearn.learning.engines.updates import Update, check_form, has_form
from physlearn.learning.optimizers import Adam, is_plain
from physlearn.terms import Bias, Dense

MOST_ON = 0.5  # fraction of nonzero data up to which sums over nonzero entries beat BLAS


class Walk(NamedTuple):
    """The model's phase: k sweeps at a temperature, of ``chains`` persistent chains, or from the data (0)."""

    k: int
    temperature: float
    chains: int
    precision: str


class Machine(NamedTuple):
    """A restricted Boltzmann machine as found in an energy: layers' names, parameters' names."""

    visible: str
    hidden: str
    weights: str
    visible_bias: str | None
    hidden_bias: str | None
    flipped: bool  # the weights are (hidden, visible)


def find(system) -> Machine | str:
    """The machine with its first-named layer as the visible one, or why the energy is none."""
    if not isinstance(system, Energy) or len(system.layers) != 2 or system.fixed:
        return "it takes an energy of two layers with nothing fixed"
    bad = [layer.kind for layer in system.layers.values() if two_values(layer.kind) not in TWO_VALUES]
    if bad:
        return f"its layers are Binary or Spin, one is {bad[0]}"
    dense = [t for t in system.terms if type(t) is Dense and not t.within]
    biases = {t.layers[0]: t.parameter for t in system.terms if type(t) is Bias}
    if len(dense) != 1 or len(dense) + len(biases) != len(system.terms):
        return "it takes one Dense term between the layers and at most one Bias for each"
    used = [dense[0].parameter, *biases.values()]
    if len(set(used)) < len(used):
        return f"terms share parameters {used}"
    visible, hidden = system.layers
    flipped = dense[0].layers[0] == hidden
    return Machine(visible, hidden, dense[0].parameter, biases.get(visible), biases.get(hidden), flipped)


def refusal(system, task):
    """Why this engine does not apply, or None."""
    machine = find(system)
    if isinstance(machine, str):
        return machine
    names = list(task.inputs)
    readout = system.readouts[names[0]]
    size = system.layers[readout.layer].size
    whole = readout.index is None or np.array_equal(readout.index, np.arange(size))
    if len(names) != 1 or readout.rows is not None or readout.force or not whole:
        return "the data clamp something other than one whole layer"
    if not system.layers[readout.layer].kind.valid(task.inputs[names[0]]):
        return f"the data hold values that layer {readout.layer!r} cannot take"
    return None


def runner(system, task, walk):
    """``run(system, memory, orders, rates) -> (theta, cost per epoch, what went wrong or None)`` of a `Walk`."""
    from physlearn.learning.engines.bipartite_epoch import (
        ADAM,
        CALLED,
        SGD as PLAIN,
        STRIP,
        Chains,
        Optimizer,
        Parameters,
        run_epochs,
    )

    found: Any = find(system)
    (readout,) = task.inputs
    if system.readouts[readout].layer == found.hidden:
        names = found.hidden, found.visible, found.weights, found.hidden_bias, found.visible_bias
        found = Machine(*names, not found.flipped)
    kinds = [system.layers[name].kind for name in (found.visible, found.hidden)]
    optimizer = task.optimizer
    single = walk.precision == "single"
    dtype = np.float32 if single else np.float64
    flat = _Flat(system, found, dtype)
    bounds = {name: getattr(optimizer, "bounds", {}).get(name, (-np.inf, np.inf)) for name in task.names}
    plain, adam = is_plain(optimizer), isinstance(optimizer, Adam)
    decay = flat.constant({name: optimizer.decay_of(name) for name in task.names} if plain else {})
    settings, memories = np.zeros(1), ()
    if plain:
        settings = np.array([optimizer.beta1, optimizer.beta2, optimizer.epsilon] if adam else [optimizer.momentum])
        memories = ("first", "second") if adam else ("velocity",)
    data = np.ascontiguousarray(task.inputs[readout], dtype)
    states = np.array([part for kind in kinds for part in (kind.levels[0], np.ptp(kind.levels))], dtype)  # low, span
    sparse = not single and flat.shape[1] % STRIP == 0 and np.count_nonzero(data) < MOST_ON * data.size
    formed = has_form(optimizer) and not single and not flat.flipped  # as the kernel keeps what it steps
    if formed:
        check_form(optimizer, {name: system.theta[name] for name in task.names if name in flat.place})
    beta, unit = np.array([1.0 / walk.temperature], dtype), np.array([2.0**-31], dtype)

    def run(system, memory, orders, rates):
        theta = flat.pack(system.theta)
        low, high = theta.copy(), theta.copy()  # parameters that are not trained stay where they are
        for part, value in ((low, 0), (high, 1)):
            for name in flat.place.keys() & set(task.names):
                bound = np.broadcast_to(bounds[name][value], np.shape(system.theta[name]))
                flat.part(part, name)[...] = flat.ordered(name, bound)
        kept = [flat.pack(memory[key]) for key in memories] + [np.zeros_like(theta)] * (plain and not adam)
        if not plain:
            kept = [np.zeros_like(theta), np.zeros_like(theta)]
        count, misfit = np.array([memory["steps"]], np.int64), np.zeros(len(rates))
        seen, chains = (np.zeros((0, system.layers[name].size), dtype) for name in (found.visible, found.hidden))
        if walk.chains:
            stored = (memory["chains"][name] for name in (found.visible, found.hidden))
            seen, chains = (np.array(value.reshape(len(value), -1), dtype) for value in stored)
        parameters, order = Parameters(theta, low, high, decay), np.concatenate(orders)
        model = Chains(states, seen, chains, walk.k, beta, memory["noise"]["lanes"], unit)
        called, kind, outside = None, ADAM if adam else PLAIN, (0, 0)
        if not plain:
            make = _compiled if formed else _called
            called, kind = make(task, memory, rates, flat, system.theta, theta, *kept), CALLED
            outside = called.address, called.table
        stepper = Optimizer(kind, settings, kept[0], kept[1], count, *outside)
        whole = run_epochs(parameters, data, order, task.size, model, stepper, np.array(rates), misfit, single, sparse)
        if called is None:
            memory["steps"] = int(count[0])
        else:
            called.ended(whole < 0)
        for key, value in zip(memories, kept, strict=False):
            memory[key].update(flat.unpack(value, memory[key]))
        if walk.chains:
            for name, value in ((found.visible, seen), (found.hidden, chains)):
                memory["chains"][name] = value.astype(float).reshape(-1, *system.layers[name].shape)
        trouble = None if whole == len(rates) else "theta is not finite"
        return {**system.theta, **flat.unpack(theta, system.theta)}, misfit[:whole], trouble

    return run


def _compiled(task, memory, rates, flat, known, theta, gradient, new):
    """The optimiser's compiled step as the kernel calls it."""
    new[:] = theta
    names = [name for name in task.names if name in flat.place]
    parts = ({name: flat.part(vector, name) for name in names} for vector in (theta, gradient, new))
    return Update(task.optimizer, memory, rates, *parts)


def _called(task, memory, rates, flat, known, theta, gradient, new):
    """The optimiser's step as the kernel calls it."""
    trained = {name: known[name] for name in task.names}

    def read():
        return {**known, **flat.unpack(theta, known)}, flat.unpack(gradient, trained)

    def write(found):
        new[:] = theta
        for name, value in found.items():
            flat.part(new, name)[...] = flat.ordered(name, np.asarray(value))

    return Called(task.optimizer, memory, rates, read, write)


class _Flat:
    """Parameters as one vector: weights (visible, hidden), visible bias, hidden bias; missing ones are zero."""

    def __init__(self, system, found, dtype):
        n, m = (system.layers[name].size for name in (found.visible, found.hidden))
        self.size, self.dtype, self.flipped = n * m + n + m, dtype, found.flipped
        self.weights, self.shape = found.weights, (n, m)
        self.place = {found.weights: slice(0, n * m)}
        for name, start, length in ((found.visible_bias, n * m, n), (found.hidden_bias, n * m + n, m)):
            if name is not None:
                self.place[name] = slice(start, start + length)

    def part(self, vector, name):
        return vector[self.place[name]] if name in self.place else vector[:0]

    def constant(self, values):
        out = np.zeros(self.size, self.dtype)
        for name, value in values.items():
            self.part(out, name)[...] = value
        return out

    def pack(self, values):
        out = np.zeros(self.size, self.dtype)
        for name, where in self.place.items():
            if name in values:
                out[where] = self.ordered(name, values[name])
        return out

    def ordered(self, name, value):
        """A parameter's values in the vector's order."""
        return (value.T if self.flipped and name == self.weights else value).ravel()

    def unpack(self, vector, like):
        out = {}
        for name, where in self.place.items():
            if name in like:
                value = vector[where].astype(np.float64)
                turned = self.flipped and name == self.weights
                out[name] = (
                    np.ascontiguousarray(value.reshape(self.shape).T) if turned else value.reshape(np.shape(like[name]))
                )
        return out
