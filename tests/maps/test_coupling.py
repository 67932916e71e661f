"""Affine couplings: both directions, determinants and pullbacks, alone and in chains."""

import numpy as np
import pytest

from physlearn import check_map
from physlearn.maps import Affine, AffineCoupling, Chain, Relu, Tanh


def net(k, out):
    return Chain(Affine(5, f"V{k}", f"c{k}"), Tanh(), Affine(out, f"W{k}", f"b{k}"))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("shape", "kept"), [((2,), [0]), ((5,), [1, 2, 4]), ((2, 3), [0, 2, 4])])
def test_audit_in_both_directions(reverse, shape, kept):
    moved = int(np.prod(shape)) - len(kept)
    coupling = AffineCoupling(kept, net(1, 2 * moved), reverse=reverse)
    report = check_map(coupling, [shape])
    assert {"logdet", "inverse", "with_logdet", "pull_both, parent 0"} <= {check.form for check in report.checks}


def test_chain_of_couplings(rng, tol):
    chain = Chain(
        AffineCoupling([0, 1], net(1, 4)), AffineCoupling([2, 3], net(2, 4)), AffineCoupling([0, 3], net(3, 4))
    )
    report = check_map(chain, [(4,)])
    assert "pull_both, parent 0" in {check.form for check in report.checks}
    theta, x = chain.start([(4,)], rng), rng.standard_normal((6, 4))
    y, logdet, _ = chain.with_logdet((x,), theta)
    back, undone, _ = chain.reversed().with_logdet((y,), theta)
    assert np.max(np.abs(back - x)) < 100 * tol.IDENTITY and np.max(np.abs(logdet + undone)) < 100 * tol.IDENTITY
    assert np.array_equal(chain.inverse(y, theta)[0], back)


def test_a_chain_with_a_map_without_a_determinant_has_none():
    assert not hasattr(Chain(AffineCoupling([0], net(1, 2)), Tanh()), "with_logdet")


def test_wrong_couplings_are_refused_by_name():
    for kept, made, shape, words in (
        ([], net(1, 2), (2,), "kept"),
        ([0, 1], net(1, 2), (2,), "kept: got all"),
        ([3], net(1, 2), (2,), "kept: got entry 3"),
        ([0], net(1, 3), (2,), "net: gives the shape"),
        ([0], net(1, 2), (1,), "at least 2"),
    ):
        with pytest.raises(ValueError, match=words):
            AffineCoupling(kept, made).shape([shape])
    with pytest.raises(TypeError, match="net"):
        AffineCoupling([0], Relu)
