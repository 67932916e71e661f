"""Executors: a task's own interrupts are its failures, the user's are not; dask without workers is said."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import physlearn
from physlearn.study import open_study, study

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(physlearn.__file__).parents[1]), str(HERE)])}


@pytest.mark.parametrize("where", ["serial", "threads"])
def test_a_tasks_own_interrupt_is_its_failure_on_every_executor(where, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        executor = "serial" if where == "serial" else pool
        done = study("scan_tasks:poison", {"a": [20, 11, 21, 10, 22, 12]}, store=tmp_path / "s", executor=executor)
    assert done.status()["done"] == 2
    assert [f["type"] for f in done.failures()] == ["KeyboardInterrupt", "GeneratorExit", "SystemExit", "Rude"]
    assert "not the user's" in done.failures()[0]["traceback"]


SPAWNED = """
import signal, sys
from concurrent.futures import ProcessPoolExecutor
from physlearn.study import study
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ProcessPoolExecutor(2) as pool:
            study("scan_tasks:nap", {"a": list(range(400))}, store="s", executor=pool, batch=2)
    except KeyboardInterrupt:
        print("KeyboardInterrupt")
"""


def test_ctrl_c_of_the_user_is_no_tasks_failure(tmp_path):
    """A terminal sends it to the workers of an executor too."""
    (tmp_path / "script.py").write_text(SPAWNED)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    line = [sys.executable, "script.py"]
    with subprocess.Popen(line, cwd=tmp_path, env=ENVIRONMENT, start_new_session=True, **pipes) as process:
        for _ in range(600):
            with contextlib.suppress(OSError):
                if open_study(tmp_path / "s").status()["done"] > 5:
                    break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate(timeout=60)
    status = open_study(tmp_path / "s").status()
    assert "KeyboardInterrupt" in out and status["failed"] == status["crashed"] == 0, said
    assert 5 < status["done"] < 400 and status["done"] + status["planned"] == 400


def test_dask_without_workers_is_said(tmp_path, monkeypatch, capsys):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("physlearn.study.running.crew.PATIENCE", 0.3)
    options = {"n_workers": 0, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        helper = threading.Timer(2.0, cluster.scale, [1])
        helper.start()
        executor = client.get_executor(pure=False)
        done = study("scan_tasks:draw", {"a": [1, 2, 3]}, store=tmp_path / "s", executor=executor, workers=1)
        helper.join()
    assert done.status()["done"] == 3
    said = capsys.readouterr().err
    assert said.count("the executor has no workers: 3 tasks are waiting for one") == 1
