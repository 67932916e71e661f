"""Clocks of species on a lattice: one equilibrium against enumeration, rates against theory, driven systems."""

import numpy as np
import pytest

from physlearn import enumerate_states, sample
from physlearn.dynamics import kinetics
from physlearn.dynamics.time.gillespie import Gillespie
from physlearn.models import Assembly, PottsModel, Structure, random_structures, store
from physlearn.rng import streams
from physlearn.terms import Lattice

SOUPS = {
    "one energy": (2, lambda g: -1.0 * (g.random((2, 2, 2)) < 0.5), [0.5, 1.0], Lattice((3, 3))),
    "many energies": (2, lambda g: g.normal(size=(2, 2, 2)), [0.5, 1.0], Lattice((3, 3))),
    "solvent": (2, lambda g: (lambda a: 0.3 * (a + a.T))(g.normal(size=(3, 3))), [0.2, 0.6], Lattice((3, 3))),
    "cubic": (1, lambda g: np.array([[-0.4]]), [1.2], Lattice((2, 2, 3), "cubic", False)),
    "triangular, 3 species": (3, lambda g: -1.0 * (g.random((3, 3, 3)) < 0.3), 1.0, Lattice((2, 4), "triangular")),
}
BINS = 50


@pytest.mark.parametrize("clock", ["gillespie", "metropolis", "heat bath"])
@pytest.mark.parametrize("name", SOUPS)
def test_every_clock_has_the_equilibrium_of_enumeration(name, clock, tol):
    n, J, mu, lattice = SOUPS[name]
    soup = Assembly(n, J(np.random.default_rng(2)), mu, lattice)
    exact = enumerate_states(soup.energy, temperature=1.0)
    path = kinetics(soup, temperature=1.0, t_span=60_000, record=6000, clock=clock, rng=1)
    x = path.x[1:].reshape(6000, -1)
    wanted = exact.means["s"].reshape(-1, n + 1).mean(0)
    series = [(path.energy[1:], exact.energy), *((np.mean(x == k, 1), wanted[k]) for k in range(n + 1))]
    for measured, expected in series:
        bins = measured.reshape(BINS, -1).mean(1)
        assert abs(bins.mean() - expected) < tol.STATISTICAL * bins.std(ddof=1) / np.sqrt(BINS)
    assert path.clock == clock and path.events[-1] > 1000


def test_rates_are_those_of_attachment_and_detachment(tol):
    """A two-state site, and a bound pair: waiting times are exponential with the stated means."""
    mu, eps, temperature = 1.4, 0.9, 0.8
    held = Assembly(2, [[[0.0, -eps], [0.0, 0.0]], np.zeros((2, 2))], [mu, 50.0], Lattice((1, 2), periodic=False))
    for structure, rate in ((Structure([[2]]), np.exp(-eps / temperature)), (None, 1.0)):
        soup = held.seed(structure, (0, 1)) if structure else held.seed(Structure([[1]]), (0, 1))
        engine = Gillespie(soup.energy, soup.empty().ravel(), np.array([True, False]), temperature, streams(0, 1)[0])
        t, stays = 0.0, [[], []]
        for _ in range(4000):
            occupied = engine.x[0] > 0
            after = engine.run(t, np.inf, 1)
            stays[int(occupied)].append(after - t)
            t = after
        for waits, expected in ((stays[0], np.exp(-mu / temperature) + np.exp(-50.0 / temperature)), (stays[1], rate)):
            mean = np.mean(waits)
            assert abs(mean * expected - 1.0) < tol.STATISTICAL / np.sqrt(len(waits))
            assert abs(np.std(waits) / mean - 1.0) < tol.STATISTICAL / np.sqrt(len(waits)) * np.sqrt(2.0)


def test_the_kept_sum_of_rates_follows_when_it_falls(tol):
    """A full lattice of free particles empties, and its total rate falls by 10^-17: n particles leave at rate n, then
    one comes about every e^40/sites."""
    sites, mu = 400, 40.0
    soup = Assembly(1, [[0.0]], mu, Lattice((20, 20)))
    last, waits = [], []
    for stream in streams(8, 100):
        engine = Gillespie(soup.energy, np.ones(sites, int), np.ones(sites, bool), 1.0, stream)
        last.append(engine.run(0.0, np.inf, sites))
        waits.append(engine.run(0.0, np.inf, 1))
        assert engine.detached == sites and engine.attached == 1
    exact = np.sum(1.0 / np.arange(1, sites + 1))
    assert abs(np.mean(last) - exact) < tol.STATISTICAL * np.std(last) / np.sqrt(len(last))
    assert abs(np.mean(waits) * sites * np.exp(-mu) - 1.0) < tol.STATISTICAL / np.sqrt(len(waits))


def test_classes_of_rates_stay_those_of_fresh_lists(rng):
    """After many events the kept classes are what a new engine makes of the same lattice."""
    structures = random_structures(3, (5, 5), rng=0)
    for J in (store(structures, 3.0), store(structures, (2.0, 2.3, 3.1), saturation=np.inf)):
        soup = Assembly(25, J, 4.0, Lattice((16, 16)))
        free = rng.random(256) > 0.05
        start = rng.integers(0, 26, 256)
        engine = Gillespie(soup.energy, start, free, 1.0, streams(1, 1)[0])
        engine.run(0.0, np.inf, 20_000)
        fresh = Gillespie(soup.energy, engine.x, free, 1.0, streams(1, 1)[0])
        np.testing.assert_array_equal(engine.site["code"], fresh.site["code"])
        np.testing.assert_array_equal(engine.site["level"], fresh.site["level"])
        np.testing.assert_array_equal(engine.count, fresh.count)
        for i in np.flatnonzero(free):
            c, p = engine.site["level"][i], engine.site["place"][i]
            assert engine.pool[engine.table[c, p // 64] * 64 + p % 64] == i
        assert engine.events == 20_000
        assert engine.attached - engine.detached == np.sum(engine.x > 0) - np.sum(start > 0)


def test_a_seed_grows_into_its_structure():
    structures = random_structures(3, (8, 8), 400, rng=4)  # few accidental candidates
    J = store(structures, 6.0, n_species=400)
    # a row begins about 10^-4 times in a unit of continuous time; the heat bath attaches what bonds e^eps times faster
    for clock, mu, span in (("gillespie", 8.5, 1e5), ("heat bath", 9.5, 300)):
        soup = Assembly(400, J, mu, Lattice((16, 16)))
        seeded = soup.seed(structures[1].patch(slice(2, 6), slice(2, 6)), (6, 6))
        grown = kinetics(seeded, temperature=1.0, t_span=span, clock=clock, rng=0)
        match = np.mean(grown.final[4:12, 4:12] == structures[1].codes)
        assert match > 0.9, (clock, match)
        assert grown.final[6:10, 6:10].tolist() == structures[1].codes[2:6, 2:6].tolist()


def test_same_seed_same_path_and_going_on():
    soup = Assembly(9, store(random_structures(2, (3, 3), rng=0), 3.0), 3.0, Lattice((8, 8)))
    for clock in ("gillespie", "metropolis", "heat bath"):
        a = kinetics(soup, temperature=1.0, t_span=50, record=5, clock=clock, rng=3)
        b = kinetics(soup, temperature=1.0, t_span=50, record=5, clock=clock, rng=3)
        np.testing.assert_array_equal(a.x, b.x)
        np.testing.assert_array_equal(a.energy, soup.energy(a.x))
        np.testing.assert_array_equal(a.x[0], soup.empty())
        on = kinetics(soup, temperature=1.0, t_span=(50, 60), clock=clock, x0=a.final, rng=4)
        assert on.t.tolist() == [50.0, 60.0] and np.array_equal(on.x[0], a.final)
    counted = kinetics(soup, temperature=1.0, events=1000, record=4, rng=3)
    assert counted.events.tolist() == [0, 250, 500, 750, 1000] and np.all(np.diff(counted.t) > 0)
    seen = kinetics(soup, temperature=1.0, t_span=5, record=[1.5, 5.0], observe={"n": lambda x: np.sum(x > 0)}, rng=3)
    assert seen.x is None and seen.observed["n"].shape == (3,) and seen.t.tolist() == [0.0, 1.5, 5.0]
    assert "clock='gillespie'" in repr(seen)


def test_waits_do_not_get_lost_in_a_late_start():
    """At 10^17 numbers are 16 apart, waits about 0.2."""
    soup = Assembly(2, [[-1.0, -0.5], [-0.5, 0.0]], 1.0, Lattice((6, 6)))
    early = kinetics(soup, temperature=1.0, t_span=128.0, record=2, rng=0)
    late = kinetics(soup, temperature=1.0, t_span=(1e17, 1e17 + 128.0), record=2, rng=0)
    assert early.events[-1] > 500 and late.events.tolist() == early.events.tolist()
    np.testing.assert_array_equal(late.final, early.final)


@pytest.mark.parametrize("span", [{"t_span": 20.0}, {"events": 300}, {"t_span": 20.0, "clock": "heat bath"}])
def test_a_run_goes_on_from_the_last_record_to_its_end(span):
    soup = Assembly(2, [[-1.0, -0.5], [-0.5, 0.0]], 1.0, Lattice((6, 6)))
    path = kinetics(soup, temperature=1.0, record=[3], rng=0, **span)
    whole = kinetics(soup, temperature=1.0, record=[3, max(20, span.get("events", 0))], rng=0, **span)
    np.testing.assert_array_equal(path.final, whole.final)
    np.testing.assert_array_equal(path.x[-1], whole.x[1])
    assert np.any(path.final != path.x[-1])


def test_conserved_hops():
    soup = Assembly(2, [[0.0, -1.0], [-1.0, 0.0]], 1.0, Lattice((6, 6)))
    start = np.zeros((6, 6), int)
    start[0] = [1, 2, 1, 2, 1, 2]
    path = kinetics(soup, temperature=1.0, t_span=100, record=10, clock="metropolis", conserved=True, x0=start, rng=0)
    assert np.all((path.x == 1).sum((1, 2)) == 3) and np.all((path.x == 2).sum((1, 2)) == 3)
    assert path.events[-1] > 0 and "particle" in path.unit


def test_non_reciprocal_bonds_drive_a_current(tol):
    """Three species that chase one another round (1 holds 2's place after 3, ...) break detailed balance.

    On two sites, one of them held in turn by nobody: the cycle empty -> 1 beside 2 -> ... has a net circulation, which
    vanishes for the symmetrised bonds.
    """
    chase = np.zeros((4, 2, 2))
    chase[:, 0, 1], chase[:, 1, 0] = -2.0, 2.0  # 1 likes to be beside 2, 2 dislikes to be beside 1
    both = (chase + chase.transpose(0, 2, 1)) / 2

    def circulation(J, reciprocal):
        soup = Assembly(2, J if not reciprocal else J[:2], 0.5, Lattice((1, 2), periodic=False), reciprocal)
        engine = Gillespie(soup.energy, np.zeros(2, int), np.ones(2, bool), 1.0, streams(6, 1)[0])
        t, path = 0.0, []
        for _ in range(40_000):
            path.append(tuple(engine.x))
            t = engine.run(t, np.inf, 1)
        # (0,0) -> (0,2) -> (1,2) -> (1,0) -> (0,0): 2 comes, 1 binds to it, 2 is driven off, 1 leaves
        cycle = [(0, 0), (0, 2), (1, 2), (1, 0)]
        number = {state: k for k, state in enumerate(cycle)}
        steps = [(number.get(a), number.get(b)) for a, b in zip(path[:-1], path[1:], strict=True)]
        turns = np.array([(a, b) == (0, 1) for a, b in steps], float) - [(a, b) == (1, 0) for a, b in steps]
        bins = turns[: len(turns) // 50 * 50].reshape(50, -1).mean(1)
        return bins.mean(), bins.std(ddof=1) / np.sqrt(50)

    driven, error = circulation(chase, False)
    assert driven > tol.STATISTICAL * error
    balanced, error = circulation(both, True)
    assert abs(balanced) < tol.STATISTICAL * error
    soup = Assembly(2, chase, 0.5, Lattice((4, 4)), False)
    for clock in ("metropolis", "heat bath", "gillespie"):
        path = kinetics(soup, temperature=1.0, t_span=20, clock=clock, rng=0)
        assert path.energy is None and path.events[-1] > 0
    with pytest.raises(TypeError, match="a System has no energy"):
        sample(soup.energy, temperature=1.0, n_samples=1)


def test_a_lattice_that_is_frozen_is_said():
    """Full of molecules bound by 1600 T each: exp(-1600) is zero, and an event would be waited for for ever."""
    soup = Assembly(1, [[-400.0]], -10.0, Lattice((3, 3)))
    full = kinetics(soup, temperature=1.0, t_span=100.0, x0=np.ones((3, 3), int), rng=0)
    assert full.events[-1] == 0 and full.t[-1] == 100.0 and np.all(full.final == 1)
    with pytest.raises(ValueError, match="after 9 every rate is zero"):
        kinetics(soup, temperature=1.0, events=10, rng=0)
    assert np.array_equal(kinetics(soup, temperature=1.0, events=10, record=[4], rng=0).events, [0, 4])


def test_metropolis_clock_makes_every_move_that_costs_nothing():
    """Sites are drawn at random: no coin is needed for ties, and rates are those of Metropolis' rule."""
    free = Assembly(1, [[0.0]], 0.0, Lattice((8, 8)))
    assert kinetics(free, temperature=1.0, t_span=10, clock="metropolis", record=1, rng=0).events[-1] == 640


def test_bad_input():
    soup = Assembly(2, np.zeros((2, 2)), 1.0, Lattice((3, 3)))
    for bad in (0.0, -1.0, np.inf, [1.0, 2.0], "1", None):
        with pytest.raises(ValueError, match="temperature"):
            kinetics(soup, temperature=bad, t_span=1)
    with pytest.raises(ValueError, match="expected one of them"):
        kinetics(soup, temperature=1.0)
    with pytest.raises(ValueError, match="expected one of them"):
        kinetics(soup, temperature=1.0, t_span=1, events=5)
    with pytest.raises(ValueError, match="clock: got 'wall'"):
        kinetics(soup, temperature=1.0, t_span=1, clock="wall")
    with pytest.raises(ValueError, match="events: got 5 with the clock 'metropolis', expected 'gillespie'"):
        kinetics(soup, temperature=1.0, events=5, clock="metropolis")
    with pytest.raises(ValueError, match="whole sweeps"):
        kinetics(soup, temperature=1.0, t_span=1.5, clock="metropolis")
    with pytest.raises(ValueError, match="finite and increasing"):
        kinetics(soup, temperature=1.0, t_span=(2.0, 1.0))
    for bad in (np.nan, np.inf, 1.5, 2.0, True, 0, "3"):
        with pytest.raises(ValueError, match="events: got"):
            kinetics(soup, temperature=1.0, events=bad)
    with pytest.raises(ValueError, match="record.*whole numbers of events"):
        kinetics(soup, temperature=1.0, events=3, record=[1, 2.5])
    with pytest.raises(ValueError, match="x0: shape"):
        kinetics(soup, temperature=1.0, t_span=1, x0=np.zeros((2, 3, 3), int))
    for bad in ([1.0, 3.0], [-1.0, 1.0], [1.0, 1.0], [np.nan], [np.inf], [], [[1.0]], 0, 1.5, 2.0, True):
        with pytest.raises(ValueError, match="record"):
            kinetics(soup, temperature=1.0, t_span=2.0, record=bad)
    with pytest.raises(ValueError, match="conserved"):
        kinetics(soup, temperature=1.0, t_span=2.0, conserved=True)
    with pytest.raises(ValueError, match="as of an Assembly"):
        kinetics(PottsModel.square(3, q=3), temperature=1.0, t_span=1)
    with pytest.raises(ValueError, match="every site is held"):
        kinetics(soup, temperature=1.0, t_span=1, clamp={"s": np.zeros(9)})
    strong = Assembly(2, 400.0 * np.ones((2, 2)), 1.0, Lattice((3, 3)))
    with pytest.raises(ValueError, match="rates overflow"):
        kinetics(strong, temperature=1.0, t_span=1)
    with pytest.raises(ValueError, match=r"rates overflow \(energies up to 1e\+04"):
        kinetics(Assembly(2, np.zeros((2, 2)), -1e4, Lattice((3, 3))), temperature=1.0, t_span=1)
    with pytest.raises(ValueError, match="nothing ever attaches"):
        kinetics(Assembly(2, np.zeros((2, 2)), 800.0, Lattice((3, 3))), temperature=1.0, events=1)
