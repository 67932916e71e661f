r"""A variational autoencoder: a graph of maps from data and noise to a bound on the data's likelihood.

    code (m, l) = encoder(x),   z = m + exp(l/2) noise,   y = decoder(z),   -log p(x) <= -ELBO(x; y, m, l)

x data, z the latent variables, with prior N(0, 1); noise is a clamped layer, drawn anew for every batch, so that
everything else is one graph: the bound falls by the exact gradient, or by predictive coding.  The bound is exact where
the posterior of z is normal with a diagonal covariance: with linear maps it is probabilistic PCA (Lucas et al. 2019).
Source: Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, positive, sequence
from physlearn.learning.elbo import NegativeELBO
from physlearn.maps import Affine, Chain, Concatenate, NormalDraw, Relu
from physlearn.maps.compose import check_is_map
from physlearn.models.layered.graph import PredictionGraph
from physlearn.rng import generator
from physlearn.threads import on_one_thread

BLOCK = 512  # items that are decoded together


class VariationalAutoencoder:
    """An encoder and a decoder, both maps, with normal codes between them.

    Its readouts are "x", "noise" and "out", which the cost takes; `data` and `batches` make them.

    Parameters
    ----------
    visible, latent : int
        Numbers in a datum and in a code.
    hidden : sequence of int
        Units of the layers between, of the encoder from data to codes and of the decoder backwards; rectified.
    likelihood : {"bernoulli", "gaussian"}
        Of data: numbers in [0, 1] with log odds y, or real ones around means y.
    beta : float
        Weight of the KL.
    variance : float
        Of data around y, for "gaussian", in the data's units squared.
    encoder, decoder : map, optional
        In the place of layers: (visible,) to (2 latent,), and (latent,) to (visible,).
    theta : mapping of str to array, optional
        Some or all parameters; all in float32 make a graph in single precision.
    rng : int, Generator or None
        Draws first parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Adam, ExactGradient, learn
    >>> x = np.repeat([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 20, axis=0)
    >>> model = VariationalAutoencoder(3, 1, hidden=(8,), rng=0)
    >>> done = learn(model, model.batches(x, 20), rule=ExactGradient(), cost=model.cost, optimizer=Adam(0.05),
    ...              epochs=200, rng=0)
    >>> bool(done.machine.elbo(x, draws=100, rng=0).mean() > -1.2)  # -log 2 is the best there is
    True
    """

    def __init__(
        self, visible, latent, *, hidden=(128,), likelihood="bernoulli", beta=1.0, variance=1.0, encoder=None,
        decoder=None, theta=None, rng=None,
    ):  # fmt: skip
        self.visible, self.latent = count("visible", visible), count("latent", latent)
        self.cost = NegativeELBO("out", latent, likelihood, beta, variance)
        widths = sequence("hidden", hidden, expected="numbers of units")
        encoder = _layers("e", widths, 2 * latent) if encoder is None else check_is_map("encoder", encoder)
        decoder = _layers("d", widths[::-1], visible) if decoder is None else check_is_map("decoder", decoder)
        nodes = {
            "code": ("x", encoder),
            "z": (("code", "noise"), NormalDraw(latent)),
            "y": ("z", decoder),
            "out": (("y", "code"), Concatenate()),
        }
        self.system = PredictionGraph({"x": visible, "noise": latent}, nodes, theta=theta, rng=rng)
        made = self.system.layers["y"].size
        if made != visible:
            raise ValueError(f"decoder: it makes {made} numbers, expected {visible}, as many as are visible")

    def __repr__(self):
        return brief(
            self,
            visible=self.visible,
            latent=self.latent,
            likelihood=self.cost.likelihood,
            beta=self.cost.beta,
            theta=self.theta,
        )

    @property
    def theta(self):
        """Parameters of encoder and decoder, read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same autoencoder with other parameters, such as learnt ones."""
        other = object.__new__(VariationalAutoencoder)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other

    def data(self, x, noise):
        """Data and noise as `learn` takes them.

        Parameters
        ----------
        x : (n, visible) array
        noise : (n, latent) array
        """
        x = array("x", x, shape=("n", self.visible))
        noise = array("noise", noise, shape=(len(x), self.latent))
        return {"x": x, "noise": noise, "out": np.concatenate([x, np.zeros((len(x), 2 * self.latent))], 1)}

    def batches(self, x, size):
        """A function that makes a batch of ``size`` data and fresh noise for every step of `learn`.

        Parameters
        ----------
        x : (n, visible) array
        size : int
        """
        x, size = array("x", x, shape=("n", self.visible)), count("size", size)
        if not len(x):
            raise ValueError(f"x: got the shape {x.shape}, expected at least one row")

        def batch(rng, step):
            picked = x[rng.integers(len(x), size=size)]
            return self.data(picked, rng.standard_normal((size, self.latent)))

        return batch

    def encode(self, x):
        """Means and standard deviations of codes, (n, latent) each.

        Parameters
        ----------
        x : (n, visible) array
        """
        x = array("x", x, shape=("n", self.visible))
        code = np.asarray(self.system.forward({"x": x, "noise": np.zeros((len(x), self.latent))})["code"], float)
        return code[:, : self.latent], np.exp(0.5 * code[:, self.latent :])

    @on_one_thread
    def decode(self, z):
        """Means of data, (n, visible): for "bernoulli" the probabilities of ones.

        Parameters
        ----------
        z : (n, latent) array
        """
        z = array("z", z, shape=("n", self.latent)).astype(self.system.dtype)
        decoder = next(term.map for term in self.system.terms if term.child == "y")
        parts = [decoder.forward((z[k : k + BLOCK],), self.theta)[0] for k in range(0, len(z), BLOCK)]
        y = np.concatenate(parts).reshape(len(z), -1).astype(float) if parts else np.zeros((0, self.visible))
        return y if self.cost.likelihood == "gaussian" else 0.5 + 0.5 * np.tanh(0.5 * y)

    def elbo(self, x, *, draws=1, rng=None):
        """The bound log p(x) >= ELBO (with the cost's beta), a mean over ``draws``, (n,), in nats.

        Parameters
        ----------
        x : (n, visible) array
        draws : int
        rng : int, Generator or None
        """
        x, rng = array("x", x, shape=("n", self.visible)), generator(rng)
        total = np.zeros(len(x))
        for _ in range(count("draws", draws)):
            data = self.data(x, rng.standard_normal((len(x), self.latent)))
            out = self.system.forward({"x": data["x"], "noise": data["noise"]})["out"]
            total -= self.cost.value(np.asarray(out, float), data["out"])
        return total / draws

    def generate(self, n, *, rng=None):
        """Means of data for ``n`` codes drawn from the prior, (n, visible).

        Parameters
        ----------
        n : int
        rng : int, Generator or None
        """
        return self.decode(generator(rng).standard_normal((count("n", n), self.latent)))

    def interpolate(self, a, b, steps, *, path="line"):
        """Means of data between the codes of two data, (steps, visible), both ends included.

        Parameters
        ----------
        a, b : (visible,) array
        steps : int
        path : {"line", "sphere"}
            Straight between the codes, or along a great circle, at lengths that the prior knows.
        """
        steps, path = count("steps", steps, least=2), choice("path", path, ("line", "sphere"))
        (one, other), _ = self.encode(np.stack([array("a", a, ndim=1), array("b", b, ndim=1)]))
        t = np.linspace(0, 1, steps)[:, None]
        lengths = np.linalg.norm(one), np.linalg.norm(other)
        if path == "line" or min(lengths) == 0:
            return self.decode((1 - t) * one + t * other)
        angle = np.arccos(np.clip(one @ other / (lengths[0] * lengths[1]), -1, 1))
        if np.sin(angle) < 1e-9:
            return self.decode((1 - t) * one + t * other)
        ends = np.sin((1 - t) * angle) * one / lengths[0] + np.sin(t * angle) * other / lengths[1]
        return self.decode(ends / np.sin(angle) * ((1 - t) * lengths[0] + t * lengths[1]))


def linear_elbo(x, mean, W, V, spread, variance):
    """The bound of a linear autoencoder with the expectation over codes taken exactly, (n,), in nats.

    p(x|z) = N(W z + mean, variance), q(z|x) = N(V (x - mean), diag spread); at its maximum it is the log-likelihood of
    probabilistic PCA (Lucas et al. 2019, eq. 8 ff.; Tipping and Bishop 1999).

    Parameters
    ----------
    x : (n, d) array
    mean : (d,) array
    W : (d, k) array
    V : (k, d) array
    spread : (k,) array
        Variances of codes.
    variance : float
        Of data around what is decoded.

    Examples
    --------
    >>> linear_elbo([[0.0]], [0.0], [[0.0]], [[0.0]], [1.0], 1.0).round(6)  # no code: the normal density alone
    array([-0.918939])
    """
    x, mean = array("x", x, ndim=2), array("mean", mean, ndim=1)
    W, V, spread = array("W", W, ndim=2), array("V", V, ndim=2), array("spread", spread, ndim=1, low=0)
    positive("variance", variance)
    if not (W.shape == V.T.shape == (x.shape[1], len(spread)) and len(mean) == x.shape[1] and np.all(spread > 0)):
        raise ValueError(
            f"W, V, spread: got the shapes {W.shape}, {V.shape}, {spread.shape} for data {x.shape}, expected (d, k), "
            "(k, d) and (k,), variances positive"
        )
    centred = x - mean
    m = centred @ V.T
    left = centred - m @ W.T
    misfit = np.sum(left * left, 1) + np.sum(spread * np.sum(W * W, 0))
    kl = 0.5 * np.sum(spread + m * m - np.log(spread) - 1, 1)
    return -0.5 * misfit / variance - 0.5 * x.shape[1] * np.log(2 * np.pi * variance) - kl


def _layers(name, widths, outputs):
    """Rectified layers and an affine one."""
    maps = []
    for k, n in enumerate(widths, 1):
        maps += [Affine(count("hidden", n), f"{name}W{k}", f"{name}b{k}", scale=2.0**0.5), Relu()]
    k = len(widths) + 1
    return Chain(*maps, Affine(outputs, f"{name}W{k}", f"{name}b{k}"))
