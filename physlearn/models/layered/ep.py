r"""A layered network of Hopfield's energy, which learns by equilibrium propagation (Scellier and Bengio 2017).

    E(s) = sum_l |s_l|^2/2  -  sum_l s_l . W_l s_(l+1)  -  sum_l b_l . s_l,        0 <= s_l <= 1   (hard sigmoid)
    E(x) = sum_l (x_l . g_l - L(x_l))  -  sum_l g_l . W_l g_(l+1)  -  sum_l b_l . g_l,   g_l = sigma(x_l)   (smooth)

A convolutional layer has s_(l+1) . P(K * s_l) in the place of s_l . W_l s_(l+1), with K the kernels and P a pooling,
and a bias for every kernel (Ernoult et al. 2019). s_0 is the input, clamped; s_l the rate of layer l, x_l its
potential; W_l the couplings between a layer and the next, the same in both directions; b_l biases; L the Lagrangian
whose gradient is the activation sigma. All is dimensionless. Either energy rests where s_l = sigma(W_(l-1)^T s_(l-1) +
W_l s_(l+1) + b_l): a network with feedback, exactly. Given the others each layer goes to its minimum in one step, so
sweeps over the layers (`relax`, method "descent") never raise the energy; gradient flow (method "flow") is the
continuous-time network of the paper. The hard sigmoid is the paper's energy; the smooth one is Hopfield's of 1984,
whose rests are those of Ernoult et al. 2019 and Laborieux and Zenke 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, count, instance, integers, positive, sequence
from physlearn.energy import Energy, Real
from physlearn.lagrangians import Identity, LayerNorm, Relu, Sigmoid, Softmax, Tanh
from physlearn.maps import AveragePool, Chain, Conv, MaxPool
from physlearn.maps.compose import shape_after
from physlearn.maps.conv import pair
from physlearn.rng import generator
from physlearn.terms import Bias, Coupling, Dense, Parabola

HARD = {"hard sigmoid": (0.0, 1.0), "relu": (0.0, np.inf), "linear": (-np.inf, np.inf)}
SMOOTH = {"tanh": Tanh(), "logistic": Sigmoid()}
KINDS = (Identity, LayerNorm, Relu, Sigmoid, Softmax, Tanh)


@dataclass(frozen=True)
class Convolved:
    """A layer of images that kernels make of the layer before, pooled or not; an entry of `EPNetwork`'s widths.

    Parameters
    ----------
    kernels : int
        Channels of the layer.
    size, stride, padding, dilation : int or (int, int)
        Of the kernels, as for `physlearn.maps.Conv`.
    pool : int or (int, int), optional
        Windows of the pooling; none by default.
    pooling : {"average", "max"}
        With "max" the energy is no quadratic of the layer before: `relax` then follows "flow" or "lbfgs".

    Examples
    --------
    >>> images = Convolved(4, 3, pool=2)
    >>> EPNetwork([(8, 8), images, 10], rng=0).system.layers["hidden1"].shape
    (3, 3, 4)
    """

    kernels: int
    size: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0
    dilation: int | tuple[int, int] = 1
    pool: int | tuple[int, int] | None = None
    pooling: str = "average"

    def __post_init__(self):
        choice("pooling", self.pooling, ("average", "max"))
        if self.pool is not None:
            pair("pool", self.pool)
        self.map("K")  # checks the numbers

    def map(self, weight):
        """The map to this layer; ``weight`` names the kernels in theta."""
        settings: Any = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        conv = Conv(self.kernels, self.size, weight, None, **settings)
        if self.pool is None:
            return conv
        return Chain(conv, AveragePool(self.pool) if self.pooling == "average" else MaxPool(self.pool))


class EPNetwork:
    """Layers in a row, each coupled to the next; see the module for the energy.

    The layers are "input", "hidden1", "hidden2", ..., "output", with readouts of the same names; theta holds the
    couplings "W1", "W2", ... and the biases "b1", "b2", ... of the layers after the input.

    Parameters
    ----------
    widths : sequence of int, tuple of int or Convolved
        Each layer, the input's first: a number of variables; the input's shape, (height, width) or (height, width,
        channels); or a layer that kernels make of the one before.  At least an input and an output.
    activation : str or kind
        Of the hidden layers: "hard sigmoid" (rates in [0, 1]), "relu" (rates >= 0), "linear", "tanh", "logistic", or
        an instance of a kind in `physlearn.lagrangians`.
    output : str or kind
        Of the output; default "linear": a unit at a bound that the nudge does not lift off it learns nothing, and a
        smooth one has no exact step against the full squared error.
    gain : float
        Factor of the first couplings, which are uniform in +-gain sqrt(6/(n + m)) between layers of n and m variables
        (Glorot and Bengio 2010); kernels likewise, of their windows and channels.
    precision : {"double", "single"}
        Of the parameters, and of states that relax by "descent".
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

    def __init__(
        self, widths, *, activation="hard sigmoid", output="linear", gain=1.0, precision="double", theta=None, rng=None
    ):  # fmt: skip
        self.widths = sequence("widths", widths, expected="numbers of variables, or Convolved")
        if len(self.widths) < 2:
            raise ValueError(f"widths: got {widths!r}, expected at least an input's and an output's")
        gain = positive("gain", gain)
        self.activation = _kind("activation", activation)
        self.output = _kind("output", output)
        maps, shapes = [], [_input_shape(self.widths[0])]
        for k, entry in enumerate(self.widths[1:], 1):
            maps.append(entry.map(f"W{k}") if isinstance(entry, Convolved) else None)
            shapes.append(shape_after(maps[-1], (shapes[-1],)) if maps[-1] else (count("widths", entry),))
        layers, terms = _parts(self.names, shapes, maps, self.activation, self.output)
        start, single = (
            _start(shapes, maps, gain, rng),
            choice("precision", precision, ("double", "single")) == "single",
        )
        for term in terms if single else ():
            term.single = True  # their parameters stay as they are
        start = {name: value.astype(np.float32 if single else float) for name, value in start.items()}
        built = Energy(layers, terms, start)
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


def _input_shape(entry):
    """The shape of the input, given as a number or as a tuple."""
    if isinstance(entry, Convolved):
        raise ValueError(f"widths: the first is {entry!r}, expected a number of variables, or an image's shape")
    return tuple(int(n) for n in np.atleast_1d(integers("widths", entry, ndim=(0, 1), low=1)))


def _start(shapes, maps, gain, rng):
    """First couplings, drawn layer by layer; biases of zero, one a variable or one a kernel."""
    start, rng = {}, generator(rng)
    for k, (before, after, map) in enumerate(zip(shapes, shapes[1:], maps, strict=False), 1):
        if map is None:
            shape = (int(np.prod(before)), after[0])
            size = gain * np.sqrt(6.0 / sum(shape))
        else:
            shape = map.start((before,), rng)[f"W{k}"].shape
            window = shape[0] * shape[1]
            size = gain * np.sqrt(6.0 / (window * (shape[2] + shape[3])))
        start |= {f"W{k}": rng.uniform(-size, size, shape), f"b{k}": np.zeros(after[-1])}
    return start


def _parts(names, shapes, maps, activation, output):
    """Layers and terms."""
    kinds = [Real(), *[activation] * (len(shapes) - 2), output]
    layers = {name: (kind, shape) for name, kind, shape in zip(names, kinds, shapes, strict=True)}
    terms: list[Any] = []
    for k, (a, b, map) in enumerate(zip(names, names[1:], maps, strict=False), 1):
        terms += [Dense((a, b), f"W{k}") if map is None else Coupling((a, b), map), Bias(b, f"b{k}")]
        if isinstance(layers[b][0], Real):  # a layer with an activation adds its own Legendre transform
            terms.append(Parabola(b, fixed=np.ones(layers[b][1])))
    return layers, terms
