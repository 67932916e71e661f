"""What goes wrong: poison, tasks that cannot be imported, full disks, read-only and moved folders, Ctrl-C."""

import contextlib
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scan_tasks  # pyright: ignore[reportMissingImports]

import physlearn
from physlearn.study import Space, Task, grid, open_study, sobol, study
from physlearn.study.plans.task import import_task
from physlearn.study.running import worker
from physlearn.study.storage.reader import STATES

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(physlearn.__file__).parents[1]), str(HERE)])}


def data(done):
    return done.to_dataset().drop_attrs()


def test_poison_fails_alone(tmp_path):
    space = {"a": list(range(30))}
    done = study("scan_tasks:poison", space, store=tmp_path / "s", workers=2, timeout=1.0, memory=2e9, retries=1)
    found = {f["params"]["a"]: (f["status"], f["type"], f["attempts"]) for f in done.failures()}
    assert found == {
        1: ("crashed", "WorkerDied", 2),
        2: ("crashed", "WorkerDied", 2),
        3: ("crashed", "WorkerDied", 2),
        4: ("timeout", "TimeoutError", 1),
        5: ("failed", "MemoryError", 1),
        6: ("failed", "RuntimeError", 1),
        7: ("failed", "ShapeError", 1),
        8: ("failed", "TypeError", 1),
        9: ("failed", "TypeError", 1),
        10: ("failed", "SystemExit", 1),
        20: ("failed", "KeyboardInterrupt", 1),
        21: ("failed", "GeneratorExit", 1),
        22: ("failed", "Rude", 1),
    }
    values = done.to_dataset()["value"].values.ravel()
    broken = [*range(1, 11), 20, 21, 22]
    assert np.isnan(values[broken]).all() and np.isfinite(np.delete(values, broken)).all()
    said = {f["params"]["a"]: f["message"] for f in done.failures()}
    assert said[10] == "0" and said[20] == "not the user's" and said[22] == "neither Exception nor exit"
    assert 'raise RuntimeError("six")' in next(f for f in done.failures() if f["params"]["a"] == 6)["traceback"]


@pytest.mark.parametrize("how", [{"executor": "serial"}, {"workers": 1}])
def test_errors_that_are_no_text_fail_alone(how, tmp_path):
    done = study("scan_tasks:unspeakable", {"a": [0, 1, 2, 3, 4, 5]}, store=tmp_path / "s", progress=False, **how)
    said = {f["params"]["a"]: (f["type"], f["message"]) for f in done.failures()}
    assert said[1] == ("ValueError", "bad name \\udcff") and said[2][0] == "Mute" and "cannot be shown" in said[2][1]
    assert all("expected text without NUL" in said[a][1] for a in (3, 4)) and done.status()["done"] == 2
    assert "bad name" in done.report().read_text(encoding="utf-8")


def test_a_batch_that_holds_a_poison_loses_nothing_else(tmp_path):
    done = study("scan_tasks:poison", {"a": [0, 11, 1, 12, 2, 13]}, store=tmp_path / "s", workers=1, batch=6, retries=0)
    assert done.status()["done"] == 4 and [f["params"]["a"] for f in done.failures()] == [1, 2]


def test_what_was_run_with_a_time_limit_can_be_retried_without(tmp_path):
    done = study("scan_tasks:poison", {"a": [0, 6]}, store=tmp_path / "s", workers=1, timeout=60)
    assert done.retry(executor="serial").status()["failed"] == 1


def test_max_failures_stops(tmp_path):
    space = {"a": [6, 0, *range(11, 400)]}
    done = study("scan_tasks:poison", space, store=tmp_path / "s", executor="serial", max_failures=0)
    assert done.status()["failed"] == 1 and done.status()["planned"] > 300


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (lambda params, rng: {}, "cannot be imported by that name"),
        (scan_tasks.unpicklable[0], "cannot be imported by that name"),
        ("scan_tasks:no_such", "has no 'no_such'"),
        ("no_such_module:x", "cannot import 'no_such_module'"),
        ("scan_tasks", "expected 'package.module:name'"),
        ("scan_tasks:np", "is a module"),
        (Task(run=scan_tasks.draw), "is this Task; give its path as a string"),
    ],
)
def test_tasks_that_workers_cannot_import_are_refused(task, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        study(task, {"a": [1]}, store=tmp_path / "s")
    assert not (tmp_path / "s").exists()


SCRIPT = """
import sys
from physlearn.study import study
print("once")
sys.path.insert(0, sys.argv[1])
def f(params, rng): return {}
try:
    study(f, {"a": [1]}, store="s")
except ValueError as error:
    print(error)
print(study("scan_tasks:nothing", {"a": [1, 2]}, store="s", workers=2))
"""


def test_scripts_need_no_main_guard_and_their_own_functions_are_refused(tmp_path):
    """Workers do not import the script that started them."""
    (tmp_path / "script.py").write_text(SCRIPT)
    line = [sys.executable, "script.py", str(HERE)]
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60).stdout.splitlines()
    assert said[0] == "once" and said[2].endswith("2 done, 2 total)") and len(said) == 3
    assert "'f' is defined in __main__, which workers do not import; put it at the top level" in said[1]


ELSEWHERE = """
import pathlib, physlearn
from physlearn.study import study
print(study("scan_tasks:where", {"a": [1]}, store="s", workers=2).status()["done"])
print(study("scan_tasks:where", {"a": [1]}, store="s").to_dataset()["home"].item() == physlearn.__file__)
"""


def test_workers_have_the_drivers_physlearn(tmp_path):
    """Whatever lies in the working directory."""
    (tmp_path / "physlearn").mkdir()
    (tmp_path / "physlearn" / "__init__.py").write_text("raise RuntimeError('another physlearn')")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "script.py").write_text(ELSEWHERE)  # Python looks beside it, not into the working directory
    line = [sys.executable, "bin/script.py"]
    done = subprocess.run(line, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["1", "True"], done.stderr


def limited(code, tmp_path, **how):
    pipes = {"capture_output": True, "text": True, "timeout": 60}
    return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, **pipes, **how)


FULL = """
import resource
from physlearn.study import study
study("scan_tasks:draw", {"a": [1]}, store="warm", executor="serial")
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
study("scan_tasks:slow", {"a": list(range(200))}, store="s", executor="serial")
"""


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    done = limited(FULL, tmp_path)
    assert "WriteError" in done.stderr and "results that are stored are safe. Make room" in done.stderr
    kept = open_study(tmp_path / "s")
    before = kept.status()["done"]
    assert 5 < before < 200
    assert np.isfinite(kept.to_dataset()["value"]).sum() == before
    space = {"a": list(range(200))}
    gone_on = study("scan_tasks:slow", space, store=tmp_path / "s", workers=2)  # there is room again
    assert data(gone_on).identical(data(study("scan_tasks:slow", space, store=tmp_path / "t", workers=2)))


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root can write everywhere")
def test_a_read_only_folder_is_said_and_can_be_read(tmp_path):
    done = study("scan_tasks:draw", {"a": [1, 2]}, store=tmp_path / "s", executor="serial")
    expected = data(done)["value"].values.ravel().tolist()
    for path in (done.folder, *done.folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = (
        "from physlearn.study import open_study, study\nprint([r['value'] for r in open_study('s').returned()])\n"
        "study('scan_tasks:draw', {'a': [1, 2]}, store='s', executor='serial')"
    )
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []
    said = subprocess.run(
        [*drop, sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert "no study can be kept here" in said.stderr and "give a folder that can be written" in said.stderr, (
        said.stderr
    )
    assert str(expected) in said.stdout
    done.folder.chmod(0o755)


INTERRUPTED = """
import sys
from physlearn.study import study
try:
    study("scan_tasks:slow", {"a": list(range(3000))}, store="s", workers=2)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""


def test_ctrl_c_twice(tmp_path):
    line = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n" + INTERRUPTED
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, "-c", line], cwd=tmp_path, env=ENVIRONMENT, start_new_session=True, **pipes
    ) as process:
        for _ in range(600):
            with contextlib.suppress(OSError):
                if open_study(tmp_path / "s").status()["done"] > 5:
                    break
            time.sleep(0.05)
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers hear it too
            time.sleep(0.002)
        out, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in out and "tasks in flight; Ctrl-C again stops now" in said
    status = open_study(tmp_path / "s").status()
    assert status["done"] > 5 and status["planned"] > 0 and status["done"] + status["planned"] == 3000


def test_100_000_points_start_at_once_and_stay_flat(tmp_path):
    """The first result after 2 s of processor time at most, and memory that does not grow with the plan."""
    space = grid(a=list(range(1000)), b=np.linspace(0, 1, 100))
    ended = {}

    def watch(began):
        while "stop" not in ended:
            with contextlib.suppress(OSError, ValueError):
                if open_study(tmp_path / "s").status()["done"]:
                    ended["first"] = time.process_time() - began
                    signal.raise_signal(signal.SIGINT)
                    return
            time.sleep(0.02)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    watcher = threading.Thread(target=watch, args=(time.process_time(),))
    watcher.start()
    try:
        with pytest.raises(KeyboardInterrupt), contextlib.redirect_stderr(io.StringIO()):
            study(scan_tasks.modelled, space, store=tmp_path / "s", workers=1)
    finally:
        ended["stop"] = True
        watcher.join()
    assert ended["first"] < 2.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes
    assert isinstance(Space.from_json(space.to_json()), Space) and len(sobol(4, a=(0.0, 1.0))) == 4


@pytest.mark.parametrize("fate", ["moved", "deleted"])
def test_a_folder_that_is_taken_away_is_said_at_once(fate, tmp_path):
    """SQLite would go on writing into a file that nobody finds again."""
    space = {"a": list(range(2000))}

    def take():
        while not (tmp_path / "s" / "study.json").exists() or not open_study(tmp_path / "s").status()["done"]:
            time.sleep(0.01)
        os.rename(tmp_path / "s", tmp_path / "t") if fate == "moved" else shutil.rmtree(tmp_path / "s")

    thief = threading.Thread(target=take)
    thief.start()
    with pytest.raises(OSError, match="put it back, and run the same study again"):
        study("scan_tasks:nap", space, store=tmp_path / "s", workers=1, batch=1)
    thief.join()
    if fate == "moved":
        assert 0 < open_study(tmp_path / "t").status()["done"] < 2000


def test_damage_is_said(tmp_path):
    done = study("scan_tasks:large", {"a": [1]}, store=tmp_path / "s", executor="serial")
    next((done.folder / "blobs").iterdir()).write_bytes(b"not an array")
    with pytest.warns(UserWarning, match="missing or damaged"):
        assert done.to_dataset()["status"].item() == STATES.index("damaged")
    (done.folder / "study.json").write_text("{")  # a copy for people
    assert study("scan_tasks:large", {"a": [1]}, store=tmp_path / "s", executor="serial").status()["done"] == 1
    database = done.folder / "study.db"
    for damage in (database.read_bytes()[:9000], b""):
        database.write_bytes(damage)
        with pytest.raises(OSError, match="study.db: damaged"):
            study("scan_tasks:large", {"a": [1]}, store=tmp_path / "s", executor="serial")
        with pytest.raises(OSError, match="damaged|empty"):
            done.status()


def test_programs_that_a_task_has_started_end_with_it(tmp_path):
    done = study("scan_tasks:program", {"a": [1]}, store=tmp_path / "s", workers=1, timeout=0.3)
    assert done.status()["timeout"] == 1
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
    assert not [line for line in lines if b"987.125" in line]


def test_ctrl_c_does_not_wait_for_a_whole_batch(tmp_path):
    def interrupt():
        while not (tmp_path / "s" / "study.json").exists() or not open_study(tmp_path / "s").status()["done"]:
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt), contextlib.redirect_stderr(io.StringIO()):
        study("scan_tasks:nap", {"a": list(range(400))}, store=tmp_path / "s", workers=1, batch=400)
    assert 0 < open_study(tmp_path / "s").status()["done"] < 100


def test_which_shape_is_right_does_not_depend_on_interruptions(tmp_path, monkeypatch):
    def interrupt():
        while not (tmp_path / "s" / "study.json").exists() or open_study(tmp_path / "s").status()["done"] < 5:
            time.sleep(0.01)
        for _ in range(2):  # to the main thread, which is waiting
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.5)

    space = {"a": list(range(6))}
    threading.Thread(target=interrupt).start()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), contextlib.redirect_stderr(io.StringIO()):
        patch.setenv("SCAN_WORD", "wait")
        study("scan_tasks:late", space, store=tmp_path / "s", workers=2, batch=1)
    done = study("scan_tasks:late", space, store=tmp_path / "s", executor="serial")
    assert [f["params"]["a"] for f in done.failures()] == [1, 3, 5]


def test_an_executor_whose_workers_lack_the_task_stops_the_study(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_imported", lambda path: import_task("no_such_module:f"))
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="could not start on 'scan_tasks:nothing'"):
        study("scan_tasks:nothing", {"a": [1, 2, 3]}, store=tmp_path / "s", executor=pool)
    assert open_study(tmp_path / "s").status()["planned"] == 3
