"""The number of BLAS threads changes no bit of what public functions return."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from physlearn import energy_terms
from physlearn.models import Hopfield, ModernHopfield, multi_head_attention, overlap, random_patterns
from physlearn.models.memory import storage

DRAW = np.random.default_rng(0)
X, KEYS, QUERIES = random_patterns(120, 601, rng=0), DRAW.normal(size=(901, 257)), DRAW.normal(size=(151, 257))
HEADS = [DRAW.normal(size=shape) for shape in ((2, 257, 64), (2, 257, 64), (2, 257, 64), (2, 64, 257))]
MEMORY, NETWORK = ModernHopfield(KEYS, 0.1), Hopfield.store(X, "projection")


@pytest.mark.parametrize(
    "call",
    [
        lambda: storage.projection(X),
        lambda: storage.storkey(X[:5]),
        lambda: storage.covariance((X + 1) / 2, 0.37),
        lambda: NETWORK.field(X + 0.1),
        lambda: NETWORK.energy(X),
        lambda: MEMORY.energy(QUERIES),
        lambda: energy_terms(MEMORY.energy, QUERIES)["1 LogSumExp"],
        lambda: MEMORY.weights(QUERIES),
        lambda: MEMORY.update(QUERIES),
        lambda: multi_head_attention(QUERIES, *HEADS),
        lambda: overlap(QUERIES, random_patterns(101, 257, rng=1)),
    ],
)
def test_same_bits_on_one_and_on_two_threads(call):
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(call())
    assert np.array_equal(*found)
