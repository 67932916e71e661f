"""Files of couplings that are malformed: the file, the line and the remedy are named before anything is read."""

import bz2
import codecs

import numpy as np
import pytest

from physlearn.io import read_couplings, read_gset

GENERAL = "%%MatrixMarket matrix coordinate real general\n"
SYMMETRIC = "%%MatrixMarket matrix coordinate real symmetric\n"
ARRAY = "%%MatrixMarket matrix array real general\n"


def couplings(tmp_path, text):
    path = tmp_path / "j.mtx"
    path.write_text(text)
    return read_couplings(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: '', expected '%%MatrixMarket"),
        ("%%MatrixMarket vector coordinate real general\n2 1\n1 5\n", "line 1: '%%MatrixMarket vector"),
        ("%%MatrixMarket matrix coordinate text general\n", "line 1: 'text', expected real, integer or pattern"),
        ("%%MatrixMarket matrix array pattern general\n", "line 1: 'pattern', expected real or integer"),
        ("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 0\n", "line 1: 'skew-symmetric', expected"),
        (GENERAL + "% nothing else\n", "line 3: '', expected the size, 'rows columns entries'"),
        (GENERAL + "% a\n\n4 3\n2 1 1\n", "line 4: '4 3', expected the size, 'rows columns entries'"),
        (GENERAL + "2 x 1\n", "line 2: '2 x 1', expected the size"),
        (GENERAL + "-2 -2 1\n1 1 1\n", "line 2: '-2 -2 1', expected the size"),
        (GENERAL + "2 3 0\n", r"line 2: shape \(2, 3\), expected a square matrix"),
        (GENERAL + "99999999999 99999999999 1\n1 1 5\n", "line 2: 99999999999 rows, expected at most"),
        (GENERAL + "2 2 99999999999999\n1 1 5\n", "line 2: promises 99999999999999 entries, the file has 1"),
        (GENERAL + "2 2 1\n1 2 1\n\n2 1 1\n", "line 2: promises 1 entries, the file has 2"),
        (GENERAL + "2 2 2\n1 2 5\n% late\n", "line 4: '% late', expected 'i j J'"),
        (GENERAL + "2 2 1\n1 2 5 7\n", "line 3: '1 2 5 7', expected 'i j J'"),
        (GENERAL + "2 2 1\n1 2 5D3\n", "line 3: '1 2 5D3'"),
        (GENERAL + "2 2 1\n1 2 0x10\n", "line 3: '1 2 0x10'"),
        (GENERAL + "2 2 1\n1 2 1_0\n", "line 3: '1 2 1_0'"),
        (GENERAL + "2 2 1\n1.0 2 1\n", "line 3: '1.0 2 1'"),
        (GENERAL.replace("real", "integer") + "2 2 1\n1 2 5.5\n", "line 3: '1 2 5.5', expected 'i j J', whole numbers"),
        (GENERAL.replace("real", "pattern") + "2 2 1\n1 2 5\n", "line 3: '1 2 5', expected 'i j'"),
        (GENERAL + "% a\n2 2 2\n1 2 1\n3 1 1\n", "line 5: Row index out of bounds"),
        (GENERAL + "2 2 1\n0 1 1\n", "line 3: Row index out of bounds"),
        (ARRAY + "2 2\n1 2\n3 4\n", "line 3: '1 2', expected 'J'"),
        (ARRAY + "2 2\n1\n2\n2\n", "line 2: promises 4 entries, the file has 3"),
    ],
)
def test_the_line_is_named(tmp_path, text, said):
    with pytest.raises(ValueError, match=rf"j\.mtx, {said}"):
        couplings(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SYMMETRIC + "3 3 3\n3 2 -1\n2 1 0.5\n1 2 0.5\n", r"line 5: the entry \[1, 2\] of line 4 again, which 'symme"),
        (SYMMETRIC + "2 2 2\n2 1 0.5\n\n2 1 -0.5\n", r"line 5: the entry \[2, 1\] of line 3 again; keep one"),
        (GENERAL + "2 2 4\n2 1 1\n1 2 1\n1 1 1\n1 1 2\n", r"line 6: the entry \[1, 1\] of line 5 again"),
    ],
)
def test_an_entry_that_stands_twice_is_refused(tmp_path, text, said):
    """SciPy adds them, which would double the coupling."""
    with pytest.raises(ValueError, match=said):
        couplings(tmp_path, text)


def test_one_triangle_is_to_be_mirrored_and_not_halved(tmp_path):
    with pytest.raises(ValueError, match="declare it 'symmetric' in line 1, or mirror it") as said:
        couplings(tmp_path, GENERAL + "3 3 3\n2 1 1\n3 2 -2\n1 1 7\n")
    assert "symmetrise" not in str(said.value)
    found = couplings(tmp_path, SYMMETRIC + "3 3 3\n2 1 1\n3 2 -2\n1 1 7\n")  # what it says to do
    assert found[1].tolist() == [1.0, -2.0] and found[2].tolist() == [7.0, 0.0, 0.0]
    with pytest.raises(ValueError, match=r"'general' matrix: mirror it"):
        couplings(tmp_path, ARRAY + "2 2\n0\n2\n0\n0\n")


def test_upper_triangles_and_patterns_are_read(tmp_path):
    assert couplings(tmp_path, SYMMETRIC + "3 3 2\n1 2 0.5\n3 2 4\n")[1].tolist() == [0.5, 4.0]
    pairs, values, _ = couplings(tmp_path, SYMMETRIC.replace("real", "pattern") + "3 3 2\n2 1\n3 2")
    assert pairs.tolist() == [[0, 1], [1, 2]] and values.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("end", ["", " ", "\t", " \n", "\n \n", "\n\t", "  \n \n\n ", "\n\n\n"])
def test_blanks_at_ends_do_no_harm(tmp_path, end):
    """A space at the end of a file without a line break ends an interpreter that gives it to SciPy."""
    for count, rows in ((2, "2 1 0.5 \n3 2 4"), (1, " 2 1 0.5"), (0, "")):
        found = couplings(tmp_path, SYMMETRIC + f"3 3 {count} \n{rows}{end}")
        assert found[1].tolist() == [0.5, 4.0][:count]
    assert couplings(tmp_path, ARRAY + f"2 2 \n0\n \n1\n1 \n0{end}")[1].tolist() == [1.0]


def test_marks_packed_files_and_comments_of_another_encoding(tmp_path):
    data = (SYMMETRIC + "% Müller\n2 2 1\n2 1 0.5\n").encode("latin-1")
    for name, content in (
        ("a.mtx", data),
        ("b.mtx", codecs.BOM_UTF8 + data),
        ("c.mtx.bz2", bz2.compress(data)),
        ("d.mtx", data.decode("latin-1").replace("\n", "\r\n").encode("utf-16")),
    ):
        (tmp_path / name).write_bytes(content)
        assert read_couplings(tmp_path / name)[1].tolist() == [0.5]
    (tmp_path / "g").write_bytes(codecs.BOM_UTF8 + b"2 1\r\n1 2 5\r\n")
    assert read_gset(tmp_path / "g")[1].tolist() == [5.0]


def test_graphs_that_are_no_text_or_hold_other_numerals(tmp_path):
    path = tmp_path / "g"
    path.write_bytes(b"2 1\n1 2 \xff\n")
    with pytest.raises(ValueError, match=r"g, line 2: byte 0xff is no UTF-8 text"):
        read_gset(path)
    for text, line in (("3 1\n1 1_0\n", 2), ("3 1\n1 2 1_0\n", 2), ("٣ 1\n1 2\n", 1)):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=rf"g, line {line}: "):
            read_gset(path)


def test_a_home_may_be_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "j.mtx").write_text(SYMMETRIC + "2 2 1\n2 1 0.5\n")
    assert np.array_equal(read_couplings("~/j.mtx")[1], [0.5])
