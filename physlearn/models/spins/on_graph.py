"""Models whose pairs are the neighbours of a lattice or the edges of a graph: shared constructors."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from physlearn.checks import array, count, reals, seen
from physlearn.energy import Energy
from physlearn.models.spins.pairs import cubic_pairs, square_pairs, triangular_pairs
from physlearn.rng import generator
from physlearn.terms.dense import Dense


class OnGraph(Energy, ABC):
    """An energy of one layer "s" with couplings "J" on pairs; ``more`` is passed to ``from_pairs``."""

    if not TYPE_CHECKING:  # type checkers know the constructor of Energy

        def __init__(self, *args, **settings):
            known = settings.keys() <= {"layers", "terms", "theta", "readouts", "fixed"}
            if not known or not isinstance(args[0] if args else settings.get("layers"), Mapping):
                given = [seen(a) for a in args] + [f"{name}={seen(value)}" for name, value in settings.items()]
                name = type(self).__name__
                raise TypeError(
                    f"{name}: got ({', '.join(given)}), expected one of its class methods: {name}.square(8) for an "
                    f"8 x 8 lattice, {name}.cubic(4), triangular, random_regular(n, degree), from_pairs, from_graph"
                )
            super().__init__(*args, **settings)

    @classmethod
    @abstractmethod
    def from_pairs(cls, pairs, J: Any = 1.0, *, shape=None, **more) -> Any:
        """Couplings on any pairs of variables."""

    @classmethod
    def square(cls, size, J: Any = 1.0, *, periodic=True, **more):
        """Square lattice, layer shape (rows, columns); `size`, `periodic`: see `square_pairs`."""
        return cls._on_lattice(square_pairs, size, 2, J, periodic, more)

    @classmethod
    def cubic(cls, size, J: Any = 1.0, *, periodic=True, **more):
        """Simple cubic lattice, layer shape (planes, rows, columns); `size`, `periodic`: see `square_pairs`.

        Examples
        --------
        >>> from physlearn.models import Ising
        >>> len(Ising.cubic(4).pairs)
        192
        """
        return cls._on_lattice(cubic_pairs, size, 3, J, periodic, more)

    @classmethod
    def triangular(cls, size, J: Any = 1.0, *, periodic=True, **more):
        """Triangular lattice, layer shape (rows, columns); `size`, `periodic`: see `square_pairs`.

        Examples
        --------
        >>> from physlearn.models import Ising
        >>> len(Ising.triangular(4).pairs)
        48
        """
        return cls._on_lattice(triangular_pairs, size, 2, J, periodic, more)

    @classmethod
    def _on_lattice(cls, neighbours, size, dimensions, J, periodic, more):
        pairs = neighbours(size, periodic=periodic)
        return cls.from_pairs(pairs, J, shape=(size,) * dimensions if np.ndim(size) == 0 else tuple(size), **more)

    @classmethod
    def random_regular(cls, n, degree, J: Any = 1.0, *, rng=None, **more):
        """A random graph where each of n variables has ``degree`` neighbours.

        Examples
        --------
        >>> from physlearn.models import Ising
        >>> len(Ising.random_regular(10, 3, rng=0).pairs)
        15
        """
        import networkx as nx

        n, degree = count("n", n, each=8), count("degree", degree)
        if degree >= n or n * degree % 2:
            raise ValueError(f"degree, n: got {degree}, {n}; expected 0 < degree < n with an even product")
        seed = int(generator(rng).integers(2**31))
        edges = np.array(nx.random_regular_graph(degree, n, seed=seed).edges)
        return cls.from_pairs(np.sort(edges, 1)[np.lexsort(np.sort(edges, 1).T[::-1])], J, shape=n, **more)

    @classmethod
    def from_graph(cls, graph, J: Any = 1.0, **more):
        """Couplings on the edges of a networkx graph, variables in the order of ``graph.nodes``.

        ``J`` is an edge attribute's name, one value for all, or one per edge in the order of ``graph.edges``.

        Examples
        --------
        >>> import networkx as nx
        >>> from physlearn.models import Ising
        >>> Ising.from_graph(nx.cycle_graph(4), 0.5).couplings
        array([0.5, 0.5, 0.5, 0.5])
        """
        if not hasattr(graph, "is_directed"):
            raise TypeError(f"graph: got {type(graph).__name__}, expected a networkx graph; or use from_pairs")
        if graph.is_directed():
            raise ValueError("graph: it is directed, and an energy has symmetric couplings; give graph.to_undirected()")
        number = {node: k for k, node in enumerate(graph.nodes)}
        edges = list(graph.edges(data=True))
        if isinstance(J, str):
            missing = [(a, b) for a, b, data in edges if J not in data]
            if missing:
                raise ValueError(
                    f"J: edge {missing[0]} has no attribute {J!r} ({len(missing)} of {len(edges)} have none)"
                )
            J = array("J", [data[J] for _, _, data in edges])
        pairs = np.array([(number[a], number[b]) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2)
        return cls.from_pairs(pairs, J, shape=len(number), **more)

    def to_graph(self):
        """The model as a networkx graph, which `from_graph` reads back with ``J="J"``.

        Returns
        -------
        networkx.Graph
            Nodes 0 ... n - 1; edges with the attribute "J", and nodes with "bias" where there are fields.  Couplings of
            one pair given twice add up.

        Examples
        --------
        >>> from physlearn.models import Ising
        >>> graph = Ising.square(3, 0.5).to_graph()
        >>> graph.number_of_edges(), Ising.from_graph(graph, "J").couplings[0]
        (18, np.float64(0.5))
        """
        import networkx as nx

        graph = nx.Graph()
        graph.add_nodes_from(range(self.layers["s"].size))
        for (a, b), value in zip(self.pairs.tolist(), np.broadcast_to(self.couplings, len(self.pairs)), strict=True):
            known = graph.get_edge_data(a, b, {"J": 0.0})["J"]
            graph.add_edge(a, b, J=known + float(value))
        if "bias" in self.theta:
            fields = np.reshape(self.theta["bias"], (len(graph), -1))
            for node, value in enumerate(fields):
                graph.nodes[node]["bias"] = float(value[0]) if fields.shape[1] == 1 else value.tolist()
        return graph

    @property
    def pairs(self):
        """The two variables of every coupling, (m, 2)."""
        term = self.terms[0]
        if isinstance(term, Dense):
            return np.stack(np.triu_indices(len(self.theta["J"]), 1), 1)
        return np.stack([term.i, term.j], 1)

    @property
    def couplings(self):
        """J of every pair, (m,)."""
        if isinstance(self.terms[0], Dense):
            return self.theta["J"][np.triu_indices(len(self.theta["J"]), 1)]
        return self.theta["J"]


def pair_term(kind, pairs, J, shape):
    """The pair term, the layer's shape and theta."""
    pairs = reals("pairs", pairs, finite=False)
    if shape is None:
        if not pairs.size:
            raise ValueError("pairs: none are given and no shape, expected either")
        shape = int(pairs.max()) + 1 if np.isfinite(pairs.max()) else 1  # the term refuses NaN
    sizes = tuple(shape) if isinstance(shape, list | tuple | np.ndarray) else (shape,)
    shape = tuple(count("shape", k) for k in sizes)
    term = kind("s", pairs, count("shape", math.prod(shape), each=8))
    J = array("J", J)
    if J.ndim and J.size != len(term.i):
        raise ValueError(f"J: shape {J.shape}, expected one number or one for each of {len(term.i)} pairs")
    return term, shape, {"J": np.full(len(term.i), J) if J.ndim == 0 else J.ravel()}


def with_field(terms, theta, field, shape, bias):
    """Terms and theta, with the fields where they are given."""
    if field is None:
        return terms, theta
    field = array("field", field)
    try:
        field = np.broadcast_to(field, shape)
    except ValueError:
        raise ValueError(f"field: shape {np.shape(field)}, expected one number or {shape}") from None
    return [*terms, bias("s")], theta | {"bias": field}
