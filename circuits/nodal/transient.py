"""Circuits in time: capacitors charge, sources follow their waveforms, resistors may be noisy.

A step of length h replaces every capacitor by a conductance and a current (its companion), so that it is an operating
point of the circuit itself; nodes without a capacitor follow at once.

    trapezoidal   i = (2 C / h) (v_1 - v_0) - i_0                 order 2, conserves
    bdf2          i = (C / h) (3 v_1 / 2 - 2 v_0 + v_(-1) / 2)    order 2, damps; the first step is backward Euler
    midpoint      backward Euler to the middle of the step, then straight on; order 2

Steps have one length, dt, or lengths that keep their error below a tolerance (`circuits.nodal.adaptive`).

Johnson noise: each resistor carries a white current of two-sided density 2 k T g, constant within a step.  The midpoint
rule gives a linear circuit its stationary variance, k T / C on a capacitor, exactly and at any step.
Source: Nagel 1975, section 5; Johnson 1928; Nyquist 1928.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.nodal import adaptive
from circuits.nodal.operating_point import Named
from circuits.nodal.steps import Drive, Steps
from physlearn.checks import choice, count, flag, positive
from physlearn.threads import on_one_thread

METHODS = ("trapezoidal", "bdf2", "midpoint")
MOST_STEPS = 10**8


@dataclass(frozen=True, eq=False, repr=False)
class Transient:
    """A circuit in time.

    Attributes
    ----------
    t : (k,) array
        Times, s.
    x : (k, n) or (k, batch, n) array
        Voltages of all nodes, V; of nodes without a capacitor, under noise, in the middle of the step before.
    voltages : mapping of node to (k,) or (k, batch) array
        The same by node.
    method : str
    steps : int
        Steps of time taken; adaptive ones count as one, whatever they cost.
    newton : int
        Newton steps in all.
    states : mapping of str to (k,) array
        State x of every memristor.

    Examples
    --------
    A capacitor charged through a resistor for one time constant:

    >>> from circuits import Capacitor, Circuit, Resistor, VoltageSource
    >>> from physlearn import integrate
    >>> charging = Circuit({"V1": (VoltageSource(1.0), "in", "0"), "R1": (Resistor(1e3), "in", "out"),
    ...                     "C1": (Capacitor(1e-6), "out", "0")})
    >>> run = integrate(charging, (0.0, 1e-3), dt=1e-5, x0=[0.0, 1.0, 0.0], uic=True)
    >>> round(float(run.voltages["out"][-1]), 3)
    0.632
    """

    t: np.ndarray
    x: Any
    voltages: Any
    method: str
    steps: int
    newton: int
    states: Any

    def __repr__(self):
        return f"Transient(method={self.method!r}, steps={self.steps}, t={self.t[0]:g}..{self.t[-1]:g} s)"


@on_one_thread
def follow(circuit, span, *, dt, tol, times, method, x0, uic, clamp, noise, every, batch, rng):
    """The run behind `Circuit.__integrate__`, whose arguments these are."""
    every = count("every", every)
    choice("method", method, ("auto", *METHODS))
    noisy = flag("noise", noise)
    if method == "auto":
        method = "midpoint" if noisy else "trapezoidal"
    if noisy and method != "midpoint":
        raise ValueError(f"method: got {method!r}, expected 'midpoint', which gives noise its right variance")
    if dt is None and method == "midpoint":
        raise ValueError("dt: missing; midpoint steps, and noise, have one length: give dt, or another method")
    if dt is not None and times is not None:
        raise ValueError("times: steps of dt are kept by `every`; leave out one of dt and times")
    length = span[1] - span[0]
    steps = 0 if dt is None else int(round(length / positive("dt", dt)))
    if dt is not None and (steps < 1 or abs(steps * dt - length) > 1e-6 * dt):
        raise ValueError(f"dt: got {dt:g}, expected a whole part of t_span, {length:g} s")
    count("dt, number of steps", steps, least=0, most=MOST_STEPS)
    drive = Drive(circuit, clamp)
    first = adaptive.FIRST * length if dt is None else dt
    run = Steps(circuit, method, first, drive, count("batch", batch), noisy, rng)
    x, run.used = run.begin(x0, span[0], flag("uic", uic)), 0
    kept, t_kept, memory = [x], [span[0]], [run.memory.copy()]
    if dt is None:
        moving = adaptive.follow(run, x, span, times, positive("tol", tol))
        every = every if times is None else 1
    else:
        moving = ((span[0] + (step + 1) * dt, run.advance(x, span[0] + step * dt)) for step in range(steps))
    taken = 0
    for t, x in moving:
        taken += 1
        if taken % every == 0 or dt is None and t == span[1]:
            kept.append(x)
            memory.append(run.memory.copy())
            t_kept.append(t)
    states = np.array(kept)
    states = states[:, 0] if states.shape[1] == 1 and batch == 1 and not drive.batched else states
    voltages = Named({node: states[..., k] for k, node in enumerate(circuit.nodes)})
    names = [name for name, *_ in circuit.memristors]
    memories = Named(dict(zip(names, np.array(memory).T, strict=True)))
    return Transient(np.array(t_kept), states, voltages, method, taken, run.used, memories)
