r"""Deep resistive networks (Kendall et al. 2020, arXiv 2006.01981; Scellier 2024, arXiv 2402.11674).

    E(v) = sum_l (S_l/2) sum_ij G^l_ij (A_l v^(l-1)_i - v^l_j)^2  -  sum_l b_l . h_l,    S_l = 1/(A_2 ... A_l)^2

v^l are the voltages of layer l (V), G^l conductances (S) between a layer and the next, b_l injected currents (A, times
the gains before, squared).  Ideal diodes keep the voltage of every even hidden node >= 0 and of every odd one <= 0; the
state counts it as h = s v >= 0, s = +1 or -1, the voltage in the direction that the diode lets.  Input sources drive
lines of +A_1 x and -A_1 x, since conductances are positive.  Amplifiers of gain A_l stand at nodes of hidden layers,
A_l times the voltage forwards, 1/A_l of the current backwards.  Without them (A_l = 1) voltages shrink from layer to
layer, for which A_1 makes up.  E is convex, so there is one rest, which minimises half the dissipated power, and it is
where Kirchhoff's laws hold with ideal diodes and amplifiers, exactly.  Given the others, the voltages of one layer are
weighted means of those around them, clipped by the diodes: a sweep over the layers is exact block descent, and few are
needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, sequence
from physlearn.energy import Energy, Real
from physlearn.rng import generator
from physlearn.terms import Bias, Crossbar


class DeepResistiveNetwork:
    """Layers of nodes behind ideal diodes, joined by resistors all to all; see the module for the energy.

    The layers are "input", "hidden1", ..., "output", with readouts of the same names; theta holds the conductances
    "G1", (2 n, m) of the lines of +x and -x, "G2", ..., and the currents "b1", "b2", ....

    Parameters
    ----------
    widths : sequence of int
        Nodes in each layer, the input's first: its sources, each of which drives two lines.
    gain : float or sequence of float
        A_1, or A_1, A_2, ..., one for each layer of resistors.
    precision : {"double", "single"}
        Of the parameters; "single" trains about twice as fast where epochs are compiled.
    theta : mapping of str to array, optional
        Some or all parameters, in the place of the drawn ones.
    rng : int, Generator or None
        Draws the first conductances: uniform in +-sqrt(6/n) S with n lines into a node, those below zero set to zero
        (Scellier 2024); currents start at zero.

    Attributes
    ----------
    bounds : dict
        For the optimiser: conductances stay >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import SGD, EquilibriumPropagation, SquaredError, learn, relax
    >>> data = {"input": [[-1, -1], [-1, 1], [1, -1], [1, 1]], "output": [[0], [1], [1], [0]]}
    >>> network = DeepResistiveNetwork((2, 16, 1), gain=4.0, rng=1)
    >>> done = learn(network, data, rule=EquilibriumPropagation(1.0), cost=SquaredError("output"), epochs=300,
    ...              batch=None, optimizer=SGD(0.3, bounds=network.bounds), rng=0)
    >>> relax(done.machine, clamp={"input": data["input"]}).x["output"].round(1)[:, 0]
    array([0., 1., 1., 0.])
    """

    def __init__(self, widths, *, gain=1.0, precision="double", theta=None, rng=None):
        self.widths = tuple(count("widths", n) for n in sequence("widths", widths, expected="numbers of nodes"))
        if len(self.widths) < 2:
            raise ValueError(f"widths: got {widths!r}, expected at least an input's and an output's")
        gains = array("gain", gain, ndim=(0, 1), low=np.finfo(float).tiny)
        layers = len(self.widths) - 1
        self.gains = (*map(float, np.ravel(gains)), *[1.0] * (layers - gains.size))
        if gains.ndim and gains.size != layers or gains.size > layers:
            raise ValueError(
                f"gain: got {gains.size} numbers, expected one, or {layers}, one for each layer of resistors"
            )
        start, rng = {}, generator(rng)
        for k, (n, m) in enumerate(zip(self.widths, self.widths[1:], strict=False), 1):
            lines = 2 * n if k == 1 else n
            start |= {
                f"G{k}": np.maximum(rng.uniform(-1, 1, (lines, m)) * np.sqrt(6 / lines), 0.0),
                f"b{k}": np.zeros(m),
            }
        dtype = np.float32 if choice("precision", precision, ("double", "single")) == "single" else float
        start = {name: value.astype(dtype) for name, value in start.items()}
        built = Energy(*_parts(self.names, self.widths, self.gains), start)
        self.system = built if theta is None else built.with_theta(theta)

    def __repr__(self):
        return brief(self, widths=self.widths, gains=self.gains, theta=self.theta)

    @property
    def names(self):
        """Names of the layers, the input's first."""
        return "input", *(f"hidden{k}" for k in range(1, len(self.widths) - 1)), "output"

    @property
    def theta(self):
        """Conductances (S) and currents, read-only."""
        return self.system.theta

    @property
    def bounds(self):
        """Bounds of the conductances, for an optimiser."""
        return {name: (0.0, np.inf) for name in self.theta if name.startswith("G")}

    def with_theta(self, theta):
        """The same network with other conductances or currents, such as learnt ones."""
        other = object.__new__(DeepResistiveNetwork)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other

    def voltages(self, x):
        """Node voltages (V) of a state, {layer: (batch, n)}: hidden ones with their signs."""
        state = self.system.state(x)
        signs = {name: _signs(name, n) for name, n in zip(self.names, self.widths, strict=True)}
        return {name: signs[name] * value for name, value in state.items()}


def _signs(name, n):
    """The direction that each node's diode lets."""
    return 1.0 - 2.0 * (np.arange(n) % 2) if name.startswith("hidden") else np.ones(n)


def _parts(names, widths, gains):
    """Layers and terms."""
    kinds = [Real(), *[Real(low=0.0)] * (len(widths) - 2), Real()]
    layers = {name: (kind, n) for name, kind, n in zip(names, kinds, widths, strict=True)}
    terms: list[Any] = []
    scale = 1.0
    for k, (a, b, gain) in enumerate(zip(names, names[1:], gains, strict=False), 1):
        scale /= gain**2 if k > 1 else 1.0
        signs = _signs(a, layers[a][1]), _signs(b, layers[b][1])
        terms += [Crossbar((a, b), f"G{k}", gain=gain, scale=scale, mirrored=k == 1, signs=signs), Bias(b, f"b{k}")]
    return layers, terms
