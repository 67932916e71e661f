"""Scalars over replicates, as numbers and as a table of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def summarise(scalars: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Mean, standard deviation, minimum and maximum of every scalar over the n replicates that have it."""
    out = {}
    for name in dict.fromkeys(name for s in scalars for name in s):
        values = np.array([s[name] for s in scalars if name in s], dtype=float)
        sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        out[name] = {
            "mean": float(values.mean()),
            "sd": sd,
            "min": float(values.min()),
            "max": float(values.max()),
            "n": len(values),
        }
    return out


def real_scalars(returned: Sequence[Mapping]) -> list[dict[str, float]]:
    """The numbers among the results of replicates."""
    return [{k: v for k, v in found.items() if isinstance(v, bool | int | float)} for found in returned]


def table(summary: Mapping, headline: Mapping[str, str] | None = None) -> str:
    """A summary as text, one row per scalar."""
    labels = headline or {name: name for name in summary}
    width = max((len(label) for label in labels.values()), default=0)
    rows = [f"{'':{width}}      mean        sd       min       max"]
    for name, label in labels.items():
        if name in summary:
            s = summary[name]
            rows.append(f"{label:{width}}  {s['mean']:8.4g}  {s['sd']:8.2g}  {s['min']:8.4g}  {s['max']:8.4g}")
    return "\n".join(rows)
