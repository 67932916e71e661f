"""System identification: the elements of a network from measured inputs and outputs, with error bars.

Least squares of the measured outputs by Levenberg's and Marquardt's method (Marquardt 1963) on exact derivatives.
Conductances are sought by their logarithms, so that they stay positive.  Error bars are the roots of the diagonal of
s^2 (J^T J)^-1, s the noise given or, if none is, estimated from what the fit leaves (Gauss 1823).  Directions in which
no measurement changes leave some elements undetermined: voltages alone never tell the scale of all conductances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.hardware.built import parameter_of
from circuits.hardware.hardware import Hardware
from circuits.hardware.sensitivity import sensitivity
from circuits.nodal.circuit import Circuit
from circuits.resistive.resistor import ResistorNetwork
from physlearn.brief import brief
from physlearn.checks import count, instance, integers, positive, sequence, text
from physlearn.learning.costs import SquaredError
from physlearn.learning.data import check_data

UNSEEN = 1e-9  # of the largest singular value: directions of the elements that measurements do not see
STILL = 1e-12  # last step, of the elements' size


@dataclass(frozen=True)
class Identification:
    """What `identify` found.

    Attributes
    ----------
    machine : ResistorNetwork or Circuit
        The network with the elements found.
    value : (m,) array
        Its elements: siemens, or volts of gates.
    error : (m,) array
        One standard deviation of each; infinite where the measurements do not determine it.
    undetermined : tuple of int
        Those elements.
    noise : float
        Standard deviation of a measured output, given or estimated.
    residual : float
        Root mean square of what the fit leaves of the outputs.
    covariance : (m, m) array
        Of the elements, on the directions that are determined.
    steps : int
    converged : bool
    """

    machine: Any
    value: np.ndarray
    error: np.ndarray
    undetermined: tuple
    noise: float
    residual: float
    covariance: np.ndarray
    steps: int
    converged: bool

    __repr__ = brief


def identify(network, data, *, output="output", parameter=None, noise=None, known=(), max_steps=200) -> Identification:
    """Fit the elements of a network to measurements.

    Parameters
    ----------
    network : ResistorNetwork or Circuit
        Its wiring, and values to start from.
    data : mapping of str to (n, k) array
        Imposed voltages and currents, and the measured outputs; see `read_measurements`.
    output : str
        The readout that was measured.
    parameter : str, optional
        Name in theta of the elements sought; default the only one.
    noise : float, optional
        Standard deviation of a measured output, volts; estimated where it is not given.
    known : sequence of int
        Elements that keep the value they have: one resistor measured alone gives voltages their scale.
    max_steps : int

    Returns
    -------
    Identification

    Raises
    ------
    ValueError
        Data that do not fit the network, elements that do not exist, fewer measurements than one.

    Examples
    --------
    Three resistors in a row, from the voltages at which they divide a current:

    >>> import networkx as nx, numpy as np
    >>> row = ResistorNetwork(nx.path_graph(4), conductance=[1.0, 2.0, 4.0], ground=0, currents=[3], outputs=[1, 2, 3])
    >>> rng = np.random.default_rng(0)
    >>> amperes = rng.uniform(0.5, 2.0, (50, 1))
    >>> volts = row.read(row.solve({"current": amperes}).x, "output") + 0.01 * rng.standard_normal((50, 3))
    >>> found = identify(row.with_conductance(1.0), {"current": amperes, "output": volts})
    >>> bool(np.all(np.abs(found.value - row.conductance) < 3 * found.error)), found.undetermined
    (True, ())
    """
    network = network.network if isinstance(network, Hardware) else network
    instance("network", network, ResistorNetwork | Circuit, "a ResistorNetwork or a Circuit")
    name = parameter_of(network.system, parameter)
    inputs, measured = check_data(network.system, data, SquaredError(text("output", output)))
    if not inputs:
        raise ValueError("data: nothing is imposed but ground; give the voltages or currents under which was measured")
    noise, max_steps = None if noise is None else positive("noise", noise), count("max_steps", max_steps)
    start = network.theta[name].copy()
    known = sequence("known", known, expected="numbers of elements")
    free = np.setdiff1d(
        np.arange(start.size), integers("known", known or np.zeros(0), ndim=1, low=0, high=start.size - 1)
    )
    if not free.size:
        raise ValueError("known: all elements are; nothing is left to find")
    logarithmic = bool(np.all(start > 0)) and name != "gate"

    def at(z):
        """Residual (n k,), derivatives by z, and the network at z."""
        theta = start.copy()
        theta[free] = np.exp(z) if logarithmic else z
        here = network.with_theta({name: theta})
        y, jacobian = sensitivity(here, inputs, output, name)
        jacobian = jacobian.reshape(-1, start.size)[:, free]
        return (y - measured).ravel(), jacobian * (theta[free] if logarithmic else 1.0), here

    z = np.log(start[free]) if logarithmic else start[free]
    z, steps, converged = _marquardt(at, z, max_steps)
    left, jacobian, here = at(z)
    scale = here.theta[name][free] if logarithmic else np.ones(free.size)
    spread, loose, rank = _covariance(jacobian)
    degrees = left.size - rank
    estimated = float(np.sqrt(left @ left / degrees)) if degrees > 0 else np.nan
    noise = estimated if noise is None else noise
    covariance = np.zeros((start.size, start.size))
    covariance[np.ix_(free, free)] = noise**2 * spread * scale[:, None] * scale
    error = np.sqrt(np.diag(covariance))
    error[free[loose]] = np.inf
    rms = float(np.sqrt(np.mean(left**2)))
    undetermined = tuple(free[loose].tolist())
    return Identification(here, here.theta[name], error, undetermined, noise, rms, covariance, steps, converged)


def _marquardt(at, z, most):
    """Least squares from z: where, steps, whether it rests."""
    damping, (left, jacobian, _) = 1e-3, at(z)
    cost = left @ left
    for step in range(1, most + 1):
        normal, slope = jacobian.T @ jacobian, jacobian.T @ left
        size = np.diag(normal).copy()
        size[size <= 0] = max(size.max(initial=0.0), 1e-300)
        while True:
            move = -np.linalg.solve(normal + damping * np.diag(size), slope)
            moved = np.max(np.abs(move)) <= 1e-10 * (1.0 + np.max(np.abs(z)))
            after, new, _ = at(z + np.clip(move, -3.0, 3.0))
            if after @ after <= cost * (1.0 + 1e-14):
                break
            damping *= 10.0
            if damping > 1e12:
                return z, step, moved
        z, fell = z + np.clip(move, -3.0, 3.0), cost - after @ after
        left, jacobian, cost = after, new, after @ after
        damping = max(0.1 * damping, 1e-12)
        if moved or fell <= STILL * cost:
            return z, step, True
    return z, most, False


def _covariance(jacobian):
    """(J^T J)^-1 on the directions that are seen, which elements have a share in others, and how many are seen."""
    _, s, v = np.linalg.svd(jacobian, full_matrices=True)
    s = np.append(s, np.zeros(v.shape[0] - s.size))
    seen = s > UNSEEN * s.max(initial=0.0)
    loose = np.any(np.abs(v[~seen]) > 1e-6, 0)
    return (v[seen].T / s[seen] ** 2) @ v[seen], loose, int(seen.sum())
