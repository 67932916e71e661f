"""sample: draw from exp(-E/T)/Z, with some variables clamped."""

from __future__ import annotations

import logging

import numpy as np

from physlearn.checks import count
from physlearn.dynamics.sampling.engines import (
    NO_ENERGY,
    check_temperature,
    energies_of,
    start_sampler,
    warn_of_trouble,
)
from physlearn.dynamics.sampling.samples import Observed, Samples
from physlearn.machine import Machine
from physlearn.progress import Bar
from physlearn.systems import energy_of, variables
from physlearn.threads import on_one_thread

LOG = logging.getLogger(__name__)


@on_one_thread
def sample(
    energy: Machine,
    *,
    temperature,
    n_samples: int,
    chains: int = 4,
    warmup: int = 100,
    thin: int = 1,
    x0=None,
    clamp=None,
    method: str = "auto",
    observe=None,
    rng=None,
    progress: bool | None = None,
    **settings,
) -> Samples:
    """Draw states from the Boltzmann distribution (k_B = 1).

    Parameters
    ----------
    energy : Machine or Energy
        A `System` without one is refused: it has no equilibrium distribution to draw from.
    temperature : float or (chains,) array
        Positive, in the energy's units.
    n_samples : int
        Draws per chain.
    chains : int
        Independent chains; each depends on the seed and its own number only, not on how many run.
    warmup, thin : int
        Sweeps before the first draw, and from one draw to the next.
    x0 : array or mapping, optional
        Where every chain starts, (*shape) or (chains, *shape); default random.
    clamp : mapping of str to array, optional
        Readout name to values, (k,) or (chains, k).
    method : str
        "auto" or an engine's name; "spikes" (with ``tau``, the visits that a spike lasts) is that of abstract neurons.
        "checkerboard" keeps couplings in float32, and with ``precision="double"`` in float64.
    observe : mapping of str to callable or Mean, optional
        Functions of the state, ``f(x) -> (chains, ...)``; given, states are not stored (``{}``: energies only).
    rng : int, Generator or None
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.
    **settings
        Passed to the engine.

    Returns
    -------
    Samples

    Raises
    ------
    TypeError, ValueError
        A System without an energy, T <= 0, a method or clamps that do not fit.

    Examples
    --------
    Two spins that like to agree do so with probability 1/(1 + exp(-2J/T)):

    >>> import numpy as np
    >>> from physlearn import Energy, Spin, sample
    >>> from physlearn.terms import Pairs
    >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    >>> drawn = sample(pair, temperature=2.0, n_samples=2000, chains=10, rng=0)
    >>> agree = np.mean(drawn.x[..., 0] == drawn.x[..., 1])
    >>> bool(abs(agree - 1 / (1 + np.exp(-1.0))) < 0.02)
    True
    """
    energy = energy_of(energy, NO_ENERGY)
    count("chains", chains, each=8 * variables(energy))
    temperature = check_temperature(temperature, chains)
    each = 8 * chains * (1 + (variables(energy) if observe is None else 0))
    count("n_samples", n_samples, each=each)
    count("thin", thin)
    count("warmup", warmup, least=0)
    observed = Observed(observe, chains, n_samples)
    sampler = start_sampler(energy, chains, x0, clamp, method, rng, settings)
    with Bar("sample", "sweep", warmup + n_samples * thin, progress) as bar:
        getattr(sampler, "warm", sampler.run)(warmup, temperature)
        bar.update(warmup)
        before = np.array(sampler.proposed), np.array(sampler.accepted)
        energies, states, x = np.empty((chains, n_samples)), [], None
        if observe is None and hasattr(sampler, "draws"):
            x, energies = sampler.draws(n_samples, thin, temperature, bar.update)
        for draw in range(n_samples if x is None else 0):
            sampler.run(thin, temperature)
            bar.update(thin)
            energies[:, draw] = energies_of(energy, sampler)
            if observe is not None and not observe:
                continue
            here = sampler.state()
            if observe is None:
                states.append({name: value.copy() for name, value in here.items()})
            observed.see(here)
    warn_of_trouble("sample", sampler)
    proposed = sampler.proposed - before[0]
    if states:
        x = {name: np.stack([s[name] for s in states], 1) for name in energy.layers}
    x = next(iter(x.values())) if x is not None and len(x) == 1 else x
    return Samples(
        x,
        energies,
        observed.stacked(),
        (sampler.accepted - before[1]) / proposed if np.all(proposed > 0) else None,
        {name: value.copy() for name, value in sampler.state().items()},
        float(temperature[0]) if np.all(temperature == temperature[0]) else temperature,
        sampler.method,
        observed.means,
        sampler.notes,
    )
