"""A neuron of one's own from plain Python functions: FitzHugh and Nagumo's relaxation oscillator (FitzHugh 1961).

    dv/dt = v - v^3/3 - w + I,    dw/dt = (v + 0.7 - 0.8 w) / 12.5

Time runs in units of 1 ms, v and w have no units; a spike is an upward crossing of v = 1.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits.neurons import Neuron, Population, Record, SpikingNetwork, Step, fi_curve
from physlearn import integrate
from physlearn.plot import plot_fi, plot_phase_plane


def field(x, current, p, out):
    out[0] = (x[0] - x[0] ** 3 / 3 - x[1] + current) / p[1]
    out[1] = (x[0] + 0.7 - 0.8 * x[1]) / (p[0] * p[1])


def threshold(x, p):
    return x[0] > 1.0


parameters = {"slowness": 12.5, "unit": 1e-3}
cell = Neuron(
    field, variables=("v", "w"), threshold=threshold, parameters=parameters, rest={"v": -1.1994, "w": -0.6243}
)
network = SpikingNetwork({"cell": Population(cell, 1)}, inputs=[Step("cell", 0.5, start=0.05)])
trace = integrate(network, (0.0, 0.4), dt=2e-5, record={"cell": Record(["v", "w"], every=2e-4)}).traces["cell"]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
v, w = np.linspace(-2.3, 2.3, 120), np.linspace(-0.9, 1.9, 100)
V, W = np.meshgrid(v, w)
slope = np.empty((2, *V.shape))
field(np.array([V, W]), 0.5, list(parameters.values()), slope)
rest = np.roots([1 / 3, 0, 1 / 0.8 - 1, 0.7 / 0.8 - 0.5]).real[-1:]
plot_phase_plane(
    v, w, *slope, trajectory=(trace["v"][:, 0], trace["w"][:, 0]), labels=("v", "w"), scale=(1, 1), ax=left,
    fixed_points=[(x, (x + 0.7) / 0.8, False) for x in rest],
)  # fmt: skip
curve = fi_curve(cell, np.linspace(0.0, 1.8, 37), duration=1.0, dt=2e-5, transient=0.2)
plot_fi(curve.current, curve.rate, label="from rest", unit="no unit", ax=right)
figure.savefig("fitzhugh_nagumo.png", dpi=150)
firing = curve.current[curve.rate > 0]
print(f"fires between I = {firing[0]:.2f} and {firing[-1]:.2f}, at up to {curve.rate.max():.1f} Hz")
