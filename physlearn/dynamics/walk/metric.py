"""Metrics of Hamiltonian Monte Carlo: variables stretched so that all have about one scale.

Masses M = (A A')^-1 are unit masses in the variables A^-1 z: with velocity A p and p pushed by A' f, nothing else
changes (Neal 2011, section 4.1).  A A' estimates the covariance of the target: its diagonal, or all of it, from the
draws of all chains in windows of the warm-up that grow (Carpenter et al. 2017, in Stan), shrunk towards the diagonal
where draws are few.
"""

from __future__ import annotations

import numpy as np

WINDOWS = (0.1, 0.2, 0.35, 0.6, 0.9)  # of the warm-up, at whose ends a metric is taken; the rest adapts the step

ENOUGH = 30  # draws, below which no metric is taken


class Stretch:
    """A, from a diagonal (m,) or as a lower triangle (m, m)."""

    def __init__(self, a):
        self.a = np.ascontiguousarray(a)

    def push(self, p):
        """A p of rows (rows, m): their velocities."""
        return self.a * p if self.a.ndim == 1 else np.einsum("ij,rj->ri", self.a, p)

    def pull(self, force):
        """A' f of rows: what changes their p."""
        return self.a * force if self.a.ndim == 1 else np.einsum("ij,ri->rj", self.a, force)


def stretch_of(draws, kind, heat) -> Stretch | None:
    """The stretch that draws (n, chains, m) at temperatures (chains,) ask for; None where they tell no scale.

    Deviations are those at temperature 1, which a quadratic energy has whatever the temperature.
    """
    n, chains, m = draws.shape
    if n * chains < ENOUGH:
        return None
    flat = ((draws - draws.mean((0, 1))) / np.sqrt(heat)[:, None]).reshape(-1, m)
    variance = np.mean(flat**2, 0)
    if not np.all((variance > 0) & np.isfinite(variance)):
        return None
    if kind == "diagonal":
        return Stretch(np.sqrt(variance))
    weight = len(flat) / (len(flat) + 5.0 * m)
    unit = flat / np.sqrt(variance)
    correlation = weight * np.einsum("ki,kj->ij", unit, unit) / len(flat) + (1.0 - weight) * np.eye(m)
    return Stretch(np.sqrt(variance)[:, None] * np.linalg.cholesky(correlation))


def reach_of(draws, stretch, heat) -> float:
    """A quarter of the period of the slowest combination of stretched variables; 0 where draws are few.

    A path of random length around it forgets where that combination was; all others are faster.
    """
    n, chains, m = draws.shape
    if stretch is None or n * chains < ENOUGH + m:
        return 0.0
    flat = ((draws - draws.mean((0, 1))) / np.sqrt(heat)[:, None]).reshape(-1, m)
    y = flat / stretch.a if stretch.a.ndim == 1 else np.linalg.solve(stretch.a, flat.T).T
    slowest = np.linalg.eigvalsh(np.einsum("ki,kj->ij", y, y) / len(y))[-1]
    return float(0.5 * np.pi * np.sqrt(slowest)) if np.isfinite(slowest) else 0.0


def windows(sweeps) -> list[int]:
    """Lengths of the windows of a warm-up of so many moves.

    >>> windows(100)
    [10, 10, 15, 25, 30, 10]
    """
    ends = [round(share * sweeps) for share in WINDOWS]
    return [b - a for a, b in zip([0, *ends], [*ends, sweeps], strict=True)]
