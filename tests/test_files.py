"""Files that a user names: homes, byte order marks, links, whole replacement."""

import codecs
import gzip
from pathlib import Path

import pytest

from physlearn.files import path_of, read_text, refuse_link, replace_file


def test_a_tilde_is_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of("store", "~/a") == tmp_path / "a" and path_of("store", "b/~") == Path("b/~")
    with pytest.raises(ValueError, match="store: '~nobody_at_all/a' names no home"):
        path_of("store", "~nobody_at_all/a")
    with pytest.raises(TypeError, match="store: got 3, expected a path"):
        path_of("store", 3)
    with pytest.raises(ValueError, match="without NUL"):
        path_of("store", "a\0b")


@pytest.mark.parametrize(
    "data",
    [
        "é 1\n2\n".encode(),
        codecs.BOM_UTF8 + "é 1\r\n2\r\n".encode(),
        codecs.BOM_UTF16_LE + "é 1\r\n2\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "é 1\r2\r".encode("utf-16-be"),
    ],
)
def test_marks_and_line_ends_are_no_text(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert read_text(path) == "é 1\n2\n"
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(data))
    assert read_text(path) == "é 1\n2\n"


def test_what_is_no_text_is_named_with_its_line(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("a\n\xe9\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt, line 2: byte 0xe9 is no UTF-8 text"):
        read_text(path)
    packed = tmp_path / "a.gz"
    for damage in (b"not packed", gzip.compress(b"text" * 99)[:20], b""):
        packed.write_bytes(damage)
        if damage:
            with pytest.raises(ValueError, match=r"a\.gz: no \.gz archive, or a damaged one"):
                read_text(packed)


def test_files_are_replaced_whole_and_never_through_a_link(tmp_path):
    path, victim = tmp_path / "a.txt", tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "a.txt.part").symlink_to(victim)  # a trap beside it
    assert replace_file(path, b"one").read_text() == "one" and replace_file(path, "two").read_text() == "two"
    path.unlink()
    path.symlink_to(victim)
    for write in (refuse_link, lambda at: replace_file(at, "three")):
        with pytest.raises(OSError, match=r"a\.txt: a symbolic link \(to .*victim\), through which nothing is written"):
            write(path)
    assert victim.read_text() == "mine" and sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "victim"]
