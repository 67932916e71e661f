"""Files that a user names: their paths, their text, and their replacement.

Every refusal names the file.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import os
import zlib
from contextlib import contextmanager
from pathlib import Path

PACKED = {".gz": gzip.decompress, ".bz2": bz2.decompress}


def path_of(name, value) -> Path:
    """The path that an argument means; "~" is the user's home, as in a shell.

    Raises
    ------
    TypeError, ValueError
        Anything but a path; the home of a user that does not exist.

    Examples
    --------
    >>> path_of("store", "results/scan").parts
    ('results', 'scan')
    """
    try:
        path = Path(value)
    except TypeError:
        raise TypeError(f"{name}: got {value!r}, expected a path") from None
    if "\0" in str(path):
        raise ValueError(f"{name}: got {value!r}, expected a path without NUL")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{name}: {str(path)!r} names no home ({error}); write the folder out") from None


def read_text(path: Path, errors="strict") -> str:
    r"""The text of a file: UTF-8, or UTF-16 with its byte order mark; unpacked if it ends in .gz or .bz2.

    A byte order mark (which Notepad and PowerShell write) is no part of the text, and every line ends in ``"\n"``.

    Parameters
    ----------
    path : Path
    errors : str
        Treatment of bytes that are not text, as in `bytes.decode`.

    Raises
    ------
    ValueError
        Bytes that are not text, with their line; a damaged archive.
    OSError
        A file that cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.txt")
    >>> _ = path.write_bytes(b"\xef\xbb\xbf1 2\r\n")
    >>> read_text(path)
    '1 2\n'
    """
    data = path.read_bytes()
    if path.suffix in PACKED:
        try:
            data = PACKED[path.suffix](data)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise ValueError(f"{path}: no {path.suffix} archive, or a damaged one ({error})") from None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig", errors)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is no {'UTF-16' if wide else 'UTF-8'} text; "
            "name a text file, saved as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def refuse_link(path: Path) -> Path:
    """The path itself, unless it is a symbolic link, through which nothing is written.

    Raises
    ------
    OSError
        For a link: what it points to may be somebody else's, or of another study.
    """
    if path.is_symlink():
        raise OSError(
            f"{path}: a symbolic link (to {os.readlink(path)}), through which nothing is written; remove it, or name "
            "what it points to"
        )
    return path


@contextmanager
def replacing(path: Path):
    """A binary file to write, which takes the place of another whole: beside it, synced, renamed.

    A crash or a full disk leaves the old one.

    Raises
    ------
    OSError
        Where it cannot be written, and for a symbolic link.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.txt")
    >>> with replacing(path) as file:
    ...     _ = file.write(b"one")
    >>> path.read_text()
    'one'
    """
    temporary = refuse_link(path).with_name(path.name + ".part")
    temporary.unlink(missing_ok=True)  # of a writer that was killed; or a link
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)  # half of it, where the disk is full


def replace_file(path: Path, data: bytes | str) -> Path:
    """Write a file whole; see `replacing`."""
    with replacing(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return path
