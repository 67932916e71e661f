"""The compiled epoch kernel against dense NumPy that spells out the same definitions."""

import itertools

import numpy as np
import pytest

from physlearn.dynamics.linear.banded import plan_band
from physlearn.learning.engines import edges_epoch as ep, edges_phase as ph

RTOL = 1e-10  # rounding of two different eliminations, grown over a dozen learning steps

COSTS = {ph.SQUARED_ERROR: 0.0, ph.CROSS_ENTROPY: 3.0, ph.MARGIN: 0.4}
OPTIMIZERS = {
    ep.SGD: (np.zeros(1), 0.2),
    ep.MOMENTUM: (np.array([0.8]), 0.05),
    ep.ADAM: (np.array([0.9, 0.99, 1e-8]), 0.02),
}


def csr(matrix):
    """Pointers, indices, values of a dense matrix."""
    rows, columns = np.nonzero(matrix)
    return (
        np.searchsorted(rows, np.arange(len(matrix) + 1)).astype(np.int64),
        columns.astype(np.int64),
        matrix[rows, columns],
    )


def machine(seed, free=11, fixed=3, extra=14, outputs=3, samples=7, force=False):
    """A ring with chords; `fixed` nodes are held at the inputs (column s of Q is +-1 there)."""
    rng = np.random.default_rng(seed)
    n = free + fixed
    ends = np.array([(i, (i + 1) % n) for i in range(n)] + [rng.choice(n, 2, replace=False) for _ in range(extra)])
    nodes = rng.permutation(n)  # nodes[:free] are variables
    variable = np.full(n, -1)
    variable[nodes[:free]] = np.arange(free)
    ci, cj = variable[ends[:, 0]], variable[ends[:, 1]]
    at = rng.choice(free, outputs, replace=False)
    order, _ = plan_band(ci, cj, free, at)
    place = np.append(np.argsort(order), -1)
    ci, cj, at = place[ci], place[cj], place[at]
    q = np.zeros((len(ends), fixed))
    for s in range(fixed):
        q[ends[:, 0] == nodes[free + s], s] += 1.0
        q[ends[:, 1] == nodes[free + s], s] -= 1.0
    r, y = np.zeros((outputs, free)), np.zeros((outputs, fixed))
    r[np.arange(outputs), at] = 1.0
    r[-1, at[0]], y[0, 1] = -0.5, 0.25  # a difference of two variables, and of a variable and an input
    targets = np.zeros((samples, outputs))
    targets[np.arange(samples), rng.integers(0, outputs, samples)] = 1.0
    j = rng.normal(size=(free, fixed)) * (rng.random((free, fixed)) < 0.2) * force
    c0 = rng.normal(size=free) * force
    g = rng.uniform(0.5, 1.5, len(ends))
    inputs = rng.uniform(0, 1, (samples, fixed))
    return dict(ci=ci, cj=cj, m=free, q=q, j=j, c0=c0, r=r, y=y, inputs=inputs, targets=targets, g=g)


def run(net, cost, mode, strength, weight, optimizer, batch, lr=2, state=None, order=None, bounds=(0.05, 4.0)):
    """Call the kernel on copies; everything it wrote. lr: rates, or a number of epochs at the usual ones."""
    par, rate = OPTIMIZERS[optimizer]
    fresh = dict(g=net["g"], memory=(np.zeros_like(net["g"]), np.zeros_like(net["g"]), np.zeros(1, np.int64)))
    g, memory = (state or fresh)["g"].copy(), tuple(a.copy() for a in (state or fresh)["memory"])
    lr = rate * np.linspace(1, 0.5, lr) if np.isscalar(lr) else lr
    order = shuffled(net, len(lr)) if order is None else order
    losses, hits = np.zeros(len(lr)), np.zeros(len(lr), np.int64)
    low, high = np.full_like(g, bounds[0]), np.full_like(g, bounds[1])
    shape = ep.geometry(
        net["ci"], net["cj"], net["m"], csr(net["q"]), csr(net["j"]), net["c0"], csr(net["r"]), csr(net["y"])
    )
    rule = ep.Rule(cost, COSTS[cost], mode, np.array(strength), np.array(weight))
    settings = ep.Optimizer(optimizer, par, low, high, *memory)
    status, step = ep.run_epochs(
        g, shape, net["inputs"], net["targets"], order, batch, rule, settings, lr, losses, hits
    )
    return dict(g=g, memory=memory, losses=losses, hits=hits, status=status, step=step, order=order, lr=lr)


def shuffled(net, epochs):
    rng = np.random.default_rng(5)
    return np.concatenate([rng.permutation(len(net["inputs"])) for _ in range(epochs)]).astype(np.int64)


def reference(net, cost, mode, strength, weight, optimizer, batch, done, bounds=(0.05, 4.0)):
    """The same learning with dense inverses, one refactored state per phase, and every sum written out."""
    g, m, par = net["g"].copy(), net["m"], OPTIMIZERS[optimizer][0]
    d = np.zeros((len(g), m))
    for ends, sign in ((net["ci"], 1.0), (net["cj"], -1.0)):
        d[np.flatnonzero(ends >= 0), ends[ends >= 0]] += sign
    m1, m2, count, n = np.zeros_like(g), np.zeros_like(g), 0, len(net["inputs"])
    losses, hits = [], []
    for epoch, lr in enumerate(done["lr"]):
        samples, loss, right = done["order"][epoch * n : (epoch + 1) * n], 0.0, 0
        for begin in range(0, n, batch):
            chunk, gradient = samples[begin : begin + batch], np.zeros_like(g)
            inverse = np.linalg.inv(d.T @ (g[:, None] * d))
            s = net["r"] @ inverse @ net["r"].T
            for i in chunk:
                u, t = net["inputs"][i], net["targets"][i]
                z = inverse @ (net["c0"] + net["j"] @ u - d.T @ (g * (net["q"] @ u)))
                y = net["r"] @ z + net["y"] @ u
                loss += evaluate(cost, y, t)[0] / n
                right += np.argmax(y) == np.argmax(t)
                gradient += 0.5 * weight[0] * (d @ z + net["q"] @ u) ** 2
                for p, beta in enumerate(strength):
                    state = z + inverse @ net["r"].T @ force(cost, mode, beta, y, t, s)
                    gradient += 0.5 * weight[p + 1] * (d @ state + net["q"] @ u) ** 2
            gradient /= len(chunk)
            count += 1
            if optimizer == ep.SGD:
                change = lr * gradient
            elif optimizer == ep.MOMENTUM:
                m1 = par[0] * m1 + gradient
                change = lr * m1
            else:
                m1, m2 = par[0] * m1 + (1 - par[0]) * gradient, par[1] * m2 + (1 - par[1]) * gradient**2
                change = lr * m1 / (1 - par[0] ** count) / (np.sqrt(m2 / (1 - par[1] ** count)) + par[2])
            g = np.clip(g - change, *bounds)
        losses.append(loss)
        hits.append(right)
    return g, m1, m2, count, losses, hits


def evaluate(cost, y, t):
    """Value and gradient of a cost."""
    par, right = COSTS[cost], np.argmax(t)
    if cost == ph.SQUARED_ERROR:
        return 0.5 * np.sum((y - t) ** 2), y - t
    if cost == ph.CROSS_ENTROPY:
        p = np.exp(par * y) / np.sum(np.exp(par * y))
        return -np.sum(t * np.log(p)), par * (p - t)
    short = np.where(np.arange(len(y)) == right, 0.0, par - y[right] + y)
    inside = (short > 0).astype(float)
    return np.sum(np.maximum(short, 0)), inside - np.sum(inside) * (np.arange(len(y)) == right)


def force(cost, mode, beta, y, t, s):
    """Force of a phase; full nudges by the most certain method: every corner, or a long fixed point."""
    slope = evaluate(cost, y, t)[1]
    if mode == ph.CLAMP:
        return -beta * np.linalg.solve(s, slope)
    if mode == ph.LINEARISED:
        return -beta * slope
    if cost == ph.SQUARED_ERROR:
        return -beta * np.linalg.solve(np.eye(len(y)) + beta * s, slope)
    if cost == ph.CROSS_ENTROPY:
        f = np.zeros_like(y)
        for _ in range(2000):  # contracts: |beta| gain^2 |S| < 1 here
            f = -beta * evaluate(cost, y + s @ f, t)[1]
        return f
    others = np.delete(np.arange(len(y)), np.argmax(t))
    pairs = np.eye(len(y))[[np.argmax(t)] * len(others)] - np.eye(len(y))[others]
    for corner in itertools.product((1, 0, None), repeat=len(others)):  # inside, outside, held on the margin
        held = [k for k, c in enumerate(corner) if c is None]
        pull = np.array([beta * (c or 0) for c in corner])
        lead = pairs @ (y + s @ (pairs.T @ pull))
        metric = pairs @ s @ pairs.T
        pull[held] = np.linalg.solve(metric[np.ix_(held, held)], COSTS[cost] - lead[held])
        short = COSTS[cost] - pairs @ (y + s @ (pairs.T @ pull))
        inside, outside = np.equal(corner, 1), np.equal(corner, 0)
        fits = np.where(inside, short > 0, np.where(outside, short <= 0, (0 < pull) & (pull < beta)))
        if np.all(fits):
            return pairs.T @ pull
    raise AssertionError("no corner fits")


def check(done, wanted):
    g, m1, m2, count, losses, hits = wanted
    assert (done["status"], done["step"], done["memory"][2][0]) == (ep.OK, count, count)
    np.testing.assert_allclose(done["g"], g, rtol=RTOL)
    np.testing.assert_allclose(done["losses"], losses, rtol=RTOL)
    np.testing.assert_array_equal(done["hits"], hits)
    return m1, m2


@pytest.mark.parametrize("batch", [1, 3, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("mode", [ph.CLAMP, ph.LINEARISED, ph.FULL])
def test_trajectory_equals_dense_reference(mode, cost, optimizer, batch):
    rule = [0.1], [-10.0, 10.0]
    net = machine(3)
    done = run(net, cost, mode, *rule, optimizer, batch)
    assert np.max(np.abs(done["g"] - net["g"])) > 1e-3
    m1, m2 = check(done, reference(net, cost, mode, *rule, optimizer, batch, done))
    np.testing.assert_allclose(done["memory"][0], m1, rtol=RTOL, atol=RTOL * np.max(np.abs(m1), initial=0))
    np.testing.assert_allclose(done["memory"][1], m2, rtol=RTOL, atol=RTOL * np.max(np.abs(m2), initial=0))


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("mode", [ph.CLAMP, ph.LINEARISED, ph.FULL])
def test_two_phases_injected_currents_and_one_output(mode, cost):
    """Centred phases; constant and input-driven forces; a free phase of its own weight; 8 | m; k = 1."""
    for net, free in ((machine(4, free=16, force=True), 0.0), (machine(5, outputs=1), 0.3)):
        rule = [0.1, -0.1], [free, 5.0, -5.0]
        done = run(net, cost, mode, *rule, ep.SGD, 1, lr=np.array([0.02, 0.01]))
        check(done, reference(net, cost, mode, *rule, ep.SGD, 1, done))


def test_free_state_alone_is_a_phase():
    net = machine(6)
    done = run(net, ph.SQUARED_ERROR, ph.CLAMP, np.zeros(0), [1.0], ep.SGD, 2)
    check(done, reference(net, ph.SQUARED_ERROR, ph.CLAMP, [], [1.0], ep.SGD, 2, done))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_run_is_bitwise_the_same(optimizer):
    net, rule = machine(7), ([0.1], [-10.0, 10.0])
    case = net, ph.SQUARED_ERROR, ph.CLAMP, *rule, optimizer, 2
    whole, half = run(*case, lr=4), 2 * len(net["inputs"])
    state = run(*case, lr=whole["lr"][:2], order=whole["order"][:half])
    state = run(*case, lr=whole["lr"][2:], order=whole["order"][half:], state=state)
    np.testing.assert_array_equal(state["g"], whole["g"])
    for ours, theirs in zip(state["memory"], whole["memory"], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_failure_stops_at_the_last_good_step():
    net, rule = machine(8), ([0.1], [-10.0, 10.0])
    lr, wide = np.array([1e3]), (-1e6, 1e6)
    done = run(net, ph.SQUARED_ERROR, ph.CLAMP, *rule, ep.SGD, 1, lr=lr, bounds=wide)
    assert done["status"] == ep.NOT_POSITIVE_DEFINITE
    assert 0 < done["step"] == done["memory"][2][0]
    net["inputs"][done["order"][2]] = np.nan
    done = run(net, ph.SQUARED_ERROR, ph.CLAMP, *rule, ep.SGD, 1, lr=np.array([0.1]), order=done["order"])
    assert (done["status"], done["step"]) == (ep.NOT_FINITE, 2)
    assert np.all(np.isfinite(done["g"]))


def test_weak_nudge_loses_no_digits():
    """A plain difference of the two phases' squares would lose nine digits here."""
    net = machine(9)
    done = [run(net, 0, ph.LINEARISED, [h], [-1 / h, 1 / h], ep.SGD, 7, lr=1)["g"] for h in (1e-9, 1e-10)]
    np.testing.assert_allclose(done[0] - net["g"], done[1] - net["g"], rtol=0, atol=1e-8)
