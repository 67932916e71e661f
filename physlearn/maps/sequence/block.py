r"""A block of a transformer: attention and a layer on each token, each added to what came before (Vaswani et al. 2017).

    x <- x + attention(norm x),   [x <- x + attention(norm x, memory)],   x <- x + W2 f(W1 norm x)

with layer norm before each part, which trains without tricks at any depth (Xiong et al. 2020); learning rates still
want a warm-up, `physlearn.learning.WarmupCosine`.
"""

from __future__ import annotations

from typing import Any

from physlearn.brief import brief
from physlearn.checks import count, flag, text
from physlearn.maps.activations import Relu
from physlearn.maps.affine import Affine
from physlearn.maps.compose import Chain, add, check_is_map
from physlearn.maps.map import Map
from physlearn.maps.norms import LayerNorm
from physlearn.maps.sequence.attention import Attention
from physlearn.maps.sequence.entries import Each


class TransformerBlock(Map):
    """Attention and a layer of ``hidden`` units on each token, with residuals and layer norm.

    Parents: the tokens, (tokens, d); with ``across`` those of a memory, (items, d'); with ``masked`` a mask of the
    tokens, and with ``across`` another of the memory, each at least 1/2 where there is one.

    Parameters
    ----------
    heads : int
        Divides d.
    hidden : int
        Units of the layer on each token, commonly 4 d.
    name : str
        Of the parameters: name + ".attention.Q", ".norm1.gain", ".W1", ...
    causal : bool
        Token i asks 0 .. i only; a memory is asked as a whole.
    across, masked : bool
    activation : map, optional
        Default `Relu`.

    Examples
    --------
    >>> import numpy as np
    >>> block = TransformerBlock(2, 16, causal=True)
    >>> theta = block.start([(5, 8)], np.random.default_rng(0))
    >>> block.forward((np.ones((1, 5, 8)),), theta)[0].shape
    (1, 5, 8)
    """

    def __init__(
        self, heads, hidden, name="block", *, causal=False, across=False, masked=False, activation: Any = None
    ):
        self.heads, self.hidden = count("heads", heads), count("hidden", hidden)
        self.name = text("name", name, "the parameters' name")
        self.causal, self.across, self.masked = flag("causal", causal), flag("across", across), flag("masked", masked)
        self.activation = Relu() if activation is None else check_is_map("activation", activation)
        self.parts: list[tuple[Any, Any, tuple[int, ...]]] = []  # norm, map, places of its further parents
        own = Attention(heads, f"{name}.attention", causal=causal, masked=masked)
        self.parts.append((self._norm(1), own, (1 + across,) * masked))
        if across:
            asked = Attention(heads, f"{name}.across", across=True, masked=masked)
            self.parts.append((self._norm(2), asked, (1, *(3,) * masked)))

    def __repr__(self):
        return brief(self, heads=self.heads, hidden=self.hidden, name=self.name)

    def _norm(self, k):
        return LayerNorm(f"{self.name}.norm{k}.gain", f"{self.name}.norm{k}.shift")

    def _layer(self, d):
        """The layer on each token."""
        first = Affine(self.hidden, f"{self.name}.W1", f"{self.name}.b1", scale=2.0**0.5)
        return Each(Chain(first, self.activation, Affine(d, f"{self.name}.W2", f"{self.name}.b2")))

    def _all(self, d):
        """All parts, for tokens of width d."""
        return [*self.parts, (self._norm(len(self.parts) + 1), self._layer(d), ())]

    @property
    def parameters(self):
        """Names in theta."""
        return tuple(name for norm, m, _ in self._all(1) for name in (*norm.parameters, *m.parameters))

    def shape(self, shapes):
        """The tokens'."""
        wanted = 1 + self.across + self.masked * (1 + self.across)
        if len(shapes) != wanted:
            raise ValueError(
                f"TransformerBlock: got {len(shapes)} parents, expected {wanted}: tokens{', memory' * self.across}"
                f"{', mask' * self.masked}{', mask of the memory' * (self.masked and self.across)}"
            )
        for _, m, others in self.parts:
            m.shape([shapes[0], *(shapes[k] for k in others)])
        return tuple(shapes[0])

    def start(self, shapes, rng):
        """Those of all parts."""
        tokens, d = self.shape(shapes)
        found = {}
        for norm, m, others in self._all(d):
            found |= norm.start([(tokens, d)], rng)
            found |= m.start([(tokens, d), *(shapes[k] for k in others)], rng)
        return found

    def forward(self, parents, theta):
        """One part after another; the tape is theirs."""
        x, tapes = parents[0], []
        for norm, m, others in self._all(x.shape[2]):
            normed, first = norm.forward((x,), theta)
            change, second = m.forward((normed, *(parents[k] for k in others)), theta)
            x = x + change
            tapes.append((first, second))
        return x, (tapes, [parent.shape for parent in parents])

    def pullback(self, tape, cotangent, theta):
        """From the last part to the first; the memory's and the masks' cotangents are summed."""
        tapes, shapes = tape
        c, gradient, further = cotangent, {}, {}
        for (norm, m, others), (first, second) in zip(reversed(self._all(shapes[0][2])), reversed(tapes), strict=True):
            (inner, *rest), new = m.pullback(second, c, theta)
            add(gradient, new)
            for k, value in zip(others, rest, strict=True):
                further[k] = further[k] + value if k in further else value
            (back,), new = norm.pullback(first, inner, theta)
            add(gradient, new)
            c = c + back
        return (c, *(further[k] for k in range(1, len(shapes)))), gradient
