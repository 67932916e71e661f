"""Predictive coding: the hidden layers of a network of predictions make a compromise with the target.

With the inputs clamped, a cost C on the outputs y = f(x), and errors e_l = x_l - f_l(parents) of variance v_l,

    x* = argmin_x  sum_hidden |e_l|^2 / 2v_l + p C(y, target),     dtheta = -lr/p d/dtheta of the same, at x*

so that every map learns from its own error and its own parents.  For the squared error this is the graph's energy
with the target clamped on output nodes of variance 1/p.  As p -> 0 it follows backpropagation's gradient, with an
error of first order in p (Whittington and Bogacz 2017); with predictions and slopes held at their free values the
errors are backpropagation's for every p (Millidge, Tschantz and Buckley 2022).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from physlearn.checks import count, flag, positive
from physlearn.dynamics.inference import Inference
from physlearn.dynamics.predictions import exact_gradient, given_of, network_of
from physlearn.dynamics.rest.quasi_newton import descend
from physlearn.energy import Nudge
from physlearn.errors import ConvergenceError
from physlearn.machine import one_way_of


@dataclass(frozen=True)
class PredictiveCoding:
    """Learn from errors beside each map, the hidden layers inferred with the target known.

    Follows the cost's gradient with an error of first order in the output precision p; exactly where predictions are
    fixed.  For networks of predictions: see `physlearn.models.PredictionGraph`.

    Parameters
    ----------
    precision : float, optional
        p, the weight of the cost against the errors; default one over the variance of the output node.
    fixed : bool
        Hold predictions and slopes at their values in the free phase while errors are inferred: backpropagation.
    steps : int, optional
        Steps of gradient descent in the states from the free phase, in place of inference to rest.
    rate : float
        Length of such a step; stable below 2 over the largest curvature.

    Notes
    -----
    Settings of `learn`'s ``relax_options`` that count: ``tol``, relative to the largest pull of the targets of a
    batch in the free phase, ``max_steps`` and ``unconverged``.  Source: Whittington and Bogacz 2017; Rao and Ballard
    1999.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Adam, PredictiveCoding, SquaredError, learn
    >>> from physlearn.models import PredictionGraph
    >>> data = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [0, 1, 1, 0]}
    >>> net = PredictionGraph.layered([2, 8, 1], rng=0)
    >>> settings = dict(cost=SquaredError("y"), optimizer=Adam(0.05), epochs=200, batch=4)
    >>> done = learn(net, data, rule=PredictiveCoding(), **settings)
    >>> done.system.forward(np.array(data["x"], float))["y"].ravel().round().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    precision: float | None = None
    fixed: bool = False
    steps: int | None = None
    rate: float = 0.1
    limit: ClassVar[str] = "gradient"
    vanishing: ClassVar[str] = "precision"
    method: ClassVar[str] = "relax"
    infers: ClassVar[bool] = True  # nodes that are not given, so that inputs may be given in part

    def __post_init__(self):
        if self.precision is not None:
            positive("precision", self.precision)
        flag("fixed", self.fixed)
        if self.steps is not None:
            count("steps", self.steps)
        positive("rate", self.rate)

    def contrast(self, system, task):
        """Input and target clamped (1/p); the free phase has no error and drops out.  See `ContrastRule`."""

        def step(system, memory, pick):
            inputs = {name: value[pick] for name, value in task.inputs.items()}
            return self.swept(system, inputs, task.target[pick], task.cost, task.options)

        return step

    def swept(self, system, inputs, target, cost, options):
        """Cost of the free outputs, (batch,), and {name: mean over the batch of what each parameter follows}.

        Parameters
        ----------
        system : Energy
            A network of predictions.
        inputs : mapping of str to (batch, k) array
        target : (batch, k) array
        cost : cost
        options : mapping
            Some of tol, max_steps, unconverged.
        """
        network = network_of(system)
        if isinstance(network, str):
            raise ValueError(f"PredictiveCoding: got a system of which {network}; expected a PredictionGraph")
        clamps, batch = dict(system.fixed) | dict(inputs), len(target)
        output = system.readouts[cost.readout].layer
        node = next((n for n in network.nodes if n.child == output), None)
        if node is None:
            raise ValueError(f"cost: readout {cost.readout!r} reads the input {output!r}, which nothing predicts")
        if self.steps is None and not self.fixed and (one_way := one_way_of(system)):
            raise ValueError(f"PredictiveCoding: {one_way}, so no rest is its minimum; give steps, or fixed=True")
        if self.fixed:
            found = exact_gradient(system, clamps, cost, target)
            if found is None:
                raise ValueError(
                    f"fixed: expected all inputs {list(network.roots)} clamped and nothing else, got {list(clamps)}"
                )
            return found
        p = self.precision
        if p is None:
            if np.ndim(node.variance):
                raise ValueError(f"precision: give it, since node {output!r} has a variance for each of its entries")
            p = 1 / node.variance
        inference = Inference(system, given_of(system, clamps, batch), batch, exact=output)
        inference.nudges = (Nudge(cost, np.asarray(target, inference.dtype), p),)
        u = inference.start()
        inference.forward(u)
        y = system.readouts[cost.readout].read(inference.values)
        loss = cost.value(y, inference.nudges[0].target)
        if self.steps is None:
            _infer(inference, u, options)
        else:
            _descend(inference, self.steps, self.rate)
        scale = 1 / (p * batch)
        return loss, {name: value * inference.dtype.type(scale) for name, value in inference.slopes().items()}


def _infer(inference, u, options):
    """Infer to rest; what is not converged is raised, warned of, or ignored."""
    tol, most, unconverged = (
        options.get("tol", 1e-9),
        options.get("max_steps", 10_000),
        options.get("unconverged", "warn"),
    )
    scale: list = []

    def at_rest(grad):
        left = np.max(np.abs(inference.residual(grad)), 1, initial=0.0)
        if not scale:  # no item waits for more digits than its share of the mean has, or than its own numbers have
            size = (
                max(
                    float(np.max(np.abs(inference.values[name]), initial=0.0))
                    * float(np.max(inference.precision[name]))
                    for name in inference.errors
                )
                if inference.errors
                else 0.0
            )
            scale.append(max(tol * float(np.max(left)), 64 * np.finfo(left.dtype).eps * size))
        return left <= scale[0]

    _, steps, rest = descend(inference.evaluate, at_rest, u, most)
    if not rest.all() and unconverged != "ignore":
        message = (
            f"PredictiveCoding: {np.count_nonzero(~rest)} of {len(rest)} items are not at rest after {steps} steps; "
            "raise max_steps or tol in relax_options"
        )
        if unconverged == "raise":
            raise ConvergenceError(message, None)
        warnings.warn(message, RuntimeWarning, stacklevel=2)


def _descend(inference, steps, rate):
    """Steps x += rate F of all layers at once."""
    x = {name: value.copy() if name in inference.places else value for name, value in inference.values.items()}
    rate = inference.dtype.type(rate)
    for _ in range(steps):
        inference.move(x, rate)
    inference.look(x)
