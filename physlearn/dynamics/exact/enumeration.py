"""Ground truth for the samplers: sums over every state of any energy of discrete layers.

Z = sum_x exp(-E(x)/T),   <f> = sum_x f(x) exp(-E(x)/T) / Z,   C = (<E^2> - <E>^2) / T^2
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, function, integers, positive
from physlearn.dynamics.frame import held, separate
from physlearn.dynamics.problem import Problem, make_problem
from physlearn.dynamics.scale import unit_of
from physlearn.kinds import is_continuous, is_discrete, unstated
from physlearn.machine import Machine
from physlearn.progress import Bar
from physlearn.systems import energy_of
from physlearn.threads import on_one_thread

MOST_BITS = 24  # at most 2^24 states: about a minute, 0.3 GB
BLOCK = 1 << 14  # states at once: a block of 24 variables stays in the cache


@dataclass(frozen=True)
class Exact:
    """Thermodynamics of a small system at one temperature, exactly.

    Attributes
    ----------
    log_z : float
        Logarithm of the partition function.
    energy : float
        Mean energy.
    heat_capacity : float
        Variance of the energy over T^2.
    means : dict of str to array
        Mean of every variable, (*shape): <s> of spins, P(1) of binary variables; (*shape, q) probabilities of
        the codes of Potts and clock variables.
    energies : (states,) array
        Energy of every state, the last free variable varying fastest.
    probability : (states,) array
        exp(-E/T)/Z.
    temperature : float

    Examples
    --------
    >>> from physlearn import Energy, Spin, enumerate_states
    >>> from physlearn.terms import Pairs
    >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    >>> exact = enumerate_states(pair, temperature=1.0)
    >>> f"{exact.energy:.6f}"  # -tanh(1)
    '-0.761594'
    >>> f"{exact.correlations('s', 's')[0, 1]:.6f}"
    '0.761594'
    """

    log_z: float
    energy: float
    heat_capacity: float
    means: dict[str, np.ndarray]
    energies: np.ndarray = field(repr=False)
    probability: np.ndarray = field(repr=False)
    temperature: float
    _second: dict = field(repr=False)
    _states: Callable = field(repr=False)

    __repr__ = brief

    def correlations(self, a, b):
        """Second moments <x_i x_j> between layers a and b, (size_a, size_b) over flat indices.

        A variable that holds codes stands for its q indicators, code fastest: entry (i q + k, j q + l) is the
        probability that variable i has code k and variable j has code l.

        Parameters
        ----------
        a, b : str
            Names of layers.
        """
        choice("a", a, self.means)
        choice("b", b, self.means)
        return self._second[a, b]

    def states(self, index=None):
        """States by number, {layer: (k, *shape)} or the plain array where there is one layer; default all.

        Parameters
        ----------
        index : int or (k,) array of int, optional

        Examples
        --------
        >>> from physlearn import Energy, Spin, enumerate_states
        >>> from physlearn.terms import Pairs
        >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
        >>> enumerate_states(pair, temperature=1.0).states([0, 1])
        array([[-1., -1.],
               [-1.,  1.]])
        """
        last = len(self.energies) - 1
        wanted = np.arange(last + 1) if index is None else integers("index", index, ndim=(0, 1), low=0, high=last)
        x = self._states(np.atleast_1d(wanted))
        return next(iter(x.values())) if len(x) == 1 else x

    def mean(self, observable):
        """Exact mean of any function of the state, ``observable(x) -> (k, ...)``; x maps layers to arrays.

        Parameters
        ----------
        observable : callable

        Examples
        --------
        >>> from physlearn import Energy, Spin, enumerate_states
        >>> from physlearn.terms import Bias
        >>> spin = Energy({"s": (Spin(), 1)}, [Bias("s")], {"bias": [0.5]})
        >>> f"{enumerate_states(spin, temperature=1.0).mean(lambda x: x['s'][:, 0]):.6f}"  # tanh(1/2)
        '0.462117'
        """
        function("observable", observable, 1, "a function of the state")
        total: Any = 0.0
        for start in range(0, len(self.energies), BLOCK):
            index = np.arange(start, min(start + BLOCK, len(self.energies)))
            total = total + np.tensordot(self.probability[index], np.asarray(observable(self._states(index))), 1)
        return total


@on_one_thread
def enumerate_states(energy: Machine, *, temperature, clamp=None, progress: bool | None = None) -> Exact:
    """Sum over every state of an energy's free variables.

    Parameters
    ----------
    energy : Machine or Energy
        Its free layers are of discrete kinds; clamped layers may be of any kind.
    temperature : float
        Positive, in the energy's units (k_B = 1).
    clamp : mapping of str to (k,) array, optional
        Readout name to values: the sums are over the rest, conditioned on these.
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    Exact

    Raises
    ------
    TypeError
        Anything but an Energy.
    ValueError
        More than 2^24 states (with the number), free `Real` variables, T <= 0, several items clamped at once.

    Examples
    --------
    A spin in a field h is +1 with probability 1/(1 + exp(-2h/T)):

    >>> from physlearn import Energy, Spin, enumerate_states
    >>> from physlearn.terms import Bias
    >>> exact = enumerate_states(Energy({"s": (Spin(), 1)}, [Bias("s")], {"bias": [0.5]}), temperature=1.0)
    >>> f"{exact.probability[1]:.6f}"
    '0.731059'
    """
    energy = energy_of(energy, " to sum over, expected an Energy")
    temperature = positive("temperature", temperature)
    problem, _ = make_problem(energy, None, clamp)
    free, values = _free_values(problem)
    count = math.prod(len(v) for v in values)
    if count > 1 << MOST_BITS:
        many = count if count < 10**15 else f"10^{math.floor(math.log10(count))}"
        raise ValueError(
            f"energy: {len(free)} free variables have {many} states, at most {1 << MOST_BITS} (2^{MOST_BITS}) can be "
            "enumerated; clamp some, or use sample"
        )
    states = _Numbering(problem, free, values)
    blocks = [np.arange(k, min(k + BLOCK, count)) for k in range(0, count, BLOCK)]
    with Bar("enumerate_states", "block", 2 * len(blocks), progress) as bar:
        return _sums(energy, problem, states, blocks, temperature, bar)


def _sums(energy, problem, states, blocks, temperature, bar):
    """Two passes over the blocks: energies, then moments."""
    parts = []
    for index in blocks:
        parts.append(problem.bare_energy(states(index)))
        bar.update()
    energies = np.concatenate(parts)
    if not np.all(np.isfinite(energies)):
        raise ValueError(f"energy: {np.sum(~np.isfinite(energies))} states have a NaN or infinite energy")
    lowest = energies.min()
    probability = np.exp((lowest - energies) / temperature)
    z = probability.sum()
    probability /= z
    names = list(energy.layers)
    first = {name: 0.0 for name in names}
    second = {(a, b): 0.0 for a in names for b in names}
    for index in blocks:
        shown = {name: _features(energy, name, x) for name, x in states(index).items()}
        p = probability[index]
        for a in names:
            weighted = shown[a] * p[:, None]
            first[a] = first[a] + weighted.sum(0)
            for b in names:
                second[a, b] = second[a, b] + weighted.T @ shown[b]
        bar.update()
    means = {}
    for name, layer in energy.layers.items():
        means[name] = np.reshape(first[name], layer.field_shape if _by_code(layer.kind) else layer.shape)
    mean = float(probability @ energies)
    unit = unit_of(temperature)
    capacity = float(probability @ ((energies - mean) / unit) ** 2) / (temperature / unit) ** 2
    log_z = float(np.log(z) - lowest / temperature)
    return Exact(log_z, mean, capacity, means, energies, probability, temperature, second, states)


class _Numbering:
    """States by number, mixed radix, the last free variable fastest."""

    def __init__(self, problem, free, values):
        self.problem, self.free, self.values = problem, free, values
        counts = [len(v) for v in values]
        self.strides = [math.prod(counts[k + 1 :]) for k in range(len(counts))]

    def __call__(self, index):
        system = self.problem.system
        flat = np.repeat(self.problem.base, len(index), 0)
        for variable, values, stride in zip(self.free, self.values, self.strides, strict=True):
            flat[:, variable] = values[index // stride % len(values)]
        return held(system, separate(system, flat))


def _free_values(problem: Problem):
    """Flat indices of the free variables, and the values each can take."""
    if problem.batch != 1:
        raise ValueError(f"clamp: a batch of {problem.batch} items, expected one; call once for each")
    if problem.tied:
        raise ValueError("clamp: it ties variables together; clamp single variables")
    if np.any(problem.push):
        raise ValueError("clamp: it gives a force; add a Bias term to the energy instead")
    free, values = [], []
    for name, (kind, _) in problem.system.layers.items():
        start = problem.frame.offset[name]
        here = start + np.flatnonzero(problem.frame.cluster[start : start + problem.system.layers[name].size] >= 0)
        if not here.size:
            continue
        if is_continuous(kind):
            raise ValueError(f"energy: layer {name!r} is {kind} and has no states to count; expected discrete layers")
        if not is_discrete(kind):
            raise ValueError(f"energy: {unstated(name, kind)}")
        free.extend(here)
        values.extend([kind.levels.astype(float)] * len(here))
    return free, values


def _features(energy, name, x):
    """Variables of the correlations: values, or indicators of codes, (k, size or size q)."""
    kind = energy.layers[name].kind
    flat = x.reshape(len(x), -1)
    if not _by_code(kind):
        return flat
    return (flat[:, :, None] == kind.levels).reshape(len(x), -1).astype(float)


def _by_code(kind):
    """Whether states hold codes, whose own mean says nothing."""
    return getattr(kind, "coded", False)
