"""Hardware: a learning network as it is built, with parts that are coarse, noisy, unequal, and fail.

Two twins of the network learn together, as in the laboratory: one free, one clamped; the elements of both are set to
the same theta, and each compares its own two drops.  Parts differ from that in what is

    set        levels, bounds, quanta, thresholds, noise of every change, leaks, failures
    seen       noise and offsets of the measured drops
    clamped    a bias of the clamped outputs
    built      a spread of the clamped twin's elements about the free one's

Sources: Dillavou, Stern, Liu, Durian 2022, Phys. Rev. Applied 18, 014040 (digital potentiometers, damage); Wycoff et
al. 2022, J. Chem. Phys. 156, 144903 (desynchronised updates); Dillavou and Guzman 2025, arXiv 2505.22887 (bias).
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from circuits.hardware.built import Failure, bounds_of, failures_of, levels_of, opened_of, parameter_of, probability
from circuits.hardware.update import FAILURES, ROUNDING, Parts, fail
from physlearn.brief import brief
from physlearn.checks import array, choice, not_negative, number, sequence
from physlearn.machine import system_of
from physlearn.rng import children


class Hardware:
    """A learning network with imperfect parts; a `Machine`, which `learn` trains as they let it.

    Every imperfection is off by default and composes with all others; with none of them the training is the network's.

    Parameters
    ----------
    network : Machine
        Any that learns; what is measured and clamped needs elements between nodes: `ResistorNetwork`, `Circuit`.
    parameter : str, optional
        Name in theta of its elements; default the only one.
    bounds : (low, high), optional
        Least and largest value of an element, numbers or one for each.
    levels : int or sequence of float, optional
        Number of equally spaced values from bound to bound, or the values themselves (a digital potentiometer's are
        equally spaced in ohms: ``1 / np.linspace(1e5, 1e3, 128)``).  Theta starts at the nearest ones.
    quantum : float, optional
        Without levels: changes are whole multiples of it.
    rounding : {"nearest", "stochastic", "sign"}
        How a change becomes whole steps: small ones are lost, are made with a probability equal to their size, or every
        change is one step in its direction.
    threshold : float
        Changes below it are not made.
    update_noise : float
        Standard deviation of every change that is made.
    measurement_noise : float
        Standard deviation of the drop that an element measures, fresh in every phase of every sample, volts.
    measurement_offset : float
        Standard deviation over the elements of a fixed difference between the twins' meters, volts.
    clamp_bias : float or (k,) array
        Error of the outputs at which the clamped twin is held, volts.  Nudged outputs are read with it.
    mismatch : float
        Relative standard deviation of the clamped twin's elements from the free one's.
    drift : float
        Drift: fraction of its value that an element loses in every step.
    active : float
        Probability that an element takes part in a step; below 1 updates are desynchronised.
    failure_rate : float
        Probability that an element fails in a step.
    failure : {"stuck", "dead", "cut"}
        How those fail: see `Failure`.
    failures : sequence of Failure
        Failures that are planned.
    rng : int, Generator or None
        Draws what was built: offsets, spread, when elements fail.  Noise is drawn from `learn`'s own ``rng``, so that
        a device can be trained twice; one seed for both determines all.

    Attributes
    ----------
    network : Machine
        The free twin.
    clamped : Machine
        The clamped twin.

    Raises
    ------
    ValueError, TypeError
        Numbers out of range, levels without bounds, elements that do not exist.

    Notes
    -----
    `learn` warns where no change has passed the threshold or the rounding in a whole epoch.

    Examples
    --------
    A divider of two resistors with 32 levels learns to halve its input:

    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> from physlearn import SGD, CoupledLearning, SquaredError, learn
    >>> divider = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 3.0], ground=2, inputs=[0], outputs=[1])
    >>> lab = Hardware(divider, bounds=(0.25, 8.0), levels=32, rounding="sign", rng=0)
    >>> done = learn(lab, {"input": [[1.0], [2.0]], "output": [[0.5], [1.0]]}, rule=CoupledLearning(0.1),
    ...              cost=SquaredError("output"), optimizer=SGD(1.0), epochs=10, rng=0)
    >>> done.machine
    Hardware(network='ResistorNetwork', parameter='conductance', bounds=(0.25, 8.0), levels=32, rounding='sign')
    >>> done.machine.theta["conductance"]
    array([2., 2.])
    """

    def __init__(
        self,
        network,
        *,
        parameter: str | None = None,
        bounds: Any = None,
        levels: int | None = None,
        quantum: float | None = None,
        rounding: str = "nearest",
        threshold: float = 0.0,
        update_noise: float = 0.0,
        measurement_noise: float = 0.0,
        measurement_offset: float = 0.0,
        clamp_bias: Any = 0.0,
        mismatch: float = 0.0,
        drift: float = 0.0,
        active: float = 1.0,
        failure_rate: float = 0.0,
        failure: str = "stuck",
        failures: Any = (),
        rng: Any = None,
    ):
        system = system_of(network, "network")
        if isinstance(network, Hardware):
            raise TypeError("network: got Hardware, expected the network itself; give all imperfections at once")
        self.parameter: str = parameter_of(system, parameter)
        theta = system.theta[self.parameter]
        size = theta.size
        failure_rate = number("failure_rate", failure_rate, 0, 1)
        choice("failure", failure, FAILURES)
        choice("rounding", rounding, ROUNDING)
        failures = sequence("failures", failures, Failure, "a list of Failure")
        kinds = {one.kind for one in failures} | ({failure} if failure_rate else set())
        if bounds is None and levels is None and "dead" in kinds:
            raise ValueError("failures: dead elements fall to the lower bound; give bounds=(low, high)")
        values, step, ends = levels_of(levels, quantum, bounds)
        low, high = bounds_of(ends, theta)
        self.measurement_noise = not_negative("measurement_noise", measurement_noise)
        self.clamp_bias = array("clamp_bias", clamp_bias, ndim=(0, 1))
        built = children(rng, 3)
        draw = [np.random.default_rng(root) for root in built]
        self.offset = not_negative("measurement_offset", measurement_offset) * draw[0].standard_normal(size)
        self.spread = not_negative("mismatch", mismatch) * draw[1].standard_normal(size)
        if np.any(self.spread <= -1):
            raise ValueError(f"mismatch: {mismatch} makes elements of the clamped twin negative; expected far below 1")
        fails = failures_of(failures, failure_rate, failure, size, draw[2])
        drift = number("drift", drift, 0, 1)
        if values.size and drift:
            raise ValueError("drift: levels are kept by switches, which do not drift; leave out one of both")
        self.parts = Parts(
            low,
            high,
            values,
            step,
            ROUNDING[rounding],
            not_negative("threshold", threshold),
            not_negative("update_noise", update_noise),
            drift,
            probability("active", active),
            *fails,
            opened_of(system, self.parameter),
        )
        if rounding != "nearest" and not step and not values.size:
            raise ValueError(f"rounding: got {rounding!r}, but changes have no quantum; give levels or quantum")
        given: dict[str, tuple[Any, Any]] = {
            "bounds": (bounds, None),
            "levels": (levels, None),
            "quantum": (quantum, None),
            "rounding": (rounding, "nearest"),
            "threshold": (threshold, 0.0),
            "update_noise": (update_noise, 0.0),
            "measurement_noise": (measurement_noise, 0.0),
            "measurement_offset": (measurement_offset, 0.0),
            "clamp_bias": (clamp_bias, 0.0),
            "mismatch": (mismatch, 0.0),
            "drift": (drift, 0.0),
            "active": (active, 1.0),
            "failure_rate": (failure_rate, 0.0),
            "failures": (failures or None, None),
        }
        self._settings = {name: value for name, (value, off) in given.items() if np.ndim(value) or value != off}
        start = theta.ravel().copy()
        if values.size:
            start = values[np.argmin(np.abs(start[:, None] - values), 1)]
        fail(start, self.parts, 0, 1)
        self.network = network.with_theta({self.parameter: start.reshape(theta.shape)})

    @property
    def system(self):
        """The free twin's system, which the verbs move."""
        return system_of(self.network)

    @property
    def theta(self):
        """What the elements are set to, read-only."""
        return self.system.theta

    @property
    def clamped(self):
        """The clamped twin: the network with elements of its own."""
        theta = self.theta[self.parameter]
        return self.network.with_theta({self.parameter: theta * (1.0 + self.spread.reshape(theta.shape))})

    def with_theta(self, theta) -> Hardware:
        """The same hardware set to other values, such as learnt ones.

        Parameters
        ----------
        theta : mapping of str to array

        Examples
        --------
        >>> import networkx as nx
        >>> from circuits import ResistorNetwork
        >>> lab = Hardware(ResistorNetwork(nx.path_graph(3), conductance=1.0), threshold=1e-3)
        >>> lab.with_theta({"conductance": [2.0, 3.0]}).theta["conductance"]
        array([2., 3.])
        """
        changed = copy.copy(self)
        changed.network = self.network.with_theta(theta)
        return changed

    def __learn__(self, rule, optimizer):
        """The rule and the optimiser as these parts carry them out."""
        from circuits.hardware.training import Imperfect, Set
        from physlearn.learning.optimizers import within_domains

        return Imperfect(rule, self), Set(within_domains(optimizer, self.system), self)

    def __getattr__(self, name):
        """What the network is asked about: `solve`, `read`, ..."""
        if name.startswith("_") or name == "network":
            raise AttributeError(name)
        return getattr(self.network, name)

    def __repr__(self):
        return brief(self, network=type(self.network).__name__, parameter=self.parameter, **self._settings)
