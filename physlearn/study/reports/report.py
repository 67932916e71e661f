"""A study's report: one self-contained HTML file that needs neither a network nor a server.

Status, pictures (`physlearn.study.reports.pictures`), every point in a table that can be sorted and filtered, failures
with their tracebacks, and the provenance of the numbers.  The template is ``report.html`` beside this module; all text
put into it is escaped.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from pathlib import Path

import numpy as np

from physlearn.files import path_of, replace_file
from physlearn.study.reports.figures import DPI as TASK_DPI
from physlearn.study.reports.pictures import label_of, pictures, scalars_of, space_of

WAITING, STALE = ("planned", "interrupted"), ("stale",)
MOST_TRACEBACKS = 50
LONG = 50_000  # characters
DPI = 160  # of pictures, which the page shows at 96


def write_report(
    dataset, failures=(), path: str | Path = "report.html", *, title="Study", task_figures: Mapping | None = None
):
    """Write the report.

    Parameters
    ----------
    dataset : xarray.Dataset
        Such as `Study.to_dataset` returns: dimensions are the parameters (or "point", with coordinates) and
        "replicate"; variables are the results, and "status" (words, or numbers with the attributes
        "flag_values" and "flag_meanings"); the attribute "provenance" is JSON.
    failures : sequence of mapping
        With "params", "replicate", "type" and "traceback".
    path : path-like
        Replaced whole.
    title : str
    task_figures : mapping of str to bytes or str, optional
        PNG pictures that the task itself has drawn, which replace the curves; or the reason why one is missing.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        A dataset without "status".

    Examples
    --------
    >>> import tempfile, xarray
    >>> data = xarray.Dataset({"status": ("eta", ["done", "failed"]), "error": ("eta", [0.5, np.nan])}, {"eta": [1, 2]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(data, [], Path(folder, "report.html"), title="Quick").read_text(encoding="utf-8")
    >>> "1</b> failed" in page
    True
    """
    if "status" not in dataset:
        raise ValueError(f"dataset: variables {list(dataset.data_vars)}, expected one called 'status'")
    path = path_of("path", path)
    words = status_words(dataset["status"])
    counts = {str(word): int(count) for word, count in zip(*np.unique(words, return_counts=True), strict=True)}
    scalars, curves = pictures(dataset)
    drawn = any(isinstance(shown, bytes) for shown in (task_figures or {}).values())
    sections = [
        ("observables", "Observables", _summary(dataset)),
        ("maps", "Over the parameters", "".join(_picture(*p) for p in scalars)),
        ("curves", "Curves", "" if drawn else "".join(_picture(*p) for p in curves)),
        ("figures", "Figures of the task", "".join(_task_figure(*item) for item in (task_figures or {}).items())),
        ("failures", "Failures", _failures(failures)),
        ("table", "All points", _table(dataset)),
        ("provenance", "Provenance", _provenance(dataset.attrs)),
    ]
    sections = [section for section in sections if section[2]]
    parts = {
        "title": escape(title),
        "lead": escape(_lead(dataset)),
        "status": _status(counts),
        "contents": "".join(f'<a href="#section-{key}">{escape(name)}</a>' for key, name, _ in sections),
        "sections": "\n".join(_section(*section) for section in sections),
        "rows": _rows(dataset, words),
        "footer": f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by physlearn.",
    }
    page = resources.files("physlearn.study.reports").joinpath("report.html").read_text(encoding="utf-8")
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], page)  # once: inserted text is not searched again
    return replace_file(path, page)


def status_words(status):
    """Status of every point as words, whether stored as words or as numbers with a legend."""
    values = np.asarray(status.values)
    if values.dtype.kind in "iuf" and "flag_meanings" in status.attrs:
        meanings = status.attrs["flag_meanings"]
        meanings = meanings.split() if isinstance(meanings, str) else list(meanings)
        legend = dict(zip(np.asarray(status.attrs["flag_values"]).tolist(), meanings, strict=True))
        return np.array([legend.get(v, str(v)) for v in values.ravel().tolist()], dtype=object).reshape(values.shape)
    return values.astype(str)


def _kind(word):
    return "done" if word == "done" else "waiting" if word in WAITING else "stale" if word in STALE else "failed"


def _status(counts):
    total = max(sum(counts.values()), 1)
    ranked = sorted(counts.items(), key=lambda item: ("done", "stale", "failed", "waiting").index(_kind(item[0])))
    bar = "".join(f'<span class="{_kind(w)}" style="width:{100 * n / total:.3f}%"></span>' for w, n in ranked)
    text = "".join(f'<span><span class="dot {_kind(w)}"></span><b>{n:,}</b> {escape(w)}</span>' for w, n in ranked)
    return f'<div class="bar">{bar}</div><div class="counts">{text}<span class="soft">of {total:,}</span></div>'


def _lead(dataset):
    sizes = [f"{name} ({dataset.sizes[name]})" for name in space_of(dataset)]
    if "point" in space_of(dataset):
        along = [str(name) for name, at in dataset.coords.items() if at.dims == ("point",) and name != "point"]
        sizes = [f"{dataset.sizes['point']} points of {', '.join(along)}"]
    task = _attributes(dataset.attrs).get("task")
    replicates = dataset.sizes.get("replicate", 1)
    of = f"{replicates} replicates each" if replicates > 1 else "One replicate each"
    return ". ".join(part for part in (task, " × ".join(sizes) or "One point", of) if part) + "."


def _section(key, name, inside):
    pictures_ = key in ("maps", "curves", "figures")
    return (
        f'<section id="section-{key}"><h2>{escape(name)}</h2>'
        + (f'<div class="pictures">{inside}</div>' if pictures_ else inside)
        + "</section>"
    )


def _picture(title, caption, figure):
    said = f"<figcaption><b>{escape(title)}.</b> {escape(caption)}</figcaption>"
    if figure is None:
        return f"<figure>{said}</figure>"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    width = figure.get_figwidth() * 96
    return f'<figure style="width:{width:.0f}px">{_image(buffer.getvalue(), title)}{said}</figure>'


def _task_figure(name, png):
    if isinstance(png, str):
        return _picture(name, f"Could not be drawn: {png}", None)
    width = int.from_bytes(png[16:20], "big") * 96 / TASK_DPI  # as its text is meant to be read
    said = f"<figcaption><b>{escape(name)}</b></figcaption>"
    return f'<figure style="width:{width:.0f}px">{_image(png, name)}{said}</figure>'


def _image(png, name):
    return f'<img alt="{escape(name)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _summary(dataset):
    """Mean, standard deviation, extremes and number of the finite values of every scalar, over all points."""
    rows = []
    for name in scalars_of(dataset):
        values = dataset[name].values.astype(float).ravel()
        infinite = int(np.isinf(values).sum())
        values = values[np.isfinite(values)]
        deviation = values.std(ddof=1) if len(values) > 1 else 0.0
        numbers = (values.mean(), deviation, values.min(), values.max()) if len(values) else ()
        cells = (
            "".join(f'<td class="n">{x:.4g}</td>' for x in numbers) or '<td class="n" colspan="4">no finite value</td>'
        )
        count = f"{len(values):,}" + (f" and {infinite:,} infinite" if infinite else "")
        rows.append(f'<tr><td>{escape(label_of(dataset[name]))}</td>{cells}<td class="n">{count}</td></tr>')
    if not rows:
        return ""
    heads = "".join(f'<th class="n">{name}</th>' for name in ("mean", "sd", "min", "max", "values"))
    return (
        f"<div class=scroll><table><thead><tr><th></th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _failures(failures: Sequence[Mapping]):
    """Failures of one kind together, each with its parameters and its traceback."""
    groups: dict[str, list] = {}
    for failure in failures:
        lines = str(failure["traceback"] or failure["type"]).strip().splitlines()
        groups.setdefault(lines[-1] if lines else str(failure["type"]), []).append(failure)
    out, left = [], MOST_TRACEBACKS
    for line, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        shown, left = members[:left], left - min(left, len(members))
        inside = "".join(
            f"<p>{escape(_params(f['params']))}, replicate {escape(str(f['replicate']))}</p>"
            f"<pre>{escape(str(f['traceback']).rstrip())}</pre>"
            for f in shown
        )
        if len(shown) < len(members):
            inside += f"<p class=soft>{len(members) - len(shown)} more; the study folder holds them all.</p>"
        many = f"{len(members)} × " if len(members) > 1 else ""
        out.append(f"<details><summary>{many}<code>{escape(line)}</code></summary>{inside}</details>")
    return "".join(out)


def _params(params):
    return ", ".join(f"{name} = {value}" for name, value in params.items()) or "no parameters"


def _table(dataset):
    heads = "".join(f"<th scope=col><button>{escape(name)}</button></th>" for name in _columns(dataset))
    return (
        '<div class="tools"><input id="filter" type="search" placeholder="Filter: failed, or eta&gt;0.1 replicate=0" '
        'aria-label="Filter rows" autocomplete="off" spellcheck="false"><span id="count"></span>'
        '<button id="csv" type="button">CSV</button>'
        '<span class="hint">Click a heading to sort.</span></div><div class="scroll tall"><table id="points">'
        f"<thead><tr>{heads}</tr></thead><tbody></tbody></table></div>"
        '<button class="more" id="more" hidden>Show more</button>'
    )


def _columns(dataset):
    dims = set(dataset["status"].dims)
    along = [name for name, at in dataset.coords.items() if at.dims and set(at.dims) <= dims and name != "point"]
    along.sort(key=lambda name: name == "replicate")
    return [str(name) for name in (*along, "status", *scalars_of(dataset))]


def _rows(dataset, words):
    """The table as JSON that cannot end the script it stands in."""
    like, cells = dataset["status"], []
    for name in _columns(dataset):
        values = words if name == "status" else dataset[name].broadcast_like(like).transpose(*like.dims).values
        cells.append([_plain(value) for value in np.asarray(values).ravel().tolist()])
    found = {"columns": _columns(dataset), "rows": list(zip(*cells, strict=True))}
    return json.dumps(found, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _plain(value):
    if isinstance(value, float):
        if not np.isfinite(value):
            return None if np.isnan(value) else str(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else float(f"{value:.9g}")
    return value if isinstance(value, int | str) and not isinstance(value, bool) else str(value)


def _attributes(attrs):
    """Attributes as one mapping; JSON objects are unpacked, and "provenance" stands among the rest."""
    found = {}
    for name, value in attrs.items():
        try:
            unpacked = json.loads(value) if isinstance(value, str) and value[:1] == "{" else value
        except ValueError:
            unpacked = value
        found |= unpacked if name == "provenance" and isinstance(unpacked, dict) else {str(name): unpacked}
    return found


def _provenance(attrs):
    rows = []

    def add(prefix, value):
        if isinstance(value, Mapping):
            for key, part in value.items():
                add(f"{prefix} {key}" if prefix else str(key), part)
            return
        if prefix == "began" and isinstance(value, int | float):
            value = f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
        text = str(value)
        inside = (
            f"<details><summary>show</summary><pre>{escape(text)}</pre></details>" if "\n" in text else escape(text)
        )
        rows.append(f"<tr><td>{escape(prefix)}</td><td>{inside}</td></tr>")

    found = _attributes(attrs)
    if isinstance(found.get("study"), Mapping):  # the whole definition: every value of every axis
        text = json.dumps(found["study"], indent=1)
        found["study"] = text if len(text) < LONG else "in study.json, beside this report"
    add("", found)
    return f"<table id=provenance><tbody>{''.join(rows)}</tbody></table>" if rows else ""
