"""Species on a lattice: heat bath beside a fast Metropolis, and events per second in continuous time.

    python benchmarks/assembly.py

The Metropolis loop is what one writes in an afternoon with a good generator: random site, random species, dense tables.
"""

from common import processor_time, seconds, table  # isort: skip (sets thread counts first)

import numba
import numpy as np

from physlearn.dynamics.sampling.sample import start_sampler
from physlearn.dynamics.time.gillespie import Gillespie
from physlearn.models import Assembly, random_structures, store
from physlearn.rng import streams, uniform
from physlearn.terms import Lattice

EPS, MU, HEAT = 4.0, 7.0, 1.0
RECORDS = 4000


@numba.njit(error_model="numpy")
def plain(s, J, mu, beta, attempts, stream, counting):
    """Metropolis on a periodic square; bonds made or broken if ``counting``."""
    side, n, changed = len(s), len(mu), 0
    for _ in range(attempts):
        i, j = int(uniform(stream) * side), int(uniform(stream) * side)
        a, b = s[i, j], int(uniform(stream) * n)
        east, west = s[i, j + 1 if j + 1 < side else 0], s[i, j - 1]
        up, down = s[i - 1, j], s[i + 1 if i + 1 < side else 0, j]
        gain = J[0, b, east] - J[0, a, east] + J[0, west, b] - J[0, west, a]
        gain += J[1, b, up] - J[1, a, up] + J[1, down, b] - J[1, down, a] + mu[b] - mu[a]
        if gain <= 0 or uniform(stream) < np.exp(-beta * gain):
            s[i, j] = b
            if counting and a != b:
                for c in (a, b):
                    changed += (J[0, c, east] != 0) + (J[0, west, c] != 0) + (J[1, c, up] != 0) + (J[1, down, c] != 0)
    return changed


def mixture(n_species, side, stored=4, seeded=False, eps=EPS, mu=MU, width=None):
    """A soup that has ``stored`` structures in memory, the first of them in the middle (a quarter of it held)."""
    width = width or int(n_species**0.5)
    structures = random_structures(stored, (width, width), n_species, rng=0)
    soup = Assembly(n_species, store(structures, eps, n_species=n_species), mu, Lattice((side, side)))
    at = ((side - width) // 2,) * 2
    start = soup.place(structures[0], at)
    if seeded:
        soup = soup.seed(structures[0].patch(slice(width // 2), slice(width // 2)), at)
    return soup, start


def dense(soup):
    """J over codes, (2, N + 1, N + 1), and mu, as the plain loop takes them."""
    return np.pad(soup.J, ((0, 0), (1, 0), (1, 0))), np.concatenate([[0.0], soup.mu])


def turnover(n_species, side=128, warm=300):
    """ns per site, bonds made or broken per site, ns per bond: heat bath and plain Metropolis."""
    soup, start = mixture(n_species, side)
    bath = start_sampler(soup.energy, 1, start, None, "heatbath", 0, {})
    bath.run(warm, np.array([HEAT]))
    J, mu = dense(soup)
    s, stream = bath.state()["s"][0].astype(np.int64), streams(1, 1)[0]
    sites, rows = side * side, []
    plain(s, J, mu, 1.0 / HEAT, 1000, stream, False)
    for name in ("heat bath", "plain Metropolis"):
        if name == "heat bath":
            sweeps = 100
            took, _ = seconds(lambda: bath.run(100, np.array([HEAT])), 5)
            bath.moves.bonds[:] = 0
            bath.run(sweeps, np.array([HEAT]))
            bonds = bath.moves.bonds[0]
        else:
            sweeps = 400
            took, _ = seconds(lambda: plain(s, J, mu, 1.0 / HEAT, 400 * sites, stream, False), 5)
            bonds = plain(s, J, mu, 1.0 / HEAT, sweeps * sites, stream, True)
        per_site = took / (sweeps * sites) * 1e9
        rows.append((name, per_site, bonds / (sweeps * sites), per_site / (bonds / (sweeps * sites))))
    return rows


def relaxation(n_species, width=10, chains=2):
    """Autocorrelation of the retrieval overlap in a closed box of one structure's shape, its middle held.

    Rows: engine, mean overlap and its standard error, integrated autocorrelation time in sweeps and its error, lengths
    of a chain in such times, ns per site, ms of processor time per autocorrelation time and its error.
    """
    structures = random_structures(4, (width, width), n_species, rng=0)
    lattice = Lattice((width, width), periodic=False)
    whole, middle = structures[0], slice(3, width - 3)
    soup = Assembly(n_species, store(structures, EPS, n_species=n_species), MU, lattice)
    start = soup.place(whole, (0, 0))
    bath = start_sampler(soup.seed(whole.patch(middle, middle), (3, 3)).energy, chains, start, None, "heatbath", 0, {})
    J, mu = dense(soup)
    # Metropolis on a periodic square with a rim of empty sites: they and the middle are held
    held = np.pad(np.zeros((width, width), bool), 1, constant_values=True)
    held[1:-1, 1:-1][middle, middle] = True
    states, rows = [np.pad(start, 1) for _ in range(chains)], streams(2, chains)
    sites = width**2

    def by_bath(sweeps):
        bath.run(sweeps, np.full(chains, HEAT))
        return bath.state()["s"]

    def by_plain(sweeps):
        for s, row in zip(states, rows, strict=True):
            held_plain(s, J, mu, 1.0 / HEAT, sweeps * held.size, row, held.ravel())
        return np.array(states)[:, 1:-1, 1:-1]

    out = []
    for name, run, every in (("heat bath", by_bath, 5), ("plain Metropolis", by_plain, 2 * n_species)):
        run(100 * every)
        series = []
        took, _ = seconds(lambda run=run, every=every, series=series: series.extend(
            np.mean(run(every) == start, (1, 2)) for _ in range(RECORDS)), 1)  # fmt: skip
        series = np.array(series)
        time, error = tau(series)
        cost = took / (RECORDS * chains) * 1e3
        mean_error = series.std() * np.sqrt(time / series.size)
        out.append((name, series.mean(), mean_error, every * time, every * error, RECORDS / time,
                    cost * 1e6 / (every * sites), cost * time, cost * error))  # fmt: skip
    return out


@numba.njit(error_model="numpy")
def held_plain(s, J, mu, beta, attempts, stream, held):
    """`plain`, leaving held sites alone."""
    side, n = len(s), len(mu)
    for _ in range(attempts):
        i, j = int(uniform(stream) * side), int(uniform(stream) * side)
        if held[i * side + j]:
            continue
        a, b = s[i, j], int(uniform(stream) * n)
        east, west = s[i, j + 1 if j + 1 < side else 0], s[i, j - 1]
        up, down = s[i - 1, j], s[i + 1 if i + 1 < side else 0, j]
        gain = J[0, b, east] - J[0, a, east] + J[0, west, b] - J[0, west, a]
        gain += J[1, b, up] - J[1, a, up] + J[1, down, b] - J[1, down, a] + mu[b] - mu[a]
        if gain <= 0 or uniform(stream) < np.exp(-beta * gain):
            s[i, j] = b


def growth(side=120, width=10):
    """ns per site of a lattice tiled by copies of one of four stored structures of 100 cells, for more species."""
    rows = []
    for n_species in (100, 400, 1600):
        structures = random_structures(4, (width, width), n_species, rng=0)
        soup = Assembly(n_species, store(structures, EPS, n_species=n_species), MU, Lattice((side, side)))
        tiled = np.tile(structures[0].codes, (side // width, side // width))
        bath = start_sampler(soup.energy, 1, tiled, None, "heatbath", 0, {})
        bath.run(10, np.array([0.5]))
        took, _ = seconds(lambda bath=bath: bath.run(50, np.array([0.5])), 5)
        rows.append([n_species, f"{took / (50 * side * side) * 1e9:.0f}"])
    table("Heat bath, a full lattice of copies of one of 4 structures of 100 cells", rows, ("N", "ns per site"))


def tau(series):
    """Integrated autocorrelation time of (records, chains), in records, and its standard error (Madras, Sokal 1988)."""
    y = series - series.mean()
    size = 2 * len(y)
    spectrum = np.abs(np.fft.rfft(y, size, axis=0)) ** 2
    rho = np.fft.irfft(spectrum, size, axis=0)[: len(y)].mean(1) / np.arange(len(y), 0, -1)
    total, lag = 1.0, 0
    while lag < 6.0 * total and lag + 1 < len(y):
        lag += 1
        total += 2.0 * rho[lag] / rho[0]
    return total, total * np.sqrt(2.0 * (2.0 * lag + 1.0) / y.size)


def continuous(side=512):
    """Events per processor second."""
    rows = []
    for n_species, stored, mu in ((100, 4, MU), (400, 4, MU), (100, 4, 8.1)):
        width = int(n_species**0.5)
        structures = random_structures(stored, (width, width), n_species, rng=0)
        for strength in (EPS, EPS + 0.1 * np.arange(stored)):
            J = store(structures, strength, saturation=np.inf)
            soup = Assembly(n_species, J, mu, Lattice((side, side)))
            free = np.ones(side * side, bool)
            engine = Gillespie(soup.energy, soup.empty().ravel(), free, HEAT, streams(3, 1)[0])
            t = engine.run(0.0, np.inf, 2_000_000)  # compiles, and leaves the empty lattice behind
            took, _ = seconds(lambda engine=engine, t=t: engine.run(t, np.inf, 1_000_000), 5)
            kind = "one energy" if np.ndim(strength) == 0 else "four energies"
            filled = f"{np.mean(engine.x > 0):.2f}"
            rows.append([f"N = {n_species}, mu = {mu}, bonds of {kind}", filled, f"{1.0 / took:.2f}"])
    table(f"Attachments and detachments, {side} x {side}", rows, ("mixture", "filled", "million events per s"))


def main():
    """Print the tables."""
    rows = []
    for n_species in (100, 400):
        (_, *ours), (_, *theirs) = turnover(n_species)
        rows += [[f"N = {n_species}, {name}", *(f"{v:.4g}" for v in row), f"{row[2] / ours[2]:.1f}"]
                 for name, row in (("heat bath", ours), ("plain Metropolis", theirs))]  # fmt: skip
    columns = ("engine", "ns per site", "bonds made or broken per site", "ns per bond", "ratio to ours")
    table(f"128 x 128, 4 stored structures, eps = {EPS}, mu = {MU}, T = {HEAT}", rows, columns)
    growth()
    rows = []
    for n_species in (100, 400):
        found = relaxation(n_species)
        for name, mean, mean_error, sweeps, error, length, per_site, cost, cost_error in found:
            ratio = cost / found[0][-2]
            spread = ratio * np.hypot(cost_error / cost, found[0][-1] / found[0][-2])
            against = "1.0" if name == "heat bath" else f"{ratio:.0f} ± {spread:.0f}"
            rows.append([f"N = {n_species}, {name}", f"{mean:.3f} ± {mean_error:.3f}", f"{sweeps:.0f} ± {error:.0f}",
                         f"{length:.0f}", f"{per_site:.0f}", f"{cost:.3g} ± {cost_error:.1g}",
                         against])  # fmt: skip
    columns = ("engine", "overlap", "autocorrelation time, sweeps", "chain, in such times", "ns per site",
               "ms of processor time per autocorrelation time", "ratio to ours")  # fmt: skip
    table(f"Retrieval overlap, 4 stored structures, a 10 x 10 box, its middle held, eps = {EPS}, mu = {MU}, T = {HEAT}",
          rows, columns)  # fmt: skip
    continuous()


if __name__ == "__main__":
    start = processor_time()
    main()
    print(f"\n{processor_time() - start:.0f} s of processor time in all")
