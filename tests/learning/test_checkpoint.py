"""Trainings on disk: what is damaged, or no training, is said with the file's name."""

import json

import numpy as np
import pytest

from physlearn import Adam, CoupledLearning, Energy, Readout, Real, SquaredError, learn, load, save
from physlearn.terms import Edges

DATA = {"in": [[1.0, 0.0]], "out": [[0.5]]}
TASK = {"rule": CoupledLearning(), "optimizer": Adam(0.05), "cost": SquaredError("out"), "rng": 0}


def divider():
    readouts = {"in": Readout("v", [0, 2]), "out": Readout("v", [1])}
    return Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]}, readouts)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return save(tmp_path_factory.mktemp("kept") / "half", learn(divider(), DATA, **TASK, epochs=3))


def test_every_truncated_or_altered_file_is_refused_by_name_or_read_right(kept, tmp_path):
    """Each array has its checksum; what has none does not change what is read."""
    whole, right = kept.read_bytes(), load(kept, divider())
    rng, refused = np.random.default_rng(1), 0
    path = tmp_path / "half.npz"
    for k in range(300):
        data, at = bytearray(whole), int(rng.integers(len(whole)))
        if k % 3 == 0:
            data = data[:at]
        elif k % 3 == 1:
            data[at] ^= 1 << int(rng.integers(8))
        else:
            data[at : at + 8] = rng.bytes(8)
        path.write_bytes(data)
        try:
            found = load(path, divider())
        except ValueError as error:
            refused += 1
            assert str(path) in str(error)
        else:
            assert np.array_equal(found.theta["conductance"], right.theta["conductance"]), k
            assert np.array_equal(found.cost, right.cost) and found.epochs == right.epochs and found.rng == right.rng
    assert refused > 200


@pytest.mark.parametrize(
    "head",
    [
        "{",
        "[]",
        {"format": 1},
        {"format": 1, "memory": {}, "epochs": "many", "rng": {}, "method": ""},
        {"format": 1, "memory": {}, "epochs": 1, "rng": {"bit_generator": "seed"}, "method": ""},
        {"format": 1, "memory": {}, "epochs": 1, "rng": {"bit_generator": "PCG64", "state": 3}, "method": ""},
    ],
)
def test_heads_that_say_no_training_are_refused(head, tmp_path):
    text = head if isinstance(head, str) else json.dumps(head)
    np.savez(tmp_path / "a.npz", head=np.array(text), cost=np.zeros(1), **{"theta/conductance": np.ones(2)})
    with pytest.raises(ValueError, match=r"a\.npz holds no whole training"):
        load(tmp_path / "a.npz", divider())


def test_other_files_are_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "objects.npz", head=np.array([{}], dtype=object))
    (tmp_path / "text.npz").write_text("theta = 1")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("array.npy", "objects.npz", "text.npz", "empty.npz"):
        with pytest.raises(ValueError, match=rf"{name} is no \.npz file, or a damaged one"):
            load(tmp_path / name, divider())
    with pytest.raises(OSError, match="nothing"):
        load(tmp_path / "nothing.npz", divider())
    with pytest.raises(TypeError, match="resume: got a PosixPath.*, expected a Training"):
        learn(divider(), DATA, **TASK, resume=tmp_path / "half.npz")


def test_homes_and_links(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    half = load(kept, divider())
    assert save("~/half", half) == tmp_path / "half.npz" and load("~/half.npz", divider()).epochs == 3
    (tmp_path / "link.npz").symlink_to(kept)
    with pytest.raises(OSError, match=r"link\.npz: a symbolic link"):
        save(tmp_path / "link", half)
