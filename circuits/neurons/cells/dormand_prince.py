"""The pair of orders 5 and 4 of J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19.

k holds the slopes of the seven stages, (7, variables); the seventh is the first of the next step.
"""

from __future__ import annotations

from physlearn.kernels.jit import kernel


@kernel
def increment(k, j, h, stage):
    """Increment of variable j before a stage (1 to 6); the one before stage 6 is the step of fifth order."""
    if stage == 1:
        return h * (k[0, j] / 5.0)
    if stage == 2:
        return h * (3.0 * k[0, j] + 9.0 * k[1, j]) / 40.0
    if stage == 3:
        return h * (44.0 / 45.0 * k[0, j] - 56.0 / 15.0 * k[1, j] + 32.0 / 9.0 * k[2, j])
    if stage == 4:
        return h * (
            19372.0 / 6561.0 * k[0, j]
            - 25360.0 / 2187.0 * k[1, j]
            + 64448.0 / 6561.0 * k[2, j]
            - 212.0 / 729.0 * k[3, j]
        )
    if stage == 5:
        return h * (
            9017.0 / 3168.0 * k[0, j]
            - 355.0 / 33.0 * k[1, j]
            + 46732.0 / 5247.0 * k[2, j]
            + 49.0 / 176.0 * k[3, j]
            - 5103.0 / 18656.0 * k[4, j]
        )
    return h * (
        35.0 / 384.0 * k[0, j]
        + 500.0 / 1113.0 * k[2, j]
        + 125.0 / 192.0 * k[3, j]
        - 2187.0 / 6784.0 * k[4, j]
        + 11.0 / 84.0 * k[5, j]
    )


@kernel
def error(k, j, h):
    """Estimated error of variable j: the difference of the two orders."""
    return h * abs(
        71.0 / 57600.0 * k[0, j]
        - 71.0 / 16695.0 * k[2, j]
        + 71.0 / 1920.0 * k[3, j]
        - 17253.0 / 339200.0 * k[4, j]
        + 22.0 / 525.0 * k[5, j]
        - k[6, j] / 40.0
    )
