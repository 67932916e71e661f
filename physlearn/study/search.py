"""Search for the best point by optuna (extra `search`): it proposes points, a study computes and keeps them.

Proposals come in batches by ask and tell.  Optuna's own record, ``NAME.search.log``, lies beside the study's folder
NAME; a search that was interrupted first completes the points it had asked for.  The sampler is seeded by the number of
completed trials, so an interruption does not change what is proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, count, mapping, text
from physlearn.files import path_of
from physlearn.study.handle import Study
from physlearn.study.plans.axes import Between
from physlearn.study.plans.space import points
from physlearn.study.run import study

RECORD = ".search.log"


class Search(NamedTuple):
    """Result of `search`: the best point and its value, the study with all points, optuna's own study."""

    best: dict[str, Any]
    value: float
    study: Study
    trials: Any

    __repr__ = brief


def search(
    task,
    ranges: Mapping[str, Any],
    *,
    observable: str,
    store,
    trials: int,
    direction: Literal["minimize", "maximize"] = "minimize",
    batch: int = 4,
    replicates: int = 1,
    seed: int = 0,
    sampler=None,
    **settings,
) -> Search:
    """Find the parameters that make a scalar result smallest or largest.

    Parameters
    ----------
    task : Task, "package.module:name" or function
        As of `study`.
    ranges : mapping of str to range, list or value
        `between` (or a pair) is a range, a list holds choices, anything else is fixed.
    observable : str
        A scalar result; its mean over the replicates counts.
    store : path-like
        Folder of the study.  The same search, run again with more trials, goes on.
    trials : int
        Points in all.
    direction : {"minimize", "maximize"}
    batch : int
        Points proposed together, to be computed at once; the proposals do not depend on the number of workers.
    replicates, seed : int
        As of `study`.
    sampler : callable, optional
        ``sampler(seed)`` gives an optuna sampler; default ``optuna.samplers.TPESampler``.
    **settings
        Passed to `study`: ``workers``, ``executor``, ``timeout``, ...

    Returns
    -------
    Search
        Points whose tasks failed count as failed trials.

    Raises
    ------
    ImportError
        Without optuna: ``pip install "physlearn-sim[search]"``.
    ValueError
        No range; a folder of another search; no point that could be computed.

    Examples
    --------
    >>> import tempfile
    >>> from physlearn.study import between, search
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = search("physlearn.tasks:hopfield", {"neurons": 40, "load": between(0.05, 0.6)},
    ...                    observable="overlap", direction="maximize", store=folder + "/s", trials=6,
    ...                    executor="serial", progress=False)
    >>> found.value > 0.9
    True
    """
    optuna = _optuna()
    text("observable", observable, "the name of a scalar result")
    choice("direction", direction, ("minimize", "maximize"))
    ranges, trials, batch = mapping("ranges", ranges), count("trials", trials), count("batch", batch)
    free: Any = {name: _distribution(optuna, name, given) for name, given in ranges.items() if _varies(given)}
    fixed = {name: given for name, given in ranges.items() if name not in free}
    if not free:
        raise ValueError("ranges: no range and no list, so nothing is searched; see between")
    folder = path_of("store", store).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept(optuna, folder, direction, free, fixed, observable)
    make = optuna.samplers.TPESampler if sampler is None else sampler
    settings = {"replicates": replicates, "seed": seed, "name": folder.name, **settings}
    done: Any = None
    while True:
        waiting = [trial for trial in kept.trials if trial.state == optuna.trial.TrialState.RUNNING]
        complete = len(kept.trials) - len(waiting)
        if not waiting:
            if complete >= trials:
                break
            kept.sampler = make(seed=int(np.random.SeedSequence([seed, complete]).generate_state(1)[0]))
            for _ in range(min(batch, trials - complete)):
                kept.ask(free)
            continue
        rows = [{**fixed, **trial.params} for trial in kept.trials]
        done = study(task, points(_distinct(rows)), store=folder, **settings)
        values = _values(done, observable, task)
        for trial in waiting:
            value = values(trial.params)
            if np.isfinite(value):
                kept.tell(trial.number, float(value))
            else:
                kept.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    if done is None:
        done = Study(folder)
    if not any(trial.state == optuna.trial.TrialState.COMPLETE for trial in kept.trials):
        raise ValueError(
            f"task: none of {len(kept.trials)} points gave a finite {observable!r}; see failures() of {done!r}"
        )
    return Search({**fixed, **kept.best_params}, float(kept.best_value), done, kept)


def _varies(given):
    return isinstance(given, Between | list) or (isinstance(given, tuple) and len(given) == 2)


def _distribution(optuna, name, given):
    """A range or a list as optuna has it."""
    if isinstance(given, list):
        if not given:
            raise ValueError(f"ranges[{name!r}]: an empty list, expected choices")
        return optuna.distributions.CategoricalDistribution(given)
    if not isinstance(given, Between):
        from physlearn.study.plans.draws import between

        given = between(*given)
    log = given.scale == "log"
    if given.integer:
        return optuna.distributions.IntDistribution(int(given.low), int(given.high), log=log)
    return optuna.distributions.FloatDistribution(given.low, given.high, log=log)


def _kept(optuna, folder: Path, direction, free, fixed, observable):
    """Optuna's study in the folder, which has to be one of the same search."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    backend = optuna.storages.journal.JournalFileBackend(str(folder.with_name(folder.name + RECORD)))
    storage = optuna.storages.JournalStorage(backend)
    kept = optuna.create_study(storage=storage, study_name="search", direction=direction, load_if_exists=True)
    asked = {
        "observable": observable,
        "direction": direction,
        "fixed": {name: repr(value) for name, value in sorted(fixed.items())},
        "free": {name: repr(value) for name, value in sorted(free.items())},
    }
    known = kept.user_attrs.get("search")
    if known is None:
        kept.set_user_attr("search", asked)
    elif known != asked:
        other = [key for key in asked if asked[key] != known.get(key)]
        raise ValueError(
            f"store: {folder} has another search (it differs in {', '.join(other)}); choose another folder"
        )
    return kept


def _distinct(rows):
    """Rows, each once: two trials may have the same parameters, and a study has every point once."""
    found: dict[str, dict] = {}
    for row in rows:
        found.setdefault(repr(sorted(row.items())), row)
    return list(found.values())


def _values(done, observable, task):
    """``value(params)``: mean over replicates of the observable at a point, NaN where a task failed."""
    data = done.to_dataset()
    if observable not in data:
        if done.status()["done"]:
            known = [
                str(name) for name, v in data.data_vars.items() if v.dims == data["status"].dims and name != "status"
            ]
            raise ValueError(f"observable: got {observable!r}, expected one of the scalars {', '.join(known)}")
        return lambda params: float("nan")
    if data[observable].dims != data["status"].dims:
        raise ValueError(
            f"observable: {observable!r} has the shape {data[observable].shape}, expected a scalar of each task"
        )
    means = data[observable].mean("replicate", skipna=False).values.ravel()
    columns = {
        name: data[name].values.ravel() for name in data.coords if data[name].dims == ("point",) and name != "point"
    }

    def value(params):
        same = np.ones(len(means), bool)
        for name, given in params.items():
            if name in columns:
                same &= columns[name] == given
        where = np.flatnonzero(same)
        return means[where[0]] if len(where) else float("nan")

    return value


def _optuna():
    try:
        import optuna
    except ImportError as error:
        raise ImportError('optuna is missing: pip install "physlearn-sim[search]"') from error
    return optuna
