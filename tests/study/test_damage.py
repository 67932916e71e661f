"""Stores that are damaged: every value is compared with its digest; what is damaged costs itself, and can be redone."""

import shutil
import sqlite3
import warnings

import numpy as np
import pytest

from physlearn.study import open_study, study
from physlearn.study.storage.reader import STATES

LARGE = {"a": [1, 2, 3]}


def data(done):
    return done.to_dataset().drop_attrs()


def run(folder, task="scan_tasks:draw", space=None, **how):
    space = {"a": [1, 2, 3, 4]} if space is None else space
    return study(task, space, store=folder, executor="serial", progress=False, **how)


def overwrite(path, at, data=b"\x01\x02\x03\x04\x05\x06\x07\x08"):
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)


@pytest.mark.parametrize("fate", ["missing", "truncated", "8 bytes"])
def test_one_blob_costs_one_point_and_is_computed_again(fate, tmp_path):
    done = run(tmp_path / "s", "scan_tasks:large", LARGE)
    right = data(done)
    with sqlite3.connect(done.folder / "study.db") as db:
        (name,) = db.execute("SELECT file FROM result WHERE task = 1 AND name = 'field'").fetchone()
    db.close()
    blob = done.folder / "blobs" / name
    match fate:
        case "missing":
            blob.unlink()
        case "truncated":
            blob.write_bytes(blob.read_bytes()[:5000])
        case _:
            overwrite(blob, 90_000)
    with pytest.warns(UserWarning, match=rf"1 results are damaged.*'a': 2.* replicate 0: blobs/{name} is missing or"):
        found = data(done)
    assert [STATES[s] for s in found["status"].values.ravel()] == ["done", "damaged", "done"]
    assert np.isnan(found["field"].values[1]).all() and np.isnan(found["z"].values[1]).all()
    np.testing.assert_array_equal(found["field"].values[::2], right["field"].values[::2])
    with pytest.warns(UserWarning, match="are damaged and left out"):
        assert len(done.returned()) == 2
    assert run(tmp_path / "s", "scan_tasks:large", LARGE).status()["done"] == 3  # going on looks at none of it
    again = done.retry(executor="serial", progress=False)
    assert again.status()["done"] == 3 and data(again).identical(right)


def test_a_changed_value_is_no_value(tmp_path):
    done = run(tmp_path / "s")
    right = data(done)
    with sqlite3.connect(done.folder / "study.db") as db:
        (value,) = db.execute("SELECT data FROM result WHERE task = 2 AND name = 'value'").fetchone()
    db.close()
    path = done.folder / "study.db"
    at = path.read_bytes().index(value)
    overwrite(path, at)
    with pytest.warns(UserWarning, match="result 'value' in study.db has changed since it was written"):
        found = data(done)
    with pytest.warns(UserWarning, match="are damaged and left out"):
        page = done.report().read_text(encoding="utf-8")
    assert "1</b> damaged" in page and "has changed since it was written" in page
    assert np.isnan(found["value"].values[2]).all() and np.isfinite(found["value"].values[[0, 1, 3]]).all()
    assert data(done.retry(executor="serial", progress=False)).identical(right)


def test_values_that_have_changed_places_are_told_apart(tmp_path):
    done = run(tmp_path / "s")
    with sqlite3.connect(done.folder / "study.db") as db:
        db.execute("UPDATE result SET task = 9 WHERE task = 0")
        db.execute("UPDATE result SET task = 0 WHERE task = 1")
        db.execute("UPDATE result SET task = 1 WHERE task = 9")
    db.close()
    with pytest.warns(UserWarning, match="2 results are damaged"):
        found = data(done)
    assert np.isnan(found["value"].values.ravel()).tolist() == [True, True, False, False]


def test_a_result_that_is_lost_is_missed(tmp_path):
    done = run(tmp_path / "s")
    with sqlite3.connect(done.folder / "study.db") as db:
        db.execute("DELETE FROM result WHERE task = 3 AND name = 'curve'")
    db.close()
    with pytest.warns(UserWarning, match="study.db has 2 results where 3 were written"):
        found = data(done)
    assert np.isnan(found["value"].values.ravel()).tolist() == [False, False, False, True]
    assert (
        done.retry(executor="serial", progress=False).status()["done"] == 4 and not np.isnan(data(done)["curve"]).any()
    )


@pytest.mark.parametrize("column", ["digest", "data", "shape", "dtype"])
def test_a_row_that_has_lost_a_part_is_no_value(column, tmp_path):
    done = run(tmp_path / "s")
    with sqlite3.connect(done.folder / "study.db") as db:
        if column in ("digest", "data"):
            db.execute(f"UPDATE result SET {column} = NULL WHERE task = 1 AND name = 'value'")
        else:
            db.execute(f"UPDATE result SET {column} = 7 WHERE task = 1 AND name = 'value'")
    db.close()
    with pytest.warns(UserWarning, match="1 results are damaged"):
        assert np.isnan(data(done)["value"].values.ravel()).tolist() == [False, True, False, False]


def test_a_task_in_no_state_is_said(tmp_path):
    done = run(tmp_path / "s")
    with sqlite3.connect(done.folder / "study.db") as db:
        db.execute("UPDATE task SET status = '8d61343' WHERE key = 1")
    db.close()
    with pytest.raises(OSError, match=r"s: cannot be read .*a task is in no state"):
        done.to_dataset()


def test_a_blob_of_a_strange_name_is_not_read(tmp_path):
    done = run(tmp_path / "s", "scan_tasks:large", {"a": [1]})
    np.save(tmp_path / "secret.npy", np.zeros(200_000))
    with sqlite3.connect(done.folder / "study.db") as db:
        db.execute("UPDATE result SET file = '../../secret.npy', digest = NULL WHERE name = 'field'")
        db.execute("UPDATE task SET results = NULL")  # as one of the former format, which has no digests
    db.close()
    with pytest.warns(UserWarning, match="is not the name of a blob"):
        assert "field" not in done.to_dataset()


def test_altered_stores_give_right_values_or_none_or_are_refused_by_name(tmp_path):
    right = data(run(tmp_path / "right"))
    whole = (tmp_path / "right" / "study.db").read_bytes()
    folder, rng, refused, damaged = tmp_path / "s", np.random.default_rng(3), 0, 0
    shutil.copytree(tmp_path / "right", folder)
    used = np.flatnonzero(np.frombuffer(whole, np.uint8))  # most of a small database is empty
    for k in range(400):
        content, at = bytearray(whole), int(rng.choice(used))
        match k % 4:
            case 0:
                content = content[:at]
            case 1:
                content[at] ^= 1 << int(rng.integers(8))
            case _:
                content[at : at + 8] = rng.bytes(8)
        (folder / "study.db").write_bytes(content)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                found = open_study(folder).to_dataset().drop_attrs()
            except OSError as error:
                refused += 1
                assert str(folder) in str(error)
                continue
            damaged += len(said)
            assert all("are damaged and left out" in str(warning.message) for warning in said)
        assert dict(found.sizes).items() >= {"a": 4, "replicate": 1}.items(), k
        np.testing.assert_array_equal(found["a"], right["a"])
        for name in set(right.data_vars) & set(found.data_vars) - {"status"}:
            there = ~np.isnan(found[name].values.astype(float))
            np.testing.assert_array_equal(found[name].values[there], right[name].values[there], str(k))
            full = found["status"].values == STATES.index("done")
            assert there.reshape(4, 1, -1).all(2)[full].all(), (k, name)
    assert refused > 100 and damaged > 20


def test_stores_of_the_former_format_are_read_and_go_on(tmp_path):
    done = run(tmp_path / "s", space={"a": [1, 2]})
    right = data(done)
    with sqlite3.connect(done.folder / "study.db") as db:
        for table in ("meta", "result", "point"):
            db.execute(f"ALTER TABLE {table} DROP COLUMN digest")
        db.execute("ALTER TABLE task DROP COLUMN results")
        db.execute("PRAGMA user_version = 2")
    db.close()
    assert data(done).identical(right)
    grown = run(tmp_path / "s")
    assert data(grown).identical(data(run(tmp_path / "t")))
    with sqlite3.connect(done.folder / "study.db") as db:
        assert db.execute("SELECT COUNT(*) FROM result WHERE digest IS NULL").fetchone() == (6,)
    db.close()
