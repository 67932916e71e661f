"""Growing studies: more points, more replicates, finer refinement; stored results are renumbered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from physlearn.study.plans.identity import canonical
from physlearn.study.plans.plan import Plan
from physlearn.study.plans.space import Space
from physlearn.study.storage.reader import another, check_names, definition_in, differences, points_in, reading

FIRM = ("format", "task", "seed", "common_random_numbers")  # what decides the numbers of a point


def places(plan: Plan, old: dict[str, Any], added: list) -> list[int] | None:
    """The number in a plan of each point of an older one, points added by refinement last; None if any is missing.

    Refined points halve the grid's axes, which must then stay as they are; the settings of the refinement may only
    become stricter.
    """
    new = plan.definition()
    if any(new[key] != old[key] for key in FIRM) or new["replicates"] < old["replicates"]:
        return None
    before = Space.from_json(old["space"])
    if added and (
        before.dims != plan.space.dims or before.fixed != plan.space.fixed or not _finer(old["refine"], new["refine"])
    ):
        return None

    def known(point):
        return canonical(plan.task.resolve(point))

    try:
        numbers = {known(plan.space[k]): k for k in range(len(plan.space))}
        found = [numbers[known(before[k])] for k in range(len(before))]
    except (KeyError, ValueError):
        return None
    return found + [len(plan.space) + k for k in range(len(added))]


def check_fits(plan: Plan, folder: Path) -> None:
    """Refuse a plan into which a folder's study cannot grow, as running it would."""
    with reading(folder) as db:
        db.execute("BEGIN")
        old, _ = definition_in(db)
        if differ := differences(old, plan.definition()):
            if places(plan, old, points_in(db)) is None:
                raise another(folder, differ)
            check_names(db, plan.definition())


def _finer(old, new):
    """Whether a refinement includes all points of another."""
    return (
        new is not None
        and new["observable"] == old["observable"]
        and new["tolerance"] <= old["tolerance"]
        and new["levels"] >= old["levels"]
    )
