"""Models refuse what is no number, array, word, flag or machine, by the argument's name."""

import numpy as np
import pytest

from physlearn.models import (
    RBM,
    Assembly,
    BoltzmannMachine,
    ContinuousHopfield,
    DenseMemory,
    Hopfield,
    Ising,
    ModernHopfield,
    PottsModel,
    SpinGlass,
    Structure,
    assembly_order,
    attention,
    basin_size,
    block_energy,
    capacity_curve,
    causal_mask,
    classify_states,
    correlated_patterns,
    dense_errors,
    energy_plane,
    erase,
    flip,
    grow_seeds,
    growth_free_energy,
    layered_memory,
    linked,
    magnetisation,
    mean_field_overlap,
    overlap,
    positional_encoding,
    random_patterns,
    random_structures,
    recognise,
    retrieval_curve,
    square_pairs,
    stack,
    store,
    survey,
    susceptibility,
)
from physlearn.terms import Lattice

XI = np.array([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
PAIR = [Structure([[1, 2]])]
SOUP = Assembly(2, store(PAIR, 4.0), 3.0, Lattice((3, 3)))

CALLS = {  # name of an argument: a call with that argument free
    "Hopfield couplings": lambda v: Hopfield(v),
    "Hopfield bias": lambda v: Hopfield(np.zeros((4, 4)), bias=v),
    "Hopfield.store patterns": lambda v: Hopfield.store(v),
    "Hopfield.store rule": lambda v: Hopfield.store(XI, v),
    "Hopfield.recall x": lambda v: Hopfield.store(XI).recall(v),
    "Hopfield.recall order": lambda v: Hopfield.store(XI).recall(XI, order=v),
    "Hopfield.recall temperature": lambda v: Hopfield.store(XI).recall(XI, temperature=v),
    "Hopfield.recall trace": lambda v: Hopfield.store(XI).recall(XI, trace=v),
    "Hopfield.field x": lambda v: Hopfield.store(XI).field(v),
    "DenseMemory power": lambda v: DenseMemory(XI, v),
    "DenseMemory.recall free": lambda v: DenseMemory(XI).recall(XI, free=v),
    "ContinuousHopfield.jacobian x": lambda v: ContinuousHopfield.store(XI).jacobian(v),
    "ModernHopfield patterns": lambda v: ModernHopfield(v),
    "attention mask": lambda v: attention(XI, XI, XI, mask=v),
    "Ising.square size": lambda v: Ising.square(v),
    "Ising.square periodic": lambda v: Ising.square(3, periodic=v),
    "Ising.from_pairs J": lambda v: Ising.from_pairs([(0, 1)], v),
    "Ising.from_pairs pairs": lambda v: Ising.from_pairs(v),
    "Ising.from_matrix matrix": lambda v: Ising.from_matrix(v),
    "PottsModel.square q": lambda v: PottsModel.square(3, q=v),
    "SpinGlass.sherrington_kirkpatrick n": lambda v: SpinGlass.sherrington_kirkpatrick(v),
    "SpinGlass.edwards_anderson disorder": lambda v: SpinGlass.edwards_anderson((3, 3), disorder=v),
    "BoltzmannMachine scale": lambda v: BoltzmannMachine(2, scale=v),
    "BoltzmannMachine kind": lambda v: BoltzmannMachine(2, kind=v),
    "BoltzmannMachine theta": lambda v: BoltzmannMachine(2, theta={"J": v}),
    "RBM visible": lambda v: RBM(2, 2, v),
    "RBM n_visible": lambda v: RBM(v, 2),
    "RBM.transform v": lambda v: RBM(2, 2).transform(v),
    "RBM.log_z steps": lambda v: RBM(2, 2).log_z(steps=v),
    "RBM.generate known": lambda v: RBM(2, 2).generate(3, known=v, sweeps=2),
    "stack data": lambda v: stack(v, [2], rule=object(), optimizer=None, epochs=1),
    "Assembly J": lambda v: Assembly(2, v, 3.0, Lattice((3, 3))),
    "Assembly reciprocal": lambda v: Assembly(2, np.zeros((2, 2)), 3.0, Lattice((3, 3)), v),
    "Assembly.place at": lambda v: SOUP.place(PAIR[0], v),
    "assembly_order states": lambda v: assembly_order(v, PAIR, SOUP.lattice),
    "assembly_order structures": lambda v: assembly_order(SOUP.empty(), v, SOUP.lattice),
    "assembly_order pure": lambda v: assembly_order(SOUP.empty(), PAIR, SOUP.lattice, pure=v),
    "grow_seeds lattice": lambda v: grow_seeds(PAIR, v, bond=4.0, mu=3.0),
    "grow_seeds bond": lambda v: grow_seeds(PAIR, SOUP.lattice, bond=v, mu=3.0),
    "growth_free_energy assembly": lambda v: growth_free_energy(v, PAIR[0], temperature=1.0),
    "recognise assembly": lambda v: recognise(v, PAIR, [[0.1, 0.1]], temperature=1.0),
    "retrieval_curve dimension": lambda v: retrieval_curve(10, [2], bond=8.0, mu=15.0, dimension=v),
    "block_energy dimension": lambda v: block_energy(2, 4.0, 6.0, dimension=v),
    "store structures": lambda v: store(v),
    "store saturation": lambda v: store(PAIR, saturation=v),
    "random_structures shape": lambda v: random_structures(1, v),
    "linked J": lambda v: linked(v, 1, 0.1, temperature=1.0),
    "layered_memory weights": lambda v: layered_memory([None, None], v),
    "energy_plane energy": lambda v: energy_plane(v, np.eye(3)),
    "basin_size memory": lambda v: basin_size(v, XI),
    "survey memory": lambda v: survey(v, XI),
    "capacity_curve rule": lambda v: capacity_curve(20, [0.1], rule=v),
    "capacity_curve loads": lambda v: capacity_curve(20, v),
    "dense_errors counts": lambda v: dense_errors(20, v, 2),
    "classify_states threshold": lambda v: classify_states(XI, XI, threshold=v),
    "mean_field_overlap load": lambda v: mean_field_overlap(v),
    "overlap x": lambda v: overlap(v, XI),
    "flip fraction": lambda v: flip(XI, v),
    "erase contiguous": lambda v: erase(XI, 0.5, contiguous=v),
    "random_patterns values": lambda v: random_patterns(2, 4, values=v),
    "correlated_patterns correlation": lambda v: correlated_patterns(2, 4, v),
    "magnetisation dims": lambda v: magnetisation(XI, v),
    "susceptibility m": lambda v: susceptibility(v, 4, 1.0),
    "causal_mask n": lambda v: causal_mask(v),
    "positional_encoding d": lambda v: positional_encoding(3, v),
}


@pytest.mark.parametrize(
    "wrong",
    ids=lambda v: type(v).__name__,
    argvalues=["no_such", object(), {"a": 1.0}, {1.0, 2.0}, 1j, [[1.0, 2.0], [3.0]]],
)
@pytest.mark.parametrize("call", CALLS)
def test_wrong_types_are_refused_by_name(call, wrong):
    argument = call.split()[1]
    with pytest.raises((TypeError, ValueError), match=rf"(?<!\w){argument}(?!\w).*expected"):
        CALLS[call](wrong)


@pytest.mark.parametrize(
    "call",
    [
        lambda n: random_patterns(n, 3), lambda n: random_patterns(3, n), lambda n: RBM(n, 3), lambda n: RBM(3, n),
        lambda n: BoltzmannMachine(n), lambda n: causal_mask(n), lambda n: positional_encoding(n, 4),
        lambda n: Ising.square(n), lambda n: SpinGlass.sherrington_kirkpatrick(n),
        lambda n: random_structures(n, (2, 2)), lambda n: square_pairs((n, 3)), lambda n: capacity_curve(n, [0.1]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [10**14, 10**30])
def test_sizes_beyond_the_memory_are_refused(call, number):
    with pytest.raises(ValueError, match="(?s)(m|n|n_visible|n_hidden|shape|size).*: got .*expected"):
        call(number)


@pytest.mark.parametrize("rng", [-1, 1.5, "seed", True, [1, 2]])
def test_seeds_are_seeds(rng):
    for call in (
        lambda: random_patterns(2, 3, rng=rng),
        lambda: RBM(2, 2, rng=rng),
        lambda: RBM(2, 2, rng=0).log_z(rng=rng),  # exact, and still judged
        lambda: Hopfield.store(XI).recall(XI, order="fixed", rng=rng),
        lambda: SpinGlass.edwards_anderson((3, 3), rng=rng),
        lambda: erase(XI, 0.5, contiguous=True, rng=rng),
    ):
        with pytest.raises((TypeError, ValueError), match="^rng: got"):
            call()


@pytest.mark.parametrize("kind", [Ising, SpinGlass, PottsModel])
@pytest.mark.parametrize("call", [lambda k: k(8), lambda k: k(L=8), lambda k: k((8, 8), 1.0), lambda k: k(size=8)])
def test_models_on_graphs_say_how_they_are_made(kind, call):
    """What a newcomer writes for an 8 x 8 lattice leads to the call that makes it."""
    with pytest.raises(TypeError, match=rf"{kind.__name__}: got \(.*8.*\), expected .*{kind.__name__}.square\(8\)"):
        call(kind)
    assert kind.square(8).layers["s"].shape == (8, 8)
