"""tilted_transport: draws of a posterior, by the prior's own reverse process from a tilted start."""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import choice, instance, positive
from physlearn.dynamics import integrate, reverse
from physlearn.models.generative.ou import OUProcess
from physlearn.models.generative.tilted import Tilt
from physlearn.models.generative.tilted_start import TiltedStart, tilted_start


def tilted_transport(process, law, tilt, t, n, *, dt, rng, alpha=1.0, start="exact") -> np.ndarray:
    """Draws of a tilted law, by the reverse process of the untilted one from its tilted start at time t.

    Parameters
    ----------
    process : OUProcess
    law : GaussianMixture
        The prior; its tilted start is a mixture too, and drawn exactly.
    tilt : Tilt
    t : float
        Where to start, below ``tilt.limit(process)``.
    n : int
    dt : float
        Step of the reverse SDE; t is a whole number of them.
    rng : int, Generator or None
    alpha : float
        1; others are refused, because they end in another law.
    start : {"exact", "annealed"} or TiltedStart
        How the tilted law at time t is drawn: exactly, as a mixture; or by `tilted_start`, or what that has drawn.

    Returns
    -------
    (n, d) array

    Examples
    --------
    >>> from physlearn.models import GaussianMixture, measured
    >>> prior, tilt = GaussianMixture([[-1.0], [1.0]], 0.2), measured([[1.0]], [0.4], 0.7)
    >>> x = tilted_transport(OUProcess(), prior, tilt, 0.1, 4000, dt=0.01, rng=0)
    >>> bool(abs(x.mean() - tilt.of(prior).mean[0]) < 0.05)
    True
    """
    instance("process", process, OUProcess, "an OUProcess")
    instance("tilt", tilt, Tilt, "a Tilt")
    if alpha != 1:
        raise ValueError(
            f"alpha: got {alpha!r}, expected 1: along other reverse processes the tilted start does not end in the "
            "tilted law (a Gaussian prior of variance 0.3 gets a mean of 0.19 instead of 0.13 with alpha = 0)"
        )
    if isinstance(start, TiltedStart):
        x0 = start.x
        if len(x0) != n:
            raise ValueError(f"start: has {len(x0)} draws, expected n = {n} of them")
    elif choice("start", start, ("exact", "annealed")) == "exact":
        x0 = tilt.at(process, positive("t", t)).of(process.noised(law, t)).sample(n, rng)
    else:
        x0 = tilted_start(process, law, tilt, t, n, rng=rng).x
    back = reverse(process, process.score_of(law), 1.0)
    final: Any = integrate(back, (0.0, t), x0=x0, dt=dt, times=[0.0], rng=rng).final
    return final
