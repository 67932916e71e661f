"""sample: draw from exp(-E/T)/Z, with some variables clamped."""

from __future__ import annotations

import inspect
import logging
import warnings

import numpy as np

from physlearn.checks import count
from physlearn.dynamics import (
    bitpacked,
    checkerboard,
    cluster,
    exchange,
    gaussian,
    gibbs,
    heatbath,
    hmc,
    langevin,
    mala,
    metropolis,
    replicas,
)
from physlearn.dynamics.relax import make_problem, refused
from physlearn.dynamics.samples import Observed, Samples
from physlearn.energy import Energy, check_system
from physlearn.progress import Bar
from physlearn.rng import seed_sequence, streams
from physlearn.threads import on_one_thread

LOG = logging.getLogger(__name__)
BLOCK = 32  # chains whose energies are computed together

# In the order in which "auto" asks.  Each engine has `refusal(problem) -> str | None` and
# `Sampler(problem, state, streams)` with `run(sweeps, temperature)`, `state()` and, for all chains,
# `proposed` and `accepted` counts (zero proposed: it does not propose) and `method`.  Optional: `warm(sweeps,
# temperature)`, called instead of `run` for the warm-up (step sizes adapt there, and are kept afterwards), and
# `trouble() -> str | None`, of which the verbs warn, and `energies()` where they are cheap to keep.
ENGINES = {
    "bitpacked": bitpacked,
    "bytes": checkerboard.bytes_engine,
    "replicas": replicas,
    "checkerboard": checkerboard,
    "gaussian": gaussian,
    "heatbath": heatbath,
    "gibbs": gibbs,
    "metropolis": metropolis,
    "hmc": hmc,
    "mala": mala,
    "ula": langevin,
    "swendsen_wang": cluster.swendsen_wang_engine,
    "wolff": cluster.wolff_engine,
    "kawasaki": exchange,
}


@on_one_thread
def sample(
    energy: Energy,
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
    energy : Energy
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
        "auto" or an engine's name.
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
        A System without an energy, T <= 0, a method that does not fit, clamps that do not.

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
    for name, value, least in (("n_samples", n_samples, 1), ("thin", thin, 1), ("warmup", warmup, 0)):
        count(name, value, least)
    temperature = check_temperature(temperature, count("chains", chains))
    observed = Observed(observe, chains, n_samples)
    sampler = start_sampler(energy, chains, x0, clamp, method, rng, settings)
    with Bar("sample", "sweep", warmup + n_samples * thin, progress) as bar:
        getattr(sampler, "warm", sampler.run)(warmup, temperature)
        bar.update(warmup)
        before = np.array(sampler.proposed), np.array(sampler.accepted)
        energies, states = np.empty((chains, n_samples)), []
        for draw in range(n_samples):
            sampler.run(thin, temperature)
            bar.update(thin)
            energies[:, draw] = energies_of(energy, sampler)
            if observe is not None and not observe:
                continue
            x = sampler.state()
            if observe is None:
                states.append({name: value.copy() for name, value in x.items()})
            observed.see(x)
    warn_of_trouble("sample", sampler)
    proposed = sampler.proposed - before[0]
    x = None
    if observe is None:
        x = {name: np.stack([s[name] for s in states], 1) for name in energy.layers}
        x = next(iter(x.values())) if len(x) == 1 else x
    return Samples(
        x,
        energies,
        observed.stacked(),
        (sampler.accepted - before[1]) / proposed if np.all(proposed > 0) else None,
        {name: value.copy() for name, value in sampler.state().items()},
        float(temperature[0]) if np.all(temperature == temperature[0]) else temperature,
        sampler.method,
        observed.means,
    )


def warn_of_trouble(verb, sampler):
    """Warn, from where a verb was called, of what an engine says of its moves."""
    if (trouble := getattr(sampler, "trouble", lambda: None)()) is not None:
        warnings.warn(f"{verb}: {trouble}", RuntimeWarning, stacklevel=4)


def energies_of(energy, sampler):
    """Energies of a sampler's states, (chains,): its own count where it keeps one."""
    if hasattr(sampler, "energies"):
        return sampler.energies()
    x, out = sampler.state(), []
    chains = len(next(iter(x.values())))
    for start in range(0, chains, BLOCK):  # always as many rows: a matrix product's bits depend on their number
        rows = np.minimum(np.arange(start, start + BLOCK), chains - 1)
        out.append(sum(energy.shares({name: value[rows] for name, value in x.items()}).values()))
    return np.concatenate(out)[:chains]


def check_temperature(temperature, chains):
    """(chains,) positive finite temperatures."""
    value = np.asarray(temperature)
    good = value.dtype.kind in "iuf" and value.shape in ((), (chains,))
    if not good or not np.all((value > 0) & np.isfinite(value)):
        raise ValueError(
            f"temperature: got {temperature!r}, expected a positive finite number or one for each of {chains} chains; "
            "for T = 0 use relax or anneal"
        )
    return np.array(np.broadcast_to(value, (chains,)), dtype=float)


def start_sampler(energy, chains, x0, clamp, method, rng, settings):
    """The engine's sampler over ``chains`` chains, started at x0 or at random."""
    check_system(energy)
    if not isinstance(energy, Energy):
        raise TypeError(
            "energy: a System has no energy, so no Boltzmann distribution to draw from; integrate or relax it, or run "
            "species on a lattice by kinetics"
        )
    count("chains", chains)
    root = seed_sequence(rng)
    state = random_start(energy, chains, root) if x0 is None else started(energy, x0, chains)
    problem, _ = make_problem(energy, state, clamp)
    if problem.batch != chains:
        raise ValueError(f"clamp: a batch of {problem.batch} does not fit {chains} chains")
    if method != "auto" and method not in ENGINES:
        raise ValueError(f"method: got {method!r}, expected 'auto' or one of {list(ENGINES)}")
    fits = (name for name, engine in ENGINES.items() if engine.refusal(problem) is None)
    chosen = method if method != "auto" else next(fits, "gibbs")
    reason = ENGINES[chosen].refusal(problem) if method != "auto" or chosen == "gibbs" else None
    if reason is not None:
        fits = list(fits)
        raise ValueError(f"method {chosen!r} does not fit this energy: {reason}. What fits: {fits or 'nothing'}")
    check_settings(chosen, settings)
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("sampler: engine %r for %d chains; %s", chosen, chains, refused(ENGINES, problem))
    return ENGINES[chosen].Sampler(problem, problem.state(problem.initial()), streams(root, chains), **settings)


def check_settings(method, settings):
    """Refuse settings that an engine does not have."""
    known = list(inspect.signature(ENGINES[method].Sampler).parameters)[3:]
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise TypeError(f"{unknown[0]}: no setting of method {method!r}, which has {known or 'none'}")


def started(energy, x0, chains):
    """The state x0, one for all chains or one for each."""
    given = energy.state(x0, "x0")
    if (items := len(next(iter(given.values())))) not in (1, chains):
        raise ValueError(f"x0: {items} states, expected one, or one for each of {chains} chains")
    return {name: np.broadcast_to(value, (chains, *value.shape[1:])).copy() for name, value in given.items()}


def random_start(energy, chains, root):
    """A random state, every chain from a generator of its own."""
    rows: dict = {name: [] for name in energy.layers}
    for chain in range(chains):
        rng = np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, 1, chain)))
        for name, (kind, shape) in energy.layers.items():
            rows[name].append(kind.random(shape, rng))
    return {name: np.stack(values) for name, values in rows.items()}
