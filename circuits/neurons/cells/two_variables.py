"""Shared step of neurons with two variables that are reset at a peak of v: classical Runge-Kutta, then the spikes.

`rk4` and `spike` are merged into the kernel of each model, whose ``slopes(v, w, current, g, numbers)`` returns dv/dt
and dw/dt of one neuron.
"""
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from circuits.neurons.program import FINITE
from physlearn.kernels.jit import inlined


@inlined
def rk4(slopes, dt, x, y, current, g, numbers):
    """Both variables of one neuron after a step of dt from x, y."""
    k1, l1 = slopes(x, y, current, g, numbers)
    k2, l2 = slopes(x + 0.5 * dt * k1, y + 0.5 * dt * l1, current, g, numbers)
    k3, l3 = slopes(x + 0.5 * dt * k2, y + 0.5 * dt * l2, current, g, numbers)
    k4, l4 = slopes(x + dt * k3, y + dt * l3, current, g, numbers)
    return x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), y + dt / 6.0 * (l1 + 2.0 * l2 + 2.0 * l3 + l4)


@inlined
def spike(v, w, low, jump, peak, left, spiked):
    """Reset the neurons at their peak, v to ``low`` and w by ``jump``; return their number (see `Program`)."""
    count, n, failed = 0, v.size, 0
    for i in range(n):
        if not abs(v[i]) < FINITE:
            failed = -(i + 1)
            break
        if v[i] >= peak[i]:
            v[i] = low[i]
            w[i] += jump[i]
            left[i] = left[n + i]
            spiked[count] = i
            count += 1
    return count if failed == 0 else failed
