"""IDX files: every type, gzipped or not, and files that are not what they say."""

import gzip

import numpy as np
import pytest

from physlearn.io import read_idx, read_images
from physlearn.io.idx import FILES


def packed(array, code):
    head = bytes([0, 0, code, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("code,dtype", [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_type_comes_back(code, dtype, zipped, tmp_path, rng):
    array = rng.integers(-100 if dtype[0] != "u" else 0, 100, (3, 4, 2)).astype(dtype)
    data = packed(array, code)
    (tmp_path / "file").write_bytes(gzip.compress(data) if zipped else data)
    found = read_idx(tmp_path / "file")
    assert np.array_equal(found, array) and found.dtype == array.dtype


def folder(path, rng, n=(5, 3), change=None):
    images = [rng.integers(0, 256, (k, 4, 3)).astype(np.uint8) for k in n]
    labels = [rng.integers(0, 10, k).astype(np.uint8) for k in n]
    arrays = dict(zip(FILES, (images[0], labels[0], images[1], labels[1]), strict=True)) | (change or {})
    for k, (name, array) in enumerate(arrays.items()):
        data = packed(array, 8)
        (path / (name + ".gz" * (k % 2))).write_bytes(gzip.compress(data) if k % 2 else data)
    return images, labels


def test_a_folder(tmp_path, rng):
    images, labels = folder(tmp_path, rng)
    found = read_images(tmp_path)
    assert np.array_equal(found.images, images[0]) and np.array_equal(found.test_labels, labels[1])
    assert found.name == ""


def test_refusals(tmp_path, rng):
    with pytest.raises(FileNotFoundError, match=r"neither train-images-idx3-ubyte nor train-images-idx3-ubyte\.gz"):
        read_images(tmp_path)
    folder(tmp_path, rng)
    with pytest.raises(ValueError, match="is not MNIST's: its md5 is"):
        read_images(tmp_path, "MNIST")
    with pytest.raises(ValueError, match="name: got 'mnist'"):
        read_images(tmp_path, "mnist")
    folder(tmp_path, rng, change={FILES[3]: np.zeros(2, np.uint8)})
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        read_images(tmp_path)
    folder(tmp_path, rng, change={FILES[0]: np.zeros((5, 2), np.uint8)})
    with pytest.raises(ValueError, match=r"holds uint8 of shape \(5, 2\)"):
        read_images(tmp_path)
    for data, said in (
        (b"", "begins with nothing"),
        (b"P5 4", "expected an IDX file"),
        (packed(np.zeros(3, np.uint8), 8)[:-1], "has 10 bytes, expected 11"),
        (packed(np.zeros(3, np.uint8), 8) + b"x", "has 12 bytes, expected 11"),
        (bytes([0, 0, 8, 3, 0, 0]), "has 6 bytes"),
        (gzip.compress(b"0000")[:-5], "is damaged"),
    ):
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(ValueError, match=said):
            read_idx(tmp_path / "bad")
