"""Pictures that a task draws of its own replicates, for studies of one point."""

from __future__ import annotations

import io
from pathlib import Path

from physlearn.study.plans.space import Space
from physlearn.study.plans.task import import_task
from physlearn.study.plans.trust import may_draw
from physlearn.study.running.worker import told
from physlearn.study.storage.dataset import returned
from physlearn.study.storage.reader import definition_of

DPI = 200


def png_figures(folder: Path, *, trust=False) -> dict[str, bytes | str]:
    """Every figure as PNG, or the reason why it could not be drawn; none for several points or a task without figures.

    Without ``trust``, tasks that would have to be imported draw none; see `physlearn.study.plans.trust`.
    """
    definition, _ = definition_of(folder)
    if len(Space.from_json(definition["space"])) > 1 or not (trust or may_draw(definition["task"])):
        return {}
    try:
        draw = import_task(definition["task"]).figures
    except ValueError:  # a folder from elsewhere: its numbers can be shown, its pictures not be drawn
        return {}
    replicates = returned(folder)
    if draw is None or not replicates:
        return {}
    try:
        drawn = dict(draw(replicates))
    except Exception as error:  # the report is worth more than its pictures
        return {"figures": ": ".join(told(error)[:2])}
    pictures: dict[str, bytes | str] = {}
    for name, figure in drawn.items():
        buffer = io.BytesIO()
        try:
            figure.savefig(buffer, format="png", dpi=DPI)
        except Exception as error:
            pictures[str(name)] = ": ".join(told(error)[:2])
        else:
            pictures[str(name)] = buffer.getvalue()
    return pictures
