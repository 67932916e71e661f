"""Langevin, MALA and HMC on a mixture of 4 Gaussians in 100 dimensions, 16 chains, beside blackjax.

Same steps and leapfrog counts on both sides; blackjax computes in single precision, physlearn in double.
"""

import common  # first: it sets thread counts before NumPy is imported
import numpy as np

from physlearn import Energy, Real
from physlearn.dynamics.sampling.sample import start_sampler
from physlearn.terms import Mixture

CHAINS, D, COMPONENTS = 16, 100, 4
MEANS = np.random.default_rng(0).normal(size=(COMPONENTS, D))
START = MEANS[np.arange(CHAINS) % COMPONENTS]
# engine, its settings, moves a run, blackjax's name and parameters
CASES = [
    ("ula", {"step": 0.05}, 4000, None, ()),
    ("mala", {"step": 0.1}, 4000, "mala", (0.1,)),
    ("hmc", {"step": 0.25, "leaps": 10, "jitter": 0.0}, 1000, "hmc", (0.25, np.ones(D), 10)),
]


def ours(method, settings, moves):
    """Samples per processor second, and acceptance."""
    theta = {"logits": np.zeros(COMPONENTS), "means": MEANS, "precisions": np.ones(COMPONENTS)}
    energy, heat = Energy({"x": (Real(), D)}, [Mixture("x")], theta), np.ones(CHAINS)
    sampler = start_sampler(energy, CHAINS, START, None, method, 0, settings)
    sampler.run(10, heat)
    spent, _ = common.seconds(lambda: sampler.run(moves, heat))
    return CHAINS * moves / spent, np.mean(sampler.accepted) / max(np.mean(sampler.proposed), 1)


def blackjax_rate(name, parameters, moves):
    """Samples per processor second, and acceptance."""
    import blackjax
    import jax
    import jax.numpy as jnp

    means = jnp.asarray(MEANS, jnp.float32)
    log_density = lambda x: jax.scipy.special.logsumexp(-0.5 * ((x - means) ** 2).sum(-1))  # noqa: E731
    kernel = getattr(blackjax, name)(log_density, *parameters)

    def chain(key, x):
        def move(state, key):
            state, info = kernel.step(key, state)
            return state, info.acceptance_rate

        return jax.lax.scan(move, kernel.init(x), jax.random.split(key, moves))[1]

    run, keys, start = jax.jit(jax.vmap(chain)), jax.random.split(jax.random.key(1), CHAINS), jnp.asarray(START)
    jax.block_until_ready(run(keys, start))
    spent, accepted = common.seconds(lambda: jax.block_until_ready(run(keys, start)))
    return CHAINS * moves / spent, float(accepted.mean())


def main():
    rows = []
    for method, settings, moves, peer, parameters in CASES:
        rate, accepted = ours(method, settings, moves)
        rows.append((f"physlearn {method}", f"{rate:.3g}", f"{accepted:.2f}" if accepted else "", "1"))
        if peer is None:
            continue
        try:
            there, accepted = blackjax_rate(peer, parameters, moves)
        except ImportError:
            rows.append((f"blackjax {peer}", "not installed", "", ""))
            continue
        rows.append((f"blackjax {peer}", f"{there:.3g}", f"{accepted:.2f}", f"{there / rate:.2f}"))
    columns = ("sampler", "samples per processor second", "acceptance", "ratio to ours")
    common.table(f"Mixture of {COMPONENTS} Gaussians, d = {D}, {CHAINS} chains", rows, columns)


if __name__ == "__main__":
    main()
