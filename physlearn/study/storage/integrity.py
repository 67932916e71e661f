"""Integrity of stored results: everything has a digest, which is compared when it is read.

SQLite has no checksums of its own: a changed byte in a page is another number.  A result's digest covers the task's
id, and thus its parameters, so that a value cannot move to another point unnoticed either.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from physlearn.study.storage.values import read_blob

# NULL for tasks written without digests; for others NULL is damage and becomes x'', which is the digest of nothing
KEPT = "COALESCE(r.digest, CASE WHEN t.results IS NULL THEN NULL ELSE x'' END)"
SIZE = 8  # bytes of a digest: one damage in 10^19 is missed
_BLOB = re.compile(r"[0-9a-f]{64}\.npy")


class Damage(Exception):
    """A result is missing or has changed since it was written."""


def digest(text: str, data: bytes = b"") -> bytes:
    """The first bytes of SHA-256 of text and data.

    Examples
    --------
    >>> digest("abc").hex()
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(text.encode() + data).digest()[:SIZE]


def result_digest(identity: str, name: str, dtype: str, shape: str, data: bytes | None, file: str | None) -> bytes:
    """Digest of a row of results of the task with that id."""
    return digest(f"{identity}\0{name}\0{dtype}\0{shape}\0{file or ''}\0", data or b"")


def sound(folder: Path, identity, name, dtype, shape, data, file, kept) -> bytes:
    """The bytes of a result as they were written; ``kept`` is its digest, None in stores of format 2.

    Raises
    ------
    Damage
        Names the part that is missing or changed.
    """
    try:
        if kept is not None and result_digest(identity, name, dtype, shape, data, file) != kept:
            raise Damage(f"result {name!r} in study.db has changed since it was written")
    except (TypeError, AttributeError, UnicodeError):  # another type of column
        raise Damage(f"a result in study.db is no longer valid: {name!r}") from None
    part = isinstance(data, bytes) if file is None else isinstance(file, str)
    if not (part and isinstance(name, str) and isinstance(dtype, str) and isinstance(shape, str)):
        raise Damage(f"a result in study.db is no longer valid: {name!r}")
    if file is None:
        return data
    if not _BLOB.fullmatch(file):  # of a store from elsewhere: no other files are read
        raise Damage(f"blobs/{file!r} is not the name of a blob")
    try:
        return read_blob(folder / "blobs", file).tobytes()
    except (OSError, ValueError) as error:
        raise Damage(f"blobs/{file} is missing or damaged ({error})") from None
