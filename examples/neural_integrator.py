"""An integrator of spiking neurons, and where it drifts: the fixed points of its rate mode.

200 neurons feed what they represent back to themselves (Eliasmith and Anderson 2003).  The decoded value is nearly x;
where it is not, x drifts to a rest that `relax` finds.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits.neurons import Record, integrator
from physlearn import integrate, relax

code = integrator(200, rng=2)


def pulses(t):
    """Input of 1/s for half a second, then -1/s."""
    return np.where((t >= 0.2) & (t < 0.8), 1.0, 0.0) - np.where((t >= 2.5) & (t < 3.3), 1.0, 0.0)


given = {"x.input": pulses}
run = integrate(code.network(given), (0.0, 4.0), dt=1e-3, record={"x.decoded": Record(["x"]), "x": "spikes"})
t, decoded = run.traces["x.decoded"].t, run.traces["x.decoded"]["x"][:, 0]
rate = integrate(code, (0.0, 4.0), dt=1e-2, clamp={"x.input": lambda t: np.atleast_1d(pulses(t))})
ideal = np.cumsum(pulses(t)) * 1e-3

x = np.linspace(-1, 1, 2001)
drift = code.system.field({"x": x[:, None]}, "x")[:, 0] / 0.1
found = [relax(code, [start], max_steps=300, unconverged="ignore") for start in np.linspace(-0.95, 0.95, 20)]
rests = {round(float(rest.x[0]), 6) for rest in found if rest.converged}
print(f"rms error: spikes {np.sqrt(np.mean((decoded - ideal) ** 2)):.3f}", end=", ")
print(f"rates {np.sqrt(np.mean((np.interp(t, rate.t, rate.x[:, 0]) - ideal) ** 2)):.3f}; {len(rests)} rests found")

figure, (path, raster, flow) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
path.plot(t, decoded, "0.6", lw=0.8, label="decoded from spikes")
path.plot(rate.t, rate.x[:, 0], "C0", label="rate mode")
path.plot(t, ideal, "k--", lw=1, label="integral of the input")
path.set(xlabel="t / s", ylabel="x", title="200 neurons remember")
path.legend(fontsize=8)
order = np.argsort(code.ensembles["x"].intercepts * code.ensembles["x"].encoders[:, 0])
place = np.argsort(order)
raster.plot(run.spikes["x"].times, place[run.spikes["x"].ids], "k,")
raster.set(xlabel="t / s", ylabel="neuron, by its intercept", title=f"{len(run.spikes['x']):,} spikes")
flow.plot(x, drift, "C0", lw=1)
flow.axhline(0, color="0.7", lw=0.8)
flow.plot(sorted(rests), np.zeros(len(rests)), "k.", ms=5, label="rests found by relax")
flow.set(xlabel="x", ylabel="drift dx/dt, 1/s", ylim=(-0.25, 0.25), title="why memories drift")
flow.legend(fontsize=8)
figure.savefig("neural_integrator.png", dpi=120)
