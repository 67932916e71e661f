"""Deep belief net: a stack of restricted Boltzmann machines, the top one in equilibrium.

    P(v, h1, ..., hL) = P(v | h1) P(h1 | h2) ... P(h_{L-1}, hL)

P(x | y) is that of each machine given its hidden units, the last factor the top machine's joint distribution.
It is trained greedily, each machine on draws of the hidden units below it; a new top machine that starts as the
one below turned upside down leaves P(v) as it was.  Hinton, Osindero and Teh 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, reals, sequence
from physlearn.energy import Energy, Readout
from physlearn.learning.learn import learn
from physlearn.models.boltzmann.conditional import all_states, at_rest, field_at_rest, log_sum
from physlearn.models.boltzmann.directed import Layered
from physlearn.models.boltzmann.rbm import MOST_BITS, RBM
from physlearn.rng import generator
from physlearn.threads import on_one_thread


@dataclass(frozen=True, eq=False)
class DeepBelief:
    """A stack of machines; the visible units of each are the hidden units of the one below.

    Parameters
    ----------
    machines : sequence of RBM
        From the bottom up.

    Raises
    ------
    ValueError
        No machine, or neighbours whose sizes or kinds differ.

    Examples
    --------
    >>> net = DeepBelief([RBM(4, 3, rng=0), RBM(3, 2, rng=1)])
    >>> net.generate(5, rng=0).shape, net.transform([[0, 1, 1, 0]]).shape
    ((5, 4), (1, 2))
    """

    machines: Sequence[RBM]

    __repr__ = brief

    def __post_init__(self):
        object.__setattr__(self, "machines", sequence("machines", self.machines, expected="a sequence of RBMs"))
        if not self.machines or not all(isinstance(machine, RBM) for machine in self.machines):
            raise ValueError(f"machines: got {self.machines!r}, expected at least one RBM, and nothing else")
        for k, (low, high) in enumerate(zip(self.machines, self.machines[1:], strict=False)):
            if low.energy.layers["h"] != high.energy.layers["v"]:
                raise ValueError(
                    f"machines: the hidden units of machine {k} are {low.energy.layers['h']}, the visible units of the "
                    f"next {high.energy.layers['v']}; expected the same"
                )

    @cached_property
    def system(self) -> Energy:
        """The `Energy` of all layers, "x0" (visible) to "xL": exp(-E/T)/Z is the net's P at T of its top machine.

        E = -T log P(x0 | x1) - ... + the top machine's energy; theta has each machine's parameters with its number
        behind them, "W0", "a0", "c0", "W1", ...  Readout "v" reads the visible units.

        Examples
        --------
        >>> from physlearn import enumerate_states
        >>> net = DeepBelief([RBM(3, 2, scale=1.0, rng=0), RBM(2, 2, scale=1.0, rng=1)])
        >>> one = enumerate_states(net, temperature=1.0, clamp={"v": [0, 1, 1]}).log_z
        >>> bool(abs(one - enumerate_states(net, temperature=1.0).log_z - net.log_likelihood([[0, 1, 1]])[0]) < 1e-9)
        True
        """
        top, terms, theta = len(self.machines) - 1, [], {}
        layers = {"x0": self.machines[0].energy.layers["v"]}
        for k, machine in enumerate(self.machines):
            layers[f"x{k + 1}"] = machine.energy.layers["h"]
            names = {name: f"{name}{k}" for name in machine.theta}
            theta |= {names[name]: value for name, value in machine.theta.items()}
            t = self.machines[top].temperature
            terms.append(Layered(machine, f"x{k}", f"x{k + 1}", names, t, directed=k < top))
        return Energy(layers, terms, theta, {"v": Readout("x0")})

    @property
    def theta(self):
        """The parameters that can learn, read-only: those of each machine, with its number behind their names."""
        return self.system.theta

    def with_theta(self, theta):
        """The same net with other parameters, such as learnt ones."""
        new = self.system.with_theta(theta).theta
        return DeepBelief(
            [m.with_theta({name: new[f"{name}{k}"] for name in m.theta}) for k, m in enumerate(self.machines)]
        )

    def transform(self, v):
        """Means of the top units, (n, m), each layer given the means below."""
        for machine in self.machines:
            v = machine.transform(v)
        return v

    def generate(self, n, *, sweeps=1000, rng=None):
        """Draw visible states, (n, n_visible): the top machine in ``sweeps`` sweeps, then once downwards."""
        stream = generator(rng)
        x = self.machines[-1].generate(n, sweeps=sweeps, rng=stream)
        for machine in self.machines[-2::-1]:
            x = draw(machine, "v", {"h": x}, stream)
        return x

    @on_one_thread
    def log_likelihood(self, v, **settings):
        """log P(v) in nats, (n,): sums over all states of every layer between, at most 2^20 each.

        Settings are those of the top machine's `RBM.log_z`.

        Examples
        --------
        >>> flat = DeepBelief([RBM(2, 1, theta={"W": np.zeros((2, 1))})])
        >>> flat.log_likelihood([[0, 1]]).round(4)  # -log 4
        array([-1.3863])
        """
        bottom, rest = self.machines[0], self.machines[1:]
        if not rest:
            return bottom.log_likelihood(v, **settings).value
        kind, (m,) = bottom.energy.layers["h"]
        if m > MOST_BITS:
            raise ValueError(f"machines: a layer of {m} units has 2^{m} states, at most 2^{MOST_BITS} can be summed")
        h = np.concatenate(list(all_states(kind, m)))
        above = DeepBelief(rest).log_likelihood(h, **settings)
        t = bottom.temperature
        above = above - log_sum(bottom.energy, {"h": h}, "v", t)
        v = np.atleast_2d(array("v", v))
        out = np.empty(len(v))
        for k, row in enumerate(v):
            x = bottom.energy.state({"v": np.repeat(row[None], len(h), 0), "h": h}, "v")
            out[k] = np.logaddexp.reduce(above - np.asarray(sum(bottom.energy.shares(x).values())) / t)
        return out


@on_one_thread
def draw(machine, layer, x, rng):
    """Draw one layer of a machine given the other, x = {other: (n, size)}; rng is a Generator."""
    kind = machine.energy.layers[layer].kind
    field, curvature = field_at_rest(machine.energy, x, layer)
    return kind.draw(field, curvature, at_rest(machine.energy, x, layer)[layer], machine.temperature, rng)


def stack(data, hidden, /, *, rule, optimizer, epochs, batch=10, rng=None, **bottom) -> DeepBelief:
    """Train a deep belief net greedily, from the bottom up.

    Parameters
    ----------
    data : (n, n_visible) array
    hidden : sequence of int
        Sizes of the hidden layers, from the bottom up; by position, as ``data``.
    rule, optimizer, epochs, batch
        As in `learn`, for every machine.
    rng : int, Generator or None
    **bottom
        Passed to the bottom `RBM`: ``visible``, ``q``, ``hidden``, ``scale``.

    Returns
    -------
    DeepBelief

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import SGD, ContrastiveDivergence
    >>> data = np.repeat([[0, 0, 1, 1], [1, 1, 0, 0]], 20, axis=0)
    >>> net = stack(data, [3, 2], rule=ContrastiveDivergence(), optimizer=SGD(0.1), epochs=5, rng=0)
    >>> [machine.energy.layers["h"].size for machine in net.machines]
    [3, 2]
    """
    x = reals("data", data, ndim=2)
    if getattr(rule, "takes_cost", True) or isinstance(rule, type):
        raise TypeError(f"rule: got {type(rule).__name__}, expected a sampled one, such as ContrastiveDivergence")
    stream, machines = generator(rng), []
    if not (sizes := sequence("hidden", hidden, Integral, "the sizes of the hidden layers")):
        raise ValueError("hidden: got no sizes, expected at least one")
    for size in sizes:
        units = machines[-1].energy.layers["h"].kind if machines else None
        settings: Any = bottom if not machines else {"visible": units, "hidden": units}
        machine = RBM(x.shape[1], size, temperature=rule.temperature, rng=stream, **settings)
        if not machines and not (kind := machine.energy.layers["v"].kind).valid(x):
            raise ValueError(f"data: some values are not of the kind {kind}")
        done = learn(machine, {"v": x}, rule=rule, optimizer=optimizer, epochs=epochs, batch=batch, rng=stream)
        machines.append(done.machine)
        x = draw(machines[-1], "h", {"v": x}, stream)
    return DeepBelief(machines)
