"""The pictures that a task draws of its own replicates, for studies of one point."""

from __future__ import annotations

import io
from pathlib import Path

from physlearn.study.dataset import returned
from physlearn.study.reader import definition_of
from physlearn.study.space import Space
from physlearn.study.task import import_task

DPI = 200


def png_figures(folder: Path) -> dict[str, bytes]:
    """Every figure as PNG; none where the study has several points, or its task draws none."""
    definition, _ = definition_of(folder)
    if len(Space.from_json(definition["space"])) > 1:
        return {}
    try:
        draw = import_task(definition["task"]).figures
    except ValueError:  # a folder from elsewhere: its numbers can be shown, its pictures not be drawn
        return {}
    replicates = returned(folder)
    if draw is None or not replicates:
        return {}
    pictures = {}
    for name, figure in draw(replicates).items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI)
        pictures[name] = buffer.getvalue()
    return pictures
