"""Run claims as a study: each is a task, so that a run can be interrupted, resumed, and spread over processors."""

from __future__ import annotations

import importlib
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from physlearn.checks import count, flag, sequence
from physlearn.claims.claim import Claim
from physlearn.files import path_of
from physlearn.study.plans.space import grid
from physlearn.study.plans.task import Task
from physlearn.study.run import study

FULL = 20  # times the draws of the quick run


def claims() -> dict[str, Claim]:
    """All claims of installed packages by name: the entry points "physlearn.claims" name modules that hold them.

    Examples
    --------
    >>> claims()["hopf-1"].source
    'Rinzel and Miller 1980'
    """
    found: dict[str, Claim] = {}
    for point in sorted(metadata.entry_points(group="physlearn.claims"), key=lambda point: point.name):
        for value in vars(importlib.import_module(point.value)).values():
            for claim in value if isinstance(value, tuple) else ():
                if isinstance(claim, Claim):
                    if found.get(claim.name, claim) is not claim:
                        raise ValueError(f"{point.value}: two claims are called {claim.name!r}; rename one")
                    found[claim.name] = claim
    return found


class RowParams(BaseModel):
    """A claim, measured once."""

    model_config = ConfigDict(extra="forbid")
    claim: str
    scale: int = Field(default=1, ge=1, description="multiplies the number of draws")
    data: str | None = Field(default=None, description="folder of the data sets")


def run_row(params: RowParams, rng) -> dict:
    """Value and standard error of a claim."""
    claim = chosen([params.claim])[0]
    ours, error = claim.measured(params.scale, rng, None if params.data is None else Path(params.data))
    return {"ours": ours, "error": error}


row = Task(run=run_row, params=RowParams, headline={"ours": "measured", "error": "standard error"})


def chosen(names) -> list[Claim]:
    """The claims of these names, all of them for None; unknown ones are refused, with the nearest known ones."""
    import difflib

    known = claims()
    if names is None:
        return list(known.values())
    names = list(sequence("names", names, str, "names of claims"))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3)
            hint = f"did you mean {', '.join(near)}?" if near else "physlearn reproduce --list prints all"
            raise ValueError(f"names: got {name!r}, which no claim is called; {hint}")
    return [known[name] for name in dict.fromkeys(names)]


def reproduce(
    names=None,
    *,
    store,
    quick: bool = False,
    scale: int | None = None,
    data=None,
    seed: int = 0,
    workers: int | None = None,
    executor=None,
    progress: bool = True,
):
    """Measure claims; what the store has already is not measured again.

    Parameters
    ----------
    names : sequence of str, optional
        Default: all.  The quick run leaves out those that take hours, and claims whose data are not given are left out
        unless they are named.
    store : path-like
        Folder of the study; a run that was interrupted continues there.
    quick : bool
        Few draws and no claim that takes hours: minutes in place of hours.
    scale : int, optional
        Multiplies the number of draws: 1 if quick, else 20.
    data : path-like, optional
        Folder with the data sets that some claims need, such as MNIST's four IDX files.
    seed : int
    workers, executor, progress
        As of `physlearn.study.study`.

    Returns
    -------
    Study
        `physlearn.claims.table` prints its verdicts.

    Examples
    --------
    >>> import tempfile
    >>> from physlearn.claims import table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = reproduce(["cube-edge"], store=folder + "/s", quick=True, executor="serial", progress=False)
    ...     print(table(done).splitlines()[-1])
    1 holds
    """
    flag("quick", quick)
    scale = count("scale", scale) if scale is not None else 1 if quick else FULL
    folder = None if data is None else str(path_of("data", data).absolute())
    if folder is not None and not Path(folder).is_dir():
        raise ValueError(f"data: got {folder!r}, which is no folder")
    wanted = chosen(names)
    if names is None:
        wanted = [c for c in wanted if not (quick and c.hours) and not (c.needs and folder is None)]
    space = grid(claim=[c.name for c in wanted], scale=scale, data=folder)
    return study(
        row, space, store=store, seed=seed, workers=workers, executor=executor, progress=progress, name="reproduce"
    )
