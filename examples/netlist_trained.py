"""A netlist from a file, trained, and written back for ngspice.

The output of a small mesh of resistors and diodes learns 0.1 + x1 / 10: resistors change, diodes and sources stay.
"""

from pathlib import Path

import numpy as np

from circuits import read_netlist, run_ngspice, write_netlist
from physlearn import SGD, CoupledLearning, SquaredError, learn

inputs = {"input": ["vx1", "vn1", "vx2", "vn2"]}
path = Path(__file__).parent / "netlists" / "mesh.cir"
circuit = read_netlist(path, inputs=inputs, outputs=["out"])
print(circuit)

x = np.linspace(-1, 1, 11)[:, None]
data = {"input": x * [[1.0, -1.0, 0.0, 0.0]], "output": 0.1 + x / 10}
training = learn(
    circuit,
    data,
    rule=CoupledLearning(eta=0.1),
    optimizer=SGD(lr=2e-5, bounds={"conductance": (1e-6, 1e-2)}),
    cost=SquaredError("output"),
    batch=1,
    epochs=3000,
    rng=0,
)
trained = training.machine
print(f"cost {training.cost[0]:.1e} -> {training.cost[-1]:.1e} V^2")

here = data["input"][0]
written = write_netlist(trained, "mesh_trained.cir", clamp={"input": here})
ours = trained.solve({"input": here}).voltages["out"]
print(f"out = {ours:.9f} V at x1 = -1 V, wanted {data['output'][0, 0]:.3f} V; read back: ", end="")
print(f"{read_netlist(written).solve().voltages['out']:.9f} V")
try:
    print(f"ngspice: {run_ngspice(written.read_text())['out']:.9f} V")
except FileNotFoundError:
    print("ngspice is not installed")
