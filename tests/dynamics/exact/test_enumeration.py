"""Enumeration and transfer matrices against closed forms, tables and each other."""

import itertools
import math

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Readout, Real, Spin, System, enumerate_states, transfer_matrix
from physlearn.models import Ising, PottsModel
from physlearn.terms import Bias, Dense, Edges, Pairs

# 4 x 4 torus: energy and heat capacity per spin, mean |m|, Binder cumulant, log Z.
TORUS = {
    2.0: (-1.755380, 0.605533, 0.918943, 0.644811, 17.105367),
    2.269185314: (-1.565624, 0.783267, 0.843860, 0.617199, 15.521915),
    3.0: (-1.017070, 0.603135, 0.601291, 0.480541, 13.281033),
}


@pytest.mark.parametrize("temperature", TORUS)
def test_ising_torus(temperature):
    exact = enumerate_states(Ising.square(4), temperature=temperature)
    m = np.abs(exact.states().mean((1, 2)))
    moments = [exact.probability @ m**k for k in (1, 2, 4)]
    got = (exact.energy / 16, exact.heat_capacity / 16, moments[0], 1 - moments[2] / (3 * moments[1] ** 2), exact.log_z)
    np.testing.assert_allclose(got, TORUS[temperature], atol=1e-6)
    assert exact.mean(lambda x: np.abs(x["s"].mean((1, 2)))) == pytest.approx(moments[0], rel=1e-12)


@pytest.mark.parametrize(
    ("temperature", "energy", "fraction"),
    [(1 / math.log(1 + math.sqrt(3)), -1.742122, 0.914074), (1.0, -1.736258, 0.911944), (1.5, -1.208724, 0.706904)],
)
def test_potts_torus(temperature, energy, fraction):
    exact = enumerate_states(PottsModel.square(3, q=3), temperature=temperature)
    most = np.max([(exact.states() == k).mean((1, 2)) for k in range(3)], 0)
    assert exact.energy / 9 == pytest.approx(energy, abs=1e-6)
    assert exact.probability @ most == pytest.approx(fraction, abs=1e-6)
    np.testing.assert_allclose(exact.means["s"], 1 / 3, atol=1e-12)


def mixed(rng):
    """Spins, binary units and a field, coupled across and within."""
    return Energy(
        {"s": (Spin(), (2, 2)), "h": (Binary(), 3)},
        [Dense(("s", "h")), Pairs("s", [(0, 1), (2, 3)]), Bias("h")],
        {"W": rng.normal(size=(4, 3)), "J": rng.normal(size=2), "bias": rng.normal(size=3)},
        readouts={"some": Readout("s", [1, 2])},
    )


def test_several_layers_against_a_plain_loop(rng, tol):
    energy, temperature = mixed(rng), 0.7
    states = itertools.product(*[(-1.0, 1.0)] * 4, *[(0.0, 1.0)] * 3)
    x = np.array(list(states))
    s, h = x[:, :4], x[:, 4:]
    w, j, b = energy.theta["W"], energy.theta["J"], energy.theta["bias"]
    e = -np.einsum("ki,ij,kj->k", s, w, h) - s[:, 0] * s[:, 1] * j[0] - s[:, 2] * s[:, 3] * j[1] - h @ b
    p = np.exp(-e / temperature)
    exact = enumerate_states(energy, temperature=temperature)
    assert exact.log_z == pytest.approx(np.log(p.sum()), rel=tol.IDENTITY)
    p /= p.sum()
    np.testing.assert_allclose(exact.energies, e, atol=1e-12)
    np.testing.assert_allclose(exact.means["s"].ravel(), p @ s, atol=1e-12)
    np.testing.assert_allclose(exact.correlations("s", "h"), np.einsum("k,ki,kj->ij", p, s, h), atol=1e-12)
    assert exact.heat_capacity == pytest.approx((p @ e**2 - (p @ e) ** 2) / temperature**2, rel=1e-10)
    np.testing.assert_array_equal(exact.states([5])["h"], h[5:6])


def test_clamping_conditions(rng):
    energy = mixed(rng)
    whole = enumerate_states(energy, temperature=1.3)
    held = enumerate_states(energy, temperature=1.3, clamp={"some": [1.0, -1.0]})
    s = whole.states()["s"].reshape(-1, 4)
    here = (s[:, 1] == 1) & (s[:, 2] == -1)
    np.testing.assert_allclose(held.probability, whole.probability[here] / whole.probability[here].sum(), atol=1e-13)
    assert held.means["s"][0, 1] == 1 and held.means["s"][1, 0] == -1


def test_potts_pair_probabilities():
    exact = enumerate_states(PottsModel.from_pairs([(0, 1)], 0.8, q=4), temperature=1.0)
    z = 4 * math.exp(0.8) + 12
    np.testing.assert_allclose(exact.correlations("s", "s")[:4, 4:], np.where(np.eye(4), math.exp(0.8), 1) / z)


def test_potts_of_two_codes_is_ising_with_half_the_coupling(tol):
    ising = enumerate_states(Ising.triangular(3, 0.5), temperature=1.1)
    potts = enumerate_states(PottsModel.triangular(3, q=2), temperature=1.1)
    assert potts.energy == pytest.approx(ising.energy - 27 / 2, rel=tol.IDENTITY)
    assert potts.heat_capacity == pytest.approx(ising.heat_capacity, rel=1e-11)


def test_transfer_matrix_equals_enumeration(tol):
    for model, strip in [
        (Ising.square(4, field=0.3), transfer_matrix(4, 4, temperature=1.7, field=0.3)),
        (Ising.square((5, 3), periodic=(True, False)), transfer_matrix(3, 5, temperature=1.7, periodic=False)),
        (Ising.square((3, 4), -1.0), transfer_matrix(4, 3, temperature=1.7, coupling=-1.0)),
        (Ising.square((3, 4), np.repeat([0.4, 1.5], 12)), transfer_matrix(4, 3, temperature=1.7, coupling=(1.5, 0.4))),
    ]:
        exact = enumerate_states(model, temperature=1.7)
        n = exact.means["s"].size
        assert strip.log_z == pytest.approx(exact.log_z / n, rel=tol.IDENTITY)
        assert strip.energy == pytest.approx(exact.energy / n, rel=1e-11)
        assert strip.free_energy == pytest.approx(-1.7 * exact.log_z / n, rel=tol.IDENTITY)


@pytest.mark.parametrize("temperature", [0.2, 0.05, 0.02])
@pytest.mark.parametrize(("shape", "field"), [((3, 3), 0.0), ((3, 5), 0.3)])
def test_transfer_matrices_of_frustrated_tori_in_the_cold(shape, field, temperature, tol):
    """Antiferromagnets of odd extents: the eigenvalues of their transfer matrix cancel."""
    exact = enumerate_states(Ising.square(shape, -1.0, field=field), temperature=temperature)
    strip = transfer_matrix(*shape[::-1], temperature=temperature, coupling=-1.0, field=field)
    assert strip.log_z == pytest.approx(exact.log_z / np.prod(shape), rel=tol.IDENTITY)
    assert strip.energy == pytest.approx(exact.energy / np.prod(shape), rel=tol.IDENTITY)


def test_transfer_matrix_tables():
    assert transfer_matrix(8, 8, temperature=2 / math.log(1 + math.sqrt(2))).energy == pytest.approx(
        -1.491589, abs=1e-6
    )
    assert transfer_matrix(8, 8, temperature=2.0).energy == pytest.approx(-1.745683, abs=1e-6)
    assert transfer_matrix(1, temperature=2.0, periodic=False).energy == pytest.approx(-math.tanh(0.5), rel=1e-12)
    assert transfer_matrix(14, temperature=3.0).energy == pytest.approx(-0.817310, abs=1e-3)  # Onsager, endless


@pytest.mark.slow
def test_24_variables():
    ring = Ising.from_pairs([(k, (k + 1) % 24) for k in range(24)])
    exact = enumerate_states(ring, temperature=2.0)
    t = math.tanh(0.5)
    assert exact.log_z == pytest.approx(24 * math.log(2 * math.cosh(0.5)) + math.log1p(t**24), rel=1e-12)
    assert exact.correlations("s", "s")[0, 5] == pytest.approx((t**5 + t**19) / (1 + t**24), rel=1e-9)


def test_bad_input():
    big = Ising.square(5)
    with pytest.raises(ValueError, match="33554432 states, at most 16777216"):
        enumerate_states(big, temperature=1.0)
    with pytest.raises(ValueError, match="3486784401 states"):
        enumerate_states(PottsModel.square((4, 5), q=3), temperature=1.0)
    assert enumerate_states(big, temperature=1.0, clamp={"s": np.ones(25)}).energy == -50
    for temperature in (0.0, -1.0, np.nan, np.inf, [1.0, 2.0]):
        with pytest.raises(ValueError, match="temperature"):
            enumerate_states(Ising.square(2), temperature=temperature)
    wires = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1.0]})
    with pytest.raises(ValueError, match="no states to count"):
        enumerate_states(wires, temperature=1.0)
    with pytest.raises(TypeError, match="expected an Energy"):
        enumerate_states(System({"s": (Spin(), 2)}, [], {}), temperature=1.0)
    with pytest.raises(ValueError, match="batch of 2"):
        enumerate_states(Ising.square(2), temperature=1.0, clamp={"s": np.ones((2, 4))})
    with pytest.raises(ValueError, match="no readout"):
        enumerate_states(Ising.square(2), temperature=1.0, clamp={"t": [1.0]})
    for arguments, match in [
        ({"width": 21}, "width"),
        ({"width": 12, "length": 4}, "from 1 to 11"),
        ({"width": 4, "length": 1}, "length: got 1, expected an integer of at least 2"),
        ({"width": 3, "length": 3, "coupling": -1.0, "temperature": 1e-3}, "so low that weights"),
        ({"width": 4, "temperature": 0.0}, "temperature"),
    ]:
        with pytest.raises(ValueError, match=match):
            transfer_matrix(**{"temperature": 1.0, **arguments})


def test_states_of_the_kinds():
    energy = Energy({"s": (Spin(), 1), "b": (Binary(), 1), "p": (Potts(3), 1)}, [Bias("s")], {"bias": [0.0]})
    exact = enumerate_states(energy, temperature=1.0)
    x = exact.states()
    assert exact.log_z == pytest.approx(math.log(12)) and x["p"].dtype == np.int64
    assert [tuple(float(x[k][n, 0]) for k in "sbp") for n in (0, 1, 11)] == [(-1, 0, 0), (-1, 0, 1), (1, 1, 2)]
