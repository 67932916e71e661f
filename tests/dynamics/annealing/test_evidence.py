"""Evidences, bounds and modes of posteriors, against closed forms and quadrature."""

import warnings

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.stats import multivariate_normal

from physlearn import (
    ConvergenceError,
    Energy,
    Readout,
    Real,
    Spin,
    annealed_importance,
    bayes_factor,
    relax,
    sample,
    variational,
)
from physlearn.models import GaussianMixture
from physlearn.terms import Bias, Compiled, Edges, Mixture, Parabola

EFFECT, ERROR = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0])
LINE = np.linspace(-1.0, 1.0, 12)
Y = 0.4 - 1.1 * LINE + 0.3 * np.random.default_rng(3).standard_normal(12)


def polynomial(x, ints, floats, f):
    """-log posterior of the coefficients of a polynomial, unit normal priors, errors of 0.3, all constants."""
    k, n = x.size, ints[0]
    energy = 0.5 * k * np.log(2.0 * np.pi) + n * (0.5 * np.log(2.0 * np.pi) + np.log(0.3))
    for i in range(k):
        f[i] = -x[i]
        energy += 0.5 * x[i] * x[i]
    for j in range(n):
        value, power = 0.0, 1.0
        for i in range(k):
            value += x[i] * power
            power *= floats[j]
        r, power = (floats[n + j] - value) / 0.09, 1.0
        energy += 0.045 * r * r
        for i in range(k):
            f[i] += r * power
            power *= floats[j]
    return energy


def regression(degree):
    energy = Energy({"x": (Real(), degree + 1)}, [Compiled("x", polynomial, ints=[12], floats=[*LINE, *Y])], {})
    design = LINE[:, None] ** np.arange(degree + 1)
    evidence = multivariate_normal(np.zeros(12), 0.09 * np.eye(12) + design @ design.T).logpdf(Y)
    precision = np.eye(degree + 1) + design.T @ design / 0.09
    return energy, evidence, precision


def schools(x, ints, floats, f):
    mu, tau = x[0], np.exp(x[1])
    energy = mu * mu / 50.0 - x[1] + np.log1p(tau * tau / 25.0)
    f[0] = -mu / 25.0
    f[1] = 1.0 - 2.0 * tau * tau / (25.0 + tau * tau)
    for i in range(8):
        z, error = x[2 + i], floats[8 + i]
        r = (floats[i] - mu - tau * z) / error
        energy += 0.5 * z * z + 0.5 * r * r
        f[0] += r / error
        f[1] += r / error * tau * z
        f[2 + i] = r / error * tau - z
    return energy


EIGHT = Energy({"x": (Real(), 10)}, [Compiled("x", schools, floats=[*EFFECT, *ERROR])], {})


def schools_log_z():
    """The effects integrated out: y_j ~ N(mu, s_j^2 + tau^2)."""

    def density(mu, s):
        v = ERROR**2 + np.exp(2 * s)
        lost = np.sum(0.5 * np.log(2 * np.pi * ERROR**2 / v)) + 30.0
        return np.exp(
            lost - 0.5 * np.sum((EFFECT - mu) ** 2 / v) - mu**2 / 50 + s - np.log1p(np.exp(2 * s) / 25) - 30.0
        )

    return np.log(dblquad(density, -8, 7, -25, 30, epsabs=1e-12, epsrel=1e-6)[0])


@pytest.mark.parametrize("degree", [1, 3])
def test_the_bound_is_the_evidence_of_a_gaussian(degree):
    """Full covariance: equal. Mean field: less by half of sum log P_ii - log det P, with variances 1/P_ii."""
    energy, evidence, p = regression(degree)
    full = variational(energy, temperature=1.0, rng=0)
    assert full.converged and full.elbo == pytest.approx(evidence, abs=1e-9) and full.error < 1e-9
    assert np.allclose(full.covariance, np.linalg.inv(p), rtol=1e-5)
    field = variational(energy, temperature=1.0, covariance="diagonal", rng=0)
    lost = 0.5 * (np.sum(np.log(np.diag(p))) - np.linalg.slogdet(p)[1])
    assert abs(field.elbo - (evidence - lost)) < 4 * field.error + 1e-9
    assert np.allclose(field.covariance, np.diag(1 / np.diag(p)), rtol=1e-5)
    assert np.allclose(field.mean, full.mean, atol=1e-5)
    assert np.allclose(relax(energy).x, full.mean, atol=1e-5)  # the most probable state is the mean here


def test_annealed_importance_finds_evidences_and_their_ratio(tol):
    """Bayes factors of polynomials of degree 1 and 3, in closed form; a start that is not the posterior."""
    found, exact = [], []
    for degree in (1, 3):
        energy, evidence, _ = regression(degree)
        start = GaussianMixture(np.zeros((1, degree + 1)), 1.0)
        wide = annealed_importance(energy, temperature=1.0, steps=150, chains=60, start=start, rng=degree)
        assert abs(wide.value - evidence) < tol.STATISTICAL * wide.error and 0.005 < wide.error < 0.3
        near = annealed_importance(energy, temperature=1.0, steps=5, chains=20, rng=degree)
        assert near.value == pytest.approx(evidence, abs=1e-5)  # the start is the posterior itself
        found.append(wide)
        exact.append(evidence)
    factor = bayes_factor(*found)
    assert abs(factor.value - (exact[0] - exact[1])) < tol.STATISTICAL * factor.error
    assert factor.error == pytest.approx(np.hypot(found[0].error, found[1].error))


def test_eight_schools(tol):
    """Not Gaussian: the bound is below the evidence, the annealed estimate agrees with it, whatever the steps."""
    exact = schools_log_z()
    bound = variational(EIGHT, temperature=1.0, rng=1)
    assert bound.converged and bound.elbo < exact < bound.elbo + 0.5
    field = variational(EIGHT, temperature=1.0, covariance="diagonal", rng=1)
    assert field.elbo - 4 * field.error < bound.elbo + 4 * bound.error
    for steps in (10, 100):
        found = annealed_importance(EIGHT, temperature=1.0, steps=steps, chains=200, start=bound, rng=steps)
        assert abs(found.value - exact) < tol.STATISTICAL * found.error and found.error < 0.1


def test_the_bound_holds_for_two_wells(rng):
    """A mixture of two far Gaussians, of ln Z = 0: a Gaussian holds one of them, and loses ln 2."""
    theta = {"logits": np.zeros(2), "means": [[-6.0, 0.0], [6.0, 0.0]], "precisions": np.ones(2)}
    wells = Energy({"x": (Real(), 2)}, [Mixture("x")], theta)
    found = variational(wells, temperature=1.0, x0=[5.0, 0.0], rng=0)
    assert found.elbo == pytest.approx(-np.log(2), abs=1e-3) and np.allclose(found.mean, [6, 0], atol=1e-3)
    x = found.sample(4000, rng=2)
    assert np.allclose(np.cov(x.T), found.covariance, atol=0.1)
    assert np.allclose(found.log_density(x), multivariate_normal(found.mean, found.covariance).logpdf(x))


def test_cold_posteriors_go_to_the_most_probable_state():
    """Maximum a posteriori is `relax`: the variational mean and the draws go there as T falls."""
    best = relax(EIGHT, x0=np.ones(10) * 0.1).x
    cold = variational(EIGHT, temperature=1e-6, x0=best, rng=0)
    assert np.allclose(cold.mean, best, atol=1e-3)
    x = sample(EIGHT, temperature=1e-4, n_samples=200, x0=best, method="hmc", rng=0).x
    assert np.allclose(x.mean((0, 1)), best, atol=0.02) and np.all(EIGHT(x.reshape(-1, 10)) >= EIGHT(best))


def test_clamps_leave_a_conditional_law():
    theta = {"conductance": [1.0, 2.0], "stiffness": [0.5, 0.5, 0.5]}
    readouts = {"end": Readout("x", [0])}
    chain = Energy({"x": (Real(), 3)}, [Edges("x", [(0, 1), (1, 2)]), Parabola("x")], theta, readouts)
    found = variational(chain, temperature=0.5, clamp={"end": [2.0]}, rng=0)
    a = np.array([[3.5, -2.0], [-2.0, 2.5]])
    assert np.allclose(found.covariance, 0.5 * np.linalg.inv(a)) and found.mean[0] == 2.0
    assert np.allclose(found.mean[1:], np.linalg.solve(a, [2.0, 0.0])) and np.all(found.sample(5, 0)[:, 0] == 2.0)
    least = chain(found.mean)
    exact = -least / 0.5 + 0.5 * np.log((2 * np.pi) ** 2 * np.linalg.det(0.5 * np.linalg.inv(a)))
    assert found.elbo == pytest.approx(exact, abs=1e-9)
    drawn = annealed_importance(chain, temperature=0.5, clamp={"end": [2.0]}, steps=10, chains=20, rng=1)
    assert drawn.value == pytest.approx(exact, abs=1e-6)


def test_same_seed_same_bits():
    for call in (variational, annealed_importance):
        settings = {} if call is variational else {"steps": 5, "chains": 10}
        first, again, other = (call(EIGHT, temperature=1.0, rng=k, **settings) for k in (3, 3, 4))
        key = "elbo" if call is variational else "value"
        assert getattr(first, key) == getattr(again, key) != getattr(other, key)


def test_what_is_refused():
    walled = Energy({"x": (Real(0.0), 2)}, [Parabola("x")], {"stiffness": np.ones(2)})
    with pytest.raises(ValueError, match="energy: some variables have bounds, and a Gaussian reaches beyond them"):
        variational(walled, temperature=1.0)
    spins = Energy({"s": (Spin(), 2)}, [Bias("s")], {"bias": np.ones(2)})
    with pytest.raises(ValueError, match=r"energy: layers \['s'\] are discrete"):
        variational(spins, temperature=1.0)
    with pytest.raises(ValueError, match="temperature: got 0"):
        variational(EIGHT, temperature=0)
    with pytest.raises(ValueError, match="covariance: got 'round'"):
        variational(EIGHT, temperature=1.0, covariance="round")
    with pytest.raises(ValueError, match="draws: got 3"):
        variational(EIGHT, temperature=1.0, draws=3)
    free = Energy({"x": (Real(), 2)}, [Edges("x", [(0, 1)])], {"conductance": [1.0]})
    hill = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [-1.0]})
    for improper in (free, hill):
        with pytest.warns(RuntimeWarning, match="a law without a normalisation has no such Gaussian"):
            variational(improper, temperature=1.0, max_steps=120, rng=0)
        with pytest.raises(ValueError, match="energy: no Gaussian was found near its law .* no normalisation"):
            annealed_importance(improper, temperature=1.0, steps=5, chains=5, rng=0)
    nowhere = Energy({"x": (Real(), 1)}, [Compiled("x", lost)], {})
    with pytest.raises(ValueError, match="x0: the energy is not finite where the mean starts"):
        variational(nowhere, temperature=1.0)
    with pytest.raises(ConvergenceError, match="variational: slope .* per deviation after 1 steps") as caught:
        variational(EIGHT, temperature=1.0, max_steps=1, unconverged="raise", rng=0)
    assert not caught.value.partial.converged
    with pytest.warns(RuntimeWarning, match="raise max_steps"):
        variational(EIGHT, temperature=1.0, max_steps=1, rng=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        variational(EIGHT, temperature=1.0, max_steps=1, unconverged="ignore", rng=0)


def lost(x, ints, floats, f):
    f[0] = np.nan
    return np.nan
