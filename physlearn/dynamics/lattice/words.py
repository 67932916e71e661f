"""Random words many at a time: xoshiro256++ (Blackman and Vigna 2019) in lanes that vectorise.

A lattice kernel draws 64 words at once, each from a lane of its own.  The lanes of a chain are seeded from
the chain's stream, so they depend on the seed and the chain's number only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import next_word

LANES = 64
THREADED = 2_000_000  # updates below which a thread costs more than it saves


@kernel
def seed_lanes(stream, lanes):
    """States (4, lanes) from one stream (4,), which advances."""
    for word in range(lanes.shape[0]):
        for lane in range(lanes.shape[1]):
            lanes[word, lane] = next_word(stream)


def lanes_of(streams, lanes):
    """Lane states (len(streams), 4, lanes), one block per stream."""
    out = np.empty((len(streams), 5, lanes), np.uint64)[:, :4]  # apart: threads would share a cache line that all write
    for stream, block in zip(streams.copy(), out, strict=True):
        seed_lanes(stream, block)
    return out


@inlined
def next_words(lanes, out):
    """Advance every lane, (4, k): one word each into out (k,)."""
    a, b, c, d = lanes[0], lanes[1], lanes[2], lanes[3]
    for k in range(out.shape[0]):
        out[k], a[k], b[k], c[k], d[k] = advance(a[k], b[k], c[k], d[k])


@inlined
def advance(s0, s1, s2, s3):
    """A word, and the generator's next state, from its state."""
    total = s0 + s3
    word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    return word, s0 ^ s3, s1 ^ s2, s2 ^ shifted, (s3 << np.uint64(45)) | (s3 >> np.uint64(19))


def thresholds(probability, bits):
    """Probabilities as integers of ``bits`` binary digits, never 1: an error of at most 2^-bits."""
    scaled = np.rint(np.asarray(probability) * 2.0**bits)
    return np.minimum(scaled, 2.0**bits - 1).astype(np.uint64)


def over_chains(work, count, updates):
    """Call work(k) for k in range(count), on Numba's number of threads where there is much work.

    The kernels release the lock, and an item touches only its own arrays, so threads change no bit.
    """
    threads = min(count, numba.get_num_threads())
    if threads == 1 or updates < THREADED:
        for k in range(count):
            work(k)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(count)))
