"""Names in labelled arrays: those of layers and observables stand beside the export's own, none replaces another."""

from __future__ import annotations


def named(own, states, observed=(), taken=()):
    """Variables of an `xarray.Dataset`, {name: (dims, values)}.

    Parameters
    ----------
    own : dict of str to (dims, array)
        The export's own variables.
    states, observed : dict of str to (dims, array)
        A layer's or observable's name, with the leading dimensions; further ones are named NAME_dim_0, NAME_dim_1, ...
        Of two equal names the later has an underscore behind it, in the order of the arguments.
    taken : sequence of str
        Dimensions and coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> found = named({"energy": (("draw",), np.zeros(3))}, {"energy": (("draw",), np.zeros((3, 2)))}, taken=["draw"])
    >>> {name: dims for name, (dims, _) in found.items()}
    {'energy': ('draw',), 'energy_': ('draw', 'energy__dim_0')}
    """
    data, used = dict(own), {*own, *taken}
    given = [pair for part in (states, observed) for pair in dict(part).items()]
    names = []
    for name, _ in given:
        names.append(_free(name, used))
        used.add(names[-1])
    for name, (_, (lead, values)) in zip(names, given, strict=True):
        inner = [_free(f"{name}_dim_{k}", used) for k in range(values.ndim - len(lead))]
        used.update(inner)
        data[name] = ((*lead, *inner), values)
    return data


def _free(name, used):
    """The name, with underscores behind it until nothing else has it."""
    while name in used:
        name += "_"
    return name
