"""Bad calls are refused by name: what the docstrings' own valid calls become with one wrong argument.

To see each fault: ``python tests/contract/bad_calls.py physlearn.models.memory.hopfield``.
"""

import collections
import random

import pytest

from tests.contract.bad_calls import FAULTS, rates, run, shown
from tests.contract.valid_calls import public

WANTED = {"value": 0.95, "type": 0.90}  # refused with the argument's name, of all that are not legitimate
SAMPLED = 8  # modules in the default suite


def worst(lines, n=30):
    """The callables with the most faults, one a line."""
    groups = collections.defaultdict(list)
    for line in lines:
        groups[line["callable"]].append(line)
    faults = {name: sum(line["verdict"] in FAULTS for line in group) for name, group in groups.items()}
    order = sorted(faults, key=faults.get, reverse=True)[:n]
    return "\n".join(f"{name}: {shown(groups[name])}" for name in order if faults[name])


def judge(lines):
    """Assert the rates."""
    assert any(line["verdict"] == "refused" for line in lines)
    for group, (refused, judged) in rates(lines).items():
        assert refused >= WANTED[group] * judged, f"{group}: {refused} of {judged} refused by name\n{worst(lines)}"


def latest(lines):
    """The last line of each case: the first says that it was begun."""
    return list({line["case"]: line for line in lines}.values())


def test_sample_of_bad_calls_is_refused_by_name():
    homes = sorted({item.module for item in public().values()})
    homes = random.Random(20260101).sample(homes, SAMPLED)
    judge(latest(run(homes, 0.3, 0, modules=homes)))


@pytest.mark.slow
@pytest.mark.parametrize("package", ["physlearn", "circuits"])
def test_bad_calls_are_refused_by_name(package):
    homes = sorted({item.module for item in public().values() if item.module.startswith(package + ".")})
    judge(latest([line for home in homes for line in run([home], 1.0, 0)]))
