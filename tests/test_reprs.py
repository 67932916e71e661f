"""Every public object prints a few short lines, without addresses and without whole arrays."""

import contextlib
import dataclasses
import doctest
import importlib
import inspect
import io
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import physlearn as pl
from circuits import ResistorNetwork, neurons as cn
from physlearn import terms
from physlearn.brief import brief, short
from physlearn.learning import GradientCheck, ReverseKL
from physlearn.models import (
    Assembly,
    DenseMemory,
    Hopfield,
    ModernHopfield,
    Parametrisation,
    SpinGlass,
    Structure,
    store,
)
from physlearn.study import Refine, Study, Task, grid

PLACES = (
    "physlearn",
    "physlearn.audit",
    "physlearn.dynamics",
    "physlearn.io",
    "physlearn.lagrangians",
    "physlearn.learning",
    "physlearn.maps",
    "physlearn.models",
    "physlearn.study",
    "physlearn.terms",
    "circuits",
    "circuits.neurons",
)
MOST_LINES, MOST_CHARACTERS = 10, 800
MANY = np.random.default_rng(0).normal(size=(400, 3))
RING = [(k, (k + 1) % 500) for k in range(500)]


def public_classes():
    found = {}
    for place in PLACES:
        module = importlib.import_module(place)
        for name in getattr(module, "__all__", None) or vars(module):
            value = getattr(module, name)
            if inspect.isclass(value) and value.__module__.startswith(("physlearn", "circuits")):
                abstract = inspect.isabstract(value) or getattr(value, "_is_protocol", False)
                if not (issubclass(value, Exception) or abstract):
                    found[value] = f"{value.__module__}.{value.__name__}"
    return found


CLASSES = public_classes()


def assert_short(thing):
    for text in (repr(thing), repr([thing])):
        assert " at 0x" not in text
        assert len(text) <= MOST_CHARACTERS and text.count("\n") < MOST_LINES, text[:2000]
    assert type(thing).__name__ in repr(thing) or not repr(thing).startswith("<")


def from_docstring(cls):
    """Objects of a class that the examples of its docstring make."""
    scope, made = dict(vars(sys.modules[cls.__module__])), []
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(cls) or ""):
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                made.append(eval(example.source, scope))
            except SyntaxError:
                exec(example.source, scope)
    return [value for value in [*made, *scope.values()] if type(value) is cls]


def filled(cls):
    """One whose fields are long arrays, whatever the class would say to that."""
    if issubclass(cls, tuple):
        return cls._make([MANY] * len(cls._fields))
    thing = object.__new__(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(thing, field.name, MANY)
    return thing


def cells(n=500):
    model = cn.LIF(tau=np.full(n, 20e-3), v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3)
    receptors = {"exc": cn.Exponential(5e-3)}
    return cn.Population(model, n, receptors=receptors, initial={"v": lambda rng, n: np.zeros(n)})


def network():
    many = {f"P{k}": cells() for k in range(12)}
    wires = [
        cn.Projection(a, b, cn.connect.fixed_probability(0.1), weight=lambda i, j, rng: 1e-12 * i, delay=1e-3)
        for a in many
        for b in many
    ]
    return cn.SpikingNetwork(many, wires, [cn.Poisson("P0", rate=np.full(500, 10.0), weight=1e-12)])


def recording():
    record = {"E": cn.Record(["v"], every=1e-3)}
    alone = cn.SpikingNetwork({"E": cells()}, inputs=[cn.Constant("E", 30e-3)])
    return pl.integrate(alone, (0.0, 0.1), dt=1e-3, record=record)


def big_energy():
    names = [f"layer_with_a_long_name_{k}" for k in range(40)]
    fields = [terms.Bias(name, parameter=f"bias of {name}") for name in names]
    return pl.Energy({n: (pl.Spin(), 500) for n in names}, fields, {f.parameter: np.zeros(500) for f in fields})


def pair():
    return pl.Energy({"s": (pl.Spin(), 2)}, [terms.Pairs("s", [(0, 1)])], {"J": [1.0]})


def training():
    divider = pl.Energy(
        {"v": (pl.Real(), 3)},
        [terms.Edges("v", [(0, 1), (1, 2)])],
        {"conductance": [1.0, 3.0]},
        {"in": pl.Readout("v", [0, 2]), "out": pl.Readout("v", [1])},
    )
    data, cost = {"in": [[1.0, 0.0]], "out": [[0.5]]}, pl.SquaredError("out")
    return pl.learn(divider, data, rule=pl.CoupledLearning(), optimizer=pl.SGD(0.1), cost=cost, epochs=2)


def growth():
    soup = Assembly(4, store([Structure([[1, 2], [3, 4]])], 6.0), 8.0, terms.Lattice((6, 6)))
    return pl.kinetics(soup, temperature=1.0, t_span=10.0, rng=0)


def resistors():
    inputs = {f"in {k}": [k] for k in range(1, 400, 2)}
    return ResistorNetwork(nx.path_graph(500), conductance=1.0, ground=list(range(0, 500, 2)), inputs=inputs)


def _flat(x, ints, floats, f):
    return 0.0


LARGE = {
    "System": lambda: pl.System({"x": (pl.Real(), 500)}, [terms.OneWay("x")], {"W": np.eye(500)}),
    "Energy": big_energy,
    "SpinGlass": lambda: SpinGlass.edwards_anderson((8, 8, 8), rng=0),
    "Readout": lambda: pl.Readout("v", list(range(1000))),
    "Nudge": lambda: pl.Nudge(pl.SquaredError("out"), MANY, 1.0),
    "Local": lambda: pl.Local(cells, network, recording),
    "Pairs": lambda: terms.Pairs("s", RING),
    "PottsPairs": lambda: terms.PottsPairs("s", RING, 3),
    "Edges": lambda: terms.Edges("v", RING),
    "Compiled": lambda: terms.Compiled("x", _flat),
    "Parametrisation": lambda: Parametrisation.V,
    "ReverseKL": lambda: ReverseKL(pl.Energy({"x": (pl.Real(), 2)}, [terms.Parabola("x")], {"stiffness": [1.0, 4.0]})),
    "SGD": lambda: pl.SGD(0.1, bounds={f"parameter {k}": (np.zeros(500), np.ones(500)) for k in range(50)}),
    "PersistentContrastiveDivergence": lambda: pl.PersistentContrastiveDivergence(hotter=tuple(range(2, 60))),
    "BoltzmannLearning": lambda: pl.BoltzmannLearning(exact=False, given=tuple(f"input {k}" for k in range(100))),
    "ContrastiveDivergence": lambda: pl.ContrastiveDivergence(given=tuple(f"input {k}" for k in range(100))),
    "GradientCheck": lambda: GradientCheck(*[np.linspace(0.1, 1.0, 60)] * 4, 2.0, "gradient"),
    "Audit": lambda: pl.check_energy(pair()),
    "Training": training,
    "Annealed": lambda: pl.anneal(pair(), sweeps=10, reads=3, rng=0),
    "Tempered": lambda: pl.tempering(pair(), temperatures=[1.0, 2.0], n_samples=5, chains=2, rng=0),
    "Kinetics": growth,
    "Hopfield": lambda: Hopfield.store(np.sign(MANY.T)),
    "Recall": lambda: Hopfield.store(np.sign(MANY.T)).recall(np.sign(MANY.T)),
    "DenseMemory": lambda: DenseMemory(np.sign(MANY.T), 4),
    "ModernHopfield": lambda: ModernHopfield(MANY),
    "ResistorNetwork": resistors,
    "Task": lambda: Task(lambda params, rng: {}),
    "Space": lambda: grid(T=np.arange(1000.0), label=[f"name {k}" for k in range(100)]),
    "Refine": lambda: Refine(observable="m", tolerance=0.1),
    "Study": lambda: Study(Path("no such folder")),
    "Population": cells,
    "SpikingNetwork": network,
    "Recording": recording,
    "Spikes": lambda: cn.Spikes(np.linspace(0.01, 1.0, 1000), np.zeros(1000, int), n=5, t_start=0.0, t_stop=1.0),
}
PLAIN = ((), ("s",), (("v", "h"),), (2,), ("s", 3), ((3, 3),), ("exponential", 1e3, 0.0, 0.02))  # arguments to try


def plain(cls):
    """One with a few plain arguments, if the class takes any of those above."""
    for arguments in PLAIN:
        try:
            return [cls(*arguments)]
        except (TypeError, ValueError):
            continue
    return []


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_large_objects_print_a_few_lines(make):
    assert_short(make())


@pytest.mark.parametrize("cls", CLASSES, ids=CLASSES.values())
def test_public_class_prints_a_few_lines(cls):
    made = from_docstring(cls)
    if cls.__name__ in LARGE:
        made.append(LARGE[cls.__name__]())
    elif not made:
        made = plain(cls)
    if cls.__repr__ is brief and (dataclasses.is_dataclass(cls) or issubclass(cls, tuple)):
        made.append(filled(cls))
    assert made, "no example in its docstring makes one: give it one, or a line in the table of this file"
    for thing in made:
        assert_short(thing)


def test_values_in_a_few_words():
    assert short(np.full(9, 2.5)) == "(9,) array all 2.5"
    assert short(np.array([3, 1, 2])) == "(3,) array in 1 .. 3"
    assert short(np.array([np.inf, np.nan])) == "(2,) array (none finite)"
    assert short(np.zeros((0, 4))) == "(0, 4) array"
    assert short(nx.path_graph(3)) == "Graph with 3 nodes and 2 edges"
    assert short(tuple(f"n{k}" for k in range(20))) == "('n0', 'n1', 'n2', 'n3', 'n4', 'n5', ... 14 more)"
    assert short(object()) == "object"
    assert "60 entries" not in short(nx.to_scipy_sparse_array(nx.cycle_graph(30)).tocsr()[:5])
    assert short(nx.to_scipy_sparse_array(nx.cycle_graph(30)).tocsr()).startswith("(30, 30) sparse, 60 entries")


def test_what_has_a_dataset_shows_it_in_notebooks():
    spring = pl.Energy({"x": (pl.Real(), 1)}, [terms.Parabola("x")], {"stiffness": [2.0]})
    shown = [
        pl.sample(pair(), temperature=1.0, n_samples=5, chains=2, rng=0),
        LARGE["Tempered"](),
        pl.integrate(spring, (0.0, 1.0), x0=[1.0]),
        recording(),
        recording().traces["E"],
    ]
    for thing in shown:
        assert "xr-wrap" in thing._repr_html_()


def test_a_study_whose_folder_has_gone_still_prints(tmp_path):
    assert "cannot be read" in repr(Study(tmp_path / "gone")) and Study(tmp_path / "gone")._repr_html_() is None
