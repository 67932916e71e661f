"""One relaxation of one sample on a chain of crossbars: sweeps over the layers, and whether they ended at rest."""

from __future__ import annotations

from physlearn.kernels.jit import kernel


@kernel
def settle(chain, drive, column, row, target, strength, sweeps, v, current):
    """Sweeps over the layers of one sample: every node to the mean of its neighbours, within its diode's bounds."""
    depth = len(chain.widths) - 1
    for _ in range(sweeps):
        for layer in range(depth):
            first, m = chain.node[layer], chain.widths[layer + 1]
            here, bias = current[first : first + m], chain.b[first : first + m]
            if layer == 0:
                for j in range(m):
                    here[j] = drive[j] + bias[j]
            else:
                for j in range(m):
                    here[j] = bias[j]
                start, before = chain.at[layer], chain.node[layer - 1]
                for i in range(chain.widths[layer]):
                    x = v[before + i] * chain.ahead[layer]
                    g = chain.g[start + i * m : start + (i + 1) * m]
                    for j in range(m):
                        here[j] += x * g[j]
            weight, values = column[first : first + m], v[first : first + m]
            low, high = chain.low[first : first + m], chain.high[first : first + m]
            if layer < depth - 1:
                start, after, more = chain.at[layer + 1], chain.node[layer + 1], row[first : first + m]
                for k in range(chain.widths[layer + 2]):
                    y = v[after + k] * chain.ahead[layer + 1]
                    g = chain.gt[start + k * m : start + (k + 1) * m]
                    for j in range(m):
                        here[j] += y * g[j]
                for j in range(m):
                    values[j] = min(max(here[j] / (weight[j] + more[j]), low[j]), high[j])
            else:
                for j in range(m):
                    y = (here[j] + strength * target[j]) / (weight[j] + strength)
                    values[j] = min(max(y, low[j]), high[j])


@kernel
def astir_of(chain, drive, column, row, v, current, tol):
    """Whether a force above ``tol`` times the largest voltage is left on a node that its diode does not hold.

    Nodes of the last layer are where they want to be given the others, since a sweep ends with them.
    """
    largest = 0.0
    for value in v:
        largest = max(largest, abs(value))
    most = tol * largest
    for layer in range(len(chain.widths) - 2):
        first, m = chain.node[layer], chain.widths[layer + 1]
        here, bias = current[first : first + m], chain.b[first : first + m]
        if layer == 0:
            for j in range(m):
                here[j] = drive[j] + bias[j]
        else:
            for j in range(m):
                here[j] = bias[j]
            start, before = chain.at[layer], chain.node[layer - 1]
            for i in range(chain.widths[layer]):
                x = v[before + i] * chain.ahead[layer]
                g = chain.g[start + i * m : start + (i + 1) * m]
                for j in range(m):
                    here[j] += x * g[j]
        start, after = chain.at[layer + 1], chain.node[layer + 1]
        for k in range(chain.widths[layer + 2]):
            y = v[after + k] * chain.ahead[layer + 1]
            g = chain.gt[start + k * m : start + (k + 1) * m]
            for j in range(m):
                here[j] += y * g[j]
        weight, more, values = column[first : first + m], row[first : first + m], v[first : first + m]
        low, high = chain.low[first : first + m], chain.high[first : first + m]
        for j in range(m):
            f = here[j] - (weight[j] + more[j]) * values[j]
            held = (values[j] <= low[j] and f < 0) or (values[j] >= high[j] and f > 0)
            if not held and not abs(f) <= most:
                return True
    return False
