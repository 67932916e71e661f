import numpy as np
import pytest

from circuits import amplifier_network, amplifier_outputs
from physlearn.models import Hopfield, random_patterns


def test_power_is_twice_the_energy_plus_a_constant_and_currents_are_fields(rng, tol):
    memory = Hopfield.store(random_patterns(3, 12, rng=1))
    network, constant = amplifier_network(memory.couplings), np.abs(memory.couplings).sum()
    assert np.all(network.energy.theta["conductance"] > 0)
    s = np.sign(rng.standard_normal((20, 12)))
    solved = network.solve({"outputs": amplifier_outputs(s)})
    assert np.allclose(solved.energy, 2 * memory.energy(s) + constant, rtol=tol.IDENTITY)
    # current into every + wire: field - s_i sum_j |W_ij|
    drops = np.array(
        [[1.0 if k == a else -1.0 if k == b else 0.0 for k in network.nodes] for a, b, *_ in network.edges]
    )
    currents = -(solved.x @ drops.T * network.energy.theta["conductance"]) @ drops
    fields = memory.field(s) - s * np.abs(memory.couplings).sum(1)
    assert np.allclose(currents[:, ::2], fields, atol=1e-12) and np.allclose(currents[:, 1::2], -fields, atol=1e-12)


def test_what_resistors_cannot_do_is_refused():
    with pytest.raises(ValueError, match="not symmetric"):
        amplifier_network([[0.0, 1.0], [0.5, 0.0]])


def test_couplings_symmetric_to_rounding_make_a_network():
    w = Hopfield.store(random_patterns(5, 8, rng=1), "storkey").couplings.copy()
    w[0, 1] = np.nextafter(w[1, 0], np.inf)
    assert len(amplifier_network(w).nodes) == 16
