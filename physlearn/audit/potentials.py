"""The check that `check_energy` makes of a `Potential`: the term's energy and field, as plain Python and compiled."""

from __future__ import annotations

import numpy as np

from physlearn.audit.measure import noise
from physlearn.energy import batch_size
from physlearn.kernels import potentials
from physlearn.kernels.checked import in_python


def potential(scene, part, x):
    """Energy and force of every item against `energy` and `field`."""
    form = getattr(part.term, "potential", None)
    if form is None:
        return
    names, batch = list(dict.fromkeys(part.layers)), batch_size(x)
    flat = np.concatenate([x[name].reshape(batch, -1) for name in names], 1).astype(float)
    ints, floats = (np.require(array, requirements="W") for array in form.prepare(scene.theta))
    energy, force = np.empty(batch), np.zeros(flat.shape)
    where = potentials.address(form.force)
    row = potentials.evaluate(where, flat, ints, floats, energy, force)
    if row >= 0:
        raise potentials.mistake("potential (compiled)", form.force, flat[row], ints, floats)
    plain, slow = np.zeros(flat.shape), in_python(form.force)
    values = [slow(item, ints, floats, out) for item, out in zip(flat.copy(), plain, strict=True)]
    wanted = part.energy(x, scene.theta)
    fields = np.concatenate([part.field(x, scene.theta, name).reshape(batch, -1) for name in names], 1)
    for kind, found, f in (("potential", np.array(values), plain), ("potential (compiled)", energy, force)):
        yield scene.compare(part.name, kind, found, wanted, lambda k: f"energy of item {k}", noise(wanted, 1.0))
        n = flat.shape[1]
        yield scene.compare(
            part.name, kind, f, fields, lambda k, n=n: f"force on variable {k % n} of item {k // n}", noise(fields, 1.0)
        )
