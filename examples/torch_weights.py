"""Weights in from torch and out, as arrays: `torch.nn.Linear` holds (outputs, inputs), an affine map its transpose.

A network made elsewhere goes on learning here by predictive coding, and its weights go back.  Where torch is installed
its own layers are used; elsewhere arrays with torch's names and shapes stand in for them.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, PredictiveCoding, SquaredError, learn
from physlearn.maps import Tanh
from physlearn.models import PredictionGraph
from physlearn.plot import plot_learning_curve

SIZES = [1, 32, 32, 1]


def from_torch(state):
    """{"0.weight": (outputs, inputs), "0.bias": ...} of Linear, Tanh, Linear, ... as W1, b1, W2, ..."""
    return {f"{'Wb'[k % 2]}{k // 2 + 1}": np.asarray(layer).T for k, layer in enumerate(state.values())}


def to_torch(theta):
    """The way back: names of a `torch.nn.Sequential` in which every second module is Tanh."""
    return {f"{2 * int(n[1:]) - 2}.{'weight' if n[0] == 'W' else 'bias'}": np.array(v.T) for n, v in theta.items()}


try:
    import torch

    torch.manual_seed(0)
    hidden = [part for n, m in zip(SIZES, SIZES[1:], strict=False) for part in (torch.nn.Linear(n, m), torch.nn.Tanh())]
    model = torch.nn.Sequential(*hidden[:-1]).double()
    state = {name: value.numpy().copy() for name, value in model.state_dict().items()}
except ImportError:
    model, state = None, to_torch(PredictionGraph.layered(SIZES, Tanh(), rng=0).theta)

x = np.linspace(-2, 2, 200)[:, None]
net = PredictionGraph.layered(SIZES, Tanh(), theta=from_torch(state))
data, cost = {"x": x, "y": np.sin(3 * x)}, SquaredError("y")
task = dict(rule=PredictiveCoding(0.1), cost=cost, optimizer=Adam(5e-3), relax_options={"tol": 1e-3})
done = learn(net, data, epochs=100, batch=20, rng=0, **task)
back = to_torch(done.theta)
assert all(np.array_equal(value, done.theta[name]) for name, value in from_torch(back).items())
ours = done.machine.forward(x)["y"]
if model is not None:
    model.load_state_dict({name: torch.tensor(value) for name, value in back.items()})
    print(f"largest difference of outputs: {np.abs(model(torch.tensor(x)).detach().numpy() - ours).max():.1e}")
print(f"cost {done.cost[0]:.3f} -> {done.cost[-1]:.5f}")
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
plot_learning_curve(done, ax=left)
for y, name, style in ((data["y"], "target", "--"), (net.forward(x)["y"], "as it came", "-"), (ours, "learnt", "-")):
    right.plot(x, y, style, label=name)
right.set(xlabel="x", ylabel="y")
right.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=3, fontsize=8)
figure.savefig("torch_weights.png", dpi=130)
