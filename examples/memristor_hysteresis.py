"""A memristor's pinched loop, and how it closes at high frequency (Strukov et al. 2008)."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import Circuit, DriftMemristor, Sine, VoltageSource
from physlearn import integrate

element = DriftMemristor(on=100.0, off=10e3, mobility=1e-14, thickness=1e-8, state=0.3)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for frequency in (1.2, 3.0, 10.0):
    source = VoltageSource(Sine(0.0, 1.0, frequency))
    circuit = Circuit({"V": (source, "a", "0"), "M": (element, "a", "0")})
    run = integrate(circuit, (0.0, 2.0 / frequency), dt=1.0 / (500 * frequency))
    v, x = run.voltages["a"], run.states["M"]
    i = v / (element.on * x + element.off * (1.0 - x))
    axes[0].plot(v, 1e3 * i, label=f"{frequency:g} Hz")
    axes[1].plot(run.t * frequency, x)
    area = abs(np.trapezoid(i[-501:-250], v[-501:-250]))  # of one lobe
    print(f"{frequency:4.1f} Hz: state between {x.min():.2f} and {x.max():.2f}, area of a lobe {1e6 * area:.1f} uW")
axes[0].set(xlabel="voltage (V)", ylabel="current (mA)", xticks=[-1, -0.5, 0, 0.5, 1])
axes[0].legend()
axes[1].set(xlabel="time (periods)", ylabel="state x")
figure.savefig("memristor_hysteresis.png", dpi=150)
