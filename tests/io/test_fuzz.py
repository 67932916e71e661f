"""Altered text files: what is read is what an independent reader finds in the same bytes, or the file is named."""

import numpy as np
import pytest
import scipy.sparse as sp

from physlearn.io import read_couplings, read_gset
from physlearn.study import read_study

GSET = "5 6\n1 2 1\n2 3 -2.5\n3 4 1\n4 5 0.125\n5 1 3\n1 3 -1\n"
SYMMETRIC = "%%MatrixMarket matrix coordinate real symmetric\n% of five spins\n5 5 6\n2 1 0.5\n3 2 -1.25\n"
SYMMETRIC += "4 3 2e-1\n5 4 7\n5 1 1\n3 3 0.75\n"
ARRAY = "%%MatrixMarket matrix array integer symmetric\n3 3\n1\n2\n-3\n4\n5\n6\n"
STUDY = '[study]\ntask = "physlearn.tasks:ising"\nseed = 3\nreplicates = 2\n[params]\ndraws = 20\n[space]\n'
STUDY += "size = [4, 6]\ntemperature = { low = 1.0, high = 3.0, n = 3, units = 'J' }\n"


def altered(text, count, seed):
    """The bytes of a file, truncated, with a bit changed, with bytes overwritten or with another file's character."""
    rng, whole = np.random.default_rng(seed), text.encode()
    for k in range(count):
        data, at = bytearray(whole), int(rng.integers(len(whole)))
        match k % 4:
            case 0:
                data = data[:at]
            case 1:
                data[at] ^= 1 << int(rng.integers(8))
            case 2:
                data[at : at + 4] = rng.bytes(4)
            case 3:
                data[at] = rng.choice(bytearray(b"0123456789 \n-.%e"))
        yield bytes(data)


def tried(read, path, texts):
    """What came of reading each: (bytes, result); refusals must name the file."""
    refused = 0
    for data in texts:
        path.write_bytes(data)
        try:
            found = read(path)
        except (ValueError, OSError) as error:
            refused += 1
            assert str(path) in str(error), (data, error)
        else:
            yield data, found
    assert refused > 100


def entries(data):
    """Numbers of the lines that are not blank, line by line."""
    lines = [line.split() for line in data.decode("utf-8-sig").replace("\r", "\n").split("\n")]
    return [[float(word) for word in line] for line in lines if line]


def test_graphs(tmp_path):
    for data, (pairs, weights, n) in tried(read_gset, tmp_path / "g", altered(GSET, 600, 0)):
        (vertices, edges), *rows = entries(data)
        assert n == vertices and len(pairs) == edges == len(rows)
        for pair, weight, row in zip(pairs, weights, rows, strict=True):
            assert [*pair + 1, weight] == [*row, 1.0][:3]


@pytest.mark.parametrize("text", [SYMMETRIC, SYMMETRIC.replace("symmetric", "general"), ARRAY])
def test_couplings(tmp_path, text):
    def read(path):
        return read_couplings(path, symmetrise=True)

    for data, (pairs, couplings, diagonal) in tried(read, tmp_path / "j.mtx", altered(text, 600, 1)):
        head, *lines = data.decode(errors="replace").replace("\r", "\n").split("\n")
        rows = entries("\n".join(line for line in lines if not line.startswith("%")).encode())
        n = int(rows[0][0])
        expected = np.zeros((n, n))
        if "coordinate" in head.lower():
            for i, j, *value in rows[1:]:
                expected[int(i) - 1, int(j) - 1] = value[0] if value else 1.0
        else:
            at = np.array([(i, j) for j in range(n) for i in range(j if "symm" in head.lower() else 0, n)])
            expected[at[:, 0], at[:, 1]] = np.concatenate(rows[1:])
        if "general" in head.lower():
            expected = (expected + expected.T) / 2
        else:
            expected = expected + expected.T - np.diag(np.diag(expected))
        found = sp.coo_matrix((couplings, pairs.T), (n, n)).toarray()
        np.testing.assert_array_equal(found, np.triu(expected, 1))
        np.testing.assert_array_equal(diagonal, np.diag(expected))


def test_study_files(tmp_path):
    for _, found in tried(read_study, tmp_path / "scan.toml", altered(STUDY, 400, 2)):
        assert len(found.plan) >= 1
