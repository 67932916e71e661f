"""learn: slow change of theta by a weighted contrast of dE/dtheta between phases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from physlearn.checks import choice, count, flag, function, instance, mapping, sequence
from physlearn.energy import System
from physlearn.errors import ConvergenceError
from physlearn.learning.data import (
    RELAX_OPTIONS,
    Assignment,
    Fresh,
    check_data,
    check_names,
    check_nouns,
    fresh,
    made,
    remade,
)
from physlearn.learning.engines.choice import METHODS, choose, notes_of, own_method, takes_fresh
from physlearn.learning.monitor import Monitor, shown
from physlearn.learning.optimizers import rate, within_domains
from physlearn.learning.resume import check_memory, copied, generator_of, start
from physlearn.learning.watch import Watch
from physlearn.machine import Machine, system_of
from physlearn.progress import Bar
from physlearn.rng import generator as rng_generator
from physlearn.threads import on_one_thread

LOG = logging.getLogger(__name__)
SAMPLES_PER_CALL = 200_000  # of one call of an engine: epochs are put together up to these many samples
STEPS_PER_CALL = 64  # of steps whose data are made for them


@dataclass(frozen=True, eq=False)
class Training:
    """Result of a training; pass it back as ``resume`` to continue exactly where it stopped.

    Attributes
    ----------
    machine : Machine
        What `learn` was given, trained: of the same class, with the learnt theta.
    system : System
        Its system, with the learnt theta.
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
        "compiled" (whole epochs in one kernel), "moments" (columns and a quadratic form), "sweep" (passes
        through a network of predictions), "relax", or "sample" (phases sampled or enumerated).
    monitor : (epochs,) array
        Figure that sampled rules show in place of a cost: see ``monitor_name``.  Where epochs are short it is measured
        after 1, 10, 100, ... and the last, and NaN else.
    monitor_name : str
        "log pseudo-likelihood" (nats a sample, of some of the data; higher is better), "negative log-likelihood"
        (nats a sample, where it is exact) or "score matching loss"; "" where there is none.
    validation : (epochs,) array
        Mean cost of the free outputs of the validation data after each epoch, if there are any.
    best : mapping of str to array
        Theta after the epoch of the lowest validation cost: ``training.machine.with_theta(training.best)``.
    norms : mapping of str to (epochs,) array
        Norm of the gradient by each parameter after each epoch, on the epoch's last batch, if asked for.
    notes : tuple of str
        Terms that ran in plain NumPy, each with the form that would open a faster engine.
    """

    system: System
    cost: np.ndarray
    epochs: int
    memory: dict
    rng: Mapping[str, Any] = field(repr=False)
    method: str = ""
    monitor: np.ndarray = field(default_factory=lambda: np.zeros(0))
    monitor_name: str = ""
    validation: np.ndarray = field(default_factory=lambda: np.zeros(0))
    best: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    norms: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    _origin: Any = field(default=None, repr=False)  # the machine that `learn` was given

    @property
    def theta(self):
        """The learnt degrees of freedom."""
        return self.system.theta

    @property
    def unrested(self) -> int:
        """Relaxed phases of batches in which not every item came to rest, with ``unconverged`` "warn" or "ignore"."""
        return self.memory.get("unrested", 0)

    @cached_property
    def machine(self) -> Any:
        """The trained machine, of the class that `learn` was given; for a plain system the trained system."""
        origin: Any = self._origin
        return self.system if origin is None or isinstance(origin, System) else origin.with_theta(self.theta)

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    @property
    def t(self):
        """Numbers of the epochs, (epochs,), from 1 on; those before a resume that kept no record are not among them."""
        return np.arange(self.epochs - len(self.cost) + 1, self.epochs + 1)

    def to_dataset(self):
        """Cost and monitor as an xarray.Dataset along "epoch"; theta is in ``theta``."""
        import xarray as xr

        data: Any = {"cost": (("epoch",), self.cost)}
        if len(self.monitor) == len(self.cost):
            data["monitor"] = (("epoch",), self.monitor, {"name": self.monitor_name})
        return xr.Dataset(data, coords={"epoch": self.t}, attrs={"method": self.method})

    def __repr__(self):
        last = ", ".join(f"{name}={value:.3g}" for name, value in shown(self).items()) or "cost=none"
        more = f", notes={len(self.notes)}" if self.notes else ""
        return f"Training(epochs={self.epochs}, {last}, method={self.method!r}{more})"


@on_one_thread
def learn(
    system: Machine,
    data: Mapping[str, Any] | Callable[[np.random.Generator, int], Mapping[str, Any]],
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
    validation: Mapping[str, Any] | None = None,
    patience: int | None = None,
    norms: bool = False,
    method: str = "auto",
    relax_options: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> Training:
    """Train a system by a rule.

    Parameters
    ----------
    system : Machine, Energy or System
        What learns; not changed: the trained one is the result's ``machine``.
    data : mapping of str to (n, k) array, or callable
        Readout name to values, one row a sample.  The cost's readout holds the targets; every other
        readout is clamped (or driven, if declared with ``force=True``) in all phases.  A sampled rule clamps
        all of them in its data phase.  A function ``(rng, step) -> mapping`` makes a batch for every step, with a
        generator that a resumed training continues (noise, time, masks, augmentation); an epoch is then one step.
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
        Training to continue: its theta, memory and random state replace ``system``'s and ``rng``.  It must have
        been made with an optimiser of the same class and with the same parameters.
    validation : mapping of str to (n, k) array, optional
        Data not learnt from, like ``data``; the cost of their free outputs is measured after every epoch.
    patience : int, optional
        Stop when the validation cost has not fallen for so many epochs; the best theta is in the result's ``best``.
    norms : bool
        Whether to keep the norm of the gradient by each parameter, one more step's work an epoch.
    method : {"auto", "compiled", "moments", "sweep", "relax", "sample"}
        Engine; "auto" takes the fastest that fits.  All follow the same trajectory to rounding; those of sampled
        rules ("compiled", "sample") the same expectation, with other random numbers.
    relax_options : mapping, optional
        Passed to `relax` by the "relax" engine (tol, max_steps, method, unconverged); a pair of ``max_steps`` is for
        the free phase and for the others.
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
    if hasattr(system, "__learn__") and not isinstance(system, type):  # as hardware has, which carries both out its way
        rule, optimizer = getattr(system, "__learn__")(rule, optimizer)  # noqa: B009 - no part of the protocol
    _check_settings(epochs, batch, shuffle, method, rule, callback, resume, relax_options)
    if getattr(rule, "takes_cost", True) == (cost is None):
        wants = "no cost" if cost is not None else "a cost, such as SquaredError('out')"
        raise TypeError(f"cost: got {cost!r}, but {type(rule).__name__} takes {wants}")
    machine, system = system, system_of(system)
    optimizer = within_domains(optimizer, system)
    system = system if resume is None else system.with_theta(resume.theta)
    generator = rng_generator(rng) if resume is None else generator_of(resume.rng)
    source, done = (data if callable(data) else None), 0 if resume is None else resume.epochs
    inputs, target = check_data(system, data if source is None else made(source, generator, done), cost)
    names, n = check_names(system, trainable, optimizer), len(target)
    options = {"unconverged": "raise"} | dict(relax_options or {})
    size = n if batch is None or source is not None else min(batch, n)
    task = Assignment(inputs, target, rule, optimizer, cost, size, names, options)
    record = _begin(machine, system, task, generator, resume)
    run, used = choose(method, record.system, task)
    monitor, last = Monitor(record.system, task), record.epochs + epochs
    watch = Watch(system, task, validation, patience, norms)
    record = replace(record, method=used, monitor_name=monitor.name)
    many = source is not None and not (callback or watch.active) and takes_fresh(rule, used)
    begun = "started" if resume is None else "resumed"
    LOG.info("learn: %s, epochs %d to %d by %s, engine %r", begun, record.epochs, last, type(rule).__name__, used)
    with Bar("learn", "epoch", epochs, progress) as bar:
        while record.epochs < last:
            if source is not None and record.epochs > done and not many:
                task = remade(source, generator, record.epochs, record.system, task)
                run, n = choose(method, record.system, task)[0], task.size
            single = callback or watch.active or source is not None
            chunk = 1 if single else min(last - record.epochs, max(1, SAMPLES_PER_CALL // n))
            chunk = min(last - record.epochs, STEPS_PER_CALL) if many else chunk
            chunk = monitor.until(record.epochs, chunk)
            shuffled = shuffle and source is None
            orders: list = [generator.permutation(n) if shuffled else np.arange(n) for _ in range(chunk)]
            if many:
                steps = range(record.epochs, record.epochs + chunk)
                orders = [
                    Fresh(inputs, target) if step == done else fresh(source, generator, step, record.system, task)
                    for step in steps
                ]
            record, costs, trouble = _advance(run, record, orders, optimizer, generator)
            record = replace(record, monitor=monitor.of(record, costs, trouble, last), notes=notes_of(run))
            if watch.active and not trouble:
                record = watch.of(record, task, orders[-1][-task.size :])
            bar.update(len(costs), **shown(record))
            if trouble:
                LOG.info("learn: stopped in epoch %d: %s", record.epochs, trouble)
                raise ConvergenceError(
                    f"learn: {trouble}, in epoch {record.epochs}; the last good theta is in `partial`. "
                    "Lower lr or set bounds",
                    record,
                )
            if callback and callback(record) or watch.done(record):
                break
    LOG.info("learn: ended after epoch %d, %s", record.epochs, shown(record))
    return record


def _check_settings(epochs, batch, shuffle, method, rule, callback, resume, relax_options):
    """Refuse settings of `learn` that are wrong whatever the system."""
    count("epochs", epochs, least=0)
    if batch is not None:
        count("batch", batch)
    flag("shuffle", shuffle)
    choice("method", method, dict.fromkeys((*METHODS, own_method(rule) or "auto")))
    if callback is not None:
        function("callback", callback, 1, "a function of the Training")
    if resume is not None:
        instance("resume", resume, Training, "a Training, such as `learn` and `load` give")
    if relax_options is not None:
        mapping("relax_options", relax_options, RELAX_OPTIONS, "a mapping of settings of `relax`")
        steps = relax_options.get("max_steps", 1)
        for each in sequence("max_steps", steps, expected="one number, or two: free, nudged") if np.ndim(steps) else ():
            count("max_steps", each, least=0)
        if np.ndim(steps) and np.size(steps) != 2:
            raise ValueError(
                f"max_steps: got {steps!r}, expected one number, or two: of the free phase and of the others"
            )


def _begin(machine, system, task, generator, resume):
    """The record before the first epoch."""
    if resume is None:
        memory = start(system, task, generator)
        return Training(system, np.zeros(0), 0, memory, generator.bit_generator.state, _origin=machine)
    check_memory(resume.memory, system, task)
    return replace(resume, system=system, _origin=machine)


def _advance(run, record, orders, optimizer, generator):
    """The record after some epochs, their costs, and what went wrong or None."""
    rates = [rate(optimizer, record.epochs + k) for k in range(len(orders))]
    memory = copied(record.memory)  # a record that a callback has kept stays as it was
    theta, costs, trouble = run(record.system, memory, orders, rates)
    record = replace(
        record,
        memory=memory,
        system=record.system.with_theta(theta),
        cost=np.concatenate([record.cost, costs]),
        epochs=record.epochs + len(costs),
        rng=generator.bit_generator.state,
    )
    return record, costs, trouble
