"""Runs of associative memories and of machines with hidden units: storage, recall, capacity, likelihoods."""

import warnings

import numpy as np

from physlearn import SGD, ContrastiveDivergence, Spin, integrate, relax
from physlearn.models import (
    RBM,
    BoltzmannMachine,
    ContinuousHopfield,
    DenseMemory,
    EnergyTransformer,
    Hopfield,
    ModernHopfield,
    add_noise,
    attention,
    basin_size,
    capacity_curve,
    causal_mask,
    classify_states,
    correlated_patterns,
    critical_load,
    dense_errors,
    digits,
    dilute,
    energy_plane,
    erase,
    extrapolate,
    first_step_error,
    flip,
    from_images,
    letters,
    mean_field_overlap,
    multi_head_attention,
    overlap,
    overlap_matrix,
    phase_diagram,
    positional_encoding,
    random_patterns,
    retrieval_boundary,
    stack,
    survey,
)


def generator(seed=0):
    return np.random.default_rng(seed)


def patterns(m=4, n=60, **more):
    return random_patterns(m, n, rng=1, **more)


def stored(rule="hebb", m=4, n=60, **settings):
    memory = Hopfield.store(patterns(m, n), rule, **settings)
    return memory.couplings, recalled(memory, patterns(m, n))


def recalled(memory, xi, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cues that still move are as good here
        return memory.recall(flip(xi, 0.2, rng=2), rng=3, **more)


def hopfield(values="spin", m=4, n=60, **more):
    xi = patterns(m, n, values=values)
    return recalled(Hopfield.store(xi), xi, max_sweeps=20, **more)


def real_couplings(**more):
    """Couplings that are no whole numbers times a unit."""
    w = generator(4).normal(size=(50, 50))
    xi = patterns(4, 50)
    return recalled(Hopfield((w + w.T) * (1 - np.eye(50)), generator(5).normal(size=50)), xi, max_sweeps=30, **more)


def sparse_patterns(**more):
    xi = patterns(4, 60, activity=0.2, values="binary")
    return recalled(Hopfield.store(xi, "covariance"), xi, **more)


def sequences():
    xi = patterns(3, 60)
    memory = Hopfield.store(xi, "sequence", hold=0.5)
    return memory.recall(xi[0], order="synchronous", max_sweeps=5, trace=True), recalled(memory, xi, max_sweeps=6)


def improved():
    xi = patterns(6, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        better = Hopfield.store(xi).contrast(xi, rate=0.5, epochs=5)
    return better.couplings, Hopfield.store(xi).unlearn(rounds=5, rng=1).couplings


def dense(power, **more):
    xi = patterns(30, 40)
    memory = DenseMemory(xi, power, beta=0.3)
    start = flip(xi[:4], 0.15, rng=2)
    return memory.recall(start, rng=3, max_sweeps=20, **more), memory.gaps(start), relax(memory.energy, start)


def dense_real(power):
    xi = patterns(5, 12)
    return integrate(DenseMemory(xi, power, beta=0.5).continuous, (0.0, 0.5), x0=0.5 * xi[:2], times=[0.2, 0.5])


def classified():
    features, label = patterns(12, 40), 2.0 * np.eye(3)[np.arange(12) % 3] - 1.0
    return DenseMemory(np.concatenate([features, label], 1), 3).classify(flip(features[:4], 0.1, rng=2), 3)


def modern():
    rng = generator(6)
    memory = ModernHopfield(rng.normal(size=(6, 10)), beta=2.0)
    x = rng.normal(size=(4, 10))
    return memory.weights(x), memory.update(x), memory.recall(x, steps=3), memory.fixed_points(x), memory.energy(x)


def attentions():
    rng = generator(7)
    q, k, v, x = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(4, 6))
    heads = [rng.normal(size=(2, 6, 3)) for _ in range(3)]
    return (
        attention(q, k, v),
        attention(q, k, v, beta=2.0, mask=causal_mask(4)),
        positional_encoding(5, 6),
        multi_head_attention(x, *heads, rng.normal(size=(2, 3, 6)), causal=True),
    )


def continuous():
    memory = ContinuousHopfield.store(patterns(2, 12), gain=4.0)
    rng = generator(8)
    run = integrate(memory.energy, (0.0, 4.0), x0=0.2 * rng.normal(size=(2, 12)), times=[1.0, 4.0])
    return run, memory.fixed_points(0.5 * rng.normal(size=(4, 12))), memory.jacobian(0.1 * rng.normal(size=12))


def transformer():
    rng = generator(9)
    block = EnergyTransformer(rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3, 6)), rng.normal(size=(5, 6)), tokens=4)
    return block.update(rng.normal(size=(4, 6)), steps=6)


def made_patterns():
    xi = patterns(3, 50)
    return [
        xi,
        random_patterns(2, 30, activity=0.2, values="binary", rng=1),
        correlated_patterns(3, 40, 0.4, rng=1),
        letters("AB"),
        digits(),
        from_images([[0, 9], [5, 4]]),
        flip(xi, 0.1, rng=2),
        erase(xi, 0.3, rng=2),
        erase(xi, 0.3, contiguous=True),
        add_noise(xi, 0.5, rng=2),
        overlap(xi[0], xi),
        overlap_matrix(xi),
        dilute(Hopfield.store(xi).couplings, 0.3, rng=4),
        dilute(Hopfield.store(xi).couplings, 0.3, symmetric=False, rng=4),
    ]


def capacities():
    curve = capacity_curve(60, [0.05, 0.2], seeds=2, cues=2, flipped=0.05, rng=1)
    xi = patterns(3, 60)
    basin = basin_size(Hopfield.store(xi), xi, [0.1, 0.3], trials=2, rng=1)
    return curve, basin, phase_diagram(60, [0.05, 0.2], [0.2, 0.6], seeds=1, sweeps=10, rng=1)


def theories():
    return (
        first_step_error(0.1),
        mean_field_overlap([0.05, 0.12]),
        mean_field_overlap(0.05, 0.3),
        critical_load(),
        retrieval_boundary([0.3]),
        extrapolate([100, 200, 400], [0.15, 0.145, 0.1425]),
    )


def spurious():
    xi = patterns(3, 80)
    mixed = np.sign(xi[0] + xi[1] - xi[2])
    return [vars(k) for k in classify_states(np.stack([xi[0], -xi[1], mixed]), xi)], survey(
        Hopfield.store(xi), xi, starts=10, rng=1
    )


def likelihoods(machine, n):
    v = (generator(10).random((5, n)) < 0.4).astype(float)
    if isinstance(machine.energy.layers[next(iter(machine.energy.layers))].kind, Spin):
        v = 2.0 * v - 1.0
    return (
        machine.free_energy(v),
        machine.log_z(),
        machine.log_z("ais", steps=20, chains=20, rng=1),
        machine.log_likelihood(v),
        machine.generate(4, sweeps=10, rng=2),
    )


def restricted(visible="binary", hidden="binary"):
    machine = RBM(6, 4, visible, hidden=hidden, scale=0.5, rng=1)
    v = machine.generate(3, sweeps=5, rng=3)
    return likelihoods(machine, 6), machine.transform(v), machine.reconstruct(v)


def completed():
    machine = RBM(6, 4, scale=0.5, rng=1)
    known = np.array([1.0, 0.0, np.nan, np.nan, 1.0, np.nan])
    return machine.generate(3, known=known, sweeps=5, rng=3)


def other_visible():
    real, codes = RBM(5, 4, "gaussian", scale=0.3, rng=1), RBM(4, 3, "potts", q=3, scale=0.5, rng=1)
    found = []
    for machine in (real, codes):
        v = machine.generate(3, sweeps=5, rng=3)
        found.append([v, machine.transform(v), machine.free_energy(v), machine.log_likelihood(v)])
    return found


def deep():
    data = np.repeat([[0, 0, 1, 1], [1, 1, 0, 0]], 10, axis=0)
    net = stack(data, [3, 2], rule=ContrastiveDivergence(), optimizer=SGD(0.1), epochs=3, rng=1)
    theta = [machine.theta for machine in net.machines]
    return theta, net.transform(data[::10]), net.generate(3, sweeps=5, rng=2), net.log_likelihood(data[::10], rng=3)


RULES = ("hebb", "projection", "storkey", "perceptron", "flow")
RUNS = {f"stored, {rule}": lambda rule=rule: stored(rule) for rule in RULES}
RUNS |= {
    "stored, flow, stopped": lambda: stored("flow", time=1.0),
    "stored, covariance": sparse_patterns,
    "stored, sequence": sequences,
    "recall, random order": lambda: hopfield(),
    "recall, fixed order": lambda: hopfield(order="fixed", trace=True),
    "recall, synchronous": lambda: hopfield(order="synchronous"),
    "recall, warm": lambda: hopfield(temperature=0.4),
    "recall, warm, fixed": lambda: hopfield(temperature=0.4, order="fixed"),
    "recall, warm, synchronous": lambda: hopfield(temperature=0.4, order="synchronous"),
    "recall, binary": lambda: hopfield("binary"),
    "recall, binary, synchronous": lambda: hopfield("binary", order="synchronous"),
    "recall, external field": lambda: hopfield(field=0.1 * patterns(1)[0]),
    "recall, moving field": lambda: hopfield(field=lambda sweep: 0.3 * patterns()[sweep % 4]),
    "recall, by overlaps": lambda: hopfield(m=3, n=400),
    "recall, by overlaps, fixed": lambda: hopfield(m=3, n=400, order="fixed"),
    "recall, real couplings": real_couplings,
    "recall, real couplings, synchronous": lambda: real_couplings(order="synchronous"),
    "recall, real couplings, warm": lambda: real_couplings(temperature=2.0),
    "contrast and unlearning": improved,
    "dense, power 2": lambda: dense(2),
    "dense, power 3": lambda: dense(3),
    "dense, power 4, fixed": lambda: dense(4, order="fixed"),
    "dense, exponential": lambda: dense(None),
    "dense, warm": lambda: dense(3, temperature=0.5),
    "dense, exponential, warm": lambda: dense(None, temperature=0.5),
    "dense, clamped": lambda: dense(3, free=np.arange(20)),
    "dense, real": lambda: dense_real(3),
    "dense, real, exponential": lambda: dense_real(None),
    "dense, classes": classified,
    "dense, errors": lambda: dense_errors(30, [20, 60], 3, trials=4, rng=1),
    "modern": modern,
    "attention": attentions,
    "continuous": continuous,
    "transformer": transformer,
    "patterns": made_patterns,
    "capacity": capacities,
    "theory": theories,
    "spurious": spurious,
    "landscape": lambda: energy_plane(
        ModernHopfield(np.eye(2), beta=8.0).energy, [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], resolution=5
    ),
    "restricted": restricted,
    "restricted, spins": lambda: restricted("spin", "spin"),
    "restricted, completed": completed,
    "restricted, real and potts": other_visible,
    "boltzmann": lambda: likelihoods(BoltzmannMachine(5, 2, scale=0.5, rng=1), 5),
    "boltzmann, spins": lambda: likelihoods(BoltzmannMachine(5, 2, kind="spin", scale=0.5, rng=1), 5),
    "deep belief": deep,
}
