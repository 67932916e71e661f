r"""Attention between the entries of sequences, in several heads (Vaswani et al. 2017).

    y = sum_h softmax(q_h k_h^T / sqrt(e)) v_h O_h,    q = x Q,  k = m K,  v = m V

x are the tokens that ask, (queries, d); m those that are asked, (keys, d'), x itself unless there is a second parent;
e is the width of a head.  One head is one update of a modern Hopfield network (`physlearn.models.ModernHopfield`), and
`physlearn.models.multi_head_attention` is the same map of one item.  Without codes of position nothing here knows an
order: tokens permuted, values permuted.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, flag, not_negative, text
from physlearn.maps.map import Map
from physlearn.maps.sequence.recurrent import present, sequence_of
from physlearn.maps.sequence.softmax import softmax_back, softmax_rows


class Attention(Map):
    """Every token's mean of the values of all tokens, weighted by how well their keys answer its query.

    Parents: the tokens; with ``across`` the tokens that are asked; with ``masked`` a mask of those asked, (keys,),
    at least 1/2 where there is one.

    Parameters
    ----------
    heads : int
        Divides ``units``.
    name : str
        Of the parameters: name + ".Q", ".K", ".V", (d, units) with a block of units / heads columns for every head, and
        ".O", (units, outputs).
    units : int, optional
        Width of all heads together; default that of the tokens.
    outputs : int, optional
        Width of the value; default that of the tokens.
    causal : bool
        Token i asks 0 .. i only.
    across, masked : bool
    scale : float
        Parameters start normal with standard deviation scale / sqrt(rows).

    Examples
    --------
    >>> import numpy as np
    >>> layer = Attention(2, causal=True)
    >>> theta = layer.start([(3, 4)], np.random.default_rng(0))
    >>> layer.forward((np.ones((1, 3, 4)),), theta)[0].shape
    (1, 3, 4)
    """

    def __init__(
        self, heads=1, name="attention", *, units=None, outputs=None, causal=False, across=False, masked=False,
        scale=1.0,
    ):  # fmt: skip
        self.heads, self.name = count("heads", heads), text("name", name, "the parameters' name")
        self.units = None if units is None else count("units", units)
        self.outputs = None if outputs is None else count("outputs", outputs)
        self.causal, self.across, self.masked = flag("causal", causal), flag("across", across), flag("masked", masked)
        self.scale = not_negative("scale", scale)
        self.parameters = tuple(f"{name}.{letter}" for letter in "QKVO")
        if units is not None:
            self._width(units)

    def __repr__(self):
        return brief(self, heads=self.heads, name=self.name)

    def shape(self, shapes):
        """(queries, outputs)."""
        wanted = ["tokens", *["tokens that are asked"] * self.across, *["a mask"] * self.masked]
        if len(shapes) != len(wanted):
            raise ValueError(f"Attention: got {len(shapes)} parents, expected {len(wanted)}: {', '.join(wanted)}")
        queries, d = sequence_of(self, shapes[0])
        keys, _ = sequence_of(self, shapes[1] if self.across else shapes[0])
        if self.masked and tuple(shapes[-1]) != (keys,):
            raise ValueError(f"Attention: a mask of shape {tuple(shapes[-1])}, expected {(keys,)}, one for each key")
        self._width(d if self.units is None else self.units)
        return queries, d if self.outputs is None else self.outputs

    def start(self, shapes, rng):
        """All normal."""
        _, outputs = self.shape(shapes)
        d, other = shapes[0][1], shapes[1][1] if self.across else shapes[0][1]
        units = d if self.units is None else self.units
        sizes = ((d, units), (other, units), (other, units), (units, outputs))
        count(f"theta[{self.name!r}], its entries", sum(a * b for a, b in sizes), each=8)
        return {
            name: rng.standard_normal(size) * (self.scale / math.sqrt(size[0]))
            for name, size in zip(self.parameters, sizes, strict=True)
        }

    def forward(self, parents, theta):
        """Weighted means of values, projected back; the tape is everything on the way."""
        x, m = parents[0], parents[1] if self.across else parents[0]
        query, key, value, output = (theta[name] for name in self.parameters)
        q, k, v = self._split(x, query), self._split(m, key), self._split(m, value)
        p = softmax_rows(q @ k.swapaxes(2, 3), 1 / math.sqrt(q.shape[3]), self._mask(parents, x, m))
        heads = _joined(p @ v)
        y = heads.reshape(-1, heads.shape[2]) @ output
        return y.reshape(*x.shape[:2], -1), (parents, q, k, v, p, heads)

    def pullback(self, tape, cotangent, theta):
        """Through the projections, the weighted mean and the softmax."""
        dq, dk, dv, c = self._inner(tape, cotangent, theta)
        return self._cotangents(tape, dq, dk, dv, theta), self._gradient(tape, dq, dk, dv, c)

    def back(self, tape, cotangent, theta):
        """The parents' cotangents."""
        dq, dk, dv, _ = self._inner(tape, cotangent, theta)
        return self._cotangents(tape, dq, dk, dv, theta)

    def slope(self, tape, cotangent, theta):
        """The gradients."""
        dq, dk, dv, c = self._inner(tape, cotangent, theta)
        return self._gradient(tape, dq, dk, dv, c)

    def weights(self, parents, theta):
        """Who looks where: (batch, heads, queries, keys), rows that sum to one."""
        return self.forward(parents, theta)[1][4]

    def _width(self, units):
        if units % self.heads:
            raise ValueError(f"heads: got {self.heads}, which does not divide the width {units}; expected a divisor")
        return units // self.heads

    def _split(self, x, w):
        """x w as (batch, heads, tokens, width of a head)."""
        found = (x.reshape(-1, x.shape[2]) @ w).reshape(*x.shape[:2], self.heads, -1)
        return np.ascontiguousarray(found.swapaxes(1, 2))

    def _mask(self, parents, x, m):
        """(batch or 1, queries or 1, keys), or None."""
        queries, keys = x.shape[1], m.shape[1]
        mask = np.tri(queries, keys, dtype=bool)[None] if self.causal else None
        if not self.masked:
            return mask
        there = present(parents[-1])[:, None, :]
        if mask is None:
            return there
        both = mask & there
        blind = np.argwhere(~both.any(2))
        if blind.size:
            item, query = blind[0]
            raise ValueError(
                f"mask: item {item} hides every token that {query} may ask; a causal layer needs the padding at the end"
            )
        return both

    def _inner(self, tape, cotangent, theta):
        """Derivatives by projected queries, keys and values, (batch tokens, units) each; and the cotangent, flat."""
        parents, q, k, v, p, heads = tape
        c = cotangent.reshape(-1, cotangent.shape[2])
        d = (c @ theta[self.parameters[3]].T).reshape(heads.shape)
        split = (*d.shape[:2], self.heads, -1)
        d, own = d.reshape(split), heads.reshape(split)
        inner = np.einsum("bqhe,bqhe->bhq", d, own)  # sum_k p dp of each row is that of the mean itself
        d = np.ascontiguousarray(d.swapaxes(1, 2))
        dv = p.swapaxes(2, 3) @ d
        ds = softmax_back(p, d @ v.swapaxes(2, 3), inner, 1 / math.sqrt(q.shape[3]))
        dq, dk = ds @ k, ds.swapaxes(2, 3) @ q
        return *(_joined(part).reshape(-1, heads.shape[2]) for part in (dq, dk, dv)), c

    def _cotangents(self, tape, dq, dk, dv, theta):
        parents = tape[0]
        query, key, value, _ = (theta[name] for name in self.parameters)
        by_x, by_m = dq @ query.T, dk @ key.T
        by_m += dv @ value.T
        if self.across:
            found = [by_x.reshape(parents[0].shape), by_m.reshape(parents[1].shape)]
        else:
            by_x += by_m
            found = [by_x.reshape(parents[0].shape)]
        return (*found, np.zeros(parents[-1].shape, by_x.dtype)) if self.masked else tuple(found)

    def _gradient(self, tape, dq, dk, dv, c):
        parents, heads = tape[0], tape[5]
        x = parents[0].reshape(-1, parents[0].shape[2])
        m = parents[1].reshape(-1, parents[1].shape[2]) if self.across else x
        found = (x.T @ dq, m.T @ dk, m.T @ dv, heads.reshape(-1, heads.shape[2]).T @ c)
        return dict(zip(self.parameters, found, strict=True))


def _joined(x):
    """(batch, heads, tokens, width) as (batch, tokens, heads width)."""
    return np.ascontiguousarray(x.swapaxes(1, 2)).reshape(len(x), x.shape[2], -1)
