"""Claims on processes in time and on molecules: diffusion, work, escape, growth."""

from __future__ import annotations

import math

import numpy as np

from physlearn.claims.claim import Claim, over_chains


def _wells(x):
    return x[:, 0] ** 4 / 4 - x[:, 0] ** 2 / 2


def euler_variance(scale, rng):
    """Stationary variance of dx = -x dt + sqrt(2) dW by steps of 0.1."""
    from physlearn import integrate
    from physlearn.models import OUProcess

    process = OUProcess()
    run = integrate(
        process.system(1),
        (0.0, 20.0),
        x0=rng.standard_normal((4000 * scale, 1)),
        dt=0.1,
        temperature=process.temperature,
        method="euler_maruyama",
        times=[10.0, 20.0],
        rng=rng,
    )
    return over_chains(np.square(np.asarray(run.x)[-1]))


def kramers(scale, rng):
    """Rate of the slowest mode of a double well at T = 0.025 over twice Kramers' rate."""
    from physlearn import fokker_planck

    slow = fokker_planck(_wells, np.linspace(-2.2, 2.2, 2201), 0.025).spectrum(2).rates[1]
    return slow / (math.sqrt(2) / math.pi * math.exp(-10))


def slow_mode(scale, rng):
    """Rate of the double well's slowest mode at T = 0.05."""
    from physlearn import fokker_planck

    return fokker_planck(_wells, np.linspace(-2.2, 2.2, 2201), 0.05).spectrum(2).rates[1]


def commute(scale, rng):
    """Mean time there and back between two wells over capacity times resistance of the resistor network."""
    from physlearn import commute_time, fokker_planck, passage_time

    machine = fokker_planck(lambda x: (x[:, 0] ** 2 - 1) ** 2 + 0.25 * x[:, 0], np.linspace(-1.8, 1.8, 181), 0.3)
    there_and_back = passage_time(machine, -1.0, 1.0) + passage_time(machine, 1.0, -1.0)
    x = machine.axes[0]
    a, b = (int(np.argmin(np.abs(x - at))) for at in (-1.0, 1.0))
    in_series = np.sum(1 / machine.conductance[a:b])
    assert math.isclose(commute_time(machine, -1.0, 1.0), there_and_back, rel_tol=1e-9)
    return there_and_back / (machine.capacity.sum() * in_series)


class _Spring:
    layers = ("bead", "trap")
    rowwise = True

    def energy(self, x, theta):
        return 0.5 * np.sum((x["bead"] - x["trap"]) ** 2, 1)

    def field(self, x, theta, layer):
        pull = x["trap"] - x["bead"]
        return pull if layer == "bead" else -pull

    def gradient(self, x, theta, weight):
        return {}


def _dragged(rng, n):
    from physlearn import Energy, Real, integrate, work

    dragged = Energy({"bead": (Real(), 1), "trap": (Real(), 1)}, [_Spring()], {})
    start = rng.standard_normal((n, 1))
    run = integrate(
        dragged,
        (0.0, 2.0),
        x0={"bead": start, "trap": 0 * start},
        dt=0.005,
        temperature=1.0,
        rng=rng,
        clamp={"trap": lambda t: [t]},
    )
    return work(dragged, run, "trap")


def mean_work(scale, rng):
    """Mean work of dragging a trap by 2 at unit speed: 2 - (1 - exp(-2))."""
    done = _dragged(rng, 4000 * scale)
    return over_chains(done[:, None])


def jarzynski(scale, rng):
    """Free energy from the work of dragging a trap: none."""
    from physlearn import jarzynski

    found = [jarzynski(_dragged(rng, 1000 * scale), 1.0).value for _ in range(8)]
    return over_chains(np.array(found)[:, None])


def work_variance(scale, rng):
    """Variance of the Gaussian work over twice its mean, T = 1 (fluctuation and dissipation)."""
    found = [np.var(done, ddof=1) / (2 * done.mean()) for done in (_dragged(rng, 1000 * scale) for _ in range(8))]
    return over_chains(np.array(found)[:, None])


def clones(scale, rng):
    """Probability that two clones of a path end in one class, from posteriors at t = log(d)/2, d = 16."""
    from physlearn.models import GaussianMixture, OUProcess

    d, process = 16, OUProcess()
    law = GaussianMixture(np.array([[1.0], [-1.0]]) * np.ones(d), 1.0)
    noised = process.noised(law, 0.5 * math.log(d))
    return over_chains(np.sum(noised.responsibilities(noised.sample(20000 * scale, rng)) ** 2, 1)[:, None])


def collapse(scale, rng):
    """Time at which a datum's weight in its own posterior crosses one half: 3,000 Gaussian data in 16 dimensions."""
    from scipy.optimize import brentq

    from physlearn.models import own_weight

    data, seed = rng.standard_normal((3000, 16)), int(rng.integers(2**31))  # one noise for all times
    return brentq(lambda t: own_weight(data, t, rng=seed) - 0.5, 0.1, 1.0, xtol=1e-3)


def _returned(alpha):
    """Variance of Gaussian data, 0.3, after the way back from noise."""

    def measure(scale, rng):
        from physlearn import integrate, reverse
        from physlearn.models import GaussianMixture, OUProcess

        process, law = OUProcess(), GaussianMixture([[0.0]], 0.3)
        start = process.noised(law, 3.0).sample(4000 * scale, rng)
        back = reverse(process, process.score_of(law), alpha)
        end = integrate(back, (0.0, 3.0), x0=start, dt=0.005, rng=rng, method="heun" if alpha else "rk4").final
        return over_chains(np.square(np.asarray(end)))

    return measure


def lattice_gas(scale, rng):
    """Filling of a lattice of one species at half the bonds' energy, T = 2, started full: (1 + m)/2 of the magnet."""
    from physlearn import sample
    from physlearn.models import Assembly
    from physlearn.terms import Lattice

    gas = Assembly(1, [[-4.0]], 8.0, Lattice((48, 48)))
    full = np.ones((16, 48, 48), np.int64)
    drawn = sample(
        gas,
        temperature=2.0,
        chains=16,
        n_samples=40 * scale,
        warmup=200,
        thin=10,
        x0=full,
        observe={"filled": lambda x: x["s"].mean((1, 2))},
        rng=rng,
    )
    return over_chains(drawn.observed["filled"])


def candidates(scale, rng):
    """Exponent of the accidental candidates of a kink against the number of species: 1 - z/2 = -1."""
    from physlearn.models import accidental_candidates, random_structures

    sides = np.array([10, 14, 20, 28])
    found = []
    for side in sides:
        draws = [accidental_candidates(random_structures(8, (side, side), rng=rng)) for _ in range(4 * scale)]
        found.append(np.mean(draws))
    return float(np.polyfit(np.log(sides**2), np.log(found), 1)[0])


def barrier(scale, rng):
    """Barrier of growth from the energies of square blocks: their maximum over sizes."""
    from physlearn.models import block_energy

    sizes = np.linspace(0.5, 30.0, 200_001)
    return float(np.max(block_energy(sizes, 4.0, 7.0)))


PROCESSES = (
    Claim(
        "euler-variance",
        "dx = -x dt + sqrt(2) dW by steps of 0.1: stationary variance of the scheme",
        "closed form 1/(1 - h/2)",
        1 / 0.95,
        euler_variance,
    ),
    Claim(
        "kramers",
        "double well x^4/4 - x^2/2, T = 0.025: slowest rate over twice Kramers'",
        "Kramers 1940",
        1.0,
        kramers,
        0.05,
        "corrections of order T",
    ),
    Claim(
        "slow-mode",
        "double well, T = 0.05: rate of the slowest mode",
        "independent eigenvalues (SciPy)",
        2.776163e-3,
        slow_mode,
        5e-8,
        "2,201 cells",
        unit="1/s",
    ),
    Claim(
        "commute-time",
        "tilted double well: time there and back over capacity times resistance",
        "Chandra et al. 1989",
        1.0,
        commute,
    ),
    Claim(
        "mean-work",
        "trap dragged by 2 in 2 s: mean work",
        "Mazonka and Jarzynski 1999",
        1 + math.exp(-2),
        mean_work,
        0.005,
        "steps of 5 ms",
    ),
    Claim(
        "jarzynski",
        "trap dragged by 2 in 2 s: free energy from exp(-W)",
        "Jarzynski 1997",
        0.0,
        jarzynski,
        0.02,
        "bias of an exponential mean of 1,000",
    ),
    Claim(
        "work-variance",
        "trap dragged: variance of the work over twice its mean",
        "Mazonka and Jarzynski 1999",
        1.0,
        work_variance,
        0.005,
        "steps of 5 ms",
    ),
    Claim(
        "clones",
        "two Gaussians: two clones end in one class, t = log(d)/2",
        "Biroli et al. 2024",
        0.7752,
        clones,
        5e-5,
        "four digits printed",
    ),
    Claim(
        "collapse",
        "3,000 Gaussian data in 16 dimensions: time of collapse",
        "Biroli et al. 2024",
        0.229,
        collapse,
        0.03,
        "few data: the crossing of 1/2 lies above the limit's",
    ),
    *(
        Claim(
            f"way-back-{alpha:g}",
            f"Gaussian data: variance after the way back with alpha = {alpha:g}",
            "Anderson 1982; Song et al. 2021",
            0.3,
            _returned(alpha),
            0.002,
            "steps of 5 ms",
        )
        for alpha in (0.0, 1.0, 2.0)
    ),
    Claim(
        "lattice-gas",
        "one molecule on a lattice, T = 2, bond 4, cost 8, from full: filling",
        "Lee and Yang 1952; Yang 1952",
        (1 + (1 - math.sinh(1.0) ** -4) ** 0.125) / 2,
        lattice_gas,
        5e-4,
        "48 x 48",
    ),
    Claim(
        "candidates",
        "square assemblies: exponent of accidental candidates against species",
        "Murugan et al. 2015",
        -1.0,
        candidates,
        0.1,
        "10 x 10 to 28 x 28 species",
    ),
    Claim("barrier", "square block, bond 4, cost 7: nucleation barrier", "Murugan et al. 2015", 16.0, barrier),
)
