"""Single-site moves of species on a lattice at a cost that does not grow with their number.

At a site only the species that bond to one of its neighbours (the candidates: at most z m of them with m stored
structures) have a weight of their own; all others have exp(-mu_a/T).  The heat bath gives the candidates their weights

    w_a = exp(-(mu_a + sum_k J_k[a, s(x + e_k)]) / T)

and all others the remainder of sum_b exp(-mu_b/T), from which a table draws in constant time; where all bonds attract,
w_a = exp(-mu_a/T) + the share of the bonds, and the table draws for all codes.  Metropolis proposes one of the other
codes uniformly.  Both are exact.  The energy has one `Potts` layer, whose only term is `LatticeBonds`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from physlearn.dynamics.frame import concatenate, separate
from physlearn.dynamics.sites.bonds import alias_table, contacts, draw, felt
from physlearn.dynamics.sites.fields import variables_refusal
from physlearn.dynamics.sites.visits import TIE, TOSS
from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform
from physlearn.terms.lattice import LatticeBonds

LARGEST = 500.0  # exponents up to which products of Boltzmann factors neither overflow nor vanish
SCARCE = 1e-6  # share of the codes without bonds below which their weight is summed, not taken as a difference


def refusal(problem):
    """Why there are no candidates, or None."""
    reason = variables_refusal(problem)
    if reason is not None:
        return reason
    terms = problem.system.terms
    if len(terms) != 1 or type(terms[0]) is not LatticeBonds:
        return f"its terms {[type(t).__name__ for t in terms]} are not LatticeBonds alone"
    return "a force is given, and codes have no slope" if np.any(problem.push) else None


class CandidateMoves:
    """Chains of species on a lattice; arguments as of `FieldMoves`."""

    def __init__(self, problem, state, streams, metropolis, threads):
        self.system, self.metropolis, self.threads = problem.system, metropolis, threads
        self.x = np.array(concatenate(problem.system, state), dtype=np.int32, order="C")
        self.order = np.flatnonzero(problem.frame.cluster >= 0).astype(np.int32)
        self.felt = tables(problem.system)
        self.streams, self.sweeps = np.array(streams), 0
        self.moved, self.bonds = np.zeros(len(self.x)), np.zeros(len(self.x))

    @property
    def visited(self):
        """Visits so far, per chain."""
        return self.sweeps * len(self.order)

    def run(self, sweeps, temperatures, random=False):
        """Visit every free site ``sweeps`` times; temperatures (sweeps or 1, chains), taken in turn."""

        def work(c):
            done = 0
            for temperature in temperatures[:, c]:
                part = 1 if len(temperatures) > 1 else sweeps
                weight, cold = boltzmann(self.felt, temperature)
                counts = visit(
                    self.x[c], self.order, *self.felt, weight, 1.0 / temperature, cold, self.metropolis, random,
                    part, self.streams[c],
                )  # fmt: skip
                self.moved[c] += counts[0]
                self.bonds[c] += counts[1]
                done += part
                if done >= sweeps:
                    return

        if self.threads == 1:
            for c in range(len(self.x)):
                work(c)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, range(len(self.x))))
        self.sweeps += sweeps

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return separate(self.system, self.x.astype(np.int64))


def tables(system):
    """The term's `Felt` as kernels take it: neighbours, indptr, codes, values, mu."""
    felt = system.terms[0].felt(system.theta)
    neighbours, indptr, codes = (np.ascontiguousarray(a, dtype=np.int32) for a in felt[:3])
    return neighbours, indptr, codes, np.ascontiguousarray(felt.values), np.ascontiguousarray(felt.mu)


def boltzmann(felt, temperature):
    """Weights exp(-mu/T) of the codes without bonds, the largest one 1; and whether factors could overflow."""
    neighbours, _, _, values, mu = felt
    gap = (mu - mu.min()) / temperature
    most = neighbours.shape[1] * np.max(np.abs(values), initial=0.0) / temperature + gap.max()
    return np.exp(-gap), bool(most > LARGEST)


# In one piece: with its branches as inlined functions a visit took 127 ns instead of 94.
@kernel
def visit(x, order, neighbours, indptr, codes, values, mu, weight, beta, cold, metropolis, random, sweeps, own):
    """Visit the sites in order or at random, x (sites,) changed in place; moves, and bonds made or broken."""
    q, total, steps, low = len(weight), weight.sum(), neighbours.shape[1], mu.min()
    s = own.copy()  # apart from the streams of other threads, which would share its cache line
    threshold, alias = alias_table(weight)
    factor = np.exp(-values * beta) if not cold else values * -beta
    attractive = not cold and np.all(values <= 0.0)
    longest = 0
    for row in range(steps * q):
        longest = max(longest, indptr[row + 1] - indptr[row])
    slot, product = np.zeros(q, np.int32), np.ones(q)
    listed, chance = np.empty(steps * longest, np.int32), np.empty(steps * longest)
    moves, bonds = 0, 0
    for _ in range(sweeps):
        for visited in range(len(order)):
            i = np.int64(order[np.int64(uniform(s) * len(order))] if random else order[visited])
            old = np.int64(x[i])
            if metropolis:
                new = np.int64(uniform(s) * (q - 1))
                new += new >= old
                gain = felt(i, new, x, neighbours, q, indptr, codes, values) + mu[new] - mu[old]
                gain -= felt(i, old, x, neighbours, q, indptr, codes, values)
                least = np.exp(-max(gain, 0.0) * beta) * (TOSS if not random and abs(gain) * beta < TIE else 1.0)
                if least < 1.0 and uniform(s) >= least:
                    continue
            elif attractive:
                found = 0
                for k in range(steps):
                    there = neighbours[i, k]
                    if there >= 0:
                        row = k * q + x[there]
                        for entry in range(indptr[row], indptr[row + 1]):
                            listed[found] = codes[entry]
                            product[codes[entry]] *= factor[entry]
                            found += 1
                # w_a = weight_a + weight_a (product_a - 1): the first part comes from the table; a code that is
                # listed again adds nothing, as its product is one by then.  No branch: they cost most here.
                more = 0.0
                for c in range(found):
                    code = listed[c]
                    more += weight[code] * (product[code] - 1.0)
                    chance[c] = more
                    product[code] = 1.0
                left = uniform(s) * (total + more)
                if left >= more:
                    new = draw(threshold, alias, s)
                else:
                    c = 0
                    while chance[c] <= left:
                        c += 1
                    new = np.int64(listed[c])
            else:
                found = 0
                for k in range(steps):
                    there = neighbours[i, k]
                    if there < 0:
                        continue
                    row = k * q + x[there]
                    for entry in range(indptr[row], indptr[row + 1]):
                        code = codes[entry]
                        at = slot[code]
                        if at == 0:
                            listed[found] = code
                            chance[found] = factor[entry]
                            found += 1
                            slot[code] = found
                        elif cold:
                            chance[at - 1] += factor[entry]
                        else:
                            chance[at - 1] *= factor[entry]
                if found == 0:
                    new = draw(threshold, alias, s)
                else:
                    new = _bath(found, slot, listed, chance, weight, total, mu, low, beta, cold, threshold, alias, s)
            if new != old:
                moves += 1
                bonds += contacts(i, old, x, neighbours, q, indptr, codes)
                bonds += contacts(i, new, x, neighbours, q, indptr, codes)
                x[i] = new
    own[:] = s
    return moves, bonds


@inlined
def _bath(found, slot, listed, chance, weight, total, mu, low, beta, cold, threshold, alias, s):
    """A code by the heat bath: one of the candidates, or of the others.  Leaves no slot taken."""
    scale, z, known, top = 1.0, 0.0, 0.0, 0.0
    for c in range(found):
        code = listed[c]
        known += weight[code]
        if not cold:
            chance[c] *= weight[code]
            z += chance[c]
    rest = total - known
    scarce = rest < SCARCE * total  # a difference of nearly equal numbers
    if cold:  # exponents, not factors: take the largest one out, which is at least 0 unless the others are scarce
        top = -np.inf if scarce else 0.0
        for c in range(found):
            chance[c] -= (mu[listed[c]] - low) * beta
            top = max(top, chance[c])
        for code in range(len(mu) if scarce else 0):
            if slot[code] == 0:
                top = max(top, (low - mu[code]) * beta)
        scale = np.exp(-top)
        for c in range(found):
            chance[c] = np.exp(chance[c] - top)
            z += chance[c]
    if scarce:
        rest = 0.0
        for code in range(len(weight)):
            if slot[code] == 0:
                rest += np.exp((low - mu[code]) * beta - top) if cold else weight[code]
    else:
        rest *= scale
    left = uniform(s) * (z + rest) - rest
    new = np.int64(0)
    if left < 0.0 and scarce:
        left = uniform(s) * rest
        for code in range(len(weight)):
            if slot[code] == 0:
                new = code
                left -= np.exp((low - mu[code]) * beta - top) if cold else weight[code]
                if left < 0.0:
                    break
    elif left < 0.0:
        new = draw(threshold, alias, s)
        while slot[new] != 0:
            new = draw(threshold, alias, s)
    else:
        for c in range(found):
            new = np.int64(listed[c])
            left -= chance[c]
            if left < 0.0:
                break
    for c in range(found):
        slot[listed[c]] = 0
    return new
