"""Runs of `sample` with every engine, and of what is built on them: annealing, replica exchange, exact sums."""

import numpy as np

from physlearn import (
    Angle,
    Binary,
    Clock,
    Energy,
    Local,
    Mean,
    Potts,
    Readout,
    Real,
    Spin,
    SpinOne,
    anneal,
    annealed_importance,
    enumerate_states,
    greedy,
    ladder,
    population_annealing,
    sample,
    tempering,
    transfer_matrix,
)
from physlearn.io import maxcut_energy
from physlearn.models import (
    RBM,
    Assembly,
    Ising,
    PottsModel,
    SpinGlass,
    binder,
    correlation_length,
    frustrated_plaquettes,
    link_overlap,
    magnetisation,
    order_parameter,
    random_structures,
    replica_overlap,
    specific_heat,
    store,
    susceptibility,
)
from physlearn.terms import AnglePairs, Bias, Dense, Edges, Lattice, Mixture, Pairs, Parabola, PottsBias, PottsPairs


def generator(seed=0):
    return np.random.default_rng(seed)


def draws(energy, method="auto", *, temperature=2.0, chains=3, n_samples=4, warmup=5, rng=11, **more):
    return sample(
        energy,
        temperature=temperature,
        n_samples=n_samples,
        chains=chains,
        warmup=warmup,
        method=method,
        rng=rng,
        **more,
    )


def square(J=1.0, size=8, **more):
    return Ising.square(size, J, **more)


def gaussian_bonds(size=8, **more):
    return square(generator(1).normal(size=2 * size * size), size, **more)


def sk(n=24):
    return SpinGlass.sherrington_kirkpatrick(n, rng=2)


def binary(n=20):
    rng = generator(3)
    pairs = np.stack([np.arange(n), (np.arange(n) + 1) % n], 1)
    theta = {"J": rng.normal(size=n), "W": rng.normal(size=(n, n)), "bias": rng.normal(size=n)}
    theta["W"] = np.triu(theta["W"], 1) + np.triu(theta["W"], 1).T
    terms = [Pairs("s", pairs), Dense(("s", "s")), Bias("s")]
    return Energy({"s": (Binary(), n)}, terms, theta, {"held": Readout("s", [0, 5])})


def potts(q=3, **more):
    return PottsModel.square(6, q=q, **more)


def soup(side=8, directional=True):
    stored = random_structures(2, (3, 3), rng=4)
    return Assembly(9, store(stored, 3.0, directional=directional), 3.5, Lattice((side, side))).energy


def chain_prepare(x, theta):
    return np.zeros(0), np.array([len(x)]), np.asarray(theta["J"])


def chain_gap(i, x, cache, ints, floats, codes, f):
    n = ints[0]
    f[0] = floats[i] * x[(i + 1) % n] + floats[i - 1] * x[i - 1]
    return 1


def chain_commit(i, new, x, cache, ints, floats):
    pass


class UsersChain:
    """E = -sum_i J_i s_i s_{i+1} around a ring."""

    layers = ("s", "s")
    local = Local(chain_prepare, chain_gap, chain_commit)

    def energy(self, x, theta):
        return -np.sum(theta["J"] * x["s"] * np.roll(x["s"], -1, 1), 1)

    def field(self, x, theta, layer):
        right = theta["J"] * np.roll(x["s"], -1, 1)
        return right + np.roll(theta["J"] * x["s"], 1, 1)

    def gradient(self, x, theta, weight):
        return {"J": -weight @ (x["s"] * np.roll(x["s"], -1, 1))}


def users(kind):
    return Energy({"s": (kind, 14)}, [UsersChain()], {"J": generator(5).normal(size=14)})


def springs(n=6, bound=np.inf, free=False):
    rng = generator(6)
    pairs = np.stack([np.arange(n - 1), np.arange(1, n)], 1)
    terms = [Edges("x", pairs), Parabola("x"), Bias("x")]
    theta = {
        "conductance": rng.uniform(0.5, 2.0, n - 1),
        "stiffness": rng.uniform(0.5, 1.0, n),
        "bias": rng.normal(size=n),
    }
    return Energy({"x": (Real(-bound, bound), n)}, terms, theta, {"end": Readout("x", [0])})


def wells():
    rng = generator(7)
    theta = {"logits": rng.normal(size=3), "means": rng.normal(size=(3, 2)), "precisions": np.array([1.0, 2.0, 3.0])}
    return Energy({"x": (Real(), 2)}, [Mixture("x")], theta)


def rbm(visible="binary", hidden="binary", **more):
    return RBM(8, 5, visible, hidden=hidden, scale=0.7, rng=8, **more).energy


def separable(n=6):
    """Real variables that Gibbs sampling takes: springs to a layer of spins."""
    rng = generator(9)
    terms = [Dense(("x", "s")), Parabola("x")]
    theta = {"W": rng.normal(size=(n, 4)), "stiffness": rng.uniform(0.5, 2.0, n)}
    return Energy({"x": (Real(), n), "s": (Spin(), 4)}, terms, theta)


def seen():
    """Means and observables in place of states."""
    watched = {"m": lambda x: magnetisation(x["s"], 2), "ss": Mean(lambda x: x["s"] * x["s"][:, :1, :1])}
    return draws(square(), "bytes", observe=watched)


def observables():
    """What is computed from drawn states."""
    model = gaussian_bonds()
    s = draws(model, "heatbath", chains=2, n_samples=6).x
    codes = draws(potts(), chains=2).x
    m = magnetisation(s, 2)
    return [
        m, susceptibility(m, 64, 2.0), specific_heat(model(s[0]), 64, 2.0), binder(m, axis=1),
        order_parameter(codes, 2, 3), replica_overlap(s[0], s[1], 2), link_overlap(s[0], s[1], model.pairs, 2),
        frustrated_plaquettes(model), correlation_length(s[0], 2),
    ]  # fmt: skip


def exact(energy, **more):
    found = enumerate_states(energy, temperature=1.5, **more)
    layer = next(iter(energy.layers))
    return found, found.correlations(layer, layer), found.states([0, 1])


def swaps(energy, **more):
    return tempering(energy, temperatures=ladder(0.5, 3.0, 4), n_samples=3, chains=2, warmup=3, rng=12, **more)


def populations(energy, method="auto", **more):
    return population_annealing(
        energy, temperatures=[4.0, 3.0, 2.4, 2.0], population=140, sweeps=2, method=method, rng=13, **more
    )


HELD = {"held": [1.0, 0.0]}


def ring(kind, term, J=1.0, **theta):
    n = 6
    terms = [term("s", [(k, (k + 1) % n) for k in range(n)]), *(Parabola("s", name) for name in theta)]
    return Energy({"s": (kind, n)}, terms, {"J": J if np.ndim(J) else np.full(n, J), **theta})


def hours(layer, pairs):
    return PottsPairs(layer, pairs, q=5)


def weighed_codes():
    """Codes with weights of their own, by the compiled moves."""
    terms = [PottsPairs("s", [(0, 1), (1, 2), (2, 3)], 3), PottsBias("s")]
    theta = {"J": np.array([1.0, -0.5, 0.7]), "bias": np.random.default_rng(8).normal(size=(4, 3))}
    energy = Energy({"s": (Potts(3), 4)}, terms, theta)
    return [sample(energy, temperature=1.0, n_samples=5, chains=2, method=m, rng=1) for m in ("heatbath", "metropolis")]


RUNS = {
    "codes with weights": weighed_codes,
    "spins of one": lambda: draws(ring(SpinOne(), Pairs, D=np.full(6, 0.8))),
    "spins of one, annealed": lambda: anneal(ring(SpinOne(), Pairs, D=np.full(6, 0.8)), reads=3, sweeps=10, rng=1),
    "clocks": lambda: draws(ring(Clock(5), hours)),
    "clocks, metropolis": lambda: draws(ring(Clock(5), hours), "metropolis"),
    "matrices": lambda: draws(ring(Clock(5), hours, generator(3).normal(size=(5, 5))), "heatbath"),
    "angles": lambda: draws(ring(Angle(), AnglePairs)),
    "angles, hmc": lambda: draws(ring(Angle(), AnglePairs), "hmc"),
    "bit-packed spins": lambda: draws(square(size=128), "bitpacked", chains=2, n_samples=2, warmup=2),
    "bit-packed spins, against": lambda: draws(square(-1.0, 128), "bitpacked", chains=2, n_samples=2, warmup=2),
    "bytes": lambda: draws(square(), "bytes"),
    "bytes, field": lambda: draws(square(field=0.3), "bytes"),
    "bytes, cubic": lambda: draws(Ising.cubic(4), "bytes"),
    "replicas": lambda: draws(SpinGlass.edwards_anderson((4, 4, 4), rng=1), "replicas", chains=70),
    "replicas, regular": lambda: draws(SpinGlass.on_random_regular(20, 3, rng=1), "replicas", chains=64),
    "replicas, triangular": lambda: draws(Ising.triangular(6, -1.0), "replicas", chains=5),
    "checkerboard": lambda: draws(gaussian_bonds(), "checkerboard"),
    "checkerboard, field": lambda: draws(gaussian_bonds(field=generator(2).normal(size=(8, 8))), "checkerboard"),
    "checkerboard, open": lambda: draws(square(size=6, periodic=False), "checkerboard"),
    "gaussian": lambda: draws(springs(), "gaussian"),
    "gaussian, clamped": lambda: draws(springs(), "gaussian", clamp={"end": [0.5]}, temperature=[1.0, 2.0, 3.0]),
    "heat bath, pairs": lambda: draws(gaussian_bonds(), "heatbath"),
    "heat bath, dense": lambda: draws(sk(), "heatbath"),
    "heat bath, binary": lambda: draws(binary(), "heatbath", clamp=HELD),
    "heat bath, random order": lambda: draws(potts(), "heatbath", order="random"),
    "heat bath, potts": lambda: draws(potts(q=5), "heatbath", temperature=0.8),
    "heat bath, user's": lambda: draws(users(Spin()), "heatbath"),
    "heat bath, threads": lambda: draws(gaussian_bonds(), "heatbath", chains=6, threads=2),
    "heat bath, candidates": lambda: draws(soup(), "heatbath", temperature=1.0),
    "heat bath, candidates, isotropic": lambda: draws(soup(directional=False), "heatbath", temperature=1.0),
    "heat bath, bonds, random order": lambda: draws(soup(), "heatbath", temperature=1.0, order="random"),
    "metropolis, pairs": lambda: draws(gaussian_bonds(), "metropolis"),
    "metropolis, dense": lambda: draws(sk(), "metropolis", temperature=[0.5, 1.0, 2.0]),
    "metropolis, binary": lambda: draws(binary(), "metropolis", clamp=HELD),
    "metropolis, potts": lambda: draws(potts(q=5), "metropolis"),
    "metropolis, user's": lambda: draws(users(Binary()), "metropolis"),
    "metropolis, candidates": lambda: draws(soup(), "metropolis", temperature=1.0),
    "gibbs, blocks": lambda: draws(rbm(), "gibbs"),
    "gibbs, spins": lambda: draws(rbm("spin", "spin"), "gibbs"),
    "gibbs, gaussian": lambda: draws(rbm("gaussian"), "gibbs"),
    "gibbs, potts": lambda: draws(rbm("potts", q=3), "gibbs"),
    "gibbs, real": lambda: draws(separable(), "gibbs"),
    "gibbs, one by one": lambda: draws(binary(8), "gibbs", n_samples=2, warmup=2),
    "swendsen-wang": lambda: draws(square(), "swendsen_wang"),
    "swendsen-wang, potts": lambda: draws(potts(q=4), "swendsen_wang", temperature=1.0),
    "wolff": lambda: draws(square(), "wolff"),
    "wolff, potts": lambda: draws(potts(q=4), "wolff", temperature=1.0),
    "spikes": lambda: draws(binary(8), "spikes", n_samples=2, warmup=2, tau=3),
    "kawasaki": lambda: draws(soup(), "kawasaki", temperature=1.0),
    "kawasaki, anywhere": lambda: draws(soup(), "kawasaki", temperature=1.0, partners="anywhere"),
    "kawasaki, clusters": lambda: draws(soup(), "kawasaki", temperature=1.0, clusters=0.3),
    "langevin": lambda: draws(springs(), "ula", step=0.05),
    "langevin, bounds": lambda: draws(springs(bound=0.5), "ula", step=0.05),
    "mala": lambda: draws(wells(), "mala", warmup=30),
    "hmc": lambda: draws(wells(), "hmc", warmup=30),
    "hmc, bounds": lambda: draws(springs(bound=0.5), "hmc", warmup=30),
    "hmc, diagonal metric": lambda: draws(springs(), "hmc", warmup=60, chains=4, metric="diagonal"),
    "hmc, dense metric": lambda: draws(springs(), "hmc", warmup=60, chains=4, metric="dense"),
    "hmc, clamped": lambda: draws(springs(), "hmc", warmup=30, clamp={"end": [0.5]}),
    "hmc, single step": lambda: draws(springs(), "hmc", step=0.2, leaps=4, jitter=0.0),
    "observed": seen,
    "observables": observables,
    "anneal": lambda: anneal(gaussian_bonds(), reads=4, sweeps=10, rng=1),
    "anneal, linear": lambda: anneal(sk(), "linear", reads=4, sweeps=10, hot=4.0, cold=0.2, rng=1),
    "anneal, temperatures": lambda: anneal(binary(), [2.0, 1.0, 0.5], reads=3, clamp=HELD, rng=1),
    "anneal, potts": lambda: anneal(potts(q=4), reads=3, sweeps=10, rng=1),
    "anneal, candidates": lambda: anneal(soup(), [1.5, 1.0, 0.5], reads=2, rng=1),
    "anneal, maximum cut": lambda: anneal(
        maxcut_energy([(0, 1), (1, 2), (2, 0), (2, 3)], [1.0, 2.0, 1.5, 1.0]).energy, reads=3, sweeps=8, rng=1
    ),
    "greedy": lambda: greedy(gaussian_bonds(), reads=6, rng=1),
    "greedy, potts": lambda: greedy(potts(q=4), reads=4, rng=1),
    "greedy, bonds": lambda: greedy(soup(), reads=3, rng=1),
    "tempering": lambda: swaps(gaussian_bonds()),
    "tempering, replicas": lambda: swaps(SpinGlass.edwards_anderson((4, 4, 4), rng=1), method="replicas"),
    "tempering, hmc": lambda: swaps(wells(), method="hmc"),
    "population annealing": lambda: populations(gaussian_bonds()),
    "population annealing, potts": lambda: populations(potts(), "heatbath"),
    "importance": lambda: annealed_importance(rbm(), temperature=1.0, steps=10, chains=20, rng=1),
    "importance, spins": lambda: annealed_importance(gaussian_bonds(), temperature=2.0, steps=10, chains=20, rng=1),
    "exact": lambda: exact(Ising.square(3)),
    "exact, binary": lambda: exact(binary(8)),
    "exact, clamped": lambda: exact(binary(8), clamp=HELD),
    "exact, potts": lambda: exact(PottsModel.square(2, q=3)),
    "transfer matrix": lambda: transfer_matrix(5, temperature=2.0, field=0.1),
    "transfer matrix, finite": lambda: transfer_matrix(4, 6, temperature=2.0, coupling=(1.0, 0.5), periodic=False),
}
