"""Verdicts of a run, as text and as one self-contained HTML page."""

from __future__ import annotations

import textwrap
from collections import Counter
from html import escape
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

from physlearn.checks import instance
from physlearn.claims.claim import FAILS, HOLDS, MISSING, RELATIONS, Claim
from physlearn.claims.run import claims
from physlearn.files import path_of, replace_file
from physlearn.study.handle import Study

WIDTH = 62  # characters of a statement in the text


class Verdict(NamedTuple):
    """A claim, the measured value with its standard error, the verdict, and what went wrong, if anything."""

    claim: Claim
    ours: float
    error: float
    word: str
    why: str


def verdicts(study) -> list[Verdict]:
    """The claims of a run of `reproduce`, in order; those not measured yet, too.

    Parameters
    ----------
    study : Study

    Raises
    ------
    ValueError
        Another study than one of claims.
    """
    instance("study", study, Study, "what `reproduce` returned")
    if study.task != "physlearn.claims.run:row":
        raise ValueError(f"study: a study of {study.task}, expected one that `physlearn reproduce` made")
    data, known = study.to_dataset(), claims()
    broken = {f["params"]["claim"]: f"{f['type']}: {f['message']}" for f in study.failures()}
    found = []
    for name in np.atleast_1d(data["claim"].values):
        at = data.sel(claim=name).isel(replicate=0) if "claim" in data.dims else data.isel(replicate=0)
        claim = known.get(str(name))
        if claim is None:  # of a version that had it
            continue
        ours, error = (float(at[key]) if key in data else float("nan") for key in ("ours", "error"))
        found.append(Verdict(claim, ours, error, claim.verdict(ours, error), broken.get(claim.name, "")))
    return found


def counted(found) -> str:
    """Numbers of verdicts in words."""
    counts = Counter(verdict.word for verdict in found)
    return ", ".join(f"{counts[word]} {word}" for word in (HOLDS, FAILS, MISSING) if counts[word]) or "no claims"


def table(study) -> str:
    """The verdicts as lines: claim, source, published, measured with its standard error, verdict.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
    """
    lines = []
    for claim, ours, error, word, why in verdicts(study):
        first, *rest = textwrap.wrap(f"{claim.statement}{', ' + claim.unit if claim.unit else ''}", WIDTH)
        lines.append(f"{claim.name:20} {first:{WIDTH}} {_published(claim):>12} {_measured(ours, error):>22}  {word}")
        lines += [f"{'':20} {line}" for line in rest]
        lines += [f"{'':20} [{claim.source}]"]
        if why:
            lines += [f"{'':20} {why}"]
    return "\n".join([*lines, counted(verdicts(study))])


def write_page(study, path=None) -> Path:
    """Write the verdicts as one HTML file.

    Parameters
    ----------
    study : Study
    path : path-like, optional
        Default ``claims.html`` in the study's folder; replaced whole.

    Returns
    -------
    pathlib.Path
    """
    found = verdicts(study)
    path = study.folder / "claims.html" if path is None else path_of("path", path)
    rows = "\n".join(_row(verdict) for verdict in found)
    page = resources.files("physlearn.claims").joinpath("claims.html").read_text(encoding="utf-8")
    return replace_file(path, page.replace("{{counted}}", escape(counted(found))).replace("{{rows}}", rows))


def _row(verdict):
    claim, ours, error, word, why = verdict
    kind = {HOLDS: "holds", FAILS: "fails", MISSING: "missing"}[word]
    notes = [f"Agrees within {claim.tolerance:g} {claim.unit}: {claim.why}." if claim.why else "", why]
    said = "".join(f"<small>{escape(note)}</small>" for note in notes if note)
    return (
        f'<tr><th scope="row"><code>{escape(claim.name)}</code></th><td>{escape(claim.statement)}{said}</td>'
        f'<td class="soft">{escape(claim.source)}</td><td class="n">{escape(_published(claim))}</td>'
        f'<td class="n">{escape(_measured(ours, error))}</td><td class="n">{escape(claim.unit)}</td>'
        f'<td class="{kind}">{word}</td></tr>'
    )


def _published(claim):
    return f"{RELATIONS[claim.relation]}{claim.published:.7g}"


def _measured(ours, error):
    if not np.isfinite(ours):
        return "-"
    return f"{ours:.7g} +- {error:.1g}" if error else f"{ours:.7g}"
