"""inflow: what `numpy.add.at` adds up, item by item, whatever the batch."""

import numpy as np
import pytest

from physlearn.terms import Edges, inflow


def added(flow, pairs, nodes):
    out = np.zeros((*np.shape(flow)[:-1], nodes), np.result_type(flow, float))
    np.add.at(out.T, pairs[:, 0], -np.asarray(flow).T)
    np.add.at(out.T, pairs[:, 1], np.asarray(flow).T)
    return out


@pytest.mark.parametrize("shape", [(), (1,), (7,)])
@pytest.mark.parametrize("kind", [float, complex, np.float32, int])
def test_it_adds_as_numpy_does(shape, kind, rng, tol):
    pairs = rng.integers(0, 9, (40, 2))  # parallel edges, and some from a node to itself
    flow = (10 * rng.normal(size=(*shape, 40))).astype(np.float64)
    flow = flow + 1j * rng.normal(size=flow.shape) if kind is complex else flow.astype(kind)
    found = inflow(flow, pairs, 11)
    assert found.shape == (*shape, 11) and found.dtype == (np.complex128 if kind is complex else np.float64)
    np.testing.assert_allclose(found, added(flow.astype(found.dtype), pairs, 11), rtol=tol.IDENTITY, atol=1e-12)
    assert np.all(found[..., 9:] == 0)
    np.testing.assert_allclose(found.sum(-1), 0, atol=1e-12)  # what leaves one end arrives at the other


def test_an_item_does_not_depend_on_its_batch(rng):
    pairs, flow = rng.integers(0, 5, (30, 2)), rng.normal(size=(6, 30))
    whole = inflow(flow, pairs, 5)
    for row, alone in zip(flow, whole, strict=True):
        assert inflow(row, pairs, 5).tobytes() == alone.tobytes()
    assert inflow(np.asfortranarray(flow), np.asfortranarray(pairs), 5).tobytes() == whole.tobytes()


def test_it_is_the_field_of_edges(rng, tol):
    pairs = np.array([(i, (i + 1) % 8) for i in range(8)])
    edges, x, theta = Edges("v", pairs), {"v": rng.normal(size=(3, 8))}, {"conductance": rng.uniform(1, 2, 8)}
    flow = theta["conductance"] * edges.drops(x["v"])
    np.testing.assert_allclose(inflow(flow, pairs, 8), edges.field(x, theta, "v"), rtol=tol.IDENTITY, atol=1e-14)


def test_no_edges_and_no_nodes():
    assert inflow([], np.zeros((0, 2), int), 3).tolist() == [0.0, 0.0, 0.0]
    assert inflow(np.zeros((2, 0)), [], 0).shape == (2, 0)


@pytest.mark.parametrize(
    ("flow", "pairs", "nodes", "said"),
    [
        ([1.0], [(0, 3)], 3, r"pairs: ends from 0 to 3, expected 0..2, the 3 nodes"),
        ([1.0], [(-1, 0)], 3, r"pairs: ends from -1 to 0"),
        ([1.0, 2.0], [(0, 1)], 3, r"flow, pairs: shapes \(2,\) and \(1, 2\)"),
        (np.ones((1, 1, 1)), [(0, 1)], 3, "flow, pairs: shapes"),
        ([1.0], [0, 1], 3, r"pairs: shape \(2,\), expected \(m, 2\)"),
        ([1.0], [(0.5, 1)], 3, "pairs"),
        ([1.0], [(0, 1)], -3, "nodes"),
        (["a"], [(0, 1)], 3, "flow"),
    ],
)
def test_what_does_not_fit_is_refused(flow, pairs, nodes, said):
    with pytest.raises((TypeError, ValueError), match=said):
        inflow(flow, pairs, nodes)
