"""Machines and results go elsewhere and come back: graphs, files, dimod, tables."""

import networkx as nx
import numpy as np
import pytest

from circuits import ResistorNetwork, square_lattice
from physlearn import load, save
from physlearn.models import RBM, Ising, PottsModel


def test_models_become_graphs_and_come_back(rng):
    model = Ising.from_graph(nx.petersen_graph(), rng.standard_normal(15))
    again = Ising.from_graph(model.to_graph(), "J")
    s = rng.choice([-1.0, 1.0], (5, 10))
    np.testing.assert_allclose(again(s), model(s), rtol=1e-12)
    dense = Ising.from_matrix(np.triu(np.ones((4, 4)), 1), symmetrise=True).to_graph()
    assert dense.number_of_edges() == 6
    fields = Ising.square(3, field=0.25).to_graph()
    assert fields.nodes[4] == {"bias": 0.25}
    assert PottsModel.square(3).to_graph().number_of_edges() == 18


def test_resistor_networks_become_graphs_and_come_back(rng):
    g = rng.uniform(0.5, 2.0, 24)
    network = ResistorNetwork(square_lattice(4), conductance=g, ground=0, inputs={"u": [3, (5, 6)]}, outputs=[15])
    graph = network.to_graph()
    assert graph.nodes[0]["ground"] and graph.nodes[3]["inputs"] == ["u"] == graph.nodes[5]["inputs"]
    again = ResistorNetwork(graph, conductance="conductance", ground=0, inputs={"u": [3, (5, 6)]}, outputs=[15])
    drive = {"u": [[1.0, 0.3]]}
    np.testing.assert_allclose(again.solve(drive).x, network.solve(drive).x, rtol=1e-12)


def test_machines_are_saved_and_loaded(tmp_path, rng):
    machine = RBM(4, 3, rng=0)
    again = load(save(tmp_path / "m", machine), RBM(4, 3, rng=1))
    assert type(again) is RBM and all(np.array_equal(again.theta[k], v) for k, v in machine.theta.items())
    with pytest.raises(ValueError, match="shapes"):
        load(tmp_path / "m.npz", RBM(4, 2))
    with pytest.raises(ValueError, match="holds a RBM, expected a Ising"):
        load(tmp_path / "m.npz", Ising.square(3))
    with pytest.raises(TypeError, match="training: got"):
        save(tmp_path / "x", 3)


def test_a_dimod_sampler(rng):
    dimod = pytest.importorskip("dimod")
    from physlearn.dimod import AnnealingSampler

    model = dimod.BinaryQuadraticModel({k: rng.normal() for k in "abcdef"}, {}, 0.5, "BINARY")
    for a in "abcde":
        model.add_quadratic(a, "f", rng.normal())
    found = AnnealingSampler().sample(model, num_reads=8, seed=1)
    best = dimod.ExactSolver().sample(model).first
    assert len(found) == 8 and found.first.energy == pytest.approx(best.energy)
    assert dict(found.first.sample) == dict(best.sample) and isinstance(found, dimod.SampleSet)
    assert AnnealingSampler().sample_qubo({("a", "b"): -1.0}, num_reads=3, seed=0).first.energy == -1.0
    dimod.testing.assert_sampler_api(AnnealingSampler())
    assert len(AnnealingSampler().sample(dimod.BinaryQuadraticModel("SPIN"), num_reads=2)) == 2


def test_tables_of_studies(tmp_path):
    import pandas as pd

    from physlearn.study import study

    done = study("statistics:fmean", {"x": [1.0, 2.0]}, store=tmp_path / "s", executor="serial", progress=False)
    assert list(done.to_pandas()["status"]) == ["failed", "failed"]
    back = pd.read_csv(done.export(tmp_path / "s.csv"))
    assert list(back["x"]) == [1.0, 2.0] and list(back["status"]) == ["failed", "failed"]
