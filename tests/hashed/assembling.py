"""Runs of mixtures that assemble: storage, growth, order, capacity, nucleation, recognition."""

import numpy as np

from physlearn import sample
from physlearn.models import (
    Assembly,
    RetrievalCurve,
    Structure,
    accidental_candidates,
    assembly_order,
    block_energy,
    capacity_exponent,
    concentration_pattern,
    critical_size,
    cubic_pairs,
    grow_seeds,
    growth_free_energy,
    linked,
    nucleation_barrier,
    patch_barrier,
    phase_map,
    promiscuity,
    random_structures,
    recognise,
    registration,
    retrieval_curve,
    site_labels,
    square_pairs,
    store,
    time_to_assembly,
    triangular_pairs,
)
from physlearn.terms import Lattice

PAIR = random_structures(2, (3, 3), rng=1)


def generator(seed=0):
    return np.random.default_rng(seed)


def soup(side=7, bond=4.0, mu=5.0, **more):
    return Assembly(9, store(PAIR, bond), mu, Lattice((side, side)), **more)


def stored():
    shapes = random_structures(3, (4, 4), n_species=20, rng=2)
    picture = Structure.from_picture(np.array([[1, 1, 0], [0, 1, 1]]), 6, rng=3)
    isotropic = store(PAIR, 2.0, directional=False)
    return (
        [s.codes for s in shapes],
        picture.codes,
        PAIR[0].bonds(),
        store(shapes, 1.5),
        isotropic,
        store(PAIR, 2.0, saturation=0.5),
        promiscuity(store(shapes, 1.5)),
        accidental_candidates(PAIR),
        square_pairs(4),
        cubic_pairs(3),
        triangular_pairs(4, periodic=False),
    )


def mixed():
    machine = soup()
    placed = machine.place(PAIR[1], (2, 2))
    other = Assembly.from_concentrations(store(PAIR, 4.0), np.full(9, 0.01), Lattice((7, 7)), temperature=1.0)
    return (
        machine.concentrations(1.0),
        placed,
        machine.energy(placed),
        other.energy.theta,
        machine.bond_matrix(machine.energy.theta),
    )


def seeded():
    grown = soup().seed(PAIR[0].patch(slice(2), slice(2)), (2, 2))
    return sample(grown.energy, temperature=1.0, n_samples=3, chains=3, warmup=50, rng=4)


def on_lattice(kind, shape):
    """Two species on another lattice."""
    lattice = Lattice(shape, kind)
    bonds = -generator(5).uniform(0.0, 2.0, (lattice.directions, 2, 2))
    return sample(Assembly(2, bonds, 1.0, lattice).energy, temperature=1.0, n_samples=3, chains=2, warmup=20, rng=4)


def order():
    machine = soup(side=8)
    states = sample(machine.energy, temperature=1.0, n_samples=2, chains=2, warmup=100, rng=4).x.reshape(-1, 8, 8)
    states = np.concatenate([states, machine.place(PAIR[0], (1, 6))[None]])
    lattice = machine.lattice
    return (
        assembly_order(states, PAIR, lattice),
        site_labels(states[-1], PAIR, lattice),
        registration(states, PAIR, lattice),
        registration(states, PAIR, lattice, rotations=True),
        time_to_assembly([0.0, 2.0, 5.0], [[0.1, 0.95, 1.0], [0.1, 0.2, 0.3]]),
    )


def seeds(**more):
    return grow_seeds(PAIR, Lattice((7, 7)), bond=5.0, mu=7.0, sweeps=60, rng=4, **more)


def capacities():
    curve = retrieval_curve(8, [2, 6], bond=6.0, mu=11.0, patch=4, sweeps=40, trials=2, rng=4)
    fall = np.array([[1.0], [0.0]])
    curves = [RetrievalCurve(n**2, np.array([n // 2, 2 * n]), fall) for n in (10, 20, 30)]
    return curve, capacity_exponent(curves)


def phases():
    return phase_map(PAIR, Lattice((7, 7)), [3.0, 5.0], [5.0, 8.0], sweeps=30, chains=2, rng=4)


def barriers():
    whole = random_structures(1, (4, 4), rng=1)[0]
    machine = Assembly(16, store([whole], 4.0), 6.0, Lattice((4, 4), periodic=False))
    return (
        block_energy(3, bond=4.0, mu=6.0),
        critical_size(bond=4.0, mu=6.0),
        nucleation_barrier(bond=4.0, mu=6.0),
        patch_barrier(whole.codes, np.linspace(5.5, 6.5, 16), 4.0),
        growth_free_energy(machine, whole, temperature=1.0, sweeps=30, chains=2, rng=4),
    )


def recognition():
    large = random_structures(2, (5, 5), rng=1)
    machine = Assembly(25, store(large, 7.0), 9.0, Lattice((9, 9)))
    fed = [concentration_pattern(s, 25, at=(1, 1), shape=(3, 3), base=5e-5, boost=300) for s in large]
    return recognise(machine, large, fed, temperature=1.0, sweeps=200, chains=2, rng=4)


def linkers():
    large = np.zeros((3, 3))
    large[0, 2] = large[2, 0] = large[1, 2] = large[2, 1] = -4.0
    return [linked(large, 2, c, temperature=1.0) for c in (0.0, 0.01, 0.1)]


RUNS = {
    "stored": stored,
    "mixed": mixed,
    "seeded": seeded,
    "triangular": lambda: on_lattice("triangular", (6, 6)),
    "cubic": lambda: on_lattice("cubic", (4, 4, 4)),
    "order": order,
    "seeds": seeds,
    "seeds, metropolis": lambda: seeds(method="metropolis"),
    "capacity": capacities,
    "phases": phases,
    "barriers": barriers,
    "recognition": recognition,
    "linkers": linkers,
}
