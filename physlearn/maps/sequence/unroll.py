"""A recurrent layer cut into nodes, one a step, that share their parameters: the network unrolled in time.

Cut so, a graph infers the states between (predictive coding), or backpropagates through them node by node; left whole,
the layer does the latter in one sweep, with the same numbers.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, instance, text
from physlearn.maps.map import Map
from physlearn.maps.sequence.recurrent import Recurrent


class Step(Map):
    """One step of a recurrent layer: the state after step ``t`` of a sequence, from the state before it.

    Parents are the sequence, (steps, features), with a layer that is ``masked`` the mask, and the state before, which
    is zero where it is left out.  The value is the whole state, (layer.size,).

    Parameters
    ----------
    layer : RNN, LSTM, GRU or MinGRU
    t : int
        From 0.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import RNN
    >>> theta = {"rnn.W": np.ones((1, 1)), "rnn.U": np.ones((1, 1)), "rnn.b": np.zeros(1)}
    >>> step = Step(RNN(1, activation="identity"), 1)
    >>> step.forward((np.array([[[5.0], [2.0]]]), np.array([[4.0]])), theta)[0]
    array([[6.]])
    """

    def __init__(self, layer, t):
        self.layer = instance("layer", layer, Recurrent, "a recurrent layer, such as GRU(10)")
        self.t = count("t", t, least=0)
        self.parameters = layer.parameters

    def __repr__(self):
        return brief(self, layer=self.layer, t=self.t)

    def shape(self, shapes):
        """(layer.size,)."""
        sequences = 1 + self.layer.masked
        if len(shapes) not in (sequences, sequences + 1):
            raise ValueError(f"Step: got {len(shapes)} parents, expected {sequences}, and a state or none")
        state = () if len(shapes) == sequences else (tuple(shapes[-1]),)
        steps, _ = self._whole(bool(state)).shape((*shapes[:sequences], *state))
        if self.t >= steps:
            raise ValueError(f"Step: t is {self.t}, expected one of 0 .. {steps - 1}, the steps of the sequence")
        return (self.layer.size,)

    def start(self, shapes, rng):
        """The layer's."""
        self.shape(shapes)
        return self._whole(False).start(shapes[: 1 + self.layer.masked], rng)

    def forward(self, parents, theta):
        """The state after the step."""
        sequences = 1 + self.layer.masked
        cell = self._whole(len(parents) > sequences)
        x, *rest = (parent[:, self.t : self.t + 1] for parent in parents[:sequences])
        keep = ()
        if rest:
            keep = (np.ones_like(rest[0]),)  # a step that is hidden is put back below
        _, tape = cell.forward((x, *keep, *parents[sequences:]), theta)
        state = tape[2][1]
        hidden = (rest[0][:, 0] < 0.5)[:, None] if rest else None
        if hidden is not None:
            state = np.where(hidden, parents[-1] if len(parents) > sequences else 0, state)
        return state, (cell, tape, hidden, [parent.shape for parent in parents])

    def pullback(self, tape, cotangent, theta):
        """Through the one step."""
        cell, inner, hidden, shapes = tape
        x, _, states, work = inner
        through = cotangent if hidden is None else np.where(hidden, 0, cotangent)
        ds, da = through.copy(), np.empty((1, len(cotangent), cell.gates * cell.units), states.dtype)
        slopes = cell._close(states, work)
        old = cell._undo(0, ds, da[0], slopes, work)
        gradient = {cell.W: x[0].T @ da[0], cell.b: da[0].sum(0)} | cell._weights(states[0], da[0], slopes, work)
        dx = np.zeros(shapes[0], states.dtype)
        dx[:, self.t] = da[0] @ theta[cell.W].T
        found = [dx]
        if hidden is not None:
            found.append(np.zeros(shapes[1], states.dtype))
        if cell.started:
            found.append(old if hidden is None else old + np.where(hidden, cotangent, 0))
        return tuple(found), gradient

    def _whole(self, started):
        """The layer, with a first state or without; forwards in time, as the graph goes its own way."""
        cell = object.__new__(type(self.layer))
        cell.__dict__.update(self.layer.__dict__, started=started, reverse=False)
        return cell


def unroll(layer, steps, *, inputs="x", name="h"):
    """Nodes of a recurrent layer unrolled over a sequence, for `PredictionGraph`: {name + "1": ..., ...}.

    Parameters
    ----------
    layer : RNN, LSTM, GRU or MinGRU
        With ``reverse`` from the last step to the first; node k is the k-th in the layer's own direction.
    steps : int
        Of the sequence.
    inputs : str or sequence of str
        The node of the sequence; with a layer that is ``masked`` that of the mask, too; with one that is ``started``
        that of the first state, last.
    name : str
        Of the nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import GRU, Affine
    >>> from physlearn.models import PredictionGraph
    >>> net = PredictionGraph({"x": (3, 2)}, unroll(GRU(4), 3) | {"y": ("h3", Affine(1))}, rng=0)
    >>> net.forward(np.ones((1, 3, 2)))["y"].shape
    (1, 1)
    """
    instance("layer", layer, Recurrent, "a recurrent layer, such as GRU(10)")
    count("steps", steps)
    text("name", name, "the nodes' name")
    given = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    wanted = 1 + layer.masked + layer.started
    if len(given) != wanted:
        raise ValueError(f"inputs: got {len(given)} names, expected {wanted}: sequence, mask, first state, as it takes")
    sequences, state = given[: 1 + layer.masked], given[1 + layer.masked :]
    nodes = {}
    order = range(steps - 1, -1, -1) if layer.reverse else range(steps)
    for k, t in enumerate(order, 1):
        nodes[f"{name}{k}"] = ((*sequences, *state), Step(layer, t))
        state = (f"{name}{k}",)
    return nodes
