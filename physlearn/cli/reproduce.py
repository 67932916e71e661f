"""Measure published numbers again and print what holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DONE, SOME_FAILED = 0, 2  # exit codes: 2 where a claim does not hold or was not measured


def reproduce(options) -> int:
    """Run claims as a resumable study, print their verdicts, write their page."""
    from physlearn.claims import claims, reproduce as measure, table, write_page
    from physlearn.claims.claim import HOLDS
    from physlearn.claims.page import verdicts
    from physlearn.study import open_study

    if options.list:
        for claim in claims().values():
            needs = f" (needs {claim.needs}, hours)" if claim.needs else ""
            print(f"{claim.name:20} {claim.statement}{needs} [{claim.source}]")
        return DONE
    names = options.names or None
    folder = options.out or Path("results", _folder(names, options))
    try:
        done = measure(
            names,
            store=folder,
            quick=options.quick,
            data=options.data,
            workers=options.workers,
            executor="serial" if options.serial else None,
        )
    except KeyboardInterrupt:
        done = open_study(folder)
        print("interrupted: the same command continues", file=sys.stderr)
    print(table(done))
    print(f"{os.path.relpath(write_page(done))}")
    return DONE if all(found.word == HOLDS for found in verdicts(done)) else SOME_FAILED


def _folder(names, options):
    """A folder for every set of claims: the points of one study are fixed."""
    kind = "reproduce-quick" if options.quick else "reproduce"
    if options.data is not None:
        kind += "-data"
    return kind if names is None else f"{kind}-{'-'.join(names)}"[:100]
