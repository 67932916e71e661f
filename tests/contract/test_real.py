"""The contract, proved from outside: terms and kinds of continuous layers, and a System without energy."""

import numpy as np
import pytest

from physlearn import Energy, Nudge, Readout, Real, System, check_energy, relax


class Prediction:
    """Prediction error |x2 - W tanh(x1)|^2 / 2; separable in x2, not in x1, which W^T W couples."""

    layers = ("x2", "x1", "x1")

    def error(self, x, theta):
        return x["x2"] - np.tanh(x["x1"]) @ theta["W"].T

    def energy(self, x, theta):
        return 0.5 * np.sum(self.error(x, theta) ** 2, 1)

    def field(self, x, theta, layer):
        error = self.error(x, theta)
        return -error if layer == "x2" else error @ theta["W"] / np.cosh(x["x1"]) ** 2

    def gradient(self, x, theta, weight):
        return {"W": -np.einsum("b,bi,bj->ij", weight, self.error(x, theta), np.tanh(x["x1"]))}

    def curvature(self, x, theta, layer):
        return np.ones(()) if layer == "x2" else None


class Convolution:
    """A small image and its features: E = -sum h.(v * K) + |h|^2/2, valid correlation, one filter."""

    layers = ("v", "h")

    def features(self, v, k):
        return np.einsum("bijkl,kl->bij", np.lib.stride_tricks.sliding_window_view(v, k.shape, (1, 2)), k)

    def energy(self, x, theta):
        h = x["h"]
        return np.sum(0.5 * h**2 - h * self.features(x["v"], theta["K"]), (1, 2))

    def field(self, x, theta, layer):
        if layer == "h":
            return self.features(x["v"], theta["K"]) - x["h"]
        edge = [(0, 0)] + [(n - 1, n - 1) for n in theta["K"].shape]
        return self.features(np.pad(x["h"], edge), theta["K"][::-1, ::-1])

    def gradient(self, x, theta, weight):
        windows = np.lib.stride_tricks.sliding_window_view(x["v"], theta["K"].shape, (1, 2))
        return {"K": -np.einsum("b,bij,bijkl->kl", weight, x["h"], windows)}

    def curvature(self, x, theta, layer):
        return np.ones(()) if layer == "h" else np.zeros(())


class Well:
    """Springs to a ground and to each other, and a quartic: x.A.x/2 + c sum x^4/4 - b.x; A = K K^T + 1."""

    layers = ("x", "x")
    holomorphic = True

    def matrix(self, theta):
        return theta["K"] @ theta["K"].T + np.eye(len(theta["K"]))

    def energy(self, x, theta):
        v = x["x"]
        quadratic = 0.5 * np.sum(v * (v @ self.matrix(theta)), 1)
        return quadratic + theta["c"] * np.sum(v**4, 1) / 4 - v @ theta["b"]

    def field(self, x, theta, layer):
        return theta["b"] - x["x"] @ self.matrix(theta) - theta["c"] * x["x"] ** 3

    def gradient(self, x, theta, weight):
        v = x["x"]
        outer = np.einsum("b,bi,bj->ij", weight, v, v)
        return {"K": outer @ theta["K"], "b": -(weight @ v), "c": weight @ np.sum(v**4, 1) / 4}

    def jacobian(self, x, theta):
        return -self.matrix(theta) - np.diag(3 * theta["c"] * x["x"][0] ** 2)


class Tanh:
    """A layer that shows g(x) = tanh(x), the gradient of L = sum log cosh x."""

    def activation(self, x):
        return np.tanh(x)

    def lagrangian(self, x):
        return np.sum(np.logaddexp(x, -x) - np.log(2.0), -1)

    def random(self, shape, rng):
        return rng.normal(size=shape)

    def valid(self, x):
        return bool(np.all(np.isfinite(x)))


class Memory:
    """Classical continuous Hopfield coupling of what is shown: E = -g.J.g/2 - b.g."""

    layers = ("s", "s")

    def energy(self, x, theta):
        return -0.5 * np.einsum("bi,ij,bj->b", x["s"], theta["J"] + theta["J"].T, x["s"]) - x["s"] @ theta["b"]

    def field(self, x, theta, layer):
        return x["s"] @ (theta["J"] + theta["J"].T) + theta["b"]

    def gradient(self, x, theta, weight):
        return {"J": -np.einsum("b,bi,bj->ij", weight, x["s"], x["s"]), "b": -(weight @ x["s"])}


class Circulation:
    """Non-reciprocal coupling: field b + A x with A != A^T, the gradient of nothing."""

    layers = ("x", "x")
    holomorphic = True

    def field(self, x, theta, layer):
        return theta["b"] + x["x"] @ theta["A"].T

    def response(self, x, theta, weight):
        return {"A": -np.einsum("b,bi,bj->ij", weight, x["x"], x["x"]), "b": -(weight @ x["x"])}


class CirculationWithJacobian(Circulation):
    def jacobian(self, x, theta):
        return theta["A"]


class Squared:
    readout = "out"

    def value(self, y, target):
        return 0.5 * np.sum((y - target) ** 2, -1)

    def gradient(self, y, target):
        return y - target

    def hessian(self, y, target):
        return np.broadcast_to(np.eye(y.shape[-1]), (*y.shape, y.shape[-1]))


def prediction(rng):
    return Energy({"x1": (Real(), 4), "x2": (Real(), 3)}, [Prediction()], {"W": rng.normal(size=(3, 4))})


def convolution(rng):
    return Energy({"v": (Real(-1, 1), (5, 6)), "h": (Real(), (4, 4))}, [Convolution()], {"K": rng.normal(size=(2, 3))})


def well(rng, quartic):
    theta = {"K": rng.normal(size=(5, 5)), "b": rng.normal(size=5), "c": quartic}
    return Energy({"x": (Real(), 5)}, [Well()], theta, {"out": Readout("x", [1, 3])})


def hopfield(rng):
    theta = {"J": np.triu(rng.normal(size=(6, 6)), 1), "b": 0.3 * rng.normal(size=6)}
    return Energy({"s": (Tanh(), 6)}, [Memory()], theta)


@pytest.mark.parametrize("make", [prediction, convolution, hopfield, lambda rng: well(rng, 0.7)])
def test_audit_passes(make, rng):
    check_energy(make(rng))


def test_prediction_without_error(rng, tol):
    """With the input clamped the free layer is the prediction; one block update finds it."""
    energy = prediction(rng)
    x1 = rng.normal(size=(7, 4))
    rest = relax(energy, clamp={"x1": x1})
    assert rest.method == "descent (blocks)"
    np.testing.assert_allclose(rest.x["x2"], np.tanh(x1) @ energy.theta["W"].T, rtol=tol.IDENTITY, atol=tol.IDENTITY)


def test_convolution_features(rng, tol):
    energy = convolution(rng)
    v = rng.uniform(-1, 1, (2, 5, 6))
    rest = relax(energy, clamp={"v": v})
    assert rest.method == "descent (blocks)"
    np.testing.assert_allclose(
        rest.x["h"], Convolution().features(v, energy.theta["K"]), rtol=tol.IDENTITY, atol=tol.IDENTITY
    )


def test_lagrangian_layer_falls_to_its_field(rng):
    """Along dx/dt = field - x the energy falls; at rest x = field (Krotov and Hopfield 2021)."""
    energy = hopfield(rng)
    x, before = energy.random_state(5, rng), np.inf
    for _ in range(200):
        now = energy(x)
        assert np.all(now <= before)
        before, x = now, {"s": x["s"] + 0.02 * energy.force(x, "s")}
    rest = relax(energy, x)
    assert rest.converged
    assert rest.method.startswith("gradient flow")
    assert np.all(rest.energy <= before)
    np.testing.assert_allclose(rest.x, energy.field(energy.state(rest.x), "s"), atol=2e-8)


def exact_gradient(energy, target):
    """dC/dtheta at rest: dE/dtheta differentiated along -H^-1 dC/dx, by a complex step."""
    x = relax(energy, method="newton", tol=1e-13).x
    c = np.zeros(5)
    c[[1, 3]] = x[[1, 3]] - target
    along = np.linalg.solve(energy.terms[0].jacobian({"x": x[None]}, energy.theta), c)
    response = energy.response({"x": (x + 1e-30j * along)[None]})
    return {name: value.imag / 1e-30 for name, value in response.items()}


@pytest.mark.parametrize("method", ["newton", "flow"])
@pytest.mark.parametrize("quartic", [0.0, 0.7])
def test_holomorphic_nudge(method, quartic, rng, tol):
    """The contour average of dE/dtheta over N nudges is the gradient of the cost, up to strength^N.

    Source: Laborieux and Zenke 2022, equation 9.
    """
    energy, target, strength = well(rng, quartic), rng.normal(size=2), 0.1
    exact, errors = exact_gradient(energy, target), []
    for points in (2, 4, 8):
        found = dict.fromkeys(exact, 0.0)
        for beta in strength * np.exp(2j * np.pi * np.arange(points) / points):
            rest = relax(energy, nudge=Nudge(Squared(), target, beta), method=method, tol=1e-12)
            response = energy.response(energy.state(rest.x), np.ones(1))
            for name in found:
                found[name] = found[name] + (response[name] / (points * beta)).real
        errors.append(max(np.max(np.abs(found[name] - exact[name])) for name in exact))
    assert errors[2] < tol.GRADIENT
    shrink = errors[1] / errors[0]  # by two more points
    assert shrink < 0.1
    assert errors[2] < 10 * shrink**2 * errors[1] + 1e-10  # exponential: by four more points its square


def test_complex_states_need_holomorphic_terms(rng):
    energy = hopfield(rng)
    nudge = Nudge(type("OnS", (Squared,), {"readout": "s"})(), np.zeros(6), 0.1j)
    with pytest.raises(ValueError, match="Memory does not declare `holomorphic"):
        relax(energy, nudge=nudge)


@pytest.mark.parametrize("term", [Circulation, CirculationWithJacobian])
def test_system_without_energy(term, rng):
    """A rest of dx/dt = b + A x is x = -A^-1 b; nothing that lowers an energy takes it."""
    spin = rng.normal(size=(4, 4))
    a = spin - spin.T - np.diag(rng.uniform(0.5, 2.0, 4))
    system = System({"x": (Real(), 4)}, [term()], {"A": a, "b": rng.normal(size=4)})
    check_energy(system)
    rest = relax(system)
    assert rest.method.startswith("Newton" if hasattr(term, "jacobian") else "gradient flow")
    np.testing.assert_allclose(rest.x, np.linalg.solve(a, -system.theta["b"]), atol=1e-7)
    assert np.isnan(rest.energy)
    for method in ("lbfgs", "fire", "descent"):
        with pytest.raises(ValueError, match="a System has none"):
            relax(system, method=method)
    with pytest.raises(TypeError, match="has no energy; build a System"):
        Energy(system.layers, system.terms, system.theta)
