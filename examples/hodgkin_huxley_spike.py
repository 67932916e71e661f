"""The action potential of the squid giant axon, its gates, and the same spikes in the plane of V and n."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits.neurons import HodgkinHuxley, Population, Record, SpikingNetwork, Step, fixed_points, reduced_slope
from physlearn import integrate
from physlearn.plot import plot_membrane, plot_phase_plane

squid, strength = HodgkinHuxley.squid(), 0.1  # A/m^2: 10 uA/cm2
network = SpikingNetwork({"axon": Population(squid, 1)}, inputs=[Step("axon", strength, start=5e-3)])
run = integrate(network, (0.0, 0.05), dt=1e-5, record={"axon": Record(["v", "m", "h", "n"], every=1e-5)})
trace = run.traces["axon"]

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
gates = {name: trace[name][:, 0] for name in "mhn"}
applied = 100 * strength * (trace.t >= 5e-3)
ax = plot_membrane(trace.t, trace["v"][:, 0], gates=gates, current=applied, ax=left)
ax.set_title("10 µA/cm² switched on at 5 ms")

# Fast m at its steady state and h tied to n leave two variables, V and n (FitzHugh 1960); the fixed point is exact
v, n = np.linspace(-90e-3, 50e-3, 200), np.linspace(0.3, 0.85, 150)
dv, dn = reduced_slope(squid, *np.meshgrid(v, n), strength)
points = [(*point.state[[0, 3]], point.stable) for point in fixed_points(squid, strength)]
orbit = (trace["v"][:, 0], trace["n"][:, 0])
plot_phase_plane(v, n, dv, dn, trajectory=orbit, fixed_points=points, labels=("V (mV)", "n"), ax=right)
figure.savefig("hodgkin_huxley_spike.png", dpi=150)
times = 1e3 * run.spikes["axon"].times
print(f"{len(times)} spikes; the first {times[0] - 5:.2f} ms after the step, then every {np.diff(times)[-1]:.2f} ms")
