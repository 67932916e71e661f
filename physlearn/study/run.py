"""Run a study: every replicate, its results, pictures and summary in one folder that is never overwritten."""

from __future__ import annotations

import json
import os
import platform
import time
import traceback
from importlib import metadata
from pathlib import Path

import numpy as np

from physlearn.study.file import Study

RESULT = "result.json"
KEEP_EVERY = 5.0  # seconds between writes while a study runs: what a power cut may cost


def run_study(study: Study, folder, *, progress=True) -> dict:
    r"""Run all replicates and write the folder.

    Parameters
    ----------
    study : Study
    folder : path-like
        Created; must not hold anything yet.
    progress : bool
        Show a bar on stderr (only where that is a terminal).

    Returns
    -------
    dict
        What `result.json` holds: provenance, a summary (mean, sd, min, max over replicates), every
        replicate's scalars, or its traceback where it failed, and that of figures that failed.

    Raises
    ------
    FileExistsError
        The folder holds something.

    Notes
    -----
    Replicate r draws from ``SeedSequence(seed, spawn_key=(r,))``: its stream does not depend on which
    replicates run or in what order.  A failed or interrupted replicate loses nothing of the others, nor
    does a figure that cannot be drawn; results are written every few seconds while the study runs.
    Arrays are called NAME/REPLICATE in ``arrays.npz``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from physlearn.study import read_study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "quick.toml")
    ...     _ = path.write_text('[study]\ntask = "circuits.tasks:iris"\n[params]\nepochs = 5\n')
    ...     result = run_study(read_study(path), Path(folder, "out"), progress=False)
    >>> result["replicates"][0]["status"]
    'done'
    """
    from tqdm.auto import tqdm

    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; give a folder for the results with --out")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} already holds results; nothing is overwritten. Give another folder with --out, or move it away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study.text, encoding="utf-8")
    done, records, began, kept = [], [], time.time(), time.time()
    bar = tqdm(range(study.replicates), desc=study.name, unit="replicate", disable=None if progress else True)
    try:
        for replicate in bar:
            records.append(_replicate(study, replicate, done))
            if time.time() - kept > KEEP_EVERY:
                _keep(study, folder, records, done, began)
                kept = time.time()
    except KeyboardInterrupt:  # keep what is done, say what is not
        records += [{"replicate": r, "status": "interrupted"} for r in range(len(records), study.replicates)]
    result = _keep(study, folder, records, done, began)
    if done and study.task.figures is not None:
        try:
            for name, figure in study.task.figures(done).items():
                figure.savefig(folder / f"{name}.png", dpi=200)
        except Exception:  # the numbers are kept already
            result["figures"] = traceback.format_exc()
            _write(folder, result)
    return result


def _keep(study, folder, records, done, began) -> dict:
    """Write what there is so far; every file is replaced whole."""
    result = {
        "study": {
            "name": study.name,
            "task": study.task_path,
            "seed": study.seed,
            "replicates": study.replicates,
            "params": study.params.model_dump(mode="json"),
        },
        "provenance": provenance() | {"began": began, "wall_seconds": time.time() - began},
        "summary": summarise([r["scalars"] for r in records if r["status"] == "done"]),
        "replicates": records,
    }
    numbers = [r["replicate"] for r in records if r["status"] == "done"]
    arrays = {f"{name}/{r}": value for r, d in zip(numbers, done, strict=True) for name, value in d.items()}
    arrays = {name: value for name, value in arrays.items() if np.ndim(value) > 0}
    if arrays:
        temporary = folder / "arrays.part"
        with open(temporary, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.replace(temporary, folder / "arrays.npz")
    _write(folder, result)
    return result


def _write(folder, result):
    temporary = folder / (RESULT + ".part")
    temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    os.replace(temporary, folder / RESULT)


def _replicate(study, replicate, done):
    rng = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=(replicate,)))
    began = time.perf_counter()
    record: dict = {"replicate": replicate, "status": "done"}
    try:
        found = dict(study.task.run(study.params, rng))
        record["scalars"] = {name: float(value) for name, value in found.items() if np.ndim(value) == 0}
        done.append(found)
    except Exception:  # one bad replicate must not cost the others
        record |= {"status": "failed", "traceback": traceback.format_exc()}
    return record | {"wall_seconds": time.perf_counter() - began}


def summarise(scalars) -> dict:
    """Mean, standard deviation, minimum and maximum of every scalar over the n replicates that have it."""
    out = {}
    for name in dict.fromkeys(name for s in scalars for name in s):
        values = np.array([s[name] for s in scalars if name in s])
        sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        out[name] = {
            "mean": float(values.mean()),
            "sd": sd,
            "min": float(values.min()),
            "max": float(values.max()),
            "n": len(values),
        }
    return out


def table(study: Study, result) -> str:
    """The summary as text, one row a scalar."""
    labels = study.task.headline or {name: name for name in result["summary"]}
    width = max((len(label) for label in labels.values()), default=0)
    lines = [f"{'':{width}}      mean        sd       min       max"]
    for name, label in labels.items():
        if name in result["summary"]:
            s = result["summary"][name]
            lines.append(f"{label:{width}}  {s['mean']:8.4g}  {s['sd']:8.2g}  {s['min']:8.4g}  {s['max']:8.4g}")
    return "\n".join(lines)


def provenance() -> dict:
    """Versions, platform and threads: what a result needs to be repeated."""
    versions = {}
    for package in ("physlearn-sim", "numpy", "scipy", "numba", "networkx", "scikit-sparse"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": versions,
    }
