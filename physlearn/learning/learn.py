"""learn: slow change of theta by a weighted contrast of dE/dtheta between phases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from physlearn.checks import choice, count, flag, function, instance, mapping
from physlearn.energy import System
from physlearn.errors import ConvergenceError
from physlearn.learning.data import RELAX_OPTIONS, check_data, check_names, check_nouns
from physlearn.learning.engines import bipartite, edges as compiled
from physlearn.learning.engines.adjoint import contrast_by_adjoint
from physlearn.learning.engines.contrast import contrast_by_moments, contrast_by_relaxing, has_moments
from physlearn.learning.monitor import Monitor, shown
from physlearn.learning.optimizers import rate
from physlearn.learning.rules.contrastive import ExactGradient
from physlearn.progress import Bar
from physlearn.rng import generator as rng_generator
from physlearn.threads import on_one_thread

LOG = logging.getLogger(__name__)
METHODS = ("auto", "compiled", "moments", "relax", "sample")


@dataclass(frozen=True, eq=False)
class Training:
    """What a training left behind; pass it back as ``resume`` to go on exactly where it stopped.

    Attributes
    ----------
    system : System
        The system with its learnt theta.
    cost : (epochs,) array
        Mean cost of the free outputs in each epoch, measured before each step.  Sampled rules have no cost;
        they give the mean negative log-likelihood per sample where it is exact, the mean square of data less
        reconstruction for contrastive divergence, else NaN.
    epochs : int
        Epochs trained so far, resumed ones included.
    memory : dict
        The optimiser's memory.
    rng : mapping
        State of the random generator after the last epoch.
    method : str
        "compiled" (whole epochs in one kernel), "moments" (columns and a quadratic form), "relax", or
        "sample" (phases sampled or enumerated).
    monitor : (epochs,) array
        What sampled rules show for a cost: see ``monitor_name``.  Where epochs are short it is measured after 1, 2, 5,
        10, 20, 50, ... and the last, and NaN else.
    monitor_name : str
        "log pseudo-likelihood" (nats a sample, of some of the data; higher is better), "negative log-likelihood"
        (nats a sample, where it is exact) or "score matching loss"; "" where there is none.
    """

    system: System
    cost: np.ndarray
    epochs: int
    memory: dict
    rng: Mapping[str, Any] = field(repr=False)
    method: str = ""
    monitor: np.ndarray = field(default_factory=lambda: np.zeros(0))
    monitor_name: str = ""

    @property
    def theta(self):
        """The learnt degrees of freedom."""
        return self.system.theta

    def __repr__(self):
        last = ", ".join(f"{name}={value:.3g}" for name, value in shown(self).items()) or "cost=none"
        return f"Training(epochs={self.epochs}, {last}, method={self.method!r})"


@on_one_thread
def learn(
    system: System,
    data: Mapping[str, Any],
    *,
    rule,
    optimizer,
    cost=None,
    epochs: int = 1,
    batch: int | None = 1,
    shuffle: bool = True,
    trainable=None,
    rng=None,
    callback: Callable[[Training], Any] | None = None,
    resume: Training | None = None,
    method: str = "auto",
    relax_options: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> Training:
    """Train a system by a rule.

    Parameters
    ----------
    system : Energy or System
        What learns; not changed.
    data : mapping of str to (n, k) array
        Readout name to values, one row a sample.  The cost's readout holds the targets; every other
        readout is clamped (or driven, if declared with ``force=True``) in all phases.  A sampled rule clamps
        all of them in its data phase.
    rule : rule
        Such as `CoupledLearning`, `EquilibriumPropagation`, `ExactGradient`; or a sampled one:
        `BoltzmannLearning`, `ContrastiveDivergence`, `PersistentContrastiveDivergence`.
    optimizer : SGD or Adam
        With bounds on theta.
    cost : cost, optional
        Such as ``SquaredError("output")``.  Sampled rules take none: they follow the data's likelihood.
    epochs : int
        Passes through the data.
    batch : int or None
        Samples a step (the gradient is their mean); None for all of them.
    shuffle : bool
        A new order every epoch.
    trainable : sequence of str, optional
        Names in theta that change; default all.
    rng : int, Generator or None
        Orders the samples, and draws the phases of sampled rules.
    callback : callable, optional
        Called with the `Training` after every epoch; a true value stops.
    resume : Training, optional
        Go on from there: its theta, memory and random state replace ``system``'s and ``rng``.  It must have
        been made with an optimiser of the same class and with the same parameters.
    method : {"auto", "compiled", "moments", "relax", "sample"}
        Engine; "auto" takes the fastest that fits.  All follow the same trajectory to rounding; those of sampled
        rules ("compiled", "sample") the same expectation, with other random numbers.
    relax_options : mapping, optional
        Passed to `relax` by the "relax" engine (tol, max_steps, method).
    progress : bool, optional
        Whether to show a bar with the cost or the monitor, on a terminal or in a notebook; by default once a second has
        passed.

    Returns
    -------
    Training

    Raises
    ------
    ValueError, TypeError
        Data, names, targets or settings that do not fit.
    ConvergenceError
        The energy lost its minimum or theta diverged; ``partial`` is the Training up to then.

    Examples
    --------
    A divider learns to halve its input:

    >>> import numpy as np
    >>> from physlearn import Energy, Readout, Real, SGD, CoupledLearning, SquaredError, learn
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
    ...                  {"in": Readout("v", [0]), "out": Readout("v", [1]), "ground": Readout("v", [2])},
    ...                  fixed={"ground": [0.0]})
    >>> data = {"in": [[1.0], [2.0]], "out": [[0.5], [1.0]]}
    >>> done = learn(divider, data, rule=CoupledLearning(0.1), cost=SquaredError("out"), epochs=500,
    ...              optimizer=SGD(0.5, bounds={"conductance": (0.01, 10)}), rng=0)
    >>> g = done.theta["conductance"]
    >>> bool(abs(g[0] - g[1]) < 1e-6)
    True
    """
    check_nouns(rule=rule, optimizer=optimizer, **({} if cost is None else {"cost": cost}))
    count("epochs", epochs, least=0)
    if batch is not None:
        count("batch", batch)
    flag("shuffle", shuffle)
    choice("method", method, METHODS)
    if callback is not None:
        function("callback", callback, 1, "a function of the Training")
    if resume is not None:
        instance("resume", resume, Training, "a Training, such as `learn` and `load` give")
    if relax_options is not None:
        mapping("relax_options", relax_options, RELAX_OPTIONS, "a mapping of settings of `relax`")
    if hasattr(rule, "sampled") == (cost is not None):
        wants = "no cost, since its phases are sampled" if cost is not None else "a cost, such as SquaredError('out')"
        raise TypeError(f"cost: got {cost!r}, but {type(rule).__name__} takes {wants}")
    inputs, target = check_data(system, data, cost)
    if resume is not None:
        system = system.with_theta(resume.theta)
    names = check_names(system, trainable, optimizer)
    n = len(target)
    size = n if batch is None else batch
    generator = rng_generator(rng)
    if resume is None:
        memory = _start(system, rule, optimizer, names, generator)
        record = Training(system, np.zeros(0), 0, memory, generator.bit_generator.state)
    else:
        generator = generator_of(resume.rng)
        fresh = _start(system, rule, optimizer, names, 0)
        if _names(resume.memory) != _names(fresh):
            raise ValueError(
                f"resume: its optimiser and rule kept {_names(resume.memory)}, but {type(optimizer).__name__} and "
                f"{type(rule).__name__} keep {_names(fresh)}; resume with the same ones and the same `trainable`"
            )
        kept, wanted = ({n: len(v) for n, v in m.get("chains", {}).items()} for m in (resume.memory, fresh))
        if kept != wanted:
            raise ValueError(
                f"resume: it kept persistent chains and replicas {kept}, but {rule!r} has {wanted}; resume with as many"
            )
        record = replace(resume, system=system)
    task = compiled.Task(inputs, target, rule, optimizer, cost, min(size, n), names)
    run, used = _engine(method, record.system, task, relax_options)
    record, last = replace(record, method=used), record.epochs + epochs
    monitor = Monitor(record.system, task)
    record = replace(record, monitor_name=monitor.name)
    going_on = "started" if resume is None else "resumed"
    LOG.info("learn: %s, epochs %d to %d by %s, engine %r", going_on, record.epochs, last, type(rule).__name__, used)
    with Bar("learn", "epoch", epochs, progress) as bar:
        while record.epochs < last:
            chunk = 1 if callback else min(last - record.epochs, max(1, 200_000 // n))
            chunk = monitor.until(record.epochs, chunk)
            orders = [generator.permutation(n) if shuffle else np.arange(n) for _ in range(chunk)]
            rates = [rate(optimizer, record.epochs + k) for k in range(chunk)]
            memory = _copy(record.memory)  # a record that a callback has kept stays as it was
            theta, costs, trouble = run(record.system, memory, orders, rates)
            record = replace(
                record,
                memory=memory,
                system=record.system.with_theta(theta),
                cost=np.concatenate([record.cost, costs]),
                epochs=record.epochs + len(costs),
                rng=generator.bit_generator.state,
            )
            record = replace(record, monitor=monitor.of(record, costs, trouble, last))
            bar.update(len(costs), **shown(record))
            if trouble:
                LOG.info("learn: stopped in epoch %d: %s", record.epochs, trouble)
                raise ConvergenceError(
                    f"learn: {trouble}, in epoch {record.epochs}; the last good theta is in `partial`. "
                    "Lower lr or set bounds",
                    record,
                )
            if callback and callback(record):
                break
    LOG.info("learn: ended after epoch %d, %s", record.epochs, shown(record))
    return record


def _engine(method, system, task, relax_options):
    """The loop over steps, and its name; the fastest that fits unless one is asked for."""
    adjoint, drawn = isinstance(task.rule, ExactGradient), hasattr(task.rule, "sampled")
    fast = bipartite if drawn else compiled
    reasons = {
        "compiled": fast.refusal(system, task),
        "moments": None if has_moments(system) else "not every term is quadratic with `gradient_moments`",
        "relax": None,
        "sample": "the rule's phases are relaxed, not sampled",
    }
    if drawn:
        reasons |= dict.fromkeys(("moments", "relax"), "the rule's phases are sampled") | {"sample": None}
    if method == "auto":
        method = next(name for name, reason in reasons.items() if reason is None)
    LOG.debug("learn: engine %r; refused: %s", method, {name: why for name, why in reasons.items() if why})
    if reasons[method]:
        fits = [name for name, reason in reasons.items() if reason is None]
        raise ValueError(f"method {method!r} does not fit: {reasons[method]}. What fits: {fits}")
    if method == "compiled":
        return fast.runner(system, task), method
    if method == "sample":
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.runner(system, task), method
    options = {"unconverged": "raise"} | dict(relax_options or {})
    contrast: Any
    if method == "moments":
        contrast = contrast_by_moments
    elif adjoint:
        contrast = partial(contrast_by_adjoint, options=options)
    else:
        contrast = partial(contrast_by_relaxing, options=options)
    return lambda *args: _plain_loop(contrast, task, *args), method


def _plain_loop(contrast, task, system, memory, orders, rates):
    """Epochs, batch by batch: (theta, mean cost of each whole epoch, what went wrong or None)."""
    costs, steps = [], 0
    for order, lr in zip(orders, rates, strict=True):
        total = 0.0
        for start in range(0, len(order), task.size):
            pick = order[start : start + task.size]
            inputs = {name: value[pick] for name, value in task.inputs.items()}
            try:
                found = contrast(system, inputs, task.target[pick], task.rule, task.cost)
            except (ValueError, ConvergenceError) as error:
                if steps == 0 and isinstance(error, ValueError):
                    raise
                return system.theta, np.array(costs), str(error)
            gradient = {name: found.gradient[name] for name in task.names if name in found.gradient}
            if not all(np.all(np.isfinite(g)) for g in gradient.values()):
                return system.theta, np.array(costs), "the gradient is not finite"
            theta = task.optimizer.step(system.theta, gradient, memory, lr)
            if not all(np.all(np.isfinite(value)) for value in theta.values()):
                return system.theta, np.array(costs), "theta is not finite"
            system = system.with_theta(theta)
            total += float(np.sum(found.cost))
            steps += 1
        costs.append(total / len(order))
    return system.theta, np.array(costs), None


def generator_of(state) -> np.random.Generator:
    """The generator whose state a training has kept."""
    kind = getattr(np.random, state["bit_generator"])
    if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
        raise ValueError(f"rng: bit_generator {state['bit_generator']!r}, expected one of NumPy's, such as 'PCG64'")
    generator = np.random.Generator(kind())
    generator.bit_generator.state = state
    return generator


def _start(system, rule, optimizer, names, generator):
    """Fresh memory of the optimiser, and of the rule where it has any."""
    memory = optimizer.start({name: system.theta[name] for name in names})
    if not hasattr(rule, "sampled"):
        return memory
    from physlearn.learning.engines import sampled

    return memory | sampled.start(system, rule, generator)


def _names(memory):
    """What a memory holds: {"velocity": ["conductance"], ...}, scalars left out."""
    return {key: sorted(value) for key, value in memory.items() if isinstance(value, dict)}


def _copy(memory):
    return {
        k: {n: v.copy() for n, v in value.items()} if isinstance(value, dict) else value for k, value in memory.items()
    }
