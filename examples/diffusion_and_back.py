"""Data flow to noise and back: three amounts of noise on the way back, one law.

Three clusters on a line diffuse until nothing is left of them.  The score of the noised law, here in closed form, leads
back: by a deterministic flow (alpha = 0), by the reverse SDE (1), or with twice its noise (2).  Paths differ, the law
does not.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import integrate, reverse
from physlearn.models import GaussianMixture, OUProcess

LAST, PATHS = 3.0, 4000
process = OUProcess()
law = GaussianMixture([[-1.5], [0.3], [1.6]], [0.02, 0.05, 0.01], [0.5, 0.2, 0.3])
noise = process.noised(law, LAST).sample(PATHS, rng=0)
line = np.linspace(-3.5, 3.5, 400)

figure, axes = plt.subplots(2, 4, figsize=(12, 5), sharey="row", layout="constrained")
start = law.sample(PATHS, rng=1)
there = integrate(
    process.system(1), (0.0, LAST), x0=start, dt=0.01, temperature=process.temperature, rng=2, method="euler_maruyama"
)
axes[0, 0].plot(there.t, there.x[:, :25, 0], lw=0.6)
axes[0, 0].set(title="to noise", xlabel="t", ylabel="x")
exact = np.exp(process.noised(law, LAST).log_density(line[:, None]))
axes[1, 0].hist(there.final[:, 0], 60, density=True, color="0.8")
axes[1, 0].plot(line, exact, "k")
for column, alpha in enumerate((0.0, 1.0, 2.0), 1):
    back = reverse(process, process.score_of(law), alpha)
    run = integrate(back, (0.1, LAST), x0=noise, dt=0.01, rng=3, method="heun" if alpha else "rk4")
    # near the data the score is steep (1/variance = 100 at the narrowest cluster), and steps must be small
    end = integrate(back, (0.0, 0.1), x0=run.final, dt=2e-4, rng=4, method="heun" if alpha else "rk4")
    x = end.final[:, 0]
    shares = [np.mean(x < -0.6), np.mean((x > -0.6) & (x < 1.0)), np.mean(x > 1.0)]
    print(f"alpha = {alpha:g}: clusters hold {', '.join(f'{s:.3f}' for s in shares)} (0.5, 0.2, 0.3)")
    axes[0, column].plot(run.t, run.x[:, :25, 0], lw=0.6)
    axes[0, column].invert_xaxis()
    axes[0, column].set(title=f"back, alpha = {alpha:g}", xlabel="t")
    axes[1, column].hist(x, 120, density=True, color="0.8")
    axes[1, column].plot(line, np.exp(law.log_density(line[:, None])), "k")
for ax in axes[1]:
    ax.set(xlabel="x", xlim=(-3.5, 3.5))
axes[1, 0].set_ylabel("density")
figure.savefig("diffusion_and_back.png", dpi=120)
