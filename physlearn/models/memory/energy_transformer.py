"""A transformer block as one descent: attention energy + memory energy of tokens (Hoover et al. 2023).

    E = sum_c (x_c.g_c - L(x_c)) + E_attention(g) + E_memory(g),    g = LayerNorm(x)
    tau dx/dt = -d(E_attention + E_memory)/dg - x

The terms are in `physlearn.terms.attention`.  The block of the paper has no leak -x: it moves x, whose length
LayerNorm forgets, for a fixed number of steps; the leak makes that a fall to a rest, with the same attention, and the
energy falls along it all the same.  In place of a feed-forward layer there is a memory; nothing is causal.
"""

from __future__ import annotations

import functools

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, positive
from physlearn.dynamics.time.integrate import integrate
from physlearn.energy import Energy
from physlearn.lagrangians import LayerNorm
from physlearn.terms.attention import TokenAttention, TokenMemory


class EnergyTransformer:
    """One block on ``tokens`` tokens.

    Parameters
    ----------
    key, query : (heads, k, d) arrays
        Projections of every head.
    patterns : (K, d) array
        Patterns of the memory.
    tokens : int
        At least 2.
    beta : float, optional
        Inverse temperature of the attention; default 1/sqrt(k).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> key, query, patterns = rng.normal(size=(2, 3, 8)), rng.normal(size=(2, 3, 8)), rng.normal(size=(5, 8))
    >>> block = EnergyTransformer(key, query, patterns, tokens=4)
    >>> run = block.update(rng.normal(size=(4, 8)), steps=20)
    >>> bool(np.all(np.diff(run.energy) <= 0)), run.final.shape
    (True, (4, 8))
    """

    def __init__(self, key, query, patterns, *, tokens, beta=None):
        given = {"key": key, "query": query, "patterns": patterns}
        self.key, self.query, self.patterns = (np.array(array(k, w, finite=False)) for k, w in given.items())
        shape = self.key.shape
        if self.key.ndim != 3 or shape != self.query.shape or self.key.size == 0 or shape[2] < 2:
            raise ValueError(
                f"key, query: shapes {shape}, {self.query.shape}; expected (heads, k, d) both, d at least 2: LayerNorm "
                "shows nothing of a single number"
            )
        if self.patterns.ndim != 2 or self.patterns.shape[1] != self.key.shape[2]:
            raise ValueError(f"patterns: shape {self.patterns.shape}, expected (K, {self.key.shape[2]})")
        for name, w in (("key", self.key), ("query", self.query), ("patterns", self.patterns)):
            if not np.all(np.isfinite(w)):
                raise ValueError(f"{name}: {np.sum(~np.isfinite(w))} entries are NaN or infinite, expected finite")
        self.tokens = count("tokens", tokens, least=2)  # who attend to each other
        self.beta = float(1.0 / np.sqrt(self.key.shape[1])) if beta is None else positive("beta", beta)

    def __repr__(self):
        return brief(self, tokens=self.tokens, beta=self.beta, key=self.key, query=self.query, patterns=self.patterns)

    @property
    def system(self) -> Energy:
        """The `Energy` that the verbs move."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only: "key", "query" and "patterns"."""
        return self.system.theta

    def with_theta(self, theta):
        """The same block with other parameters, such as learnt ones."""
        new = self.system.with_theta(theta).theta
        return EnergyTransformer(new["key"], new["query"], new["patterns"], tokens=self.tokens, beta=self.beta)

    @functools.cached_property
    def energy(self) -> Energy:
        """The `Energy` of the layer "x", (tokens, d)."""
        return Energy(
            {"x": (LayerNorm(), (self.tokens, self.key.shape[2]))},
            [TokenAttention("x", self.beta), TokenMemory("x")],
            {"key": self.key, "query": self.query, "patterns": self.patterns},
        )

    def update(self, x, *, steps=12, dt=0.1):
        """Go ``steps`` of length ``dt`` (in units of tau) down the energy from tokens x.

        Parameters
        ----------
        x : (tokens, d) or (batch, tokens, d) array
        steps : int
        dt : float
            Steps of gradient flow (Euler); above about 0.5 the energy may rise.

        Returns
        -------
        Trajectory
            Its ``final`` is the next block's input.
        """
        steps, dt = count("steps", steps), positive("dt", dt)
        return integrate(
            self.energy,
            (0.0, steps * dt),
            x0=array("x", x, finite=False),
            dt=dt,
            method="euler",
            times=dt * np.arange(steps + 1),
        )
