"""Same seed, same bits: whatever the kernel cache holds, and whatever ran before."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import hashes

TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(2), np.zeros(2, np.float32)),
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(1), np.array([-0.0])),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        ([1.0, [2.0]], [[1.0], 2.0]),
        (1.0, np.nextafter(1.0, 2.0)),
        (None, "None"),
    ],
)
def test_digest_tells_results_apart(one, other):
    assert hashes.digest(one) != hashes.digest(other)
    assert hashes.digest(one) == hashes.digest(one)


def test_digest_does_not_depend_on_order_or_layout():
    x = np.arange(6.0).reshape(2, 3)
    assert hashes.digest({"a": x, "b": 1}) == hashes.digest({"b": 1, "a": np.asfortranarray(x)})
    with pytest.raises(TypeError, match="expected arrays"):
        hashes.digest({"a": object()})


def test_every_table_is_listed():
    assert sorted(hashes.GROUPS) == sorted(path.stem for path in (TESTS / "hashed").glob("*.py"))


def lines(cache, *arguments):
    done = subprocess.run(
        [sys.executable, TESTS / "hashes.py", *arguments],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.slow
def test_the_same_bits_cold_and_warm_and_in_reverse(tmp_path):
    """The first process compiles every kernel, the second loads them, the third runs the table from its end."""
    cold = lines(tmp_path)
    compiled = {path.name.partition(".")[0] for path in tmp_path.rglob("*.nbi")}
    warm, reverse = lines(tmp_path), lines(tmp_path, "--reverse")
    kernels = [
        path.stem
        for package in ("physlearn", "circuits")
        for path in (TESTS.parent / package).rglob("*.py")
        if re.search(
            r"^@kernel", path.read_text(encoding="utf-8"), re.MULTILINE
        )  # the inlined have no file of their own
    ]
    assert len(kernels) > 30 and not set(kernels) - compiled, "no run calls a kernel of these files"
    assert list(reverse) == list(cold)[::-1]
    differ = {name: (bits, warm[name], reverse[name]) for name, bits in cold.items()}
    assert not {name: bits for name, bits in differ.items() if len(set(bits)) > 1}
