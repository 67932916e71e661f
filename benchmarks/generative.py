"""Processes, Langevin chains, posteriors and densities beside peers, all in one run.

    python benchmarks/generative.py [ou] [langevin] [hmc] [density]

Processor time of one thread, best of several repeats.  Peers: torchsde, diffrax, torchebm, blackjax, py-pde; those that
cannot be imported are named with the reason.
"""

import os
import sys

import common  # first: it sets thread counts before NumPy is imported

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
import posteriors

from physlearn import Energy, Real, fokker_planck, integrate, sample
from physlearn.models import OUProcess

PATHS, STEPS = 100_000, 100
CHAINS, LANGEVIN = 1000, 200


def best(function, repeats=5):
    """Least processor time of calls, after a first one, and the last result."""
    function()
    times = []
    for _ in range(repeats):
        start = common.processor_time()
        result = function()
        times.append(common.processor_time() - start)
    return min(times), result


def peers(rows, ours, **functions):
    """Add a row for every peer: its time and result, or why there is none; ``ours`` is the time to compare with."""
    for name, (run, show) in functions.items():
        try:
            spent, result = best(run(), 3)
        except Exception as error:
            rows.append((name, f"skipped: {type(error).__name__}: {error}"[:90], "", ""))
            continue
        rows.append((name, f"{1e3 * spent:.1f} ms", f"{spent / ours:.2f}", show(np.asarray(result))))


# ---------------------------------------------------------------- paths
def moments(x):
    return f"mean {x.mean():.4f}, variance {x.var():.4f}"


def torchsde_ou():
    import torch
    import torchsde

    torch.set_num_threads(1)

    class OU(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t, y):
            return -y

        def g(self, t, y):
            return torch.full_like(y, 2**0.5)

    start, span = torch.full((PATHS, 1), 2.0, dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    return lambda: torchsde.sdeint(OU(), start, span, dt=1 / STEPS, method="euler")[-1].numpy()


def diffrax_ou():
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)

    def one(key):
        drift = diffrax.ODETerm(lambda t, y, args: -y)
        noise = diffrax.ControlTerm(lambda t, y, args: 2**0.5, diffrax.UnsafeBrownianPath((), key))
        terms = diffrax.MultiTerm(drift, noise)
        return diffrax.diffeqsolve(
            terms, diffrax.Euler(), 0.0, 1.0, 1 / STEPS, 2.0, max_steps=STEPS + 2, adjoint=diffrax.DirectAdjoint()
        ).ys[0]

    run, keys = jax.jit(jax.vmap(one)), jax.random.split(jax.random.key(0), PATHS)
    return lambda: np.asarray(run(keys))


def paths():
    process, x0 = OUProcess(), np.full((PATHS, 1), 2.0)
    system, rng = process.system(1), np.random.default_rng(0)

    def euler():
        return integrate(
            system, (0.0, 1.0), x0=x0, dt=1 / STEPS, times=[1.0], method="euler_maruyama", temperature=1.0, rng=0
        ).final

    def plain():
        x = x0.copy()
        for _ in range(STEPS):
            x = x - x / STEPS + np.sqrt(2 / STEPS) * rng.standard_normal(x.shape)
        return x

    ours, found = best(euler)
    rows = [("physlearn `integrate`, Euler and Maruyama", f"{1e3 * ours:.1f} ms", "1", moments(found))]
    for name, run in (
        ("a loop in NumPy", plain),
        ("physlearn, exact transition", lambda: process.transition(x0, 1.0, rng)),
    ):
        spent, found = best(run)
        rows.append((name, f"{1e3 * spent:.1f} ms", f"{spent / ours:.2f}", moments(found)))
    peers(rows, ours, torchsde=(torchsde_ou, moments), diffrax=(diffrax_ou, moments))
    h = 1 / STEPS
    a = (1 - h) ** STEPS
    moments_of = f"mean {2 * a:.4f}, variance {2 * h * (1 - a * a) / (1 - (1 - h) ** 2):.4f}"
    title = f"{PATHS:,} OU paths, {STEPS} steps (the scheme: {moments_of})"
    common.table(title, rows, ("what", "time", "ratio to ours", "result"))


# ---------------------------------------------------------------- Langevin chains
class Quartic:
    layers = ("x",)
    rowwise = True

    def energy(self, x, theta):
        return np.sum((x["x"] ** 2 - 1) ** 2, 1) / 4

    def field(self, x, theta, layer):
        return x[layer] * (1 - x[layer] * x[layer])

    def gradient(self, x, theta, weight):
        return {}


def torchebm_chains():
    import torch

    torch.set_num_threads(1)
    try:
        from torchebm.core import BaseModel
    except ImportError:
        from torchebm.core import BaseEnergyFunction as BaseModel
    from torchebm.samplers import LangevinDynamics

    class Wells(BaseModel):
        def forward(self, x):
            return ((x * x - 1) ** 2 / 4).sum(-1)

    sampler = LangevinDynamics(Wells(), step_size=0.01, noise_scale=1.0)
    return lambda: sampler.sample(x=torch.randn(CHAINS, 2), n_steps=LANGEVIN).detach().numpy()


def chains():
    energy, x0 = Energy({"x": (Real(), 2)}, [Quartic()], {}), np.random.default_rng(0).standard_normal((CHAINS, 2))

    def ours_run():
        return sample(energy, temperature=1.0, n_samples=1, chains=CHAINS, warmup=0, thin=LANGEVIN, x0=x0, rng=0,
                      method="ula", step=0.01).x  # fmt: skip

    ours, found = best(ours_run)
    show = lambda x: f"<x^2> {np.mean(x**2):.3f}"  # noqa: E731
    rows = [("physlearn `sample`, ULA, term in NumPy", f"{1e3 * ours:.1f} ms", "1", show(found))]
    peers(rows, ours, torchebm=(torchebm_chains, show))
    common.table(
        f"{CHAINS:,} Langevin chains in two quartic wells, {LANGEVIN} steps",
        rows,
        ("what", "time", "ratio to ours", "result"),
    )


# ---------------------------------------------------------------- densities
def density():
    from scipy.linalg import eigh_tridiagonal, solve_banded

    n, t_end, temperature = 512, 10.0, 0.1
    x = (np.arange(n) + 0.5) * 5.0 / n - 2.5
    start = np.exp(-((x + 1) ** 2) / 0.1)
    start /= start.sum() * (x[1] - x[0])
    machine = fokker_planck(lambda p: p[:, 0] ** 4 / 4 - p[:, 0] ** 2 / 2, x, temperature)
    there, back = machine.there, machine.back
    banded = np.zeros((3, n))
    banded[0, 1:], banded[2, :-1] = back, there
    banded[1, :-1] -= there
    banded[1, 1:] -= back
    rates, modes = eigh_tridiagonal(-banded[1], -np.sqrt(there * back))
    root = np.sqrt(machine.stationary)
    exact = root * (modes @ (np.exp(-rates * t_end) * (modes.T @ (start / root))))

    def crank_nicolson(steps):
        dt, p = t_end / steps, start.copy()
        for k in range(steps):
            share = 1.0 if k < 4 else 0.5  # first steps implicit: the walls are stiff
            left = -share * dt * banded
            left[1] += 1.0
            right = p.copy()
            if share < 1:
                by = (1 - share) * dt
                right += by * banded[1] * p
                right[:-1] += by * banded[0, 1:] * p[1:]
                right[1:] += by * banded[2, :-1] * p[:-1]
            p = solve_banded((1, 1), left, right)
        return p

    def error(p):
        return float(np.max(np.abs(p - exact)))

    rows = []
    for tol in (1e-4, 1e-6):
        ours, run = best(lambda tol=tol: integrate(machine, (0.0, t_end), x0=start, times=[t_end], tol=tol))
        wrong, steps = error(run.final), 25
        while error(crank_nicolson(steps)) > wrong and steps < 2e5:
            steps = int(1.3 * steps) + 1
        spent, p = best(lambda steps=steps: crank_nicolson(steps), 3)
        mass = abs(run.final.sum() * machine.volume - 1)
        rows.append(
            (f"physlearn, tol {tol:g}, {run.steps} steps", f"{1e3 * ours:.2f} ms", f"{wrong:.1e}", f"{mass:.0e}", "1")
        )
        rows.append(
            (
                f"Crank-Nicolson, banded, {steps} steps",
                f"{1e3 * spent:.2f} ms",
                f"{error(p):.1e}",
                f"{abs(p.sum() * machine.volume - 1):.0e}",
                f"{spent / ours:.2f}",
            )
        )
    try:
        import pde

        state = pde.ScalarField(pde.CartesianGrid([(-2.5, 2.5)], n), start)
        equation = pde.PDE({"c": f"{temperature} * laplace(c) + d_dx(c * (x**3 - x))"}, bc={"derivative": 0})
        begin, short = common.processor_time(), 0.01
        equation.solve(state, t_range=short, dt=1e-5, adaptive=True, tracker=None)
        first = common.processor_time() - begin
        begin = common.processor_time()
        equation.solve(state, t_range=short, dt=1e-5, adaptive=True, tracker=None)
        spent = (common.processor_time() - begin) * t_end / short
        rows.append(
            (
                f"py-pde, explicit, adaptive, to t = {short}, scaled (first call {first:.0f} s)",
                f"{1e3 * spent:.0f} ms",
                "",
                "",
                f"{spent / ours:.0f}",
            )
        )
    except Exception as reason:
        rows.append((f"py-pde: skipped, {type(reason).__name__}: {reason}"[:90], "", "", "", ""))
    columns = ("what", "time", "largest error", "error of the mass", "ratio to ours at that error")
    common.table(f"Fokker-Planck, double well, {n} cells, to t = {t_end:g}", rows, columns)


PARTS = {"ou": paths, "langevin": chains, "hmc": posteriors.main, "density": density}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
