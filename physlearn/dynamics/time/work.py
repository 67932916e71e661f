"""Work done on a driven system, and what it says of free energies.

Where a parameter lambda of the energy is moved, each step of it does the work E(x, lambda') - E(x, lambda), and heat is
what the bath gives between the steps (Jarzynski 1997; Sekimoto 1998).  From equilibrium at the first lambda, at any
speed,

    <exp(-W/T)> = exp(-dF/T)                                     (Jarzynski 1997)
    P_forward(W)/P_backward(-W) = exp((W - dF)/T)                (Crooks 1999)

Crooks's relation gives the best estimate from both directions, Bennett's (1976).  Both hold exactly for steps that keep
exp(-E/T) exactly, and to the order of the stepper for `integrate`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.checks import array, instance, positive, sequence
from physlearn.dynamics.time.trajectory import Trajectory
from physlearn.energy import Energy, batch_size
from physlearn.threads import on_one_thread


class FreeEnergy(NamedTuple):
    """Difference of free energies, its standard error, and how many paths carry it (effective number).

    Examples
    --------
    >>> from physlearn import jarzynski
    >>> found = jarzynski([0.9, 1.1, 1.0, 1.2], temperature=1.0)
    >>> round(found.value, 2)
    1.04
    """

    value: float
    error: float
    paths: float


@on_one_thread
def work(energy: Energy, run: Trajectory, driven) -> np.ndarray:
    """Work on every item along a run of `integrate` in which layers were driven.

    Parameters
    ----------
    energy : Energy
        What was integrated, with a layer for what is moved.
    run : Trajectory
        Kept at every step (``times`` not given, at most 1,000 steps): what is left out does no work.
    driven : str or sequence of str
        The layers that clamps moved.

    Returns
    -------
    (batch,) array

    Examples
    --------
    A bead in a trap that is dragged: the work is Gaussian, and its mean less half its variance over T is dF = 0.

    >>> import numpy as np
    >>> from physlearn import Energy, Real, integrate, jarzynski, work
    >>> class Spring:
    ...     layers = ("bead", "trap")
    ...     rowwise = True
    ...     def energy(self, x, theta):
    ...         return 0.5 * np.sum((x["bead"] - x["trap"]) ** 2, 1)
    ...     def field(self, x, theta, layer):
    ...         pull = x["trap"] - x["bead"]
    ...         return pull if layer == "bead" else -pull
    ...     def gradient(self, x, theta, weight):
    ...         return {}
    >>> dragged = Energy({"bead": (Real(), 1), "trap": (Real(), 1)}, [Spring()], {})
    >>> start = np.random.default_rng(0).standard_normal((2000, 1))
    >>> run = integrate(dragged, (0.0, 2.0), x0={"bead": start, "trap": 0 * start}, dt=0.02, temperature=1.0, rng=1,
    ...                 clamp={"trap": lambda t: [t]})
    >>> done = work(dragged, run, "trap")
    >>> bool(abs(done.mean() - (2 - 1 + np.exp(-2))) < 0.15), bool(abs(jarzynski(done, 1.0).value) < 0.15)
    (True, True)
    """
    instance("energy", energy, Energy, "an Energy")
    instance("run", run, Trajectory, "what integrate returns")
    names = (driven,) if isinstance(driven, str) else sequence("driven", driven, str, "names of layers")
    if not isinstance(run.x, dict) or set(run.x) != set(energy.layers):
        raise ValueError(f"run: has other layers than the energy, {list(energy.layers)}; two or more are needed")
    for name in names:
        if name not in energy.layers:
            raise ValueError(f"driven: there is no layer {name!r}, expected some of {list(energy.layers)}")
    if len(run.t) - 1 != run.steps:
        raise ValueError(
            f"run: keeps {len(run.t)} states of {run.steps} steps, expected every step of a fixed-step method; leave "
            "out times, take dt, at most 1000 steps"
        )
    single = run.energy.ndim == 1
    x = {name: value[:, None] if single else value for name, value in run.x.items()}
    total = np.zeros(batch_size({name: value[0] for name, value in x.items()}))
    for k in range(1, len(run.t)):
        after = {name: value[k] for name, value in x.items()}
        before = after | {name: x[name][k - 1] for name in names}
        total += np.asarray(energy(after)) - np.asarray(energy(before))
    return total[0] if single else total


def jarzynski(work, temperature) -> FreeEnergy:
    """Free energy difference from the work of paths that began in equilibrium, -T log <exp(-W/T)>.

    The average rests on rare paths of little work: ``paths``, the effective number (sum w)^2/sum w^2 of them, says how
    many, and below some tens the value is biased upwards whatever its error says.

    Parameters
    ----------
    work : (n,) array
    temperature : float

    Examples
    --------
    >>> import numpy as np
    >>> done = np.random.default_rng(0).normal(0.5, 1.0, 10_000)  # Gaussian work: dF = mean - variance/2T
    >>> found = jarzynski(done, 1.0)
    >>> bool(abs(found.value) < 4 * found.error), bool(found.error < 0.02)
    (True, True)
    """
    w, t = _work("work", work), positive("temperature", temperature)
    weight = np.exp(-(w - w.min()) / t)
    mean = weight.mean()
    return FreeEnergy(
        float(w.min() - t * np.log(mean)),
        float(t * weight.std(ddof=1) / (mean * np.sqrt(len(w)))),
        float(weight.sum() ** 2 / np.sum(weight**2)),
    )


def crooks(forward, backward, temperature) -> FreeEnergy:
    """Free energy difference from the work there and back, where Crooks's relation balances both.

    Bennett's acceptance ratio: dF solves sum 1/(1 + (n_f/n_b) e^((W - dF)/T)) = sum 1/(1 + (n_b/n_f) e^((W' + dF)/T)).

    Parameters
    ----------
    forward, backward : (n,) arrays
        Work of paths that began in equilibrium at the first and at the last value of what is driven.
    temperature : float

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> found = crooks(rng.normal(2.5, 1.0, 4000), rng.normal(-1.5, 1.0, 4000), 1.0)
    >>> bool(abs(found.value - 2.0) < 4 * found.error), bool(found.error < 0.03)
    (True, True)
    """
    from scipy.optimize import brentq

    f, b, t = _work("forward", forward), _work("backward", backward), positive("temperature", temperature)
    shift = t * np.log(len(f) / len(b))

    def shares(df):
        return _fermi((f - df + shift) / t), _fermi((b + df - shift) / t)

    def gap(df):
        there, back = shares(df)
        return there.sum() - back.sum()

    low, high = min(f.min(), -b.max()) - 50.0 * t - abs(shift), max(f.max(), -b.min()) + 50.0 * t + abs(shift)
    root: Any = brentq(gap, low, high, xtol=1e-12 * max(1.0, abs(low), abs(high)))
    value = float(root)
    there, back = shares(value)
    parts = [np.var(s) / (np.mean(s) ** 2 * len(s)) for s in (there, back)]
    paths = min(s.sum() ** 2 / np.sum(s**2) for s in (there, back))
    return FreeEnergy(value, float(t * np.sqrt(sum(parts))), float(paths))


def _fermi(u):
    return 0.5 * (1.0 - np.tanh(0.5 * u))


def _work(name, value):
    found = array(name, value, ndim=1)
    if found.size < 2:
        raise ValueError(f"{name}: got {found.size} path(s), expected at least 2")
    return found
