"""Experiments that study files name by import path, such as ``physlearn.tasks:ising``.

Each runs one replicate at one point and returns scalars, to be mapped over a space of parameters, and curves.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from physlearn.study.plans.task import Task
from physlearn.threads import one_blas_thread


class IsingParams(BaseModel):
    """A ferromagnet or antiferromagnet on a periodic lattice, in equilibrium."""

    model_config = ConfigDict(extra="forbid")
    lattice: Literal["square", "triangular", "cubic"] = "square"
    size: int = Field(default=16, ge=3, description="spins along each side")
    temperature: float = Field(default=2.27, gt=0, description="in units where k_B = 1")
    coupling: float = Field(default=1.0, description="J; positive favours equal neighbours")
    method: str = Field(default="swendsen_wang", description="an engine of `sample`, or 'auto'")
    draws: int = Field(default=2000, ge=10)
    warmup: int = Field(default=200, ge=0, description="sweeps before the first draw")
    thin: int = Field(default=1, ge=1, description="sweeps from one draw to the next")


def run_ising(params: IsingParams, rng) -> dict:
    """One chain: magnetisation, energy, and what their fluctuations tell, each per spin."""
    from physlearn.dynamics import sample
    from physlearn.models import Ising, binder, magnetisation, specific_heat, susceptibility

    model = getattr(Ising, params.lattice)(params.size, params.coupling)
    dims = len(model.layers["s"].shape)
    drawn = sample(
        model,
        temperature=params.temperature,
        chains=1,
        n_samples=params.draws,
        warmup=params.warmup,
        thin=params.thin,
        method=params.method,
        observe={"m": lambda x: magnetisation(x["s"], dims)},
        rng=rng,
    )
    n, m, energy = model.layers["s"].size, drawn.observed["m"][0], drawn.energy[0]
    return {
        "magnetisation": np.mean(np.abs(m)),
        "energy": np.mean(energy) / n,
        "susceptibility": susceptibility(m, n, params.temperature),
        "specific_heat": specific_heat(energy, n, params.temperature),
        "binder": binder(m),
    }


ising = Task(
    run=run_ising,
    params=IsingParams,
    warm=lambda: run_ising(IsingParams(size=4, draws=10), np.random.default_rng(0)),
    headline={
        "magnetisation": "|m| per spin",
        "energy": "energy per spin",
        "susceptibility": "susceptibility per spin",
        "specific_heat": "specific heat per spin",
        "binder": "Binder cumulant",
    },
)


class HopfieldParams(BaseModel):
    """Random patterns stored in a Hopfield network, and cues to recall them from."""

    model_config = ConfigDict(extra="forbid")
    neurons: int = Field(default=500, ge=2)
    load: float = Field(default=0.1, gt=0, description="patterns per neuron; their number is rounded, at least 1")
    temperature: float = Field(default=0.0, ge=0, description="0 falls to a fixed point")
    rule: Literal["hebb", "projection", "storkey"] = "hebb"
    flipped: float = Field(default=0.0, ge=0, le=0.5, description="fraction of inverted neurons in a cue")
    cues: int = Field(default=8, ge=1, description="number of patterns tried")
    sweeps: int = Field(default=50, ge=2, description="updates of every neuron")


def run_hopfield(params: HopfieldParams, rng) -> dict:
    """Overlap with the pattern of the cue: at the end, or over the second half of the sweeps if it is warm."""
    from physlearn.models import Hopfield, flip, random_patterns
    from physlearn.models.curves import RETRIEVED

    patterns = random_patterns(max(1, round(params.load * params.neurons)), params.neurons, rng=rng)
    wanted = patterns[: params.cues]
    memory, cues = Hopfield.store(patterns, params.rule), flip(wanted, params.flipped, rng=rng)
    found = memory.recall(cues, temperature=params.temperature, max_sweeps=params.sweeps, trace=True, rng=rng)
    path = np.mean(np.asarray(found.trace) * wanted, axis=2)  # (sweeps + 1, cues)
    resting = np.repeat(path[-1:], params.sweeps + 1 - len(path), axis=0)
    path = np.concatenate([path, resting])
    kept = path[-1] if params.temperature == 0 else path[params.sweeps // 2 :].mean(0)
    return {"overlap": kept.mean(), "retrieved": np.mean(kept > RETRIEVED), "overlap_in_time": path.mean(1)}


def warm_hopfield():
    """Compile both recalls, to a fixed point and at a temperature."""
    for temperature in (0.0, 0.5):
        run_hopfield(HopfieldParams(neurons=20, temperature=temperature), np.random.default_rng(0))


hopfield = Task(
    run=run_hopfield,
    params=HopfieldParams,
    warm=warm_hopfield,
    dims={"overlap_in_time": ("sweep",)},
    padded=("overlap_in_time",),
    headline={"overlap": "overlap after recall", "retrieved": "fraction of cues with an overlap above 0.9"},
)


class RBMParams(BaseModel):
    """A restricted Boltzmann machine that learns the bars and stripes of a small square."""

    model_config = ConfigDict(extra="forbid")
    side: int = Field(default=3, ge=2, le=4, description="pixels along each side")
    hidden: int = Field(default=8, ge=1, le=64)
    rule: Literal["contrastive_divergence", "persistent"] = "persistent"
    k: int = Field(default=1, ge=1, description="sweeps of each model phase")
    chains: int = Field(default=100, ge=1, description="of the persistent rule")
    lr: float = Field(default=0.1, gt=0, description="falls linearly to zero")
    epochs: int = Field(default=20_000, ge=1, description="full-batch steps")
    measured: int = Field(default=20, ge=1, description="number of measurements of the likelihood")


def bars_and_stripes(side) -> np.ndarray:
    """The 2^(side + 1) - 2 pictures with equal rows or equal columns, (m, side^2) of 0 and 1.

    Examples
    --------
    >>> bars_and_stripes(3).shape
    (14, 9)
    """
    rows = (np.arange(2**side)[:, None] >> np.arange(side)) & 1
    pictures = [np.repeat(row[None], side, 0) for row in rows]
    return np.unique([p.ravel() for p in pictures + [p.T for p in pictures]], axis=0).astype(float)


def run_rbm(params: RBMParams, rng) -> dict:
    """The exact mean log-likelihood of the patterns during learning, and its final distance from the optimum."""
    from physlearn.learning import SGD, ContrastiveDivergence, PersistentContrastiveDivergence, learn
    from physlearn.models import RBM

    patterns = bars_and_stripes(params.side)
    rule = ContrastiveDivergence(k=params.k)
    if params.rule == "persistent":
        rule = PersistentContrastiveDivergence(k=params.k, chains=params.chains)
    optimizer = SGD(lambda epoch: params.lr * (1 - epoch / params.epochs))
    rbm, training, curve = RBM(params.side**2, params.hidden, scale=0.1, rng=rng), None, []
    ends = np.unique(np.linspace(0, params.epochs, params.measured + 1).round().astype(int))
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        training = learn(
            rbm,
            {"v": patterns},
            rule=rule,
            optimizer=optimizer,
            epochs=int(end - begin),
            batch=None,
            rng=rng,
            resume=training,
        )
        rbm = training.machine
        curve.append(rbm.log_likelihood(patterns).value.mean())
    return {
        "log_likelihood": curve[-1],
        "shortfall": -np.log(len(patterns)) - curve[-1],
        "log_likelihood_in_time": np.array(curve),
    }


rbm = Task(
    run=run_rbm,
    params=RBMParams,
    warm=lambda: run_rbm(RBMParams(side=2, epochs=2), np.random.default_rng(0)),
    units={"log_likelihood": "nats", "shortfall": "nats", "log_likelihood_in_time": "nats"},
    dims={"log_likelihood_in_time": ("measurement",)},
    padded=("log_likelihood_in_time",),
    headline={"log_likelihood": "mean log-likelihood (nats)", "shortfall": "below the data's own entropy (nats)"},
)


class AssemblyParams(BaseModel):
    """Structures stored as bonds of one soup of molecules on a square lattice, and seeds to retrieve them."""

    model_config = ConfigDict(extra="forbid")
    side: int = Field(default=8, ge=2, description="of the structures, random permutations of side^2 species")
    stored: int = Field(default=2, ge=1, description="number of structures")
    bond: float = Field(default=7.5, gt=0, description="energy of a stored bond, in units of T")
    mu: float = Field(default=12.5, description="cost of a molecule, -ln(concentration), in units of T")
    seed: float = Field(default=0.5, gt=0, le=1, description="side of the seed over the structure's")
    margin: int = Field(default=2, ge=0, description="empty sites on each side of a structure; the lattice is periodic")
    sweeps: int = Field(default=1000, ge=1, description="of the exact heat bath")
    seeds: int = Field(default=4, ge=1, description="number of seeds, of each structure in turn")


def run_assembly(params: AssemblyParams, rng) -> dict:
    """Overlap with the seed's structure, and shares of final states; another structure than its own is a chimera."""
    from physlearn.models import grow_seeds, random_structures
    from physlearn.terms.lattice import Lattice

    structures = random_structures(params.stored, (params.side, params.side), rng=rng)
    lattice = Lattice((params.side + 2 * params.margin,) * 2)
    found = grow_seeds(
        structures,
        lattice,
        bond=params.bond,
        mu=params.mu,
        seed=params.seed,
        sweeps=params.sweeps,
        chains=params.seeds,
        rng=rng,
    )
    wanted = np.arange(params.seeds) % params.stored
    own = found.main == wanted
    return {
        "overlap": found.overlap[np.arange(params.seeds), wanted].mean(),
        "retrieved": np.mean((found.name == "retrieved") & own),
        "chimera": np.mean((found.name == "chimera") | (found.name == "retrieved") & ~own),
        "liquid": np.mean(found.name == "liquid"),
        "dispersed": np.mean(found.name == "dispersed"),
        "error": found.error.mean(),
    }


assembly = Task(
    run=run_assembly,
    params=AssemblyParams,
    warm=lambda: run_assembly(AssemblyParams(side=2, sweeps=1, seeds=1), np.random.default_rng(0)),
    headline={
        "overlap": "overlap with the seed's structure",
        "retrieved": "fraction of seeds that became their structure",
        "error": "errors per contact",
    },
)


SHARES = np.linspace(0.25, 2.0, 8)  # of the times of collapse and of speciation


class DiffusionParams(BaseModel):
    """When, on the way back from noise, a class is chosen and a datum is copied."""

    model_config = ConfigDict(extra="forbid")
    dimensions: int = Field(default=16, ge=2)
    data: int = Field(default=1000, ge=2, description="Gaussian data of unit variance")
    queries: int = Field(default=200, ge=1, description="data that are noised")
    pairs: int = Field(default=500, ge=1, description="of paths that part, between two classes at +-m, |m|^2 = d")


def run_diffusion(params: DiffusionParams, rng) -> dict:
    """Collapse measured and by the formula; agreement of paths that part at shares of the time of speciation."""
    from scipy.optimize import brentq

    from physlearn.dynamics import integrate, reverse
    from physlearn.models import GaussianMixture, OUProcess, clones_agree, collapse_time, own_weight

    n, d, process = params.data, params.dimensions, OUProcess()
    data, seed, formula = rng.standard_normal((n, d)), int(rng.integers(2**32)), collapse_time(n, d)

    def weight(t):
        return own_weight(data, t, queries=params.queries, rng=seed)

    law = GaussianMixture(np.stack([np.ones(d), -np.ones(d)]), 1.0)
    back, agree, theory = reverse(process, process.score_of(law), 1.0), [], []
    for t in 0.5 * np.log(d) * SHARES:
        parting, dt = process.noised(law, t).sample(params.pairs, rng), t / max(int(t / 0.02), 10)
        runs: Any = [integrate(back, (0.0, t), x0=parting, dt=dt, times=[0.0], rng=rng) for _ in range(2)]
        ends = [run.final.sum(1) > 0 for run in runs]
        agree.append(np.mean(ends[0] == ends[1]))
        theory.append(clones_agree(np.sqrt(d) * np.exp(-t)))
    collapse: Any = brentq(lambda t: weight(t) - 0.5, 0.02 * formula, 10.0 * formula, xtol=1e-4)
    return {
        "collapse": collapse,
        "formula": formula,
        "shift": collapse - formula,
        "miss": np.max(np.abs(np.subtract(agree, theory))),
        "own_weight": np.array([weight(t) for t in formula * SHARES]),
        "agreement": np.array(agree),
        "agreement_in_theory": np.array(theory),
    }


diffusion = Task(
    run=run_diffusion,
    params=DiffusionParams,
    warm=lambda: run_diffusion(DiffusionParams(dimensions=4, data=20, pairs=2), np.random.default_rng(0)),
    dims={"own_weight": ("share",), "agreement": ("share",), "agreement_in_theory": ("share",)},
    headline={
        "collapse": "time at which a datum's own weight is 1/2",
        "shift": "that time less the formula's",
        "miss": "largest difference of clones' agreement to theory",
    },
)


class ScalingParams(BaseModel):
    """Something that learns a target of power-law spectrum, of a size, from some data, for some time."""

    model_config = ConfigDict(extra="forbid")
    model: Literal["mlp", "features", "kernel"] = "features"
    size: int = Field(default=64, ge=2, description="units of each of two layers (mlp), or random features")
    samples: int = Field(default=256, ge=2, description="data of mlp and kernel; features see infinitely many")
    time: float = Field(
        default=1e4, gt=0, description="steps of gradient descent (mlp), or of gradient flow (features)"
    )
    alpha: float = Field(default=1.0, gt=0.5, description="data x_j ~ j^-alpha: kernel eigenvalues j^(-2 alpha)")
    beta: float = Field(default=0.3, gt=0, description="target sum_j j^-beta x_j: power j^(-2 alpha - 2 beta)")
    variables: int = Field(default=2000, ge=3, description="j = 1 .. variables (features, kernel)")
    inputs: int = Field(default=4, ge=1, description="dimension of the data (mlp)")


def run_scaling(params: ScalingParams, rng) -> dict:
    """Loss on new data, with the exact one where a theory has it; parameters, and floating-point operations."""
    if params.model == "mlp":
        return _scaling_mlp(params, rng)
    j = np.arange(1, params.variables + 1.0)
    if params.model == "features":
        from physlearn.models import RandomFeatures

        model = RandomFeatures(params.size, params.variables, alpha=params.alpha, beta=params.beta, rng=rng)
        loss = float(model.loss(params.time))
        flops = 6.0 * params.size * params.time
        return {"loss": loss, "theory": np.nan, "floor": model.floor, "parameters": params.size, "flops": flops}
    from physlearn.models import kernel_error

    power, spread = j ** (-2 * params.alpha - 2 * params.beta), j**-params.alpha
    x = rng.standard_normal((params.samples, params.variables)) * spread
    weight = j**-params.beta
    with one_blas_thread():
        found = np.linalg.lstsq(x, x @ weight, rcond=None)[0]  # the least of all fits: regression without a ridge
    error = float(np.sum((spread * (found - weight)) ** 2))
    theory = kernel_error(params.samples, spread**2, power)
    return {"loss": error, "theory": theory, "floor": 0.0, "parameters": params.variables, "flops": np.nan}


def _scaling_mlp(params, rng):
    """A network of two layers learns a sum of waves of falling power."""
    from physlearn.learning import Adam, ExactGradient, SquaredError, WarmupCosine, learn
    from physlearn.maps import Relu
    from physlearn.models import PredictionGraph

    waves, steps = rng.normal(size=(params.inputs, 64)), int(params.time)
    height = (1.0 + np.arange(64)) ** -params.beta
    height /= np.sqrt(0.5 * np.sum(height**2))  # variance one
    shift = rng.uniform(0, 2 * np.pi, 64)

    def drawn(n):
        x = rng.uniform(-1.0, 1.0, (n, params.inputs))
        return {"x": x, "y": (np.cos(x @ waves + shift) @ height)[:, None]}

    data, new = drawn(params.samples), drawn(2000)
    net = PredictionGraph.layered([params.inputs, params.size, params.size, 1], Relu(), rng=rng)
    net = PredictionGraph.layered(
        [params.inputs, params.size, params.size, 1],
        Relu(),
        theta={name: value.astype(np.float32) for name, value in net.theta.items()},
    )
    batch = min(64, params.samples)
    epochs = max(1, steps * batch // params.samples)
    task: Any = dict(rule=ExactGradient(), cost=SquaredError("y"), batch=batch, progress=False, rng=rng)
    done = learn(net, data, optimizer=Adam(WarmupCosine(3e-3, epochs)), epochs=epochs, **task)
    error = done.machine.forward(new["x"])["y"] - new["y"]
    parameters = sum(value.size for value in net.theta.values())
    flops = 6.0 * parameters * batch * steps
    loss = 0.5 * float(np.mean(np.asarray(error, float) ** 2))
    return {"loss": loss, "theory": np.nan, "floor": 0.0, "parameters": parameters, "flops": flops}


scaling = Task(
    run=run_scaling,
    params=ScalingParams,
    headline={"loss": "loss on new data", "theory": "by theory", "parameters": "parameters"},
)
