"""A model of a pendulum learnt from random pushes, and the pushes that raise it, found by relaxing the same energy.

The graph predicts the next state, s' = s + f(s, a).  Unrolled, the first state clamped and the goal at the end, its
energy sum |s_t - prediction|^2/2v + sum |a_t|^2/2w has plans as its minima: `relax` finds states and pushes at once.
The plan is carried out on the true pendulum, ten steps at a time.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, SquaredError, learn, relax
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Constant, Residual, Tanh
from physlearn.models import PredictionGraph

DT, FAR, STEPS, LAST = 0.1, 30, 1500, 60


def pendulum(state, push):
    angle, speed = state.T.copy()  # from below; the true next state of a damped pendulum pushed by a torque
    for _ in range(10):
        speed += 0.1 * DT * (push - np.sin(angle) - 0.1 * speed)
        angle += 0.1 * DT * speed
    return np.stack([angle, speed], 1)


def batch(rng, k):
    s, a = rng.uniform([-4.5, -2.5], [4.5, 2.5], (128, 2)), rng.uniform(-1, 1, (128, 1))
    return {"s": s, "a": a, "next": pendulum(s, a[:, 0])}


step = Residual(Chain(Concatenate(), Affine(48, "W1", "b1"), Tanh(), Affine(2, "W2", "b2", scale=0.1)))
net = PredictionGraph({"s": 2, "a": 1}, {"next": (("s", "a"), step)}, rng=0)
task = dict(rule=ExactGradient(), cost=SquaredError("next"), optimizer=Adam(WarmupCosine(5e-3, STEPS)), rng=0)
net, test = learn(net, batch, epochs=STEPS, progress=False, **task).machine, batch(np.random.default_rng(1), 0)
error = net.forward({"s": test["s"], "a": test["a"]})["next"] - test["next"]
print(f"error of the next state {np.sqrt(np.mean(error**2)):.1e}; a step is {np.std(test['next'] - test['s']):.2f}")

path, pushes = [np.zeros((1, 2))], []
for done in range(0, LAST, 10):
    n = max(15, min(FAR, LAST - done))  # steps that the plan sees
    nodes, sure = {f"a{t}": ((), Constant(1)) for t in range(n)}, {f"a{t}": 0.3 for t in range(n)}
    nodes |= {f"s{t + 1}": ((f"s{t}", f"a{t}"), step) for t in range(n)}
    graph = PredictionGraph({"s0": 2}, nodes, sure | {f"s{t + 1}": 1e-4 for t in range(n)}, theta=net.theta)
    plan = relax(graph, clamp={"s0": path[-1], f"s{n}": [[np.pi, 0.0]]}, tol=1e-4, unconverged="ignore").x
    for t in range(10):
        pushes.append(np.clip(plan[f"a{t}"][0], -1, 1))
        path.append(pendulum(path[-1], pushes[-1]))
path = np.concatenate(path)
print(f"{abs(path[-1, 0] - np.pi):.3f} rad from upright at the end; largest push {np.abs(pushes).max():.2f}, weight 1")
figure, axes = plt.subplots(2, 1, figsize=(6, 4), sharex=True, layout="constrained")
axes[0].plot(DT * np.arange(len(path)), path[:, 0], DT * np.arange(len(path)), np.full(len(path), np.pi), "k--")
axes[0].set(ylabel="angle from below (rad)", title="dashed: upright")
axes[1].step(DT * np.arange(LAST), np.ravel(pushes))
axes[1].set(xlabel="time", ylabel="torque")
figure.savefig("world_model.png", dpi=130)
