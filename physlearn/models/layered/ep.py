r"""A layered network of Hopfield's energy, which learns by equilibrium propagation (Scellier and Bengio 2017).

    E(s) = sum_l |s_l|^2/2  -  sum_l s_l . W_l s_(l+1)  -  sum_l b_l . s_l,        0 <= s_l <= 1   (hard sigmoid)
    E(x) = sum_l (x_l . g_l - L(x_l))  -  sum_l g_l . W_l g_(l+1)  -  sum_l b_l . g_l,   g_l = sigma(x_l)   (smooth)

s_0 is the input, clamped; s_l the rate of layer l, x_l its potential; W_l the couplings between a layer and the next,
the same in both directions; b_l biases; L the Lagrangian whose gradient is the activation sigma.  All is dimensionless.
Either energy rests where s_l = sigma(W_(l-1)^T s_(l-1) + W_l s_(l+1) + b_l): a network with feedback, exactly.  Given
the others each layer goes to its minimum in one step, so sweeps over the layers (`relax`, method "descent") never raise
the energy; gradient flow (method "flow") is the continuous-time network of the paper.  The hard sigmoid is the paper's
energy; the smooth one is Hopfield's of 1984, whose rests are those of Ernoult et al. 2019 and Laborieux and Zenke 2022.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, instance, sequence
from physlearn.energy import Energy, Real
from physlearn.lagrangians import Identity, LayerNorm, Relu, Sigmoid, Softmax, Tanh
from physlearn.rng import generator
from physlearn.terms import Bias, Dense, Parabola

HARD = {"hard sigmoid": (0.0, 1.0), "relu": (0.0, np.inf), "linear": (-np.inf, np.inf)}
SMOOTH = {"tanh": Tanh(), "logistic": Sigmoid()}
KINDS = (Identity, LayerNorm, Relu, Sigmoid, Softmax, Tanh)


class EPNetwork:
    """Layers in a row, each coupled to the next; see the module for the energy.

    The layers are "input", "hidden1", "hidden2", ..., "output", with readouts of the same names; theta holds the
    couplings "W1", "W2", ... and the biases "b1", "b2", ... of the layers after the input.

    Parameters
    ----------
    widths : sequence of int
        Variables in each layer, the input's first; at least an input and an output.
    activation : str or kind
        Of the hidden layers: "hard sigmoid" (rates in [0, 1]), "relu" (rates >= 0), "linear", "tanh", "logistic", or
        an instance of a kind in `physlearn.lagrangians`.
    output : str or kind
        Of the output; default "linear": a unit at a bound that the nudge does not lift off it learns nothing, and a
        smooth one has no exact step against the full squared error.
    gain : float
        Factor of the first couplings, which are uniform in +-gain sqrt(6/(n + m)) between layers of n and m variables
        (Glorot and Bengio 2010).
    theta : mapping of str to array, optional
        Some or all parameters, in the place of the drawn ones.
    rng : int, Generator or None
        Draws the first couplings; biases start at zero.

    Notes
    -----
    Holomorphic equilibrium propagation needs activations with a complex extension: "tanh", "logistic", "linear" or a
    kind in `physlearn.lagrangians` but ReLU, and a smooth or linear output; bounds have none.

    Examples
    --------
    Exclusive or, by centred equilibrium propagation:

    >>> import numpy as np
    >>> from physlearn import Adam, EquilibriumPropagation, SquaredError, learn, relax
    >>> data = {"input": [[0, 0], [0, 1], [1, 0], [1, 1]], "output": [[0], [1], [1], [0]]}
    >>> network = EPNetwork((2, 10, 1), rng=1)
    >>> done = learn(network, data, rule=EquilibriumPropagation(0.5), cost=SquaredError("output"), epochs=300,
    ...              batch=None, optimizer=Adam(0.05), rng=0)
    >>> relax(done.machine, clamp={"input": data["input"]}).x["output"].round()[:, 0]
    array([0., 1., 1., 0.])
    """

    def __init__(self, widths, *, activation="hard sigmoid", output="linear", gain=1.0, theta=None, rng=None):
        self.widths = tuple(count("widths", n) for n in sequence("widths", widths, expected="numbers of variables"))
        if len(self.widths) < 2:
            raise ValueError(f"widths: got {widths!r}, expected at least an input's and an output's")
        self.activation = _kind("activation", activation)
        self.output = _kind("output", output)
        start, rng = {}, generator(rng)
        for k, (n, m) in enumerate(zip(self.widths, self.widths[1:], strict=False), 1):
            size = gain * np.sqrt(6.0 / (n + m))
            start |= {f"W{k}": rng.uniform(-size, size, (n, m)), f"b{k}": np.zeros(m)}
        built = Energy(*_parts(self.names, self.widths, self.activation, self.output), start)
        self.system = built if theta is None else built.with_theta(theta)

    def __repr__(self):
        return brief(self, widths=self.widths, activation=self.activation, output=self.output, theta=self.theta)

    @property
    def names(self):
        """Names of the layers, the input's first."""
        return "input", *(f"hidden{k}" for k in range(1, len(self.widths) - 1)), "output"

    @property
    def theta(self):
        """Couplings and biases, read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same network with other couplings or biases, such as learnt ones."""
        other = object.__new__(EPNetwork)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other


def _kind(name, given):
    """The kind of a layer, by name or as it is."""
    if isinstance(given, str):
        known: dict[str, Any] = {key: Real(*ends) for key, ends in HARD.items()} | SMOOTH
        if given not in known:
            raise ValueError(f"{name}: got {given!r}, expected one of {list(known)} or a kind of `lagrangians`")
        return known[given]
    return instance(name, given, (Real, *KINDS), "a name such as 'tanh', or a kind such as Tanh(2.0)")


def _parts(names, widths, activation, output):
    """Layers and terms."""
    kinds = [Real(), *[activation] * (len(widths) - 2), output]
    layers = {name: (kind, n) for name, kind, n in zip(names, kinds, widths, strict=True)}
    terms: list[Any] = []
    for k, (a, b) in enumerate(zip(names, names[1:], strict=False), 1):
        terms += [Dense((a, b), f"W{k}"), Bias(b, f"b{k}")]
        if isinstance(layers[b][0], Real):  # a layer with an activation adds its own Legendre transform
            terms.append(Parabola(b, fixed=np.ones(layers[b][1])))
    return layers, terms
