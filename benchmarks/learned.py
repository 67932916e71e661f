"""Learned generators beside torch and the libraries of flows (those that are installed).

Two moons (4,096 points, standardised).  Diffusion: an eps-net 18-128-128-2 with SiLU, batch 256, Adam: one training
step through `learn`; 1,000 draws of 100 steps.  Flow: 8 affine couplings of nets 1-64-64-2 with ReLU, batch 256, Adam:
one training step; the log-likelihood of 10,000 points.  Both precisions of ours and of torch, float32 of the flows.
Usage: python benchmarks/learned.py [--peers FOLDER]   (a folder that pip installed torch, flowjax, ... into)
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import os
import sys

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
if "--peers" in sys.argv:
    sys.path.append(sys.argv[sys.argv.index("--peers") + 1])

import numpy as np
from sklearn.datasets import make_moons

from physlearn import Adam, ExactGradient, learn
from physlearn.learning import MaximumLikelihood
from physlearn.maps import Affine, Chain, Concatenate, Silu
from physlearn.models import CouplingFlow, DiffusionModel, NoiseSchedule

BATCH, HIDDEN, FEATURES, STEPS, COUPLINGS = 256, 128, 16, 100, 8


def moons(n=4096, seed=0):
    """Points of two moons, standardised."""
    x = make_moons(n, noise=0.05, random_state=seed)[0]
    return (x - x.mean(0)) / x.std(0)


def interleaved(calls, repeats=7):
    """Least processor time of each call, ms, taken in turns: {name: (function, calls within)}."""
    for function, _ in calls.values():
        function()
    best = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, (function, within) in calls.items():
            start = processor_time()
            function()
            best[name] = min(best[name], 1e3 * (processor_time() - start) / within)
    return best


def single(model, make, dtype):
    """The model in a precision."""
    return make({name: value.astype(dtype) for name, value in model.theta.items()})


def diffusion(dtype):
    """Functions of ours: 50 training steps, and draws."""
    net = Chain(
        Concatenate(),
        Affine(HIDDEN, "W1", "b1"),
        Silu(),
        Affine(HIDDEN, "W2", "b2"),
        Silu(),
        Affine(2, "W3", "b3"),
    )
    schedule = NoiseSchedule.linear(STEPS, 1e-4, 0.2)

    def make(theta):
        return DiffusionModel(net, schedule, shape=2, features=FEATURES, theta=theta, rng=0)

    model = single(make(None), make, dtype)
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=Adam(1e-3), rng=0, progress=False)
    batches = model.batches(moons(), BATCH)
    return (lambda: learn(model, batches, epochs=50, **task)), (lambda: model.sample(1000, rng=0))


def torch_diffusion(dtype):
    """The same in torch."""
    import torch as t

    t.set_num_threads(1)
    kind = t.float32 if dtype == np.float32 else t.float64
    beta = np.linspace(1e-4, 0.2, STEPS)
    u = np.arange(1, STEPS + 1)[:, None] / STEPS * np.pi * 2.0 ** np.arange(FEATURES // 2)
    x, times, beta = (t.tensor(v, dtype=kind) for v in (moons(), np.concatenate([np.sin(u), np.cos(u)], 1), beta))
    left = t.cumprod(1 - beta, 0)
    layers = t.nn.Linear(2 + FEATURES, HIDDEN), t.nn.Linear(HIDDEN, HIDDEN), t.nn.Linear(HIDDEN, 2)
    net = t.nn.Sequential(layers[0], t.nn.SiLU(), layers[1], t.nn.SiLU(), layers[2]).to(kind)
    adam = t.optim.Adam(net.parameters(), 1e-3, fused=True)

    def step():
        pick, k, eps = t.randint(0, len(x), (BATCH,)), t.randint(0, STEPS, (BATCH,)), t.randn(BATCH, 2, dtype=kind)
        noised = left[k].sqrt()[:, None] * x[pick] + (1 - left[k]).sqrt()[:, None] * eps
        adam.zero_grad()
        ((net(t.cat([noised, times[k]], 1)) - eps) ** 2).mean().backward()
        adam.step()

    @t.no_grad()
    def draw():
        y = t.randn(1000, 2, dtype=kind)
        for k in range(STEPS - 1, -1, -1):
            eps = net(t.cat([y, times[k].expand(1000, FEATURES)], 1))
            y = (y - beta[k] / (1 - left[k]).sqrt() * eps) / (1 - beta[k]).sqrt()
            if k:
                y = y + (beta[k] * (1 - left[k - 1]) / (1 - left[k])).sqrt() * t.randn(1000, 2, dtype=kind)
        return y

    return (lambda: [step() for _ in range(50)]), draw


def coupling(dtype):
    """Functions of ours: a training epoch of 16 steps, and the likelihood of 10,000 points."""

    def make(theta):
        return CouplingFlow(2, couplings=COUPLINGS, hidden=(64, 64), theta=theta, rng=0)

    flow, x = single(make(None), make, dtype), moons()
    task = dict(rule=MaximumLikelihood(), optimizer=Adam(1e-3), batch=BATCH, rng=0, progress=False)
    big = np.tile(x, (3, 1))[:10_000].astype(dtype)
    return (lambda: learn(flow, {"x": x}, epochs=3, **task)), (lambda: flow.log_density(big))


def torch_flows():
    """{name: (function of 48 training steps, function of the likelihood)} of torch's libraries that are installed."""
    found = {}
    try:
        import torch as t
    except ImportError:
        return found
    t.set_num_threads(1)
    x = t.tensor(moons(), dtype=t.float32)
    big = x.repeat(3, 1)[:10_000]

    def both(parameters, log_prob):
        adam = t.optim.Adam(parameters, 1e-3)

        def step():
            adam.zero_grad()
            (-log_prob(x[t.randint(0, len(x), (BATCH,))]).mean()).backward()
            adam.step()

        def likelihood():
            with t.no_grad():
                return log_prob(big)

        return (lambda: [step() for _ in range(48)]), likelihood

    try:
        import normflows as nf

        maps = []
        for _ in range(COUPLINGS):
            maps.append(nf.flows.AffineCouplingBlock(nf.nets.MLP([1, 64, 64, 2], init_zeros=True)))
            maps.append(nf.flows.Permute(2, mode="swap"))
        model = nf.NormalizingFlow(nf.distributions.base.DiagGaussian(2), maps)
        found["normflows"] = both(list(model.parameters()), model.log_prob)
    except ImportError:
        pass
    try:
        import zuko

        kinds = dict(univariate=zuko.transforms.MonotonicAffineTransform, shapes=[(), ()])
        flow = zuko.flows.NICE(2, transforms=COUPLINGS, hidden_features=(64, 64), **kinds)
        found["zuko"] = both(list(flow.parameters()), lambda v: flow().log_prob(v))
    except ImportError:
        pass
    try:
        from nflows.flows.realnvp import SimpleRealNVP

        other = SimpleRealNVP(2, 64, COUPLINGS, 2)
        found["nflows"] = both(list(other.parameters()), other.log_prob)
    except ImportError:
        pass
    return found


def jax_flow():
    """The same of flowjax, compiled."""
    try:
        import equinox as eqx
        import jax
        import jax.numpy as jnp
        import optax
        import paramax
        from flowjax.distributions import StandardNormal
        from flowjax.flows import coupling_flow
    except ImportError:
        return {}
    flow = coupling_flow(
        jax.random.key(0), base_dist=StandardNormal((2,)), flow_layers=COUPLINGS, nn_width=64, nn_depth=2
    )
    adam, x = optax.adam(1e-3), jnp.asarray(moons(), jnp.float32)
    theta, static = eqx.partition(flow, eqx.is_inexact_array, is_leaf=lambda v: isinstance(v, paramax.NonTrainable))
    memory = adam.init(theta)

    @eqx.filter_jit
    def step(theta, memory, key):
        batch = x[jax.random.randint(key, (BATCH,), 0, len(x))]

        def loss(theta):
            return -paramax.unwrap(eqx.combine(theta, static)).log_prob(batch).mean()

        update, memory = adam.update(jax.grad(loss)(theta), memory)
        return eqx.apply_updates(theta, update), memory

    log_prob = eqx.filter_jit(lambda theta, v: paramax.unwrap(eqx.combine(theta, static)).log_prob(v))
    keys, big = jax.random.split(jax.random.key(1), 48), jnp.tile(x, (3, 1))[:10_000]

    def steps():
        own, kept = theta, memory
        for key in keys:
            own, kept = step(own, kept, key)
        jax.block_until_ready(own)

    return {"flowjax": (steps, lambda: jax.block_until_ready(log_prob(theta, big)))}


def main():
    """Both workloads of diffusion, then both of flows."""
    step, draw = {}, {}
    for dtype in (np.float32, np.float64):
        kind = np.dtype(dtype).name
        programs = {"physlearn": diffusion}
        try:
            import torch  # noqa: F401

            programs["torch"] = torch_diffusion
        except ImportError:
            pass
        for program, make in programs.items():
            train, sample = make(dtype)
            step[program, kind], draw[program, kind] = (train, 50), (sample, 1)
    shown("DDPM training step, batch 256", interleaved(step))
    shown("DDPM: 1,000 draws of 100 steps", interleaved(draw))
    step, density = {}, {}
    for dtype in (np.float32, np.float64):
        train, likelihood = coupling(dtype)
        step["physlearn", np.dtype(dtype).name], density["physlearn", np.dtype(dtype).name] = (
            (train, 48),
            (likelihood, 1),
        )
    for program, (train, likelihood) in (torch_flows() | jax_flow()).items():
        step[program, "float32"], density[program, "float32"] = (train, 48), (likelihood, 1)
    shown("coupling flow, training step, batch 256", interleaved(step))
    shown("coupling flow, log-likelihood of 10,000 points", interleaved(density))


def shown(title, times):
    """A table with ratios to ours in the same precision."""
    rows = [(*name, f"{ms:.3g}", f"{ms / times['physlearn', name[1]]:.2f}") for name, ms in times.items()]
    table(title, rows, ("program", "precision", "ms", "ratio to ours"))


if __name__ == "__main__":
    main()
