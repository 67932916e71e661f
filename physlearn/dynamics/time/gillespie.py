"""Continuous time without rejections: monomers attach to and detach from lattice sites (Gillespie 1977).

    species a attaches to an empty site at the rate   exp(-mu_a/T) = c_a
    a particle detaches at the rate                   exp((E_a - E_0)/T)

with E_a the energy of its bonds where it sits (negative) and E_0 that of an empty site's (usually zero).  Their ratio
is detailed balance for E = bonds + sum mu_i n_i.  The unit of time is the mean stay of a particle without bonds.

The n-fold way (Bortz, Kalos, Lebowitz 1975): sites are kept in classes of one rate each, class 0 being the empty
ones.  An event draws a class by its total rate, a site in it, a species from a table; the cost depends neither on the
number of sites nor of species.  Where bonds are multiples of one energy, classes are exact.  Otherwise a class spans
a factor of sqrt 2 in rate, and a site drawn is accepted with its rate over the class's largest, time going on either
way, which is exact too (composition and rejection; Slepoy, Thompson, Plimpton 2008).
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.sites.bonds import alias_table, bond, draw
from physlearn.dynamics.sites.candidates import tables
from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform

BLOCK = 64  # sites in a block of a class's list
FEW = 64  # levels up to which classes of single energies pay
OUTSIDE = np.iinfo(np.int32).min  # in place of a neighbour's offset


class Gillespie:
    """State and event counts of one trajectory.

    Parameters
    ----------
    system : System
        Of one `LatticeBonds` or `FeltBonds` term.
    x : (sites,) array of int
        Codes at the start.
    free : (sites,) array of bool
        Sites where particles come and go.
    temperature : float
    stream : (4,) uint64
    """

    def __init__(self, system, x, free, temperature, stream):
        self.felt, self.stream = tables(system), np.array(stream)
        self.temperature, mu = float(temperature), self.felt[-1]
        with np.errstate(over="ignore"):
            self.weight = np.exp(-mu / temperature)
        self.weight[0] = 0.0
        if not self.weight.any():
            raise ValueError(
                f"mu: at least {mu[1:].min()} at T = {temperature}: exp(-mu/T) is zero, nothing ever attaches"
            )
        low, width, levels, exact = _levels(self.felt, temperature)
        self.classes = low, width, exact, bool(np.any(self.felt[2] == 0))
        with np.errstate(over="ignore"):
            rates = np.exp((low + width * np.arange(levels)) / temperature)
        self.rates = np.concatenate([[self.weight.sum()], rates])
        if not np.all(np.isfinite(self.rates)):
            raise ValueError(
                f"temperature: at {temperature} rates overflow (energies up to "
                f"{np.abs(np.concatenate(self.felt[3:])).max():.3g}); raise it"
            )
        sites = int(np.count_nonzero(free))
        blocks = -(-sites // BLOCK) + 1
        code = np.int16 if len(mu) < 2**15 else np.int32  # small records: a lattice of 512^2 sites fills a cache
        self.site = np.zeros(len(x), [("code", code), ("level", np.int16), ("place", np.int32)])
        self.site["code"], self.site["level"] = x, np.where(free, 0, -1)
        self.kind, self.offsets = _kinds(self.felt[0])
        self.count = np.zeros(len(self.rates), np.int64)
        self.table = np.zeros((levels + 1, blocks), np.int32)
        self.pool = np.zeros((blocks + levels + 1) * BLOCK, np.int32)
        self.spare = np.arange(blocks + levels + 2, dtype=np.int64)  # stack of free blocks, its height first
        self.spare[0] = blocks + levels + 1
        self.spare[1:] -= 1
        _fill(self._lists, self.felt[1:4], len(mu), self.classes)
        self.attached, self.detached = 0, 0

    @property
    def _lists(self):
        return self.site, self.count, self.table, self.pool, self.spare, self.kind, self.offsets

    @property
    def x(self):
        """Codes, (sites,)."""
        return self.site["code"].copy()

    @property
    def events(self):
        """Events so far."""
        return self.attached + self.detached

    def run(self, t, t_end, events):
        """Continue from time t to t_end, or for a number of events; the time reached, infinite if nothing moves."""
        state = self._lists, self.felt[1:4], self.weight, self.rates, self.classes, self.temperature
        t, attached, detached = advance(*state, t, t_end, events, self.stream)
        self.attached += attached
        self.detached += detached
        return t


def _kinds(neighbours):
    """Sites with the same offsets to neighbours: kind (sites,), few on a lattice, and the offsets (kinds, 2 D)."""
    sites, steps = neighbours.shape
    offsets = np.where(neighbours >= 0, neighbours - np.arange(sites, dtype=np.int32)[:, None], OUTSIDE)
    kind = np.zeros(sites, np.int64)
    for k in range(steps):  # columns one by one: far quicker than sorting rows
        kind = kind * (2 * sites + 1) + np.unique(offsets[:, k], return_inverse=True)[1]
        kind = np.unique(kind, return_inverse=True)[1]
    first = np.unique(kind, return_index=True)[1]
    return kind.astype(np.uint8 if len(first) <= 256 else np.int32), np.ascontiguousarray(offsets[first])


def _levels(felt, temperature):
    """Lowest level of E_a - E_0, the distance of levels, their number, and whether every energy is one."""
    neighbours, indptr, codes, values, mu = felt
    steps = neighbours.shape[1]
    some = values[values != 0]
    low, high = steps * min(values.min(initial=0.0), 0.0), steps * max(values.max(initial=0.0), 0.0)
    if np.any(codes == 0):
        low, high = low - high, high - low
    if not some.size:
        return 0.0, 1.0, 1, True
    unit = np.abs(some).min()
    multiples = some / unit
    if np.all(np.abs(multiples - np.rint(multiples)) < 1e-9) and (high - low) / unit < FEW:
        return low, unit, int(np.rint((high - low) / unit)) + 1, True
    width = max(0.5 * np.log(2.0) * temperature, (high - low) / 1000.0)
    return low, width, int(np.ceil((high - low) / width)) + 2, False


# A site's record holds its code, its level (-1: held) and its place in that level's list.  A list is in blocks of the
# pool, which the table names: lists grow and shrink without copies and without room for all sites in each.


@inlined
def _add(i, c, site, count, table, pool, spare):
    n = count[c]
    if n % BLOCK == 0:
        table[c, n // BLOCK] = spare[spare[0]]
        spare[0] -= 1
    pool[table[c, n // BLOCK] * BLOCK + n % BLOCK] = i
    site[i].level, site[i].place, count[c] = c, n, n + 1


@inlined
def _remove(i, site, count, table, pool, spare):
    c, p = np.int64(site[i].level), np.int64(site[i].place)
    n = count[c] - 1
    last = pool[table[c, n // BLOCK] * BLOCK + n % BLOCK]
    pool[table[c, p // BLOCK] * BLOCK + p % BLOCK] = last
    site[last].place, count[c] = p, n
    if n % BLOCK == 0:
        spare[0] += 1
        spare[spare[0]] = table[c, n // BLOCK]


@inlined
def _binding(i, code, site, kind, offsets, q, indptr, codes, values, solvent):
    """E_a - E_0 of a code at a site."""
    e, alike = 0.0, np.int64(kind[i])
    for k in range(offsets.shape[1]):
        if offsets[alike, k] == OUTSIDE:
            continue
        there = np.int64(site[i + offsets[alike, k]].code)
        if there != 0 or solvent:
            e += bond(k * q + there, code, indptr, codes, values)
            if solvent:
                e -= bond(k * q + there, 0, indptr, codes, values)
    return e


@inlined
def _class(e, low, width, exact):
    """The class of an occupied site."""
    at = (e - low) / width
    return 1 + np.int64(np.floor(at + 0.5) if exact else np.ceil(at))


@kernel
def _fill(lists, bonds, q, classes):
    """Sort the free sites into classes; tuples as in `advance`."""
    site, count, table, pool, spare, kind, offsets = lists
    indptr, codes, values = bonds
    low, width, exact, solvent = classes
    for i in range(len(site)):
        if site[i].level >= 0:
            c, code = 0, np.int64(site[i].code)
            if code != 0:
                e = _binding(i, code, site, kind, offsets, q, indptr, codes, values, solvent)
                c = _class(e, low, width, exact)
            _add(i, c, site, count, table, pool, spare)


@inlined
def _drawn_class(left, count, rates):
    """The class in which ``left``, uniform below the sum of all rates, lies; -1 where rounding put it in none."""
    left -= count[0] * rates[0]
    if left < 0.0:
        return 0
    chosen = len(rates)  # from the top, where weakly bound particles come and go
    while left >= 0.0 and chosen > 0:
        chosen -= 1
        left -= count[chosen] * rates[chosen]
    return chosen if chosen > 0 else -1


@inlined
def _rebind(i, old, new, total, lists, bonds, q, rates, classes):
    """Move the neighbours of site i, whose code has changed, to their new classes; the sum of all rates then."""
    site, count, table, pool, spare, kind, offsets = lists
    indptr, codes, values = bonds
    low, width, exact, solvent = classes
    steps, alike = offsets.shape[1], np.int64(kind[i])
    for k in range(steps):
        if offsets[alike, k] == OUTSIDE:
            continue
        j = i + offsets[alike, k]
        code, before = np.int64(site[j].code), np.int64(site[j].level)
        if code == 0 or before < 0:
            continue
        back = (k + steps // 2) % steps * q
        change = bond(back + new, code, indptr, codes, values) - bond(back + old, code, indptr, codes, values)
        if solvent:
            change -= bond(back + new, 0, indptr, codes, values) - bond(back + old, 0, indptr, codes, values)
        if change == 0.0:
            continue
        if exact:  # a whole number of levels
            c = before + np.int64(np.floor(change / width + 0.5))
        else:
            e = _binding(j, code, site, kind, offsets, q, indptr, codes, values, solvent)
            c = _class(e, low, width, exact)
        if c != before:
            _remove(j, site, count, table, pool, spare)
            _add(j, c, site, count, table, pool, spare)
            total += rates[c] - rates[before]
    return total


@kernel
def advance(lists, bonds, weight, rates, classes, temperature, t, t_end, events, s):
    """Events until t_end or their number is reached; time, attachments, detachments.

    Tuples: ``lists`` of arrays as in `Gillespie`, ``bonds`` (indptr, codes, values), ``classes`` (lowest level, their
    distance, whether each is a single energy, whether the empty code has bonds).
    """
    site, count, table, pool, spare, kind, offsets = lists
    indptr, codes, values = bonds
    low, width, exact, solvent = classes
    q = len(weight)
    threshold, alias = alias_table(weight)
    attached, detached, least = 0, 0, np.exp(-width / temperature) * (1.0 - 1e-12)
    total, highest, until, elapsed = 0.0, 0.0, 0, 0.0
    while attached + detached < events:
        # The sum of all rates is kept; summed again before rounding errors could grow to 1e-12 of it.
        if until == 0 or total < 0.5 * highest:
            total, until = 0.0, 1024
            for c in range(len(rates)):
                total += count[c] * rates[c]
            highest = total
        until -= 1
        highest = max(highest, total)
        if not total > 0.0:  # full, and bound so strongly that every rate underflows
            break
        elapsed -= np.log(1.0 - uniform(s)) / total  # not t itself: beside a late start waits would be rounded away
        if elapsed > t_end - t:
            return t_end, attached, detached
        chosen = _drawn_class(uniform(s) * total, count, rates)
        if chosen < 0:  # rounding
            continue
        n = np.int64(uniform(s) * count[chosen])
        i = np.int64(pool[table[chosen, n // BLOCK] * BLOCK + n % BLOCK])
        old, new = np.int64(site[i].code), np.int64(0)
        if chosen == 0:
            new = draw(threshold, alias, s)
            e = _binding(i, new, site, kind, offsets, q, indptr, codes, values, solvent)
            c = _class(e, low, width, exact)
            attached += 1
        else:
            if not exact:
                chance = uniform(s)
                if chance > least:  # else below the class's smallest rate, whatever this site's is
                    e = _binding(i, old, site, kind, offsets, q, indptr, codes, values, solvent)
                    if chance * rates[chosen] >= np.exp(e / temperature):
                        continue
            c = 0
            detached += 1
        _remove(i, site, count, table, pool, spare)
        site[i].code = new
        _add(i, c, site, count, table, pool, spare)
        total += rates[c] - rates[chosen]
        total = _rebind(i, old, new, total, lists, bonds, q, rates, classes)
    return (t + elapsed if attached + detached >= events else t_end), attached, detached
