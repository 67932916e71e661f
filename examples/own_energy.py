"""An energy term of one's own: check it, relax it, train it.

Duffing springs: sites in quartic wells, driven through learnable couplings by a clamped layer u,

    E = sum_i (x_i^4/4 + k x_i^2/2) - x.W.u
"""

import numpy as np

from physlearn import SGD, Energy, EquilibriumPropagation, Real, SquaredError, check_energy, learn, relax


class Duffing:
    """Three methods make a term: energy, field (-dE/dx), gradient (sum_b weight_b dE_b/dtheta)."""

    layers = ("x", "u")

    def energy(self, x, theta):
        s, u = x["x"], x["u"]
        wells = np.sum(s**4 / 4 + theta["k"] * s**2 / 2, axis=1)
        return wells - np.einsum("bi,ij,bj->b", s, theta["W"], u)

    def field(self, x, theta, layer):
        s, u = x["x"], x["u"]
        return u @ theta["W"].T - s**3 - theta["k"] * s if layer == "x" else s @ theta["W"]

    def gradient(self, x, theta, weight):
        s, u = x["x"], x["u"]
        return {"W": -np.einsum("b,bi,bj->ij", weight, s, u), "k": weight @ np.sum(s**2, axis=1) / 2}


rng = np.random.default_rng(0)
theta = {"W": 0.1 * rng.standard_normal((2, 4)), "k": 1.0}
energy = Energy({"x": (Real(), 2), "u": (Real(), 4)}, [Duffing()], theta)
print(check_energy(energy))  # fields and gradients against finite differences

u = rng.standard_normal((20, 4))
rest = relax(energy, clamp={"u": u})
print(rest, *rest.notes, sep="\n")  # the notes say what would make it faster

target = np.tanh(u @ rng.standard_normal((4, 2)))
training = learn(
    energy,
    {"u": u, "x": target},
    rule=EquilibriumPropagation(nudge=0.01),
    optimizer=SGD(lr=0.3),
    cost=SquaredError("x"),
    epochs=60,
    batch=None,
    trainable=["W"],
    relax_options={"tol": 1e-10},
)
print(f"mean cost {training.cost[0]:.3f} -> {training.cost[-1]:.3f}")
