"""Names and units of a network's parts in Brian2."""

from __future__ import annotations

import re

from circuits.neurons.synapses.receptors import Delta


def identifier(name):
    """A name that Brian2 accepts."""
    name = re.sub(r"\W", "_", name.replace("->", "_to_"))
    return name if re.match(r"[A-Za-z]", name) else f"p_{name}"


def rows_of(name, receptor):
    """Names of a receptor's rows in Brian2; spikes jump the first, the last is its current or conductance."""
    name = f"{'I' if receptor.reversal is None else 'g'}_{identifier(name)}"
    return [*(f"{name}_{k}" for k in range(receptor.rows - 1)), name]


def unit_of(receptor):
    """Brian2's unit of a receptor's state."""
    return "volt" if isinstance(receptor, Delta) else "amp" if receptor.reversal is None else "siemens"


def quantity(b2, value, unit):
    """A value with its unit, given by name such as "siemens/meter**2"."""
    factor = 1
    for k, part in enumerate(unit.split("/")):
        base, _, power = part.partition("**")
        base = 1 if base == "1" else getattr(b2, base) ** int(power or 1)
        factor = base if k == 0 else factor / base
    return value * factor
