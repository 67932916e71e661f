"""check_energy lets right terms pass and names what is wrong with wrong ones."""

import numpy as np
import pytest

from physlearn import Energy, Local, Potts, Real, Spin, System, check_energy
from physlearn.models import BoltzmannMachine
from physlearn.terms import Bias, Edges


class Springs:
    """E = sum_{i<j} W_ij x_i x_j + |x|^2/2 - b.h, with every optional form; x on "x", b.h on "h"."""

    layers = ("x", "x", "h")
    holomorphic = True

    def matrix(self, theta):
        upper = np.triu(theta["W"], 1)
        return upper + upper.T + np.eye(len(upper))

    def energy(self, x, theta):
        return 0.5 * np.sum(x["x"] * (x["x"] @ self.matrix(theta)), 1) - x["h"] @ theta["b"]

    def field(self, x, theta, layer):
        return -x["x"] @ self.matrix(theta) if layer == "x" else np.broadcast_to(theta["b"], x["h"].shape)

    def gradient(self, x, theta, weight):
        return {"W": np.triu(np.einsum("b,bi,bj->ij", weight, x["x"], x["x"]), 1), "b": -(weight @ x["h"])}

    def curvature(self, x, theta, layer):
        return np.ones(()) if layer == "x" else np.zeros(())

    def quadratic(self, theta):
        n, k = len(theta["W"]), len(theta["b"])
        a = np.zeros((n + k, n + k))
        a[:n, :n] = self.matrix(theta)
        return a, np.concatenate([np.zeros(n), theta["b"]])

    def jacobian(self, x, theta):
        return -self.quadratic(theta)[0]

    def gradient_moments(self, basis, gram, theta):
        n = len(theta["W"])
        return {"W": np.triu(basis[:, :n].T @ gram @ basis[:, :n], 1), "b": -(gram[0] @ basis[:, n:])}


def springs(term, rng, size=5):
    theta = {"W": rng.normal(size=(size, size)), "b": rng.normal(size=2)}
    return Energy({"x": (Real(), size), "h": (Real(-0.5, 3.0), 2)}, [term], theta)


def wrong(**methods):
    return type("Wrong", (Springs,), methods)()


RIGHT = Springs()


def _doubled(self, x, theta, layer):
    return 2 * RIGHT.field(x, theta, layer)


def _one_pair_less(self, x, theta, weight):
    out = RIGHT.gradient(x, theta, weight)
    out["W"][1, 3] = 0.0
    return out


def _sees_the_batch(self, x, theta, layer):
    return RIGHT.field(x, theta, layer) + 0.1 * np.mean(x["x"][:, 0])


def _conjugated(self, x, theta, layer):
    return RIGHT.field({k: np.real(v) for k, v in x.items()}, theta, layer).astype(x["x"].dtype)


def _writes(self, x, theta, layer):
    x["x"][:] += 1e-3
    return RIGHT.field(x, theta, layer)


def _asymmetric(self, theta):
    a, b = RIGHT.quadratic(theta)
    a[0, 1] += 0.5
    a[1, 0] -= 0.5
    return a, b


def _product(self, x, theta):
    """An energy that a BLAS product adds up differently for two rows and for many."""
    total = RIGHT.energy(x, theta)
    return total + (0.0 if len(total) == 2 else 1e-15 * np.abs(total))


MISTAKES = {
    "sign of the field": (
        {"field": lambda self, x, theta, layer: -RIGHT.field(x, theta, layer)},
        r"'0 Wrong', form 'field': worst at x\[\d\], item",
    ),
    "field without its factor": ({"field": _doubled}, r"'0 Wrong', form 'field': worst at (x|h)"),
    "W counted twice": (
        {"gradient": lambda self, x, theta, weight: {k: 2 * v for k, v in RIGHT.gradient(x, theta, weight).items()}},
        r"'0 Wrong', form 'gradient': worst at theta W",
    ),
    "a pair missing": ({"gradient": _one_pair_less}, r"form 'gradient': worst at theta W\[1, 3\]: got 0.0"),
    "a parameter missing": (
        {"gradient": lambda self, x, theta, weight: {"W": RIGHT.gradient(x, theta, weight)["W"]}},
        r"form 'gradient': worst at theta b along a random direction \(missing from the gradient\)",
    ),
    "a parameter too many": (
        {"gradient": lambda self, x, theta, weight: {"V": np.zeros(1)}},
        r"form 'shapes': worst at gradient: got parameter 'V', expected one of \['W', 'b'\]",
    ),
    "the weight ignored": (
        {"gradient": lambda self, x, theta, weight: RIGHT.gradient(x, theta, np.ones_like(weight))},
        r"form 'gradient': worst at theta W\[\d, \d\]",
    ),
    "curvature": (
        {"curvature": lambda self, x, theta, layer: np.full(5, 1.1) if layer == "x" else np.zeros(())},
        r"form 'curvature': worst at x\[\d\], item \d: got 1.1",
    ),
    "shape of the energy": (
        {"energy": lambda self, x, theta: 0.0},
        r"form 'shapes': worst at energy: got shape \(\)",
    ),
    "items that see each other": ({"field": _sees_the_batch}, r"form 'batch': worst at field of (x|h)"),
    "quadratic": (
        {"quadratic": lambda self, theta: (0.5 * RIGHT.quadratic(theta)[0], RIGHT.quadratic(theta)[1])},
        r"form 'quadratic': worst at energy difference",
    ),
    "asymmetric quadratic": ({"quadratic": _asymmetric}, r"A\[x\[[01]\], x\[[01]\]\] against its mirror"),
    "jacobian": (
        {"jacobian": lambda self, x, theta: RIGHT.quadratic(theta)[0]},
        r"form 'jacobian': worst at d field of x\[\d\] / d x\[\d\]",
    ),
    "gradient_moments": (
        {"gradient_moments": lambda self, basis, gram, theta: RIGHT.gradient_moments(basis, 2 * gram, theta)},
        r"form 'gradient_moments': worst at theta (W|b)",
    ),
    "rows that are products": ({"rowwise": True, "energy": _product}, r"form 'rowwise': worst at energy"),
    "holomorphic": ({"field": _conjugated}, r"form 'holomorphic': worst at field of x"),
    "a state that is written": (
        {"field": _writes},
        r"form 'shapes': worst at x: got a state that was changed in place",
    ),
    "a block that couples": ({"layers": ("x", "h")}, r"form 'layers': worst at x\[\d\].*name 'x' twice"),
    "an exception": (
        {"jacobian": lambda self, x, theta: np.zeros((2, 2))},
        r"form 'jacobian': ValueError: shape \(2, 2\)",
    ),
}


def test_right_terms_pass(rng):
    report = check_energy(springs(RIGHT, rng))
    assert all(check.ok for check in report.checks)
    forms = {check.form for check in report.checks if check.part == "0 Springs"}
    assert forms == {
        *("shapes", "batch", "field", "gradient", "layers", "curvature"),
        *("quadratic", "jacobian", "gradient_moments", "holomorphic"),
    }
    table = str(report).splitlines()
    assert table[0].split() == ["term", "form", "worst", "error", "tolerance", "worst", "at"]
    assert table[-1] == f"{len(report.checks)} checks passed"
    with pytest.raises(AttributeError):
        report.checks = ()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake, rng):
    methods, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=rf"(?s)check_energy: .*{message}"):
        check_energy(springs(wrong(**methods), rng))


def test_large_systems_are_sampled_and_a_random_direction_covers_the_rest(rng):
    """One wrong entry of 2,000 is found although only 5 are tested one by one."""

    def one_entry_off(self, x, theta, layer):
        out = np.array(RIGHT.field(x, theta, layer))
        if layer == "x":
            out[:, 17] *= 1.5
        return out

    check_energy(springs(RIGHT, rng, 200), coordinates=5)
    with pytest.raises(ValueError, match="form 'field': worst at x along a random direction"):
        check_energy(springs(wrong(field=one_entry_off), rng, 200), coordinates=5)


def test_state_of_ones_own_and_units(rng):
    """Millivolts and picosiemens are no harder than ones."""
    pairs = [(0, 1), (1, 2), (0, 2)]
    tiny = Energy({"v": (Real(), 3)}, [Edges("v", pairs)], {"conductance": [1e-12, 3e-9, 2e-12]})
    check_energy(tiny, np.array([1e-3, -2e-3, 0.0]))


def test_bounds_are_respected(rng):
    """An energy that does not exist outside its interval is tested inside."""

    class Entropy:
        layers = ("p",)

        def energy(self, x, theta):
            return theta["t"] * np.sum(x["p"] * np.log(x["p"]), 1)

        def field(self, x, theta, layer):
            return -theta["t"] * (np.log(x["p"]) + 1)

        def gradient(self, x, theta, weight):
            return {"t": np.asarray(weight @ np.sum(x["p"] * np.log(x["p"]), 1))}

    with np.errstate(all="raise"):
        check_energy(Energy({"p": (Real(0.0, 1.0), 4)}, [Entropy()], {"t": 2.0}), np.array([0.0, 0.2, 0.7, 1.0]))


class Clock:
    """Potts bias E = -sum_i a[x_i], its local form listing every code; ``slip`` is an error in it."""

    layers = ("x",)

    def __init__(self, gap):
        self.local = Local(lambda x, theta: (np.zeros(0), np.zeros(0, np.int64), theta["a"]), gap, _nothing)

    def energy(self, x, theta):
        return -np.sum(theta["a"][x["x"]], 1)

    def field(self, x, theta, layer):
        return np.broadcast_to(theta["a"], (*x["x"].shape, len(theta["a"])))

    def gradient(self, x, theta, weight):
        hot = x["x"][..., None] == np.arange(len(theta["a"]))
        return {"a": -np.einsum("b,bik->k", weight, hot)}


def _nothing(i, new, x, cache, ints, floats):
    pass


def all_codes(i, x, cache, ints, floats, codes, f):
    for k in range(len(floats)):
        codes[k] = k
        f[k] = floats[k]
    return len(floats)


def one_code_less(i, x, cache, ints, floats, codes, f):
    for k in range(len(floats) - 1):
        codes[k] = k
        f[k] = floats[k]
    return len(floats) - 1


def test_local_forms(rng):
    layers, theta = {"x": (Potts(4), 5)}, {"a": rng.normal(size=4)}
    check_energy(Energy(layers, [Clock(all_codes)], theta))
    with pytest.raises(ValueError, match=r"'0 Clock', form 'local': worst at x\[\d\] after \d commits"):
        check_energy(Energy(layers, [Clock(one_code_less)], theta))


def stale_prepare(x, theta):
    return theta["J"] @ x, np.zeros(1, np.int64), np.zeros(1)


def stale_gap(i, x, cache, ints, floats, codes, f):
    f[0] = cache[i]
    return 1


def test_a_commit_that_forgets_the_cache_is_found(rng):
    class Stale:
        layers = ("s", "s")
        local = Local(stale_prepare, stale_gap, _nothing)

        def energy(self, x, theta):
            return -0.5 * np.einsum("bi,ij,bj->b", x["s"], theta["J"], x["s"])

        def field(self, x, theta, layer):
            return x["s"] @ theta["J"]

        def gradient(self, x, theta, weight):
            return {"J": -0.5 * np.einsum("b,bi,bj->ij", weight, x["s"], x["s"])}

    j = rng.normal(size=(6, 6))
    j = j + j.T
    np.fill_diagonal(j, 0.0)
    with pytest.raises(ValueError, match=r"form 'local': worst at s\[\d\] after [123] commits"):
        check_energy(Energy({"s": (Spin(), 6)}, [Stale()], {"J": j}))


def test_spin_field_must_be_the_gap(rng):
    """-dE/ds of a cubic energy is not its gap; the audit tells them apart."""

    class Cubic:
        layers = ("s", "s", "s")

        def energy(self, x, theta):
            return -(np.sum(x["s"], 1) ** 3)

        def field(self, x, theta, layer):
            return 3 * np.sum(x["s"], 1)[:, None] ** 2 * np.ones_like(x["s"])

        def gradient(self, x, theta, weight):
            return {}

    with pytest.raises(ValueError, match=r"form 'field': worst at s\[\d\] = -?1, item \d"):
        check_energy(Energy({"s": (Spin(), 5)}, [Cubic()], {}))


def test_lagrangian_must_belong_to_its_activation(rng):
    class Kind:
        slope = 1.0

        def activation(self, x):
            return np.tanh(x)

        def lagrangian(self, x):
            return self.slope * np.sum(np.log(np.cosh(x)), -1)

        def random(self, shape, rng):
            return rng.normal(size=shape)

        def valid(self, x):
            return True

    good, bad = Kind(), Kind()
    bad.slope = 1.2
    check_energy(Energy({"s": (good, 4)}, [Bias("s")], {"bias": np.ones(4)}))
    with pytest.raises(ValueError, match=r"term 'sum', form 'field': worst at s\[\d\]"):
        check_energy(Energy({"s": (bad, 4)}, [Bias("s")], {"bias": np.ones(4)}))


def test_system_without_energy_is_checked_as_far_as_it_goes(rng):
    class Drift:
        layers = ("x", "x")

        def field(self, x, theta, layer):
            return x["x"] @ theta["A"].T

        def response(self, x, theta, weight):
            return {"A": np.einsum("b,bi,bj->ij", weight, x["x"], x["x"])}

        def jacobian(self, x, theta):
            return theta["A"]

    class Turned(Drift):
        def jacobian(self, x, theta):
            return theta["A"].T

    layers, theta = {"x": (Real(), 4)}, {"A": rng.normal(size=(4, 4))}
    assert {c.form for c in check_energy(System(layers, [Drift()], theta)).checks} == {
        "shapes",
        "batch",
        "jacobian",
    }
    with pytest.raises(ValueError, match="'0 Turned', form 'jacobian': worst at d field of"):
        check_energy(System(layers, [Turned()], theta))


def test_same_seed_same_report(rng):
    energy = springs(RIGHT, rng)
    assert check_energy(energy, rng=3) == check_energy(energy, rng=3)


def test_a_machine_is_audited_as_its_energy():
    machine = BoltzmannMachine(2)
    assert str(check_energy(machine)) == str(check_energy(machine.energy))
