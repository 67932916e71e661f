"""Kill -9 of the driver and of workers at random moments: nothing stored is lost, run again or changed."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import physlearn
from physlearn.study import open_study, study

TASKS = 200
DRIVER = f"""
import sys
from physlearn.study import study
done = study("scan_tasks:slow", {{"a": list(range({TASKS}))}}, store=sys.argv[1], workers=2, retries=1000)
assert done.status()["done"] == {TASKS}, done
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The study without any interruption, in one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        done = study(
            "scan_tasks:slow", {"a": list(range(TASKS))}, store=tmp_path_factory.mktemp("calm") / "s", executor="serial"
        )
    return done.to_dataset().drop_attrs()


def driver(folder, log):
    path = os.pathsep.join([str(Path(physlearn.__file__).parents[1]), str(Path(__file__).parent)])
    environment = os.environ | {"PYTHONPATH": path, "SCAN_LOG": str(log)}
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder)], env=environment, start_new_session=True, stderr=subprocess.PIPE
    )


def members(session):
    """Processes of a session: (pid, parent), from /proc; zombies do not count."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((int(entry), int(fields[1])))
    return found


def stored(folder):
    """Everything that was stored: task number -> its values."""
    if not (folder / "study.db").exists():
        return {}
    with sqlite3.connect(folder / "study.db") as db:
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            return {}
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute("SELECT t.key, r.name, r.data FROM task t JOIN result r ON r.task = t.key ORDER BY 1, 2")
        found = {}
        for key, *value in rows.fetchall():
            found.setdefault(key, []).append(value)
    db.close()
    return found


def runs(log):
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def gone(session):
    for _ in range(100):
        if not members(session):
            return True
        time.sleep(0.05)
    return False


def survive(tmp_path, expected, moments):
    """Kill the driver at each of these moments (seconds after its folder is there), then let it finish."""
    folder, log = tmp_path / "s", tmp_path / "log"
    for moment in moments:
        before, ran = stored(folder), len(runs(log))
        with driver(folder, log) as process:
            while not (folder / "study.json").exists() and process.poll() is None:
                time.sleep(0.005)
            time.sleep(moment)
            process.kill()
            process.communicate()
        assert gone(process.pid), f"processes outlive the driver: {members(process.pid)}"
        after = stored(folder)
        assert {key: after.get(key) for key in before} == before, "what was stored has changed"
        assert not set(runs(log)[ran:]) & set(before), "what was stored was run again"
    before, ran = stored(folder), len(runs(log))
    with driver(folder, log) as process:
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    again = runs(log)[ran:]
    assert sorted(again) == sorted(set(range(TASKS)) - set(before)), "exactly what was missing is run"
    assert open_study(folder).to_dataset().drop_attrs().identical(expected)
    assert gone(process.pid)
    return len(before)


def test_killed_drivers(tmp_path, expected):
    survive(tmp_path, expected, [0.8])


@pytest.mark.slow
def test_killed_drivers_at_100_moments(tmp_path, expected):
    rng = random.Random(7)
    kept = []
    for trial in range(100):
        (tmp_path / str(trial)).mkdir()
        kept.append(survive(tmp_path / str(trial), expected, [rng.uniform(0, 1.6)]))
    assert min(kept) < 20 and any(20 < k < TASKS for k in kept), kept  # the moments did fall in the middle


def kill_workers(tmp_path, expected, times, seed):
    folder, log = tmp_path / "s", tmp_path / "log"
    rng, killed = random.Random(seed), 0
    with driver(folder, log) as process:
        while process.poll() is None and killed < times:
            time.sleep(rng.uniform(0.005, 0.06))
            family = members(process.pid)
            children = {pid for pid, parent in family if parent == process.pid}
            workers = [pid for pid, parent in family if parent in children]
            if workers and runs(log):
                with contextlib.suppress(ProcessLookupError):  # it has just left by itself
                    os.kill(rng.choice(workers), signal.SIGKILL)
                    killed += 1
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    assert killed >= min(times, 3)
    assert open_study(folder).to_dataset().drop_attrs().identical(expected)
    assert len(runs(log)) <= TASKS + killed, "a kill costs one run at most"
    assert gone(process.pid)


def test_killed_workers(tmp_path, expected):
    kill_workers(tmp_path, expected, 5, 0)


@pytest.mark.slow
def test_killed_workers_many_times(tmp_path, expected):
    for trial in range(10):
        (tmp_path / str(trial)).mkdir()
        kill_workers(tmp_path / str(trial), expected, 10, trial)
