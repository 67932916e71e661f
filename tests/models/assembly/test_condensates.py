import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gammaln

from physlearn import check_energy, enumerate_states, sample
from physlearn.models import Condensates, binodal

TWO = Condensates([[-5.6, 1.0], [1.0, -5.2]], [[0.9, 0.0], [0.0, 0.9]], 1.0)


def by_counts(soup, c, sites):
    """Log weight of every (n_1, n_2), exactly: pairs of different sites, multinomial numbers of states."""
    a, b = np.meshgrid(np.arange(sites + 1), np.arange(sites + 1), indexing="ij")
    keep = a + b <= sites
    n = np.stack([a[keep], b[keep]], 1).astype(float)
    pairs = 0.5 * (np.einsum("ni,ij,nj->n", n, soup.J, n) - n @ np.diag(soup.J)) / sites
    states = gammaln(sites + 1) - np.sum(gammaln(n + 1), 1) - gammaln(sites - n.sum(1) + 1)
    return n, states + n @ np.log(c) - pairs / soup.temperature


@pytest.mark.parametrize("j", [-4.4, -6.0, -9.0])
def test_one_species_is_the_lattice_gas(j):
    """Coexistence at ln c = J/2T, fractions (1 +- m)/2 with m = tanh(-Jm/4T)."""
    for temperature in (1.0, 0.5):
        soup = Condensates([[j * temperature]], [[0.001], [0.999]], temperature)
        found = soup.phases([[np.exp(j / 2)]])
        dilute, dense = binodal(j * temperature, temperature)
        assert found.converged and np.allclose(found.phi[0, :, 0], [dilute, dense], atol=1e-8)
        assert abs(found.potential[0, 0] - found.potential[0, 1]) < 1e-9 * temperature
        assert dilute + dense == pytest.approx(1.0, abs=1e-12)
        above, below = soup.answer([[np.exp(j / 2) * 1.05], [np.exp(j / 2) / 1.05]])
        assert (above, below) == (1, 0)
    with pytest.raises(ValueError, match="J: got -3.9, expected less than -4 T"):
        binodal(-3.9, 1.0)


def test_phases_are_where_the_potential_is_at_rest(rng):
    root = rng.standard_normal((4, 4))
    soup = Condensates(-3.0 * root @ root.T / 4 + 2.0 * np.eye(4), 0.6 * np.eye(4) + 0.05, 0.8)
    c = np.exp(rng.uniform(-4, -1, (5, 4)))
    found = soup.phases(c)
    assert found.converged
    for k in range(4):
        step = 1e-4 * np.minimum(found.phi, 1 - found.phi.sum(-1, keepdims=True)) * np.eye(4)[k]
        ahead, behind = (soup.potential(found.phi + by * step, c[:, None]) for by in (1, -1))
        assert np.max(np.abs(ahead - behind)) / 2e-4 < 1e-8
    empty = 1 - found.phi.sum(-1)
    closed = 0.8 * np.log(empty) - 0.5 * np.einsum("nki,ij,nkj->nk", found.phi, soup.J, found.phi)
    there = np.isfinite(found.potential)  # a phase counts once, for the start that is nearest
    assert np.all(there.sum(1) >= 1) and np.allclose(found.potential[there], closed[there], atol=1e-9)


def test_the_boundary_of_finite_soups_goes_to_the_mean_field():
    """Exact sums over all counts: the concentration at which both answers are as likely, at an error of 1/M."""

    def mean_field(log_c):
        return float(np.diff(TWO.phases([[np.exp(log_c), 0.12]]).potential[0])[0])

    exact, shift = brentq(mean_field, -3.0, -1.0), []
    for sites in (40, 80, 160):

        def odds(log_c, sites=sites):
            n, log = by_counts(TWO, [np.exp(log_c), 0.12], sites)
            weight = np.exp(log - log.max())
            return np.sum(weight * np.sign(n[:, 0] - n[:, 1]))

        shift.append(brentq(odds, -3.0, -1.0) - exact)
    assert abs(shift[-1]) < 0.01
    assert np.allclose(np.array(shift[:-1]) / shift[1:], 2.0, atol=0.25)


def test_sampled_soups_have_the_exact_counts_and_the_answers(tol):
    sites, c = 40, [0.13, 0.12]
    energy = TWO.energy(c, sites)
    check_energy(energy, coordinates=10)
    small = enumerate_states(TWO.energy(c, 5), temperature=1.0).log_z
    assert small == pytest.approx(np.logaddexp.reduce(by_counts(TWO, c, 5)[1]), rel=1e-12)
    n, log = by_counts(TWO, c, sites)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    # both phases are reached from both sides: half of the chains start full of either species
    x0 = np.repeat([[1], [2]], 16, 0) * np.ones((1, sites), int)
    drawn = sample(energy, temperature=1.0, n_samples=60, chains=32, warmup=100, thin=5, x0=x0, rng=3)
    for species in (1, 2):
        in_phase = np.sum(drawn.x == species, 2)
        own = in_phase[16 * (species - 1) : 16 * species]
        phase = n[:, species - 1] > n[:, 2 - species]
        wanted = np.sum(weight[phase] * n[phase, species - 1]) / weight[phase].sum()
        stayed = own.mean(1)[own.min(1) > sites / 2]
        assert len(stayed) > 8
        assert abs(stayed.mean() - wanted) < tol.STATISTICAL * stayed.std() / np.sqrt(len(stayed)) + 0.02
    assert np.all(TWO.answer([[0.16, 0.1], [0.1, 0.16]]) == [0, 1])
    assert np.allclose(TWO.probability([[0.16, 0.1]], 200)[0], [1, 0], atol=1e-3)


def test_a_soup_learns_to_answer():
    """Whether species 1 and a part of 2 outweigh a part of 3 and 4, and 5 says nothing: 95 % of new mixtures."""
    group = np.array([[1.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
    soup = Condensates(-7.0 * group.T @ group, 0.9 * group / group.sum(1, keepdims=True))
    c = np.exp(np.random.default_rng(0).uniform(-4.5, -1.5, (800, 5)))
    labels = (c @ [1.0, 0.4, -0.7, -1.0, 0.0] < 0.0).astype(int)
    before = np.mean(soup.answer(c[400:]) == labels[400:])
    taught = soup.taught(c[:400], labels[:400], sites=50, lr=6.0, steps=150)
    assert before < 0.75 and np.mean(taught.answer(c[400:]) == labels[400:]) >= 0.95
    assert np.all(taught.phases(c[400:]).converged) and np.array_equal(taught.J, taught.J.T)


def test_learning_climbs_the_likelihood(rng):
    """The contrast of phases is the gradient of the log-likelihood of the answers, by differences."""
    c, labels, sites, h = np.exp(rng.uniform(-2.5, -1.9, (6, 2))), np.array([0, 1, 1, 0, 1, 0]), 30, 1e-5

    def likelihood(j):
        odds = Condensates(j, TWO.starts).probability(c, sites)
        return np.mean(np.log(odds[np.arange(6), labels]))

    step = TWO.taught(c, labels, sites=sites, lr=1.0, steps=1).J - TWO.J
    for i, j in ((0, 0), (0, 1), (1, 1)):
        unit = np.zeros((2, 2))
        unit[i, j] = unit[j, i] = h
        slope = (likelihood(TWO.J + unit) - likelihood(TWO.J - unit)) / (2 * h)
        assert slope == pytest.approx(0.5 * sites * step[i, j] * (1 if i == j else 2), rel=1e-4)


def test_what_is_refused():
    with pytest.raises(ValueError, match="starts: shape .* each of a sum below 1"):
        Condensates([[-5.0]], [[1.0]])
    with pytest.raises(ValueError, match="J: not symmetric"):
        Condensates([[-5.0, 1.0], [0.0, -5.0]], 0.4 * np.eye(2))
    with pytest.raises(ValueError, match="c: got 0 among its entries, expected positive concentrations"):
        TWO.answer([[0.0, 0.1]])
    with pytest.raises(ValueError, match=r"c: got the shape \(1, 3\), expected \(n, 2\)"):
        TWO.answer([[0.1, 0.1, 0.1]])
    with pytest.raises(ValueError, match="temperature: got 0"):
        Condensates([[-5.0]], [[0.5]], 0.0)
    with pytest.raises(ValueError, match="labels: got 2"):
        TWO.taught([[0.1, 0.1]], [2])
