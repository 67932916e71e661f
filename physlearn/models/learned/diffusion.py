r"""DiffusionModel: a map that has learnt to predict the noise in data, and the data that it draws.

Data x0 are noised by the steps of a schedule, x_k = a_k x0 + s_k eps, and a map predicts from x_k and k what its
parametrisation says: eps, x0, v = a eps - s x0, or the score -eps/s (`Parametrisation`),

    F = < |prediction(x_k, k) - target|^2 > / 2                       (weighted by s_k^2 for the score)

(Ho, Jain and Abbeel 2020, eq. 14).  As an energy it is one `Prediction`: layers "x", "time", "condition" predict "out".
The time is seen as sines and cosines of pi 2^m (k + 1)/N.  It learns by the verb,

    learn(model, model.batches(data), rule=ExactGradient(), cost=model.cost, optimizer=Adam(1e-3), epochs=steps)

and a draw begins in N(0, 1) and takes the steps back (`physlearn.models.ancestral`, `ddim`, `probability_flow`).  With
a condition dropped from some of the data, one map knows eps(x|c) and eps(x); eps(x|c) + w (eps(x|c) - eps(x)) guides
towards c (Ho and Salimans 2022).  For w > 0 that is no law's score: draws are sharper than the data of that condition.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, instance, integer, mapping, number
from physlearn.energy import Energy, Real
from physlearn.learning import SquaredError
from physlearn.maps.affine import shape_of
from physlearn.maps.compose import check_is_map
from physlearn.models.learned.backwards import ancestral, ddim, probability_flow
from physlearn.models.learned.losses import LossBand, loss_bands
from physlearn.models.learned.noising import Batches, Weighted, started, time_features
from physlearn.models.learned.parametrisation import Parametrisation, made_of, pair_of, parametrisation as kind_of
from physlearn.models.learned.schedule import NoiseSchedule
from physlearn.rng import children, generator
from physlearn.terms import Prediction
from physlearn.threads import on_one_thread

BYTES = 1000  # of one entry of all draws that go through the map together: the cache then holds them
SAMPLERS = {"ancestral": ancestral, "ddim": ddim, "flow": probability_flow}


class DiffusionModel:
    """A learnt predictor of noise; see the module for its energy and how it learns.

    Parameters
    ----------
    map : map
        From (x, time), or (x, time, condition), to the shape of x: `physlearn.maps`, joined by ``Concatenate()``.
    schedule : NoiseSchedule
    parametrisation : Parametrisation or {"eps", "x0", "v", "score"}
    shape : int or tuple of int
        Of a datum.
    condition : int, optional
        Entries of the condition, such as classes; without it the map takes two parents.
    features : int
        Sines and cosines of the time, an even number.
    theta : mapping of str to array, optional
        Parameters, in the place of those that the map starts with; all in float32 make a model in single precision.
    rng : int, Generator or None
        Draws the map's first parameters.

    Attributes
    ----------
    system : Energy
    cost : SquaredError
        The cost to train by.

    Raises
    ------
    ValueError
        A map that takes other parents, or gives another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Adam, ExactGradient, learn
    >>> from physlearn.maps import Affine, Chain, Concatenate, Silu
    >>> net = Chain(Concatenate(), Affine(32, "W1", "b1"), Silu(), Affine(1, "W2", "b2"))
    >>> model = DiffusionModel(net, NoiseSchedule.linear(50), shape=1, rng=0)
    >>> data = 0.5 * np.random.default_rng(0).standard_normal((1000, 1)) + 1.0
    >>> done = learn(model, model.batches(data), rule=ExactGradient(), cost=model.cost, optimizer=Adam(0.01),
    ...              epochs=1000, rng=0)
    >>> x = done.machine.sample(2000, rng=1)
    >>> bool(abs(x.mean() - 1.0) < 0.1), bool(abs(x.std() - 0.5) < 0.1)
    (True, True)
    """

    cost = SquaredError("out")

    def __init__(
        self, map, schedule, parametrisation="eps", *, shape, condition=None, features=16, theta=None, rng=None
    ):
        self.map = check_is_map("map", map)
        self.schedule = instance("schedule", schedule, NoiseSchedule, "a NoiseSchedule")
        self.parametrisation = kind_of(parametrisation)
        self.shape = shape_of("shape", shape)
        self.condition = None if condition is None else count("condition", condition, each=8)
        self.features = count("features", features, least=2, each=8 * len(schedule))
        if self.features % 2:
            raise ValueError(f"features: got {features}, expected an even number, of sines and cosines")
        inputs = {"x": self.shape, "time": (self.features,)}
        inputs |= {} if condition is None else {"condition": (self.condition,)}
        start = started(map, tuple(inputs.values()), self.shape, rng)
        if self.parametrisation is Parametrisation.SCORE:
            map, inputs = Weighted(map), inputs | {"weight": (1,)}
        layers = {name: (Real(), shape) for name, shape in (inputs | {"out": self.shape}).items()}
        system = Energy(
            layers,
            [Prediction("out", tuple(inputs), map)],
            start if theta is None else {**start, **mapping("theta", theta)},
        )
        system.check_terms()
        self.system = system

    def __repr__(self):
        return brief(
            self,
            map=self.map,
            schedule=self.schedule,
            parametrisation=str(self.parametrisation),
            shape=self.shape,
            condition=self.condition,
        )

    @property
    def theta(self):
        """The map's parameters, read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same model with other parameters, such as learnt ones."""
        other = object.__new__(DiffusionModel)
        other.__dict__.update(self.__dict__, system=self.system.with_theta(theta))
        return other

    def single(self):
        """The same model in single precision: half the memory, about half the time."""
        system, other = self.system, object.__new__(DiffusionModel)
        theta = {name: value.astype(np.float32) for name, value in self.theta.items()}
        other.__dict__.update(self.__dict__, system=Energy(system.layers, system.terms, theta, system.readouts))
        return other

    @property
    def dtype(self):
        """float32 where all of theta is, else float64."""
        single = bool(self.theta) and all(value.dtype == np.float32 for value in self.theta.values())
        return np.dtype(np.float32 if single else np.float64)

    def batches(self, data, size=256, *, condition=None, drop=0.0):
        """What `learn` takes as ``data``: a function that noises some of the data anew for every step.

        Parameters
        ----------
        data : (n, ...) array
            Scaled to about unit variance.
        size : int
            Data a step, drawn with replacement.
        condition : (n, c) array, optional
            Of every datum, if the model takes one, such as rows of the unit matrix for classes.
        drop : float
            Share whose condition is set to zero, so that the model can be guided; 0.1 is usual.
        """
        x, c = self._data(data), self._conditions(condition, len(data))
        if drop and c is None:
            raise ValueError("drop: the model takes no condition; build it with condition=")
        count("size", size, each=8 * (x[0].size + self.features))
        return Batches(self, x, c, size, number("drop", drop, 0, 1), time_features(len(self.schedule), self.features))

    @on_one_thread
    def predict(self, x, k, *, condition=None, guidance=0.0, wanted="eps") -> np.ndarray:
        """Prediction at points x (n, ...) of step k, as eps, x0, v or score; shaped like x.

        Parameters
        ----------
        x : (n, ...) array
        k : int
        condition : (c,) or (n, c) array, optional
            Zeros, the dropped one, where it is left out.
        guidance : float
            w; negative weakens the condition.
        wanted : Parametrisation or str

        Examples
        --------
        >>> from physlearn.maps import Affine, Chain, Concatenate
        >>> net = Chain(Concatenate(), Affine(1, "W", "b"))
        >>> model = DiffusionModel(net, NoiseSchedule.linear(50), "x0", shape=1, theta={"W": [[0.0]] * 17}, rng=0)
        >>> model.predict([[2.0]], 30).round(2), model.predict([[2.0]], 30, wanted="x0")
        (array([[2.02]]), array([[0.]]))
        """
        wanted, x = kind_of(wanted, "wanted"), self._points(x)
        k = integer("k", k, 0, len(self.schedule) - 1)
        found = np.concatenate([
            self._guided(x[i], self._table[k], c, guidance) for i, c in self._blocks(len(x), condition, guidance)
        ])  # fmt: skip
        if wanted is self.parametrisation:
            return found
        a, s = self.schedule.signal[k], self.schedule.noise[k]
        return made_of(*pair_of(found, x, a, s, self.parametrisation), a, s, wanted)

    @on_one_thread
    def sample(self, n, *, method="ancestral", condition=None, guidance=0.0, rng=None, **settings) -> np.ndarray:
        """Draws, (n, *shape).

        Parameters
        ----------
        n : int
        method : {"ancestral", "ddim", "flow"}
            `ancestral`, `ddim` or `probability_flow`.
        condition, guidance
            As for `predict`.
        rng : int, Generator or None
        **settings
            Of the method: ``variance``, ``eta``, ``steps``.

        Raises
        ------
        DivergenceError
            Draws that leave the numbers below a million.
        """
        count("n", n, each=8 * math.prod(self.shape))
        draw = SAMPLERS[str(choice("method", method, tuple(SAMPLERS)))]
        found = []
        roots = children(rng, -(-n // self._rows))
        for root, (where, c) in zip(roots, self._blocks(n, condition, guidance), strict=True):
            own = generator(root)
            x = own.standard_normal((len(range(n)[where]), *self.shape)).astype(self.dtype, copy=False)
            more = {} if method == "flow" else {"rng": own}
            found.append(draw(self._noise_in(c, guidance), self.schedule, x, **more, **settings))
        return np.concatenate(found)

    @on_one_thread
    def losses(self, data, *, bands=10, condition=None, covariance=None, rng=None) -> list[LossBand]:
        """Mean square error of the prediction, in bands of steps: the loss as a whole hides where it does not fall.

        Parameters
        ----------
        data : (n, ...) array
            Each is noised once for every band, at a step of it.
        bands : int
        condition : (n, c) array, optional
        covariance : float or (d, d) array, optional
            Of Gaussian data, for the exact floor.
        rng : int, Generator or None
        """
        x, c = self._data(data), self._conditions(condition, len(data))
        return loss_bands(self, x, c, bands, covariance, rng)

    def _noise_in(self, c, guidance):
        """predict(x, k) -> eps of a block with its conditions, unchecked."""
        table, kind, schedule = self._table, self.parametrisation, self.schedule

        def noise_in(x, k):
            value = self._guided(x, table[k], c, guidance)
            if kind is Parametrisation.EPS:
                return value
            a, s = (x.dtype.type(v[k]) for v in (schedule.signal, schedule.noise))
            return pair_of(value, x, a, s, kind)[1]

        return noise_in

    def _guided(self, x, features, c, guidance):
        """The map's prediction at a time's features, guided: of one parametrisation, which is linear in eps."""
        time, theta = np.empty((len(x), self.features), x.dtype), self.system.theta
        time[...] = features
        if c is None:
            return self._shaped(self.map.forward((x, time), theta)[0], x)
        with_it = self._shaped(self.map.forward((x, time, c), theta)[0], x)
        if not guidance:
            return with_it
        without = self.map.forward((x, time, np.zeros_like(c)), theta)[0]
        return with_it + x.dtype.type(guidance) * (with_it - without)

    def _shaped(self, value, x):
        if value.shape != x.shape:
            raise ValueError(f"map: gave the shape {value.shape} for points {x.shape}, expected the points' own shape")
        return value

    @property
    def _rows(self):
        """Draws to a block."""
        return BYTES // self.dtype.itemsize

    @property
    def _table(self):
        """The time's features at every step, (N, features), in the model's precision."""
        key = ("times", self.dtype.name)
        if key not in self.system.plans:
            self.system.plans[key] = time_features(len(self.schedule), self.features).astype(self.dtype)
        return self.system.plans[key]

    def _blocks(self, n, condition, guidance):
        """Pairs of (slice, conditions of its rows or None)."""
        if number("guidance", guidance) and condition is None:
            raise ValueError("guidance: got a weight without a condition to be guided to; pass condition=")
        c = self._conditions(condition, n)
        for i in range(0, n, self._rows):
            where = slice(i, min(i + self._rows, n))
            yield where, None if c is None else np.ascontiguousarray(c[where], self.dtype)

    def _conditions(self, given, n):
        """Conditions (n, c): zeros where none is given to a model that takes one, None where it takes none."""
        if self.condition is None:
            if given is not None:
                raise ValueError("condition: the model takes none; build it with condition=")
            return None
        if given is None:
            return np.zeros((n, self.condition))
        given = array("condition", given, ndim=(1, 2))
        if given.ndim == 1:
            given = np.broadcast_to(given, (n, len(given)))
        return array("condition", given, shape=(n, self.condition))

    def _points(self, x):
        x = array("x", x, dtype=None).astype(self.dtype, copy=False)
        if x.ndim != 1 + len(self.shape) or x.shape[1:] != self.shape or not len(x):
            raise ValueError(f"x: got the shape {x.shape}, expected (n, {', '.join(map(str, self.shape))})")
        return x

    def _data(self, data):
        x = array("data", data)
        if not len(x) or x.shape[1:] != self.shape:
            raise ValueError(f"data: got the shape {x.shape}, expected (n, {', '.join(map(str, self.shape))}), n > 0")
        return x
