"""Population codes through NIR files: read back equal, and decoded by a simulation of the file's nodes alone."""

import numpy as np
import pytest

from circuits.neurons import LIF, Connection, Ensemble, PopulationCode, from_nir, integrator, to_nir
from physlearn import SGD, ContrastiveHebbian, SquaredError, learn

nir = pytest.importorskip("nir")
CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, exact_times=True)


@pytest.fixture(scope="module")
def trained():
    """A channel that has learnt the square from samples."""
    ensembles = {name: Ensemble(150, 1, rng=k, model=CELL, radius=1.2) for k, name in enumerate("ab")}
    code = PopulationCode(ensembles, [Connection("a", "b", lambda x: 0.8 * x**2, tau=0.02)])
    x = np.linspace(-1, 1, 21)[:, None]
    task = dict(rule=ContrastiveHebbian(), cost=SquaredError("b"), optimizer=SGD(1e-7), epochs=20, batch=21)
    return learn(code, {"a": x, "b": x**2}, **task).machine


def through_a_file(code, folder):
    nir.write(folder / "code.nir", to_nir(code))
    return nir.read(folder / "code.nir")


def test_a_trained_code_is_read_back_equal(trained, tmp_path):
    again = from_nir(through_a_file(trained, tmp_path))
    assert type(again) is PopulationCode and list(again.ensembles) == list(trained.ensembles)
    for name, value in trained.theta.items():
        np.testing.assert_array_equal(again.theta[name], value)
    x = np.linspace(-1, 1, 9)
    for name, ensemble in trained.ensembles.items():
        np.testing.assert_array_equal(again.ensembles[name].tuning(x), ensemble.tuning(x))
        assert again.ensembles[name].radius == 1.2
    assert [c.tau for c in again.connections] == [0.02]
    second = to_nir(again)
    for name, node in to_nir(trained).nodes.items():
        for field, value in vars(node).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(getattr(second.nodes[name], field), value)


def test_loops_are_written_and_read(tmp_path):
    code = integrator(30, rng=1, model=CELL)
    again = from_nir(through_a_file(code, tmp_path))
    np.testing.assert_array_equal(again.theta["x->x.decoders"], code.theta["x->x.decoders"])
    np.testing.assert_array_equal(
        again.system.field({"x": np.array([[0.3]])}, "x"), code.system.field({"x": np.array([[0.3]])}, "x")
    )


def test_the_nodes_alone_decode_the_function(trained, tmp_path):
    """Euler steps of 0.1 ms of the file's Affine, LIF, Linear and LI, in lines that know nothing of codes."""
    nodes, dt = through_a_file(trained, tmp_path).nodes, 1e-4
    encode, cells, decode, smooth = nodes["a.encode"], nodes["a"], nodes["a->b"], nodes["b.filter"]
    for value in (-0.8, 0.5):
        current = encode.weight @ [value] + encode.bias
        v, y, seen = np.zeros(len(cells.tau)), np.zeros(1), []
        for step in range(6000):
            v += dt / cells.tau * (cells.v_leak - v + cells.r * current)
            fired = v > cells.v_threshold
            v = np.where(fired, v - cells.v_threshold + cells.v_reset, v)  # the overshoot is of the next interval
            y += dt / smooth.tau * (smooth.v_leak - y) + smooth.r / smooth.tau * (decode.weight @ fired)
            if step > 2000:
                seen.append(y[0])
        wanted = trained.ensembles["a"].tuning([value]) @ trained.theta["a->b.decoders"]
        assert abs(np.mean(seen) - wanted[0, 0]) < 0.03
        assert abs(np.mean(seen) - value**2) < 0.15


def test_nengo_decodes_the_same_from_the_file(trained, tmp_path):
    nengo = pytest.importorskip("nengo")
    nodes = through_a_file(trained, tmp_path).nodes
    encode, cells, decode, smooth = nodes["a.encode"], nodes["a"], nodes["a->b"], nodes["b.filter"]
    radius = float(encode.metadata["radius"])
    gain = radius * np.linalg.norm(encode.weight, axis=1)
    with nengo.Network(seed=0) as net:
        u = nengo.Node([0.5])
        kind = nengo.LIF(tau_rc=float(cells.tau[0]), tau_ref=0.0)
        a = nengo.Ensemble(
            len(gain), 1, encoders=np.sign(encode.weight), gain=gain, bias=encode.bias, radius=radius, neuron_type=kind
        )
        nengo.Connection(u, a, synapse=None)
        out = nengo.Node(size_in=1)
        nengo.Connection(a.neurons, out, transform=decode.weight, synapse=float(smooth.tau[0]))
        probe = nengo.Probe(out)
    with nengo.Simulator(net, dt=1e-4, progress_bar=False) as sim:
        sim.run(1.0)
    wanted = trained.ensembles["a"].tuning([0.5]) @ trained.theta["a->b.decoders"]
    assert abs(sim.data[probe][3000:].mean() - wanted[0, 0]) < 0.02


def test_refractory_periods_are_refused_by_name():
    with pytest.raises(ValueError, match=r"ensembles\['x'\]: its neurons have a refractory period of 0.002 s"):
        to_nir(integrator(10, rng=0))
