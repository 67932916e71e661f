"""Result of a sampler."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import function, mapping, text
from physlearn.dynamics.labels import named
from physlearn.dynamics.sampling.mixing import diagnosed


@dataclass(frozen=True)
class Mean:
    """An observable of which only the mean over draws is kept: ``observe={"ss": Mean(correlations)}``.

    Parameters
    ----------
    of : callable
        State to (chains, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Mean, Spin, sample
    >>> from physlearn.terms import Pairs
    >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    >>> both = Mean(lambda x: x["s"][:, 0] * x["s"][:, 1])
    >>> drawn = sample(pair, temperature=1.0, n_samples=500, chains=20, observe={"both": both}, rng=0)
    >>> drawn.observed["both"].shape, bool(abs(drawn.observed["both"].mean() - np.tanh(1.0)) < 0.03)
    ((20,), True)
    """

    of: Any

    __repr__ = brief

    def __post_init__(self):
        function("of", self.of, 1, "a function of the state")


class Observed:
    """Observables asked for by ``observe``, collected draw by draw from states of ``rows`` chains."""

    def __init__(self, observe, rows, n_samples):
        if observe is not None:
            mapping("observe", observe, expected="a mapping of names to functions of the state")
        if "energy" in (observe or {}):
            raise ValueError(
                "observe: 'energy' is the name of the draws' energies, which are always kept; choose another"
            )
        self.wanted, self.rows, self.n_samples, self.seen = dict(observe or {}), rows, n_samples, {}
        for name, wanted in self.wanted.items():
            text("observe", name, "names")
            if not isinstance(wanted, Mean):
                function(f"observe[{name!r}]", wanted, 1, "a function of the state or a Mean")

    @property
    def means(self):
        """Names of the observables kept as a `Mean`."""
        return frozenset(name for name, wanted in self.wanted.items() if isinstance(wanted, Mean))

    def see(self, x):
        """Take one draw of all chains."""
        for name, wanted in self.wanted.items():
            value = np.array((wanted.of if isinstance(wanted, Mean) else wanted)(x))
            if value.shape[:1] != (self.rows,) or value.dtype == object:
                raise ValueError(
                    f"observe[{name!r}]: returned {value.dtype} of shape {value.shape}, expected numbers, "
                    f"({self.rows}, ...), a row for each chain"
                )
            if isinstance(wanted, Mean):
                self.seen[name] = self.seen.get(name, 0.0) + value / self.n_samples
            else:
                self.seen.setdefault(name, []).append(value)

    def stacked(self):
        """{name: (rows, draws, ...)}, of a `Mean` (rows, ...)."""
        return {name: np.stack(v, 1) if isinstance(v, list) else v for name, v in self.seen.items()}


@dataclass(frozen=True)
class Samples:
    """Chains of draws.

    Attributes
    ----------
    x : array or mapping of str to array, or None
        Draws, (chains, draws, *shape); None where only observables were asked for.
    energy : (chains, draws) array
        Energy of every draw.
    observed : dict of str to array
        (chains, draws, ...) for every observable; (chains, ...) for a `Mean`.
    acceptance : (chains,) array or None
        Fraction of proposals accepted; None for samplers that do not propose.
    final : mapping of str to (chains, *shape) array
        Last states of the chains; pass it as ``x0`` to continue.
    temperature : float or (chains,) array
    method : str
        The engine that was used.
    means : frozenset of str
        Which of the observables are a `Mean`.
    notes : tuple of str
        Terms that ran in plain NumPy, each with the form that would open a faster engine.

    Examples
    --------
    >>> from physlearn import Energy, Spin, sample
    >>> from physlearn.terms import Pairs
    >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    >>> drawn = sample(pair, temperature=1.0, n_samples=5, chains=2, rng=0)
    >>> drawn.x.shape, drawn.energy.shape
    ((2, 5, 2), (2, 5))
    """

    x: Any
    energy: np.ndarray
    observed: dict[str, np.ndarray]
    acceptance: np.ndarray | None
    final: Any
    temperature: Any
    method: str
    means: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def __repr__(self):
        chains, draws = self.energy.shape
        rate = "" if self.acceptance is None else f", acceptance={np.mean(self.acceptance):.2f}"
        more = f", notes={len(self.notes)}" if self.notes else ""
        return f"Samples(method={self.method!r}, chains={chains}, draws={draws}{rate}{more})"

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    def to_dataset(self):
        """As an xarray.Dataset with dims (chain, draw, ...), which ArviZ takes; see `diagnostics`.

        A layer or observable whose name is taken ("energy", "chain", "draw", "temperature", an earlier one) has an
        underscore behind it.
        """
        import xarray as xr

        states = self.x if isinstance(self.x, dict) else {} if self.x is None else {"x": self.x}
        lead = ("chain", "draw")
        data = named(
            {"energy": (lead, self.energy)},
            {name: (lead, value) for name, value in states.items()},
            {name: (lead[:1] if name in self.means else lead, value) for name, value in self.observed.items()},
            (*lead, "temperature"),
        )
        attributes = {"method": self.method, "temperature": np.asarray(self.temperature).tolist()}
        return xr.Dataset(data, attrs=attributes)

    def to_arviz(self):
        """As ArviZ's own object: an `InferenceData` for ArviZ before 1.0, an xarray.DataTree from then on.

        Returns
        -------
        arviz.InferenceData or xarray.DataTree
            Group "posterior": draws and observables; "sample_stats": energies and ``lp`` = -energy/temperature.

        Raises
        ------
        ImportError
            ArviZ is not installed.

        Examples
        --------
        >>> from physlearn import Energy, Spin, sample
        >>> from physlearn.terms import Pairs
        >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
        >>> found = sample(pair, temperature=1.0, n_samples=5, chains=2, rng=0).to_arviz()
        >>> sorted(found["posterior"].data_vars), sorted(found["sample_stats"].data_vars)
        (['x'], ['energy', 'lp'])
        """
        import xarray as xr

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # ArviZ announces its next version when it is imported
            try:
                import arviz
            except ImportError as error:
                raise ImportError(
                    "to_arviz: ArviZ is not installed; pip install 'physlearn-sim[mcmc]', or use to_dataset"
                ) from error
        data = self.to_dataset()
        posterior = data[[str(name) for name, value in data.items() if name != "energy" and "draw" in value.dims]]
        scale = np.reshape(self.temperature, (-1, 1))
        stats = xr.Dataset(
            {"energy": data["energy"], "lp": (("chain", "draw"), -self.energy / scale)}, attrs=data.attrs
        )
        if int(arviz.__version__.partition(".")[0]) < 1:
            return arviz.InferenceData(posterior=posterior, sample_stats=stats)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})

    def diagnostics(self):
        """R-hat and effective sample size of the energy and of all that was drawn or observed, by ArviZ.

        R-hat compares the chains' scatter with that within them, by ranks: above about 1.01 they have not mixed.
        The effective sample size (bulk) is the number of independent draws worth as much.  Both as in Vehtari,
        Gelman, Simpson, Carpenter and Buerkner (2021).  Where nothing moves in any chain, as on clamped variables, both
        are NaN; where every chain keeps to a place of its own R-hat is infinite, and each place is worth one draw.

        Returns
        -------
        xarray.Dataset
            Variables as in `to_dataset` without chain and draw, along "diagnostic": "r_hat", "ess".

        Raises
        ------
        ImportError
            Without ArviZ (extra ``mcmc``).
        TypeError, ValueError
            For complex observables; for fewer than 2 chains or 4 draws.

        Examples
        --------
        >>> from physlearn import Energy, Spin, sample
        >>> from physlearn.terms import Pairs
        >>> pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
        >>> found = sample(pair, temperature=1.0, n_samples=200, rng=0).diagnostics()
        >>> bool(found["energy"].sel(diagnostic="r_hat") < 1.05), found["x"].sel(diagnostic="ess").shape
        (True, (2,))
        """
        import xarray as xr

        chains, draws = self.energy.shape
        if chains < 2 or draws < 4:
            raise ValueError(f"diagnostics: {chains} chains of {draws} draws, expected at least 2 chains of 4")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # ArviZ announces its next version when it is imported
            try:
                import arviz  # noqa: F401
            except ImportError as error:
                raise ImportError(
                    "diagnostics: ArviZ is not installed; pip install 'physlearn-sim[mcmc]', or use to_dataset"
                ) from error
            data = self.to_dataset()
            found: Any = diagnosed(data[[str(name) for name, value in data.items() if "draw" in value.dims]])
        return xr.concat(found, xr.Variable("diagnostic", ["r_hat", "ess"]), combine_attrs="drop")
