"""Records on disk that are damaged: the file is named, or what is read is right."""

import json
import shutil

import numpy as np
import pytest

from circuits.neurons import LIF, Constant, Population, Record, SpikingNetwork, read_stream
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)


def run(folder, duration=0.1):
    network = SpikingNetwork({"n": Population(CELL, 4)}, inputs=[Constant("n", 20e-3)])
    return integrate(network, (0.0, duration), dt=1e-4, record={"n": Record(["v"], every=1e-3)}, stream=folder)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream") / "run"
    run(folder)
    return folder


def values(folder):
    spikes, traces = read_stream(folder)
    return [np.array(a) for a in (spikes["n"].times, spikes["n"].ids, traces["n"].t, traces["n"].values)]


def test_every_altered_file_is_refused_by_name_or_read_right(kept, tmp_path):
    right, rng, refused = values(kept), np.random.default_rng(2), 0
    files = sorted(path.name for path in kept.iterdir())
    assert files == ["record.json", "spikes.0.ids", "spikes.0.times", "traces.0"]
    for k in range(240):
        folder = tmp_path / "run"
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        path = folder / files[k % 4]
        data = bytearray(path.read_bytes())
        at = int(rng.integers(len(data)))
        match k // 4 % 3:
            case 0:
                data = data[:at]
            case 1:
                data[at] ^= 1 << int(rng.integers(8))
            case 2:
                data[at : at + 8] = rng.bytes(8)
        path.write_bytes(data)
        try:
            found = values(folder)
        except ValueError as error:
            refused += 1
            assert str(path) in str(error), (path, error)
        else:
            assert all(map(np.array_equal, found, right)), (path, k, at)
    assert refused > 200


def test_a_file_that_is_missing_or_short_is_named(kept, tmp_path):
    for name in ("spikes.0.times", "traces.0"):
        folder = tmp_path / name
        shutil.copytree(kept, folder)
        path = folder / name
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(ValueError, match=rf"{name}: \d+ bytes, expected \d+"):
            read_stream(folder, verify=False)
        path.unlink()
        with pytest.raises(ValueError, match=rf"{name}: cannot be read"):
            read_stream(folder)


def test_records_without_checksums_are_read(kept, tmp_path):
    """Those of earlier versions."""
    shutil.copytree(kept, tmp_path / "run")
    path = tmp_path / "run" / "record.json"
    header = json.loads(path.read_text())
    del header["digest"]
    for entry in header["spikes"] + header["traces"]:
        del entry["crc"]
    path.write_text(json.dumps(header))
    assert all(map(np.array_equal, values(tmp_path / "run"), values(kept)))
    for text in ("{", "[]", "{}", json.dumps(header | {"spikes": [{}]}), json.dumps(header | {"t_stop": "soon"})):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"record\.json: damaged, or not of a streamed run"):
            read_stream(tmp_path / "run")
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match=r"record\.json: damaged"):
        read_stream(tmp_path / "run")


def test_homes_and_links(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run("~/run", 0.01)
    assert "n" in read_stream("~/run")[0] and (tmp_path / "run").is_dir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with pytest.raises(OSError, match="link: a symbolic link"):
        run(tmp_path / "link")
