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


def run_study(study: Study, folder, *, progress=True) -> dict:
    """Run all replicates and write the folder.

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
        What `result.json` holds: provenance, a summary (mean, sd, min, max over replicates) and every
        replicate's scalars, or its traceback where it failed.

    Raises
    ------
    FileExistsError
        The folder holds something.

    Notes
    -----
    Replicate r draws from ``SeedSequence(seed, spawn_key=(r,))``: its stream does not depend on which
    replicates run or in what order.  A failed or interrupted replicate loses nothing of the others.
    """
    from tqdm.auto import tqdm

    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} already holds results; nothing is overwritten. Give another folder with --out, or move it away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study.text, encoding="utf-8")
    done, records, began = [], [], time.time()
    bar = tqdm(range(study.replicates), desc=study.name, unit="replicate", disable=None if progress else True)
    try:
        for replicate in bar:
            records.append(_replicate(study, replicate, done))
    except KeyboardInterrupt:  # keep what is done, say what is not
        records += [{"replicate": r, "status": "interrupted"} for r in range(len(records), study.replicates)]
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
    if done:
        names = [name for name, value in done[0].items() if np.ndim(value) > 0]
        np.savez_compressed(
            folder / "arrays.npz", **{f"{name}/{r}": d[name] for r, d in enumerate(done) for name in names}
        )
    if done and study.task.figures is not None:
        for name, figure in study.task.figures(done).items():
            figure.savefig(folder / f"{name}.png", dpi=200)
    temporary = folder / (RESULT + ".part")
    temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    os.replace(temporary, folder / RESULT)
    return result


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
    """Mean, standard deviation, minimum and maximum of every scalar over replicates."""
    out = {}
    for name in scalars[0] if scalars else ():
        values = np.array([s[name] for s in scalars])
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
