"""Phase separation against proportional and integral control: which holds a noisy concentration better?

The same plant makes molecules at a noisy rate.  Condensates take up what is above the saturation, the dilute arm of the
binodal; a controller changes the production after a lag.  Both are tuned by the same search over two numbers each
(Klosin et al. 2020).
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import integrate
from physlearn.models import OUProcess, binodal, buffer_ratio, buffered_plant

DT, STEPS, PATHS, TARGET = 0.05, 1000, 32, 0.06
process, mean, rng = OUProcess(0.3, 0.02), 0.1, np.random.default_rng(0)
paths = [np.sqrt(process.stationary) * rng.standard_normal((PATHS, 1))]
for _ in range(STEPS):
    paths.append(process.transition(paths[-1], DT, rng))
paths = mean + np.array(paths)
plant, times = buffered_plant(decay=1.0, target=TARGET, lag=0.5), np.arange(10.0, STEPS * DT, 0.25)


def follow(settings):
    """Dilute and total concentration under each of some settings (k, 4), (times, k, paths)."""
    each, start = np.repeat(settings, PATHS, 0), np.full((len(settings) * PATHS, 1), TARGET)
    made = np.tile(paths, (1, len(settings), 1))
    x0 = {"c": start, "d": start, "a": 0 * start, "i": 0 * start, "p": made[0], "settings": each}
    drive = {"p": lambda t: made[round(t / DT)], "settings": each}
    run = integrate(plant, (0.0, STEPS * DT), x0=x0, clamp=drive, dt=DT, method="euler", times=times)
    c, d = (run.x[name].reshape(len(times), -1, PATHS) for name in "cd")
    return c, c + d


draws = rng.random((40, 2))  # the same search for both
couplings, gains = -5.0 - 2.5 * draws[:, 0], 10 ** (2.0 * draws - 1.0)
buffers = np.array([[binodal(j, 1.0)[0], 10 ** (2 * r - 1), 0, 0] for j, (_, r) in zip(couplings, draws, strict=True)])
controls = np.column_stack([np.full((40, 1), 9.0), np.zeros((40, 1)), gains])
figure = plt.figure(figsize=(13, 3.8), layout="constrained")
left, middle, right = figure.subplots(1, 3)
for name, tried in (("neither", controls[:1] * [1, 1, 0, 0]), ("control", controls), ("buffer", buffers)):
    c, total = follow(tried)
    error = np.sqrt(np.mean((c - TARGET) ** 2, (0, 2))) / TARGET
    k = int(np.argmin(error))
    left.plot(times, c[:, k, 0], label=f"{name}: {error[k]:.3f}")
    middle.plot(np.sort(error)[::-1], ".-")
    print(f"{name}: error {error[k]:.3f} of the target, settings {np.round(tried[k], 3)}")
left.set(xlabel="t", ylabel="dilute concentration", title="the best of each, and its error")
middle.set(xlabel="settings tried, sorted", ylabel="error / target", yscale="log", title="one search (colours: left)")
s = np.linspace(0.04, 0.15, 9)
c, total = follow(np.column_stack([s, np.full(9, 15.0), np.zeros((9, 2))]))
fine, ratio, sd = np.linspace(0.04, 0.15, 100), c.var((0, 2)) / total.var((0, 2)), total.std()
right.plot(s, ratio, "o", fine, buffer_ratio(mean, sd, fine), "k")
right.set(xlabel="saturation", ylabel="variance, dilute/total", title="what passes the buffer (line: binodal)")
print(f"ratio of variances: within {np.max(np.abs(ratio - buffer_ratio(mean, sd, s))):.3f} of the binodal's")
left.legend(fontsize=8, loc="upper right")
figure.savefig("noise_buffer.png", dpi=120)
