r"""A graph of maps as an energy: every node is predicted by a map of its parents, and errors cost.

    F(x; theta) = sum_l |x_l - f_l(x_parents(l); theta)|^2 / 2 v_l

x_l the value of node l, f_l its map, v_l its variance (the same units squared).  With the roots given and nothing else,
F is least, and zero, where every node is as predicted: `PredictionGraph.forward`, one pass.  With more nodes given,
`relax` infers the others, and -dF/dtheta is a product of errors and activities beside each map: predictive coding.

The cut decides the rule.  A chain of maps in one node is differentiated by reverse mode, exactly; the same chain cut
into nodes is inferred.  With v_out of the output nodes large, the inferred gradient approaches the exact one with
slope 1 in 1/v_out (Whittington and Bogacz 2017); with predictions held at their first values it equals it (Song et
al. 2020).

Every map's weights are used both ways, forwards and, transposed, for the errors: weight transport, which a brain would
have to learn, as `physlearn.maps.FeedbackAffine` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, mapping, sequence, text
from physlearn.dynamics.predictions import cycle_of, exact_gradient, forward, network_of, precision
from physlearn.energy import Energy, Real
from physlearn.learning.data import check_data, check_nouns
from physlearn.learning.engines.adjoint import contrast_by_adjoint
from physlearn.learning.rules.contrastive import ExactGradient
from physlearn.machine import one_way_of
from physlearn.maps import Affine, Chain, Tanh
from physlearn.maps.affine import shape_of
from physlearn.maps.compose import check_is_map, shape_after
from physlearn.rng import generator
from physlearn.terms.prediction import Prediction
from physlearn.threads import on_one_thread

ROWS = 512  # items that go through all layers together: the cache then holds them


class PredictionGraph(Energy):
    """A computation graph of maps without cycles, as an energy; see the module for it.

    Parameters
    ----------
    inputs : mapping of str to int or tuple of int
        Shapes of the nodes without a map, by name.
    nodes : mapping of str to (parents, map)
        ``parents`` is a name or several, in the order in which the map takes them, or () for a prior; in any order.
        Maps that name the same parameter share it: tied weights, networks unrolled in time.
    variance : mapping of str to float or array, optional
        v of some nodes; 1 elsewhere.
    theta : mapping of str to array, optional
        Some or all parameters; the others start as their maps say.  All in float32 make a graph in single precision.
    readouts, fixed
        As for `Energy`.
    rng : int, Generator or None
        Draws first parameters.

    Attributes
    ----------
    system : PredictionGraph
        The graph itself, which is an `Energy`.

    Raises
    ------
    ValueError
        A cycle, parents that do not exist, shapes that do not chain; each names the nodes.

    Notes
    -----
    In a graph from image to label the label does not determine the image: clamp a label and infer the image, and any
    image that the network calls so is an answer.  Generate by a graph from label to image, which gives one image for
    each label; with a free node beside the label, predicted by `Constant`, images of one label vary with it.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import relax
    >>> from physlearn.maps import Affine, Chain, Tanh
    >>> nodes = {"h": ("x", Chain(Affine(3, "W1", "b1"), Tanh())), "y": ("h", Affine(1, "W2", "b2"))}
    >>> net = PredictionGraph({"x": 2}, nodes, rng=0)
    >>> x = np.array([[1.0, -1.0]])
    >>> free = relax(net, clamp={"x": x})
    >>> bool(np.allclose(free.x["y"], net.forward(x)["y"]))
    True
    """

    def __init__(self, inputs, nodes, variance=None, *, theta=None, readouts=None, fixed=None, rng=None):
        shapes = {
            text("inputs", name, "names"): shape_of(f"inputs[{name!r}]", shape)
            for name, shape in mapping("inputs", inputs, expected="a mapping of names to shapes").items()
        }
        nodes = _nodes(nodes, shapes)
        variance = mapping(
            "variance", {} if variance is None else variance, nodes, "a mapping of nodes' names to variances"
        )
        terms = [Prediction(name, parents, m, variance.get(name, 1.0)) for name, (parents, m) in nodes.items()]
        given = dict(mapping("theta", {} if theta is None else theta, expected="a mapping of names to arrays"))
        found: dict[str, Any] = {}
        rng = generator(rng)
        for term in _in_order(terms, shapes):
            parents = tuple(shapes[name] for name in term.parents)
            named = " and ".join(f"{name!r} {shapes[name]}" for name in term.parents) or "no parent"
            try:
                first = term.map.start(parents, rng) if hasattr(term.map, "start") else {}
                shapes[term.child] = shape_after(term.map, parents)
            except ValueError as error:
                raise ValueError(f"nodes[{term.child!r}]: its map does not fit {named}: {error}") from None
            for name, value in first.items():
                want = found.get(name, given.get(name, value))
                if np.shape(want) != np.shape(value):
                    raise ValueError(
                        f"theta[{name!r}]: shape {np.shape(want)}, but node {term.child!r} {shapes[term.child]} of "
                        f"{named} needs {np.shape(value)}"
                    )
                found[name] = want
        known = [name for term in terms for name in term.parameters]
        declared = all(hasattr(term.map, "parameters") for term in terms)
        for name, value in given.items():
            if declared and name not in known:
                raise ValueError(
                    f"theta: there is no parameter {name!r}, expected some of {list(dict.fromkeys(known))}"
                )
            found.setdefault(name, value)
        single = bool(given) and all(np.asarray(value).dtype == np.float32 for value in given.values())
        if single:
            found = {name: np.asarray(value, np.float32) for name, value in found.items()}
        layers = {name: (Real(), shape) for name, shape in shapes.items()}
        super().__init__(layers, terms, found, readouts or {}, fixed or {})
        self.check_terms()

    def __repr__(self):
        return brief(
            self, inputs=self.inputs, nodes={t.child: (t.parents, t.map) for t in self.terms}, theta=self.theta
        )

    @classmethod
    def layered(cls, sizes, activation=None, *, variance=None, theta=None, rng=None):
        """A feedforward network x -> h1 -> ... -> y: affine maps, with an activation on every hidden node.

        Parameters
        ----------
        sizes : sequence of int or tuple of int
            Of the input, the hidden nodes and the output.
        activation : map, optional
            Default `Tanh`.
        variance, theta, rng
            As for the graph; parameters are "W1", "b1", ...

        Examples
        --------
        >>> list(PredictionGraph.layered([4, 3, 2], rng=0).layers)
        ['x', 'h1', 'y']
        """
        sizes = sequence("sizes", sizes, expected="at least two sizes, of the input and the output")
        if len(sizes) < 2:
            raise ValueError(f"sizes: got {len(sizes)}, expected at least two, of the input and the output")
        sizes = [shape_of(f"sizes[{k}]", size) for k, size in enumerate(sizes)]
        activation = Tanh() if activation is None else check_is_map("activation", activation)
        names = ["x", *(f"h{k}" for k in range(1, len(sizes) - 1)), "y"]
        nodes = {}
        for k, (parent, name) in enumerate(zip(names, names[1:], strict=False), 1):
            affine = Affine(sizes[k], f"W{k}", f"b{k}")
            nodes[name] = (parent, affine if name == "y" else Chain(affine, activation))
        return cls({"x": sizes[0]}, nodes, variance, theta=theta, rng=rng)

    @property
    def system(self):
        """The graph itself."""
        return self

    @property
    def inputs(self):
        """Shapes of the nodes without a map, by name."""
        return {name: self.layers[name].shape for name in network_of(self).roots}

    @on_one_thread
    def forward(self, x) -> dict[str, np.ndarray]:
        """Every node as predicted, the free phase in one pass: {node: (batch, *shape)}.

        Parameters
        ----------
        x : array or mapping of str to array
            The inputs, (batch, *shape) or (*shape) each; a plain array where there is one.

        Examples
        --------
        >>> import numpy as np
        >>> net = PredictionGraph.layered([2, 3, 1], theta={"W2": np.zeros((3, 1))}, rng=0)
        >>> net.forward(np.ones((5, 2)))["y"].shape
        (5, 1)
        """
        self.check_terms()
        given, single = self._given(x)
        network, n = network_of(self), max((len(v) for v in given.values()), default=1)
        parts = []
        for start in range(0, n, ROWS):
            parts.append(forward(network, {k: v[start : start + ROWS] for k, v in given.items()}, self.theta)[0])
        out = {
            name: np.concatenate([p[name] for p in parts]) if len(parts) > 1 else parts[0][name] for name in self.layers
        }
        return {name: value[0] for name, value in out.items()} if single else out

    def _given(self, x):
        """Inputs as {name: (batch, *shape)} in the graph's precision, and whether a single item was given."""
        inputs = self.inputs
        if not isinstance(x, Mapping):
            if len(inputs) != 1:
                raise TypeError(f"x: got one array, expected a mapping with the inputs {list(inputs)}")
            x = {next(iter(inputs)): x}
        mapping("x", x, inputs)
        out, single = {}, True
        for name, shape in inputs.items():
            if name not in x:
                raise ValueError(f"x: input {name!r} is missing; got {list(x)}")
            value = array(f"x[{name!r}]", x[name], dtype=None)
            single = single and value.shape == shape
            value = value[None] if value.shape == shape else value
            if value.shape[1:] != shape:
                flat = value.reshape(len(value), -1) if value.ndim > 1 else value
                if flat.shape[1:] != (int(np.prod(shape)),):
                    raise ValueError(f"x[{name!r}]: shape {np.shape(x[name])}, expected {shape} or (batch, ...) of it")
                value = flat.reshape(len(flat), *shape)
            out[name] = value.astype(
                np.result_type(self.dtype, value) if value.dtype.kind == "c" else self.dtype, copy=False
            )
        if not all(len(v) for v in out.values()):
            raise ValueError("x: got a batch of no items, expected at least one")
        if len({len(v) for v in out.values()}) > 1:
            raise ValueError(f"x: inputs have batches of { {k: len(v) for k, v in out.items()} }, expected one size")
        return out, single

    @property
    def dtype(self):
        """float32 where all of theta is, else float64."""
        return precision(self.theta)

    def exact_gradient(self, cost, inputs, target):
        """Cost of the free outputs, (batch,), and {name: gradient of its mean}, by reverse mode through the nodes.

        Parameters
        ----------
        cost : cost
        inputs : mapping of str to (batch, k) array
            Readouts that are clamped; where these are the graph's inputs the free phase is one pass forwards and the
            gradient one backwards, else both are found by relaxing.
        target : (batch, k) array
            Of the cost's readout.

        Examples
        --------
        >>> import numpy as np
        >>> from physlearn import SquaredError
        >>> net = PredictionGraph.layered([1, 1], theta={"W1": [[2.0]]}, rng=0)
        >>> net.exact_gradient(SquaredError("y"), {"x": np.array([[3.0]])}, np.array([[5.0]]))
        (array([0.5]), {'W1': array([[3.]]), 'b1': array([1.])})
        """
        check_nouns(cost=cost)
        for name in mapping("inputs", inputs, self.readouts):
            array(f"inputs[{name!r}]", inputs[name], ndim=(1, 2))
        target = array("target", target, ndim=2)
        if not len(target):
            raise ValueError(f"target: got the shape {target.shape}, expected at least one row")
        inputs, target = check_data(self, dict(inputs) | {cost.readout: target}, cost)
        if one_way := one_way_of(self):
            raise ValueError(f"exact_gradient: {one_way}")
        clamps = dict(self.fixed) | inputs
        found = exact_gradient(self, clamps, cost, target)
        if found is None:
            options = {"unconverged": "raise", "tol": 1e-10}
            solved = contrast_by_adjoint(self, inputs, target, ExactGradient(), cost, options)
            return solved.cost, solved.gradient
        return found


def _nodes(nodes, inputs):
    """{name: (parents, map)}, checked."""
    found = {}
    for name, entry in mapping("nodes", nodes, expected="a mapping of names to (parents, map)").items():
        text("nodes", name, "names")
        pair = sequence(f"nodes[{name!r}]", entry, expected="(parents, map), such as ('x', Affine(10))")
        if len(pair) != 2:
            raise ValueError(
                f"nodes[{name!r}]: got {len(pair)} entries, expected (parents, map), such as ('x', Affine(10))"
            )
        if name in inputs:
            raise ValueError(f"nodes: {name!r} is an input, too; a node has a map or is an input")
        parents = (
            (pair[0],) if isinstance(pair[0], str) else sequence(f"nodes[{name!r}], its parents", pair[0], str, "names")
        )
        found[name] = (parents, check_is_map(f"nodes[{name!r}], its map", pair[1]))
    if not found:
        raise ValueError("nodes: got none, expected at least one, such as {'y': ('x', Affine(10))}")
    for name, (parents, _) in found.items():
        for parent in parents:
            if parent not in found and parent not in inputs:
                raise ValueError(f"nodes[{name!r}]: there is no parent {parent!r}, expected one of {[*inputs, *found]}")
    return found


def _in_order(terms, inputs):
    """Terms with parents first; a cycle is refused by its names."""
    waiting, done, found = {t.child: t for t in terms}, set(inputs), []
    while waiting:
        ready = [name for name, term in waiting.items() if done.issuperset(term.parents)]
        if not ready:
            cycle = cycle_of({name: term.parents for name, term in waiting.items()})
            raise ValueError(
                f"nodes: {' -> '.join(cycle)} is a cycle; unroll it in time, or use an energy of symmetric couplings"
            )
        found += [waiting.pop(name) for name in ready]
        done.update(ready)
    return found
