"""Noise currents: Ornstein-Uhlenbeck processes, exact from step to step.

Random numbers belong to blocks of `STREAM` neurons, so that they depend on neither parts nor threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.drive.currents import Waveform
from circuits.neurons.program import STREAM
from physlearn.brief import brief
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import kernel
from physlearn.rng import uniform

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false


@dataclass(frozen=True, eq=False)
class OrnsteinUhlenbeck(Waveform):
    """Coloured noise, independent for each neuron: tau dI/dt = mean - I + sigma sqrt(2 tau) xi(t).

    Stationary from the start, with that mean, standard deviation sigma and correlation time tau; advanced exactly
    from step to step and held within it (G. E. Uhlenbeck and L. S. Ornstein, Phys. Rev. 36, 823 (1930)).
    `physlearn.models.OUProcess` is the same process, given the amplitude of its noise, sigma sqrt(2/tau).

    Parameters
    ----------
    target : str
    mean, sigma : float or (n,) array
        A; sigma is the stationary standard deviation.
    tau : float
        s.

    Examples
    --------
    >>> OrnsteinUhlenbeck("E", mean=0.0, sigma=1e-11, tau=5e-3).tau
    0.005
    """

    target: str
    mean: Any
    sigma: Any
    tau: float

    __repr__ = brief

    def __post_init__(self):
        super().__post_init__()
        if not self.tau > 0:
            raise ValueError(f"OrnsteinUhlenbeck: tau={self.tau!r} s, expected a positive time")
        if np.any(np.asarray(self.sigma) < 0):
            raise ValueError(f"OrnsteinUhlenbeck: sigma={self.sigma!r} A, expected 0 or more")

    def _products(self, dt):
        return [(self.mean, None), (self.sigma, None)]

    def attach(self, plan, index):
        """Add what the current does to the plan."""
        n = plan.network.populations[self.target].n
        mean = np.broadcast_to(np.asarray(self.mean, float), (n,))
        sigma = np.broadcast_to(np.asarray(self.sigma, float), (n,))
        factor = np.exp(-plan.dt / self.tau)
        numbers = np.array([factor, np.sqrt(-np.expm1(-2 * plan.dt / self.tau))])
        for k, part in enumerate(plan.parts[self.target]):
            seeds = plan.seeds(1000 + index, part.low // STREAM, -(-part.n // STREAM), 4)
            states = plan.keep(f"noise#{index}/{k}", seeds)
            x = plan.keep(f"noise#{index}/{k}/x", np.empty(part.n))
            fill_normal_blocks(states, x)
            part.base += mean[part.low : part.high]
            own = np.ascontiguousarray(sigma[part.low : part.high])
            plan.varying(part, wander, own, x, states, numbers)


@kernel(inline=True)
def _pair(s):
    """Two standard normals (polar method, Marsaglia 1964)."""
    while True:
        a, b = 2.0 * uniform(s) - 1.0, 2.0 * uniform(s) - 1.0
        q = a * a + b * b
        if 0.0 < q < 1.0:
            scale = np.sqrt(-2.0 * np.log(q) / q)
            return a * scale, b * scale


@kernel
def fill_normal_blocks(states, out):
    """Standard normals, each block of neurons from its own stream."""
    for low in range(0, out.size, STREAM):
        for i in range(low, min(low + STREAM, out.size), 2):
            a, b = _pair(states[low // STREAM])
            out[i] = a
            if i + 1 < out.size:
                out[i + 1] = b


def wander(step, at):
    """Add sigma_i x_i, then advance x; table: injected, n, sigma, x, generators, numbers (decay, noise)."""
    t = carray(at, 6)
    n = t[1]
    out, sigma = carray(pointer(t[0]), n, np.float64), carray(pointer(t[2]), n, np.float64)
    x, numbers = carray(pointer(t[3]), n, np.float64), carray(pointer(t[5]), 2, np.float64)
    states = carray(pointer(t[4]), ((n + STREAM - 1) // STREAM, 4), np.uint64)
    for i in range(n):
        out[i] += sigma[i] * x[i]
    for low in range(0, n, STREAM):
        s = states[low // STREAM]
        for i in range(low, min(low + STREAM, n), 2):
            a, b = _pair(s)
            x[i] = numbers[0] * x[i] + numbers[1] * a
            if i + 1 < n:
                x[i + 1] = numbers[0] * x[i + 1] + numbers[1] * b
    return 0
