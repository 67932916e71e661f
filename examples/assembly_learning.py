"""Molecules that learn to grow remember more: wake and sleep at growing sites against Hebb's rule, near capacity.

Hebb's rule gives all stored bonds one strength.  Awake, a site beside two molecules of a structure takes the
structure's next one, and beside one takes none; asleep it takes what the mixture gives it.  The contrast of the
two makes bonds of unequal strength, with which patches are filled as stored where Hebb's fail.
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, BoltzmannLearning, learn
from physlearn.models import Assembly, retrieval_curve, store
from physlearn.models.assembly.growth import growing_site, growth_examples
from physlearn.plot import plot_retrieval
from physlearn.terms import Lattice

SIDE, BOND, COST = 5, 12.0, 23.0  # energies in units of T
WEST_AND_NORTH = [(2, 1)]  # where neighbours are while a patch grows from its western and northern edge


def learned(structures):
    """Bonds after 40 steps up the likelihood of right growth, from Hebb's."""
    soup = Assembly(SIDE**2, store(structures, BOND, periodic=True), COST, Lattice((SIDE, SIDE)))
    trained = learn(
        growing_site(soup),
        growth_examples(structures, periodic=True, kinks=WEST_AND_NORTH),
        rule=BoltzmannLearning(exact=True, given=("around",)),
        optimizer=Adam(0.3, bounds={"bonds": (-1.5 * BOND, 0.0)}),
        epochs=40,
        batch=None,
        trainable=["bonds"],
        rng=0,
    )
    return soup.with_theta(trained.theta).J


settings = dict(bond=BOND, mu=COST, patch=SIDE, sweeps=400, trials=8, rng=1)
counts, axis = np.array([2, 4, 6, 8]), None
for name, rule in (("Hebb", None), ("learned", learned)):
    curve = retrieval_curve(SIDE, counts, rule=rule, **settings)
    axis = plot_retrieval(counts, curve.mean, curve.error, label=name, ax=axis)
    print(name, *(f"{m}: {a:.2f} +- {e:.2f}" for m, a, e in zip(counts, curve.mean, curve.error, strict=True)))
axis.set_ylabel("patch filled as stored")
plt.savefig("assembly_learning.png", dpi=150)
