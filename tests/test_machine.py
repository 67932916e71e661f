"""Every machine has the protocol of `Machine`: verbs take it as they take its system, and training gives it back."""

import networkx as nx
import numpy as np
import pytest

import circuits.neurons as cn
from circuits import ResistorNetwork, amplifier_network, square_lattice
from physlearn import (
    SGD,
    BoltzmannLearning,
    ContrastiveDivergence,
    CoupledLearning,
    DenoisingScoreMatching,
    EquilibriumPropagation,
    Machine,
    SquaredError,
    System,
    anneal,
    annealed_importance,
    check_energy,
    check_gradient,
    energy_terms,
    enumerate_states,
    greedy,
    integrate,
    kinetics,
    ladder,
    learn,
    load,
    population_annealing,
    relax,
    sample,
    save,
    tempering,
)
from physlearn.lagrangians import Identity, Softmax
from physlearn.models import (
    RBM,
    Assembly,
    BoltzmannMachine,
    ContinuousHopfield,
    DeepBelief,
    DenseMemory,
    EnergyTransformer,
    Hopfield,
    Ising,
    ModernHopfield,
    PottsModel,
    SpinGlass,
    energy_plane,
    layered_memory,
    random_patterns,
)
from physlearn.terms.lattice import Lattice


def patterns():
    return random_patterns(3, 12, rng=0)


def block():
    rng = np.random.default_rng(0)
    key, query, stored = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4)), rng.normal(size=(5, 4))
    return EnergyTransformer(key, query, stored, tokens=3)


def one_way():
    w = np.random.default_rng(0).normal(size=(6, 6))
    np.fill_diagonal(w, 0.0)
    return w


def spiking(**rule):
    cells = cn.LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    receptors = {"exc": cn.Exponential(5e-3), "inh": cn.Exponential(10e-3)}
    populations = {
        "E": cn.Population(cells, 40, receptors=receptors),
        "I": cn.Population(cells, 10, receptors=receptors),
    }
    weights = np.where(np.random.default_rng(0).random((40, 10)) < 0.2, 2e-4, 0.0)
    projections = [
        cn.Projection("E", "E", cn.connect.fixed_probability(0.1), weight=lambda s, t, g: g.uniform(0, 2e-4, len(s)),
                      receptor="exc", delay=1e-3, **rule),
        cn.Projection("E", "I", cn.connect.from_matrix(weights), receptor="exc"),
        cn.Projection("I", "E", cn.connect.fixed_indegree(3, repeated=True), weight=-9e-4, receptor="inh"),
    ]  # fmt: skip
    return cn.SpikingNetwork(populations, projections, [cn.Constant("E", 3e-3), cn.Constant("I", 3e-3)], seed=1)


MACHINES = {
    "Ising": lambda: Ising.square(3, field=0.1),
    "SpinGlass": lambda: SpinGlass.edwards_anderson((3, 3), rng=0),
    "PottsModel": lambda: PottsModel.square(3, q=3),
    "BoltzmannMachine": lambda: BoltzmannMachine(4, 2, rng=0),
    "RBM": lambda: RBM(4, 3, rng=0),
    "RBM of Gaussian units": lambda: RBM(4, 3, "gaussian", rng=0),
    "DeepBelief": lambda: DeepBelief([RBM(4, 3, rng=0), RBM(3, 2, rng=1)]),
    "Hopfield": lambda: Hopfield.store(patterns()),
    "Hopfield of 0 and 1": lambda: Hopfield.store((patterns() + 1) / 2, "covariance"),
    "Hopfield, one-way": lambda: Hopfield(one_way()),
    "DenseMemory": lambda: DenseMemory(patterns(), 3),
    "DenseMemory, exponential": lambda: DenseMemory(patterns(), None, beta=0.5),
    "ModernHopfield": lambda: ModernHopfield(patterns(), beta=2.0),
    "ContinuousHopfield": lambda: ContinuousHopfield.store(patterns(), gain=3.0),
    "ContinuousHopfield, one-way": lambda: ContinuousHopfield(one_way(), gain=0.5),
    "EnergyTransformer": block,
    "layered_memory": lambda: layered_memory([Identity(), Softmax(beta=4.0)], [np.eye(3)]),
    "Assembly": lambda: Assembly(2, [[0.0, -1.0], [-1.0, 0.0]], 3.0, Lattice((3, 3))),
    "Assembly, directed": lambda: Assembly(
        2, 0.0 - np.ones((2, 2, 2)) * [[[0, 1], [0, 0]]], [3.0, 2.0], Lattice((3, 3))
    ),
    "Assembly, driven": lambda: Assembly(2, -np.ones((4, 2, 2)), 3.0, Lattice((3, 3)), reciprocal=False),
    "ResistorNetwork": lambda: ResistorNetwork(square_lattice(3), conductance=2.0, ground=0, inputs=[4], outputs=[8]),
    "amplifier_network": lambda: amplifier_network(Hopfield.store(patterns()).couplings),
}


def moved(theta, rng):
    return {name: value * (1 + 0.1 * rng.random()) for name, value in theta.items()}


@pytest.mark.parametrize("name", MACHINES)
def test_machines_have_the_protocol(name, rng):
    machine = MACHINES[name]()
    assert isinstance(machine, Machine) and isinstance(machine.system, System)
    assert dict(machine.theta).keys() == machine.system.theta.keys()
    for key, value in machine.theta.items():
        assert value.tobytes() == machine.system.theta[key].tobytes()
        with pytest.raises(ValueError):
            value[...] = 0.0
    same, other = machine.with_theta(machine.theta), machine.with_theta(theta := moved(machine.theta, rng))
    assert type(same) is type(other) is type(machine)
    assert repr(same) == repr(machine)
    x = machine.system.random_state(2, 0)
    for layer in machine.system.layers:
        assert same.system.field(x, layer).tobytes() == machine.system.field(x, layer).tobytes()
    for key, value in theta.items():
        np.testing.assert_allclose(other.theta[key], value, rtol=1e-15)
        np.testing.assert_array_equal(machine.theta[key], same.theta[key])
    one = next(iter(theta))
    np.testing.assert_allclose(machine.with_theta({one: theta[one]}).theta[one], theta[one], rtol=1e-15)
    with pytest.raises(ValueError, match="theta: there is no parameter 'nothing', expected one of"):
        machine.with_theta({"nothing": 1.0})
    with pytest.raises(ValueError, match=rf"theta\['{one}'\]: shape"):
        machine.with_theta({one: np.zeros((2, 3, 5, 7))})
    with pytest.raises(ValueError, match=one):
        machine.with_theta({one: np.full(theta[one].shape, np.nan)})


def verbs():
    hopfield, assembly = MACHINES["Hopfield"](), MACHINES["Assembly"]()
    heat = dict(temperature=1.0, rng=0, progress=False)
    return {
        "relax": (hopfield, lambda m: relax(m, patterns()).x),
        "sample": (hopfield, lambda m: sample(m, n_samples=3, **heat).x),
        "anneal": (hopfield, lambda m: anneal(m, reads=2, sweeps=5, rng=0).x),
        "greedy": (hopfield, lambda m: greedy(m, reads=2, rng=0).x),
        "tempering": (hopfield, lambda m: tempering(m, temperatures=ladder(0.5, 1.0, 2), n_samples=4, rng=0).x),
        "population_annealing": (
            hopfield, lambda m: population_annealing(m, temperatures=[2.0, 1.5, 1.0], population=40, rng=0).log_z,
        ),
        "annealed_importance": (hopfield, lambda m: annealed_importance(m, temperature=1.0, steps=5, chains=4, rng=0)),
        "enumerate_states": (hopfield, lambda m: enumerate_states(m, temperature=1.0).log_z),
        "check_energy": (hopfield, lambda m: str(check_energy(m))),
        "energy_terms": (hopfield, lambda m: energy_terms(m, patterns())["0 Dense"]),
        "integrate": (MACHINES["ContinuousHopfield"](), lambda m: integrate(m, (0.0, 1.0), x0=patterns()[0]).x),
        "energy_plane": (
            MACHINES["ModernHopfield"](), lambda m: energy_plane(m, np.eye(12)[:3], resolution=4).energy,
        ),
        "kinetics": (assembly, lambda m: kinetics(m, temperature=1.0, events=20, rng=0).x),
    }  # fmt: skip


@pytest.mark.parametrize("verb", verbs())
def test_verbs_take_a_machine_as_they_take_its_system(verb):
    machine, call = verbs()[verb]
    by_machine, by_system = (np.asarray(call(given)) for given in (machine, machine.system))
    assert by_machine.tobytes() == by_system.tobytes()


LEARNT = {
    "RBM": ({"v": [[0, 1, 1, 0], [1, 0, 0, 1]]}, ContrastiveDivergence(), None),
    "RBM of Gaussian units": ({"v": [[0.0, 1, 1, 0], [1, 0, 0.5, 1]]}, ContrastiveDivergence(), None),
    "BoltzmannMachine": ({"v": [[0, 1, 1, 0], [1, 0, 0, 1]]}, BoltzmannLearning(), None),
    "Hopfield": ({"s": patterns()}, BoltzmannLearning(exact=False, warmup=2, draws=1, chains=5), None),
    "DenseMemory": ({"s": patterns()}, ContrastiveDivergence(), None),
    "ModernHopfield": ({"x": patterns()}, DenoisingScoreMatching(0.5), None),
    "SpinGlass": ({"s": np.ones((2, 9))}, BoltzmannLearning(), None),
    "ResistorNetwork": ({"input": [[1.0], [2.0]], "output": [[0.1], [0.2]]}, CoupledLearning(), SquaredError("output")),
    "Assembly": ({"s": [[1, 2, 0, 0, 0, 0, 0, 0, 0]]}, ContrastiveDivergence(), None),
}


@pytest.mark.parametrize("name", LEARNT)
def test_training_gives_back_the_trained_machine(name, tmp_path):
    machine, (data, rule, cost) = MACHINES[name](), LEARNT[name]
    before = {key: value.copy() for key, value in machine.theta.items()}
    task = dict(rule=rule, cost=cost, optimizer=SGD(0.02))
    half = learn(machine, data, **task, epochs=2, rng=0, progress=False)
    plain = learn(machine.system, data, **task, epochs=2, rng=0, progress=False)
    assert type(half.machine) is type(machine) and plain.machine is plain.system
    assert half.machine is half.machine
    for key, value in half.theta.items():
        assert value.tobytes() == plain.theta[key].tobytes()
        np.testing.assert_allclose(half.machine.theta[key], value, rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(machine.theta[key], before[key])
    assert any(np.any(half.theta[key] != before[key]) for key in before)
    again = load(save(tmp_path / "half", half), machine)
    assert type(again.machine) is type(machine)
    on = [learn(machine, data, **task, epochs=1, resume=r, progress=False) for r in (half, again)]
    for key in before:
        assert on[0].machine.theta[key].tobytes() == on[1].machine.theta[key].tobytes()


def test_check_gradient_takes_a_machine():
    network = MACHINES["ResistorNetwork"]()
    data, cost = {"input": [[1.0]], "output": [[0.1]]}, SquaredError("output")
    rule = EquilibriumPropagation()
    one, other = (check_gradient(m, data, rule, [0.1], cost=cost).error for m in (network, network.system))
    assert one.tobytes() == other.tobytes()


def test_learnt_bonds_of_an_assembly_keep_their_places():
    soup = Assembly(2, [[-2.0, -1.0], [-1.0, 0.0]], 3.0, Lattice((3, 3)))
    gone = soup.with_theta({"bonds": [0.0, -3.0]})
    assert gone.J.tolist() == [[0.0, -3.0], [-3.0, 0.0]]
    assert gone.theta["bonds"].tolist() == [0.0, -3.0]
    assert gone.with_theta({"bonds": [-1.0, -1.0]}).J.tolist() == [[-1.0, -1.0], [-1.0, 0.0]]


def test_learnt_patterns_need_not_be_signs():
    memory = DenseMemory(patterns())
    learnt = memory.with_theta({"patterns": 0.9 * patterns()})
    assert np.array_equal(relax(learnt, patterns()[0]).x, patterns()[0])
    for ask in (lambda: learnt.recall(patterns()[0]), lambda: learnt.classify(np.ones(10), 2)):
        with pytest.raises(ValueError, match="patterns: some learnt ones are not -1 or \\+1"):
            ask()


def test_resistors_learn_positive_conductances_only():
    network = ResistorNetwork(nx.path_graph(3), conductance=1.0, ground=2, inputs=[0])
    assert network.with_theta({"conductance": [1.0, 4.0]}).solve({"input": [1.0]}).x[1] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="conductance"):
        network.with_theta({"conductance": [1.0, -1.0]})


def same_spikes(one, other):
    for name, spikes in one.spikes.items():
        assert spikes.times.tobytes() == other.spikes[name].times.tobytes()
        assert np.array_equal(spikes.ids, other.spikes[name].ids)


def test_a_spiking_network_of_its_own_theta_spikes_the_same():
    network = spiking()
    assert isinstance(network, Machine) and network.system is network
    again = network.with_theta(network.theta)
    runs = [integrate(n, (0.0, 0.2), dt=1e-4) for n in (network, again, network.with_theta({}))]
    assert len(runs[0].spikes["E"]) > 100 and len(runs[0].spikes["I"]) > 20
    same_spikes(runs[0], runs[1])
    same_spikes(runs[0], runs[2])
    for name, weights in network.theta.items():
        assert again.theta[name].tobytes() == weights.tobytes()
        for one, other in zip(network.synapses(name), again.synapses(name), strict=True):
            assert np.array_equal(one, other)
    other = network.with_theta({"E->E": 3.0 * network.theta["E->E"]})
    assert other.theta["E->I"].tobytes() == network.theta["E->I"].tobytes()
    assert not np.array_equal(integrate(other, (0.0, 0.2), dt=1e-4).spikes["E"].ids, runs[0].spikes["E"].ids)


def test_learnt_weights_carry_over():
    network = spiking(plasticity=cn.STDP(tau_plus=20e-3, tau_minus=20e-3, a_plus=2e-5, a_minus=1e-5, w_max=3e-4))
    run = integrate(network, (0.0, 0.2), dt=1e-4)
    learnt = network.with_theta(run.weights)
    assert np.any(learnt.theta["E->E"] != network.theta["E->E"])
    assert learnt.theta["E->E"].tobytes() == run.weights["E->E"].tobytes()
    frozen = integrate(learnt, (0.0, 0.1), dt=1e-4)  # and learning goes on from there
    assert np.any(frozen.weights["E->E"] != run.weights["E->E"])


@pytest.mark.parametrize(
    ("theta", "said"),
    [
        ({"E->X": [1.0]}, "there is no parameter 'E->X', expected one of"),
        ({"I->E": np.zeros(3)}, r"theta\['I->E'\]: shape \(3,\), expected \(120,\)"),
        ({"I->E": np.full(120, np.nan)}, "I->E"),
        ([1.0], "theta: got a list"),
    ],
)
def test_wrong_weights_are_refused(theta, said):
    with pytest.raises((TypeError, ValueError), match=said):
        spiking().with_theta(theta)


def test_what_is_no_machine_is_refused_by_name():
    network = spiking()
    for call in (lambda: relax(network), lambda: sample(network, temperature=1.0, n_samples=1)):
        with pytest.raises(TypeError, match="a SpikingNetwork has no sum of fields.*integrate"):
            call()
    with pytest.raises(TypeError, match="system: got the class RBM, expected a machine made by it"):
        relax(RBM)
    for wrong in (None, 3, "RBM", object(), {"s": 1}):
        with pytest.raises(TypeError, match="system: got a .*, expected a machine, an Energy or a System"):
            relax(wrong)
    with pytest.raises(TypeError, match="energy: a System has no energy"):
        sample(MACHINES["Hopfield, one-way"](), temperature=1.0, n_samples=1)
    with pytest.raises(TypeError, match="energy: a System has no energy"):
        anneal(MACHINES["Assembly, driven"](), reads=2, sweeps=3)
