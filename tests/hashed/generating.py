"""Runs of learned generators: diffusion models, flows, adversarial pairs, conditional energies of details."""

import numpy as np

from physlearn import Adam, Energy, ExactGradient, Real, learn, sample
from physlearn.learning import MaximumLikelihood, ReverseKL
from physlearn.maps import Affine, Chain, Concatenate, Silu, Tanh
from physlearn.models import (
    AdversarialPair,
    ContinuousFlow,
    CouplingFlow,
    DiffusionModel,
    NoiseSchedule,
    ScalarField,
    ScaleByScale,
    contest,
    reweighted,
    two_sample,
)
from physlearn.terms import Parabola


def data(d=2):
    return np.random.default_rng(0).standard_normal((60, d)) * 0.5 + 0.3


def net(out, name="W"):
    return Chain(Concatenate(), Affine(8, f"{name}1", f"{name}b1"), Silu(), Affine(out, f"{name}2", f"{name}b2"))


def diffusion(kind="eps", single=False, condition=None):
    model = DiffusionModel(net(2), NoiseSchedule.linear(30), kind, shape=2, condition=condition, rng=0)
    return model.with_theta(model.theta) if not single else DiffusionModel(
        net(2), model.schedule, kind, shape=2, theta={k: v.astype(np.float32) for k, v in model.theta.items()}
    )  # fmt: skip


def denoised(model, **batches):
    return learn(
        model,
        model.batches(data(), 16, **batches),
        rule=ExactGradient(),
        cost=model.cost,
        optimizer=Adam(0.01),
        epochs=5,
        rng=1,
    )


def conditional():
    c = np.eye(2)[np.arange(60) % 2]
    done = denoised(diffusion(condition=2), condition=c, drop=0.2).machine
    return done.sample(20, condition=[1.0, 0.0], guidance=1.5, rng=3)


def flow(single=False):
    made = CouplingFlow(2, couplings=3, hidden=(8,), activation=Tanh(), rng=0)
    theta = {k: v.astype(np.float32) for k, v in made.theta.items()}
    return CouplingFlow(2, couplings=3, hidden=(8,), activation=Tanh(), theta=theta) if single else made


def likely(single=False):
    task = dict(rule=MaximumLikelihood(), optimizer=Adam(0.01), epochs=3, batch=16, rng=2)
    return learn(flow(single), {"x": data()}, **task)


WELL = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0, 2.0]})


def matched():
    model = ContinuousFlow(net(2), shape=2, steps=6, rng=0)
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=Adam(0.01), epochs=5, rng=1)
    done = learn(model, model.batches(data(), 16), **task).machine
    return done.decode(data(), trace="exact"), done.decode(data(), trace="stochastic", rng=4)


def pair():
    made = AdversarialPair(Affine(2, "G", "g"), net(1, "D"), shape=2, noise=2, rng=0)
    done = contest(made, data(), optimizer=Adam(0.01), turns=4, batch=16, rng=5)
    return done.pair.theta, done.judge_cost, done.maker_cost


def scales():
    ring = ScalarField(16, kappa=0.25, lam=0.5)
    fields = sample(ring, temperature=1.0, n_samples=20, chains=20, method="hmc", target=0.9, rng=0).x.reshape(-1, 16)
    model = ScaleByScale.learnt(fields, 2)
    return [e.theta for e in model.energies], model.sample(5, sweeps=6, rng=1)


RUNS = {
    **{f"diffusion {kind}": lambda kind=kind: denoised(diffusion(kind)) for kind in ("eps", "x0", "v", "score")},
    "diffusion single": lambda: denoised(diffusion(single=True)),
    "diffusion conditional": conditional,
    **{
        f"draws {m}": lambda m=m: diffusion("v").sample(20, method=m, steps=10, rng=1)
        for m in ("ancestral", "ddim", "flow")
    },
    "losses": lambda: diffusion("x0").losses(data(), bands=3, covariance=0.25, rng=1),
    "coupling flow": likely,
    "coupling flow single": lambda: likely(single=True),
    "reverse divergence": lambda: learn(
        flow(), flow().noise(16), rule=ReverseKL(WELL), optimizer=Adam(0.01), epochs=4, rng=2
    ),
    "reweighted": lambda: reweighted(flow(), WELL, 50, rng=1),
    "independence": lambda: sample(
        WELL, temperature=0.7, n_samples=10, chains=5, method="independence", proposal=flow(), rng=1
    ),
    "continuous flow": matched,
    "adversarial pair": pair,
    "field": lambda: ScalarField(8, kappa=0.3, lam=0.4).ring(),
    "scales": scales,
    "two samples": lambda: [two_sample(data(), data() + 0.2, distance=d, rng=1) for d in ("energy", "mmd")],
}
