"""Temperature schedules for annealing, and their default range from the energy itself.

Hot: the root mean square energy of a move in random states, of the variable for which it is largest; most
moves are free there, and a mean-field glass is still well above its transition.  Cold: where a local minimum
has a tenth of a variable excited, from the gaps of quenched states; degenerate moves, which cost nothing, do not
count.  Both are measured on a few probes of their own, so they depend on neither the reads nor their number.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.scale import unit_of
from physlearn.kinds import is_discrete

PROBES = 16
QUENCH = 30  # sweeps at no temperature to speak of
EXCITED = 0.1  # excited variables of a state at the cold end
DEEPER = 1e-6  # of the hot end: the first cold end looked at, and of each the next
NOTHING = 1e-12  # of a variable's largest gap: rounding of a move that costs nothing
STEPS, PILOT = 24, 20  # temperatures of the adaptive schedule's pilot, and sweeps at each


def default_range(energy, problem, sampler):
    """Hot and cold temperatures; ``sampler`` has `PROBES` chains in random states, and is quenched here.

    Coefficients may span any number of decades: while too much is excited at the cold end of the search, the probes
    are quenched again further down.
    """
    random = gaps(energy, problem, sampler.state())
    unit = max((unit_of(g) for g in random if np.any(g)), default=1.0)
    squares = (np.mean((g / unit) ** 2, axis=(0, 2)).max(initial=0.0) for g in random)
    hot = unit * float(np.sqrt(max(squares, default=0.0)))
    if hot == 0.0:
        return 1.0, 1.0  # nothing costs anything
    low, high = hot / unit, hot / unit
    while True:
        low = DEEPER * low
        sampler.run(QUENCH, np.full(PROBES, unit * low))
        cold = _costs(random, gaps(energy, problem, sampler.state())) / unit
        if unit * DEEPER * low == 0.0 or np.sum(np.exp(-cold / low)) < EXCITED * PROBES:
            break
    for _ in range(60):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if np.sum(np.exp(-cold / middle)) < EXCITED * PROBES else (low, middle)
    return hot, unit * low


def _costs(random, quenched):
    """Gaps of quenched states that are more than rounding on the scale of their own variable, in one row."""
    kept = []
    for before, after in zip(random, quenched, strict=True):
        scale = np.maximum(before.max(axis=(0, 2)), after.max(axis=(0, 2)))
        kept.append(after[after > NOTHING * scale[:, None]])
    return np.concatenate(kept)


def gaps(energy, problem, x):
    """Size of the energy of every move of every free variable, (chains, variables, moves) a discrete layer."""
    out = []
    for name, layer in energy.layers.items():
        start = problem.frame.offset[name]
        free = problem.frame.cluster[start : start + layer.size] >= 0
        if not free.any():
            continue
        kind = layer.kind
        if not is_discrete(kind):
            raise ValueError(
                f"schedule: there is no default range for layer {name!r} of kind {kind}, whose moves have no gap; "
                "pass hot and cold, or an array of temperatures"
            )
        f, flat = energy.field(x, name, np.flatnonzero(free)), x[name].reshape(len(x[name]), -1)[:, free]
        if not kind.coded:
            push = np.broadcast_to(problem.push[:1, start : start + layer.size][:, free], flat.shape)
            f = kind.sloped(f, push, None, flat)
        out.append(kind.costs(np.asarray(f, dtype=float), flat))
    return out


def constant_speed(hot, cold, sweeps, sampler, energies):
    """Temperatures of equal thermodynamic distance, sqrt(C) dT / T with C the heat capacity.

    Salamon, Nulton, Harland, Pedersen, Ruppeiner and Liao 1988.  C = var(E) / T^2 is measured on the way down
    in a pilot run of ``sampler``'s probes, over time within each chain: what has frozen does not count.
    ``energies()`` are the probes' energies.
    """
    grid, speed, unit = np.geomspace(hot, cold, STEPS), np.empty(STEPS), unit_of(hot)
    for k, temperature in enumerate(grid):
        seen = []
        for _ in range(PILOT):
            sampler.run(1, np.full(PROBES, temperature))
            seen.append(energies() / unit)
        speed[k] = np.sqrt(np.mean(np.var(np.array(seen)[PILOT // 4 :], axis=0))) / (temperature / unit)
    between = 0.5 * (speed[1:] + speed[:-1]) * -np.diff(np.log(grid))
    distance = np.concatenate([[0.0], np.cumsum(between + 1e-6 * (between.sum() + 1e-300))])
    return np.exp(np.interp(np.linspace(0.0, distance[-1], sweeps), distance, np.log(grid)))
