r"""AdversarialPair: a maker of data and a judge of them, two energies that learn against each other.

The judge tells data from what is made, by its log odds D = 1/(1 + exp(-odds)); the maker turns noise into what the
judge takes for data (Goodfellow et al. 2014, with the maker's loss that does not saturate):

    judge:  -< log D(x) >_data - < log(1 - D(G(z))) >        maker:  -< log D(G(z)) >

For a fixed maker of density q the best judge is D = p/(p + q), and -2 times its loss is the value

    < log D >_data + < log(1 - D) >_made = -log 4 + 2 JSD(p, q).

Each is a graph of predictions, x -> odds and z -> x -> odds, sharing the judge's parameters; one learns while the
other's are held.  Nothing that both lower together exists: the pair may circle, or the maker may leave out what the
judge has forgotten (mode collapse).  Look at more than one seed.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, mapping
from physlearn.energy import Energy, Real
from physlearn.learning import BinaryCrossEntropy
from physlearn.maps.affine import shape_of
from physlearn.maps.compose import check_is_map
from physlearn.models.learned.noising import started
from physlearn.rng import generator
from physlearn.terms import Prediction
from physlearn.threads import on_one_thread

ROWS = 512  # points that go through a map together


class AdversarialPair:
    """A maker and a judge; see the module.

    Parameters
    ----------
    maker : map
        From (noise,), or (noise, condition), to the shape of a datum.
    judge : map
        From (datum,), or (datum, condition), to (1,): the log odds that it is a datum.
    shape : int or tuple of int
        Of a datum.
    noise : int
        Entries of the noise, standard normal.
    condition : int, optional
        Entries of a condition that both see, such as classes.
    theta : mapping of str to array, optional
        Parameters of both, whose names differ.
    rng : int, Generator or None
        Draws first parameters.

    Attributes
    ----------
    system : Energy
        Noise to odds, with the parameters of both: what the maker learns by.
    judge_system : Energy
        Datum to odds.
    cost : BinaryCrossEntropy
        Of both.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import Affine, Chain, Tanh
    >>> pair = AdversarialPair(Affine(1, "G", "g"), Chain(Affine(8, "D1", "d1"), Tanh(), Affine(1, "D2", "d2")),
    ...                        shape=1, noise=1, rng=0)
    >>> pair.make(3, rng=0).shape, pair.probability(np.zeros((2, 1))).shape
    ((3, 1), (2,))
    """

    cost = BinaryCrossEntropy("odds")

    def __init__(self, maker, judge, *, shape, noise, condition=None, theta=None, rng=None):
        self.maker, self.judge = check_is_map("maker", maker), check_is_map("judge", judge)
        self.shape, self.noise = shape_of("shape", shape), count("noise", noise, each=8)
        self.condition = None if condition is None else count("condition", condition, each=8)
        rng, extra = generator(rng), {} if condition is None else {"condition": (self.condition,)}
        theirs = (tuple(getattr(maker, "parameters", ())), tuple(getattr(judge, "parameters", ())))
        if shared := set(theirs[0]) & set(theirs[1]):
            raise ValueError(f"maker, judge: both read {sorted(shared)}; give their parameters names of their own")
        first = _started("maker", maker, ((self.noise,), *extra.values()), self.shape, rng)
        first |= _started("judge", judge, (self.shape, *extra.values()), (1,), rng)
        first |= {} if theta is None else mapping("theta", theta)
        see = tuple(extra)
        judging = Prediction("odds", ("x", *see), judge)
        layers: dict = {name: (Real(), s) for name, s in ({"noise": (self.noise,)} | extra | {"x": self.shape}).items()}
        layers["odds"] = (Real(), 1)
        self.system = Energy(layers, [Prediction("x", ("noise", *see), maker), judging], first)
        del layers["noise"]
        self.judge_system = Energy(layers, [judging], {name: first[name] for name in theirs[1]})
        self.system.check_terms()

    def __repr__(self):
        return brief(self, maker=self.maker, judge=self.judge, shape=self.shape, noise=self.noise)

    @property
    def theta(self):
        """Parameters of both, read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same pair with other parameters, of either or both."""
        other = object.__new__(AdversarialPair)
        system = self.system.with_theta(theta)
        theirs = {name: system.theta[name] for name in self.judge_system.theta}
        other.__dict__.update(self.__dict__, system=system, judge_system=self.judge_system.with_theta(theirs))
        return other

    @on_one_thread
    def make(self, n, *, condition=None, rng=None) -> np.ndarray:
        """Draws of the maker, (n, *shape).

        Parameters
        ----------
        n : int
        condition : (n, c) array, optional
        rng : int, Generator or None
        """
        count("n", n, each=8 * math.prod(self.shape))
        return self._made(generator(rng).standard_normal((n, self.noise)), self._conditions(condition, n))

    @on_one_thread
    def probability(self, x, *, condition=None) -> np.ndarray:
        """D, the judge's probability that points (n, *shape) are data, (n,).

        Parameters
        ----------
        x : (n, *shape) array
        condition : (n, c) array, optional
        """
        return 0.5 + 0.5 * np.tanh(0.5 * self._odds(x, condition))

    @on_one_thread
    def value(self, data, made, *, condition=None) -> float:
        """< log D > over data plus < log(1 - D) > over what was made: -log 4 + 2 JSD at the best judge.

        Parameters
        ----------
        data, made : (n, *shape) arrays
        condition : (n, c) array, optional
            Of both.
        """
        real, false = self._odds(data, condition), self._odds(made, condition)
        return float(-np.mean(np.logaddexp(0, -real)) - np.mean(np.logaddexp(0, false)))

    def judging(self, data, size=128, *, condition=None):
        """What `learn` takes as ``data`` for `judge_system`: data and as many things made, anew for every step.

        Parameters
        ----------
        data : (n, *shape) array
        size : int
            Of each.
        condition : (n, c) array, optional
            Of the data; what is made has those of the data beside it.
        """
        x, c = self._points("data", data), self._conditions(condition, len(data))
        count("size", size, each=16 * x[0].size)
        target = np.repeat([1.0, 0.0], size)[:, None]

        def batch(rng, step):
            pick = rng.integers(0, len(x), size)
            seen = None if c is None else c[pick]
            made = self._made(rng.standard_normal((size, self.noise)), seen)
            found = {"x": np.concatenate([x[pick], made]).reshape(2 * size, -1), "odds": target}
            return found if seen is None else found | {"condition": np.concatenate([seen, seen])}

        return batch

    def making(self, size=128, *, condition=None):
        """What `learn` takes as ``data`` for the pair itself: noise that the judge should take for data.

        Parameters
        ----------
        size : int
        condition : (n, c) array, optional
            Conditions to draw from.
        """
        count("size", size, each=8 * self.noise)
        c = self._conditions(condition, 0 if condition is None else len(condition))

        def batch(rng, step):
            found = {"noise": rng.standard_normal((size, self.noise)), "odds": np.ones((size, 1))}
            return found if c is None else found | {"condition": c[rng.integers(0, len(c), size)]}

        return batch

    def _made(self, z, c):
        parents = (z,) if c is None else (z, c)
        blocks = [tuple(v[i : i + ROWS] for v in parents) for i in range(0, len(z), ROWS)]
        return np.concatenate([self.maker.forward(block, self.theta)[0] for block in blocks])

    def _odds(self, x, condition):
        x = self._points("x", x)
        c = self._conditions(condition, len(x))
        parents = (x,) if c is None else (x, c)
        blocks = [tuple(v[i : i + ROWS] for v in parents) for i in range(0, len(x), ROWS)]
        return np.concatenate([self.judge.forward(block, self.theta)[0] for block in blocks])[:, 0]

    def _points(self, name, x):
        x = array(name, x)
        if x.shape[1:] != self.shape or not len(x):
            raise ValueError(f"{name}: got the shape {x.shape}, expected (n, {', '.join(map(str, self.shape))}), n > 0")
        return x

    def _conditions(self, condition, n):
        if (condition is None) != (self.condition is None):
            what = "none" if self.condition is None else f"(n, {self.condition})"
            raise ValueError(f"condition: the pair takes {what}, got {'none' if condition is None else 'some'}")
        return None if condition is None else array("condition", condition, shape=(n, self.condition))


def _started(name, map, shapes, wanted, rng):
    try:
        return started(map, shapes, wanted, rng)
    except ValueError as error:
        raise ValueError(str(error).replace("map:", f"{name}:", 1)) from None
