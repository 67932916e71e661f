"""The compiled engine of `learn`: whole epochs in one kernel, where the machine is a small edge network.

Recognises the energy (one real layer, one `Edges` term, and at most constant forces), the rule, the
cost and the optimiser, flattens them for `edges_epoch.run_epochs`, and follows the plain loop's trajectory.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import frame_of, given, rows_of
from physlearn.dynamics.linear.quadratic import equilibria, is_quadratic
from physlearn.dynamics.linear.schur import clamp_force
from physlearn.energy import Energy
from physlearn.learning.costs import CrossEntropy, Margin, SquaredError
from physlearn.learning.data import Assignment
from physlearn.learning.engines.called import Called
from physlearn.learning.engines.updates import Update, check_form, has_form
from physlearn.learning.optimizers import Adam, is_plain
from physlearn.terms import Bias, Edges

TROUBLE = {
    1: "the energy lost its minimum (its quadratic form is no longer positive definite)",
    2: "the cost or the gradient is not finite",
    3: "a full nudge found no equilibrium (use a weaker or a linearised one)",
    4: "a negative nudge outweighs the energy's own curvature: there is no minimum (use a weaker or a linearised one)",
}
# Measured on one core: seconds per variable and band entry of a solve (both ways), per edge and phase of a sample,
# and per step of the engine by columns, in Python.
SOLVE_COST, EDGE_COST, COLUMNS_OVERHEAD = 2e-10, 1e-9, 5e-4
COSTS = {SquaredError: 0, CrossEntropy: 1, Margin: 2}
MODES = {"clamp": 0, "linearised": 1, "full": 2}


def refusal(system: Energy, task: Assignment):
    """Why this engine does not apply, or None."""
    if not is_quadratic(system) or len(system.layers) != 1:
        return "the energy is not quadratic over one Real layer"
    edges = [t for t in system.terms if type(t) is Edges]
    rest = [t for t in system.terms if type(t) is not Edges]
    if len(edges) != 1 or any(type(t) is not Bias for t in rest):
        return "it takes one Edges term, and otherwise Bias terms only"
    if task.names != [edges[0].parameter]:
        return f"it trains {edges[0].parameter!r} alone, asked for {task.names}"
    if type(task.cost) not in COSTS:
        return "it knows the library's own costs only"
    if is_plain(task.optimizer) and task.optimizer.decay_of(edges[0].parameter):
        return "it knows no weight decay"
    nudged = [strength for _, strength in task.rule.phases if strength != 0]
    if len(nudged) > 2 or any(np.iscomplexobj(number) for phase in task.rule.phases for number in phase):
        return "it takes at most two real nudged or clamped phases"
    from physlearn.dynamics.linear.banded import plan_band, worthwhile

    frame = frame_of(system, tuple(dict(system.fixed) | task.inputs))
    i, j = frame.cluster[edges[0].i], frame.cluster[edges[0].j]
    outputs = _reduced(rows_of(system, task.cost.readout, frame.offset, len(frame.cluster)), frame)[0].indices
    _, band = plan_band(i, j, frame.m, outputs)
    if not worthwhile(frame.m, band):
        return f"the network is large ({frame.m} free variables, bandwidth {band})"
    phases = 1 + len(nudged)
    solves = frame.m * band * SOLVE_COST
    kernel = task.size * (solves * (1 + outputs.size + phases) / 2 + len(i) * phases * EDGE_COST)
    columns = 1 + frame.shift.shape[1] + frame.push.shape[1] + outputs.size
    if kernel > columns * (solves + len(i) * EDGE_COST) + COLUMNS_OVERHEAD:
        return f"a batch of {task.size} samples costs less by columns than sample by sample"
    return None


def runner(system: Energy, task: Assignment):
    """``run(system, memory, orders, rates) -> (theta, mean cost per epoch, what went wrong or None)``."""
    from physlearn.learning.engines.edges_epoch import STOPPED, Optimizer, run_epochs

    edges = next(t for t in system.terms if type(t) is Edges)
    name, clamps = edges.parameter, dict(system.fixed) | task.inputs
    check_phases(system, task, clamps)
    net, inputs = network_of(system, edges, clamps, task)
    target, rule = np.ascontiguousarray(task.target), rule_of(task)
    kind, settings, kept = optimizer_of(task.optimizer)
    low, high = getattr(task.optimizer, "bounds", {}).get(name, (-np.inf, np.inf))
    low, high = (np.array(np.broadcast_to(bound, len(edges.i)), dtype=float) for bound in (low, high))
    if has_form(task.optimizer):
        check_form(task.optimizer, {name: system.theta[name]})

    def run(system, memory, orders, rates):
        g = system.theta[name].copy()
        m1, m2 = (memory[key][name] if key else np.zeros_like(g) for key in kept)
        count = np.array([memory["steps"]], np.int64)
        called = None
        if has_form(task.optimizer):
            called = Update(task.optimizer, memory, rates, {name: g}, {name: m1}, {name: m2})
        elif not is_plain(task.optimizer):
            called = _called(task.optimizer, memory, rates, system.theta, name, g, m1, m2)
        outside = (0, 0) if called is None else (called.address, called.table)
        optimizer = Optimizer(kind, settings, low, high, m1, m2, count, *outside)
        order, rates = np.concatenate(orders), np.array(rates)
        losses, hits = np.zeros(len(rates)), np.zeros(len(rates), np.int64)
        status, step = run_epochs(g, net, inputs, target, order, task.size, rule, optimizer, rates, losses, hits)
        if called is None:
            memory["steps"] = int(count[0])
        else:
            called.ended(status == STOPPED)
        per_epoch = -(-len(task.target) // task.size)
        whole = len(rates) if status == 0 else step // per_epoch
        return {**system.theta, name: g}, losses[:whole], TROUBLE.get(status)

    return run


def check_phases(system, task, clamps):
    """Refuse floating parts by name before the kernel meets them, and outputs that cannot be set independently."""
    eq = equilibria(system, tuple(clamps))
    if task.rule.mode == "clamp":
        clamp_force(eq.green(task.cost.readout)[1], np.zeros((1, task.target.shape[1])))


def network_of(system, edges, clamps, task):
    """The kernel's `Geometry` of the network, and its inputs: given values and forces, (n, s)."""
    from physlearn.dynamics.linear.banded import plan_band
    from physlearn.learning.engines.edges_epoch import geometry

    frame = frame_of(system, tuple(clamps))
    u, force = given(system, frame, clamps, len(task.target))
    rows, seen = _reduced(rows_of(system, task.cost.readout, frame.offset, len(frame.cluster)), frame)
    ci, cj = frame.cluster[edges.i], frame.cluster[edges.j]
    order, _ = plan_band(ci, cj, frame.m, rows.indices)  # elimination order: position k eliminates order[k]
    place = np.empty(frame.m + 1, np.int64)
    place[order], place[-1] = np.arange(frame.m), -1
    constant = np.zeros(frame.m)
    for term in system.terms:
        if term is not edges:
            constant += frame.collect(term.quadratic(system.theta)[1])
    push = frame.collect(frame.push.toarray().T).T
    q = _padded(frame.shift[edges.i] - frame.shift[edges.j], force.shape[1])
    j = np.concatenate([np.zeros((frame.m, u.shape[1])), push], 1)[order]
    r, y = rows.toarray()[:, order], _padded(seen, force.shape[1])
    net = geometry(place[ci], place[cj], frame.m, _csr(q), _csr(j), constant[order], _csr(r), _csr(y))
    return net, np.ascontiguousarray(np.concatenate([u, force], 1))


def rule_of(task):
    """The kernel's `Rule`: cost and phases."""
    from physlearn.learning.engines.edges_epoch import Rule

    free = sum(float(weight) for weight, strength in task.rule.phases if strength == 0)
    nudged = [(float(weight), float(strength)) for weight, strength in task.rule.phases if strength != 0]
    strength, weight = np.array([s for _, s in nudged]), [w for w, _ in nudged]
    par = float(getattr(task.cost, "gain", getattr(task.cost, "margin", 0.0)))
    return Rule(COSTS[type(task.cost)], par, MODES[task.rule.mode], strength, np.array([free, *weight]))


def _reduced(rows, frame):
    """A readout as rows over free variables (k, m) and over given values (k, s)."""
    import scipy.sparse as sp

    rows = rows.tocoo()
    kept = frame.cluster[rows.col] >= 0
    free = sp.csr_matrix((rows.data[kept], (rows.row[kept], frame.cluster[rows.col[kept]])), (rows.shape[0], frame.m))
    return free, rows.tocsr() @ frame.shift


def _padded(matrix, columns):
    import scipy.sparse as sp

    return sp.hstack([matrix, sp.csr_matrix((matrix.shape[0], columns))])


def _csr(matrix):
    import scipy.sparse as sp

    matrix = sp.csr_matrix(matrix)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(np.float64)


def optimizer_of(optimizer):
    """Code and settings of the kernel's optimiser, and the names of its two memories or None."""
    if not is_plain(optimizer):
        return 3, np.zeros(1), (None, None)
    if isinstance(optimizer, Adam):
        return 2, np.array([optimizer.beta1, optimizer.beta2, optimizer.epsilon]), ("first", "second")
    return (1 if optimizer.momentum else 0), np.array([optimizer.momentum]), ("velocity", None)


def _called(optimizer, memory, rates, theta, name, g, gradient, new):
    """The optimiser's step as the kernel calls it."""
    known = dict(theta)

    def read():
        known[name] = value = g.copy()
        value.setflags(write=False)
        return known, {name: gradient.copy()}

    def write(found):
        new[...] = found.get(name, known[name])

    return Called(optimizer, memory, rates, read, write)
