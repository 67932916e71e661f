"""Steps of the built-in optimisers in place: one compiled pass over a parameter, with the bits of their own `step`.

NumPy makes a dozen passes over every parameter for a step of Adam.
"""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import kernel
from physlearn.learning.optimizers import SGD, Adam, stepped


def stepper(optimizer):
    """A function (theta, gradient, memory, lr) that steps ``theta``, a dict of arrays, in place.

    A custom optimiser's own `step` replaces the arrays that it returns.
    """
    if type(optimizer) is Adam:
        return lambda *given: _adam(optimizer, *given)
    if type(optimizer) is SGD:
        return lambda *given: _sgd(optimizer, *given)

    def custom(theta, gradient, memory, lr):
        for name, value in stepped(optimizer, theta, gradient, memory, lr).items():
            theta[name] = np.asarray(value, theta[name].dtype)

    return custom


def _flat(*arrays):
    return [a.reshape(-1) for a in arrays]  # parameters and memories are contiguous: views


def _adam(optimizer, theta, gradient, memory, lr):
    memory["steps"] += 1
    steps = memory["steps"]
    corrections = 1 - optimizer.beta1**steps, 1 - optimizer.beta2**steps
    decays = (optimizer.beta1, 1 - optimizer.beta1, optimizer.beta2, 1 - optimizer.beta2)
    made: dict = {}
    for name, g in gradient.items():
        w, decay = theta[name], optimizer.decay_of(name)
        if (w.dtype, decay) not in made:
            made[w.dtype, decay] = np.array((*decays, *corrections, optimizer.epsilon, decay, lr), w.dtype)
        numbers = made[w.dtype, decay]
        adam_step(*_flat(w, g, memory["first"][name], memory["second"][name]), numbers)
        if name in optimizer.bounds:
            np.clip(w, *optimizer.bounds[name], out=w)


def _sgd(optimizer, theta, gradient, memory, lr):
    memory["steps"] += 1
    for name, g in gradient.items():
        w = theta[name]
        numbers = [w.dtype.type(v) for v in (optimizer.momentum, optimizer.decay_of(name), lr)]
        sgd_step(*_flat(w, g, memory["velocity"][name]), *numbers)
        if name in optimizer.bounds:
            np.clip(w, *optimizer.bounds[name], out=w)


@kernel
def adam_step(w, g, first, second, numbers):
    """One step of Adam on a flat parameter, in the order of operations of `Adam.step`."""
    beta1, rest1, beta2, rest2 = numbers[0], numbers[1], numbers[2], numbers[3]
    whole1, whole2, epsilon, decay, lr = numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
    for i in range(len(w)):
        m = first[i] * beta1 + rest1 * g[i]
        v = second[i] * beta2 + rest2 * g[i] * g[i]
        first[i] = m
        second[i] = v
        moved = (m / whole1) / (np.sqrt(v / whole2) + epsilon) + decay * w[i]
        w[i] = w[i] - lr * moved


@kernel
def sgd_step(w, g, velocity, momentum, decay, lr):
    """One step of gradient descent on a flat parameter, in the order of operations of `SGD.step`."""
    for i in range(len(w)):
        v = velocity[i] * momentum + g[i]
        velocity[i] = v
        w[i] = w[i] - lr * (v + decay * w[i])
