"""Runs of `integrate` and `kinetics`: every method and every clock."""

import numpy as np

from physlearn import (
    Energy,
    Nudge as Pull,
    Readout,
    Real,
    SquaredError,
    System,
    fokker_planck,
    integrate,
    kinetics,
    reverse,
)
from physlearn.models import Assembly, ContinuousHopfield, GaussianMixture, OUProcess, random_structures, store
from physlearn.terms import Bias, Dense, Edges, Lattice, OneWay, Parabola


def generator(seed=0):
    return np.random.default_rng(seed)


def springs(n=6, bound=np.inf):
    rng = generator(1)
    pairs = np.stack([np.arange(n - 1), np.arange(1, n)], 1)
    theta = {
        "conductance": rng.uniform(0.5, 2.0, n - 1),
        "stiffness": rng.uniform(0.5, 1.0, n),
        "bias": rng.normal(size=n),
    }
    readouts = {"end": Readout("x", [0]), "out": Readout("x", [3]), "pull": Readout("x", [2], force=True)}
    return Energy({"x": (Real(-bound, bound), n)}, [Edges("x", pairs), Parabola("x"), Bias("x")], theta, readouts)


def mesh(n=6):
    w = generator(2).normal(size=(n, n))
    theta = {"W": (w + w.T) * (1 - np.eye(n)), "stiffness": np.full(n, 9.0)}
    return Energy({"x": (Real(), n)}, [Dense(("x", "x")), Parabola("x")], theta)


def backwards(alpha, **more):
    process, law = OUProcess(), GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], [0.1, 0.2])
    machine = reverse(process, process.score_of(law), alpha)
    return integrate(machine, (0.0, 2.0), x0=generator(3).normal(size=(5, 2)), **more)


def density(grid, **more):
    machine = fokker_planck(lambda x: np.sum(x**4 / 4 - x**2 / 2, 1), grid, 0.1, **more)
    x = machine.axes[0].reshape(-1, *[1] * (len(machine.shape) - 1))
    start = np.broadcast_to(np.exp(-((x + 1) ** 2) / 0.1), machine.shape)
    return integrate(machine, (0.0, 2.0), x0=start, times=[0.5, 2.0])


def oneway():
    rng = generator(2)
    terms = [OneWay("x"), Parabola("x")]
    theta = {"W": rng.normal(size=(5, 5)) * (1 - np.eye(5)), "stiffness": np.full(5, 4.0)}

    class Force:
        layers = ("x",)

        def field(self, x, theta, layer):
            return -theta["k"] * x["x"]

        def response(self, x, theta, weight):
            return {"k": np.asarray(0.5 * weight @ np.sum(x["x"] ** 2, 1))}

    return System({"x": (Real(), 5)}, [terms[0], Force()], {"W": theta["W"], "k": 3.0})


def flow(system, t_span=(0.0, 1.0), batch=3, n=6, **more):
    return integrate(system, t_span, x0=generator(3).uniform(-0.4, 0.4, (batch, n)), **more)


def soup(reciprocal=True):
    stored = random_structures(2, (3, 3), rng=4)
    J = store(stored, 4.0)
    if not reciprocal:
        J = np.concatenate([J, np.swapaxes(J, 1, 2)])  # what is felt in every step
        J = J + np.where(J < 0, generator(5).uniform(0.0, 0.5, J.shape), 0.0)
    return Assembly(9, J, 4.0, Lattice((7, 7)), reciprocal=reciprocal)


def grow(clock="gillespie", reciprocal=True, **more):
    machine = soup(reciprocal)
    start = machine.place(random_structures(2, (3, 3), rng=4)[0], (2, 2))
    return kinetics(machine, temperature=1.0, clock=clock, x0=start, record=3, rng=6, **more)


RUNS = {
    "adaptive": lambda: flow(springs()),
    "adaptive, driven": lambda: flow(
        springs(), clamp={"end": lambda t: [np.sin(t)], "pull": lambda t: [np.cos(3 * t)]}
    ),
    "adaptive, bounds": lambda: flow(springs(bound=0.5), tau={"x": generator(4).uniform(0.5, 2.0, 6)}),
    "adaptive, nudge": lambda: flow(springs(), nudge=Pull(SquaredError("out"), [[1.0]], 0.5)),
    "adaptive, system": lambda: flow(oneway(), n=5),
    "adaptive, complex": lambda: integrate(springs(), (0.0, 1.0), x0=np.full((1, 6), 0.1 + 0.2j)),
    "adaptive, graded": lambda: integrate(
        ContinuousHopfield(np.array([[0.0, 1.0, -1.0], [1.0, 0.0, 0.5], [-1.0, 0.5, 0.0]]), gain=3.0).energy,
        (0.0, 3.0),
        x0=[[0.1, 0.2, -0.1]],
    ),
    "stiff": lambda: flow(springs(), method="stiff"),
    "stiff, system": lambda: flow(oneway(), n=5, method="stiff"),
    "rk4": lambda: flow(springs(), dt=0.01),
    "rk4, times": lambda: flow(springs(), dt=0.01, times=[0.1, 0.5, 1.0], clamp={"end": [0.2]}),
    "euler": lambda: flow(springs(), dt=0.01, method="euler"),
    "heun": lambda: flow(springs(), dt=0.01, temperature=0.3, rng=7),
    "heun, bounds": lambda: flow(springs(bound=0.5), dt=0.01, temperature=0.3, rng=7),
    "euler-maruyama": lambda: flow(springs(), dt=0.01, temperature=0.3, method="euler_maruyama", rng=7, batch=40),
    "heun, products": lambda: flow(mesh(), dt=0.01, temperature=0.3, rng=7, batch=40),
    "euler-maruyama, one column": lambda: integrate(
        Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [2.0]}),
        (0.0, 0.1),
        x0=np.zeros((3000, 1)),
        dt=0.01,
        temperature=0.3,
        method="euler_maruyama",
        rng=7,
    ),
    "reverse": lambda: backwards(1.0, dt=0.1, rng=2),
    "reverse, flow": lambda: backwards(0.0, dt=0.1),
    "fokker-planck": lambda: density(np.linspace(-2.2, 2.2, 81)),
    "fokker-planck, plane": lambda: density((np.linspace(-2.2, 2.2, 15), np.linspace(-1.0, 1.0, 9)), walls=True),
    "gillespie": lambda: grow(t_span=20.0),
    "gillespie, events": lambda: grow(events=200),
    "gillespie, one-sided": lambda: grow(reciprocal=False, events=100),
    "metropolis clock": lambda: grow("metropolis", t_span=20),
    "metropolis clock, one-sided": lambda: grow("metropolis", reciprocal=False, t_span=20),
    "heat bath clock": lambda: grow("heat bath", t_span=20),
    "conserved": lambda: grow("metropolis", t_span=20, conserved=True),
}
