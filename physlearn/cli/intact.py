"""Whether both packages are as they were installed: other projects have packages of the same names."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import metadata, util
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

DISTRIBUTION, PACKAGES = "physlearn-sim", ("physlearn", "circuits")
SHOWN = 3  # files that are named
REMEDY = f"install {DISTRIBUTION} again with pip install --force-reinstall --no-deps"


def version() -> str:
    """Version of the imported package; another project's `__init__.py` written over ours may have none."""
    import physlearn

    return getattr(physlearn, "__version__", "of unknown version")


def packages() -> list[str]:
    """Origin of both packages and any damage to them, one line each."""
    try:
        ours = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        ours = None
    homes = {name: _home(name) for name in PACKAGES}
    if ours is None:
        lines = [f"{name}: a checkout in {home}, not installed" for name, home in homes.items() if home]
        lines += [f"NOT INTACT: {name} cannot be found" for name, home in homes.items() if not home]
    elif source := _editable(ours):
        lines = _misplaced(homes, {name: source / name for name in PACKAGES})
        lines = lines or [f"an editable install of {source}, whose files are not compared"]
    else:
        lines = _misplaced(homes, {name: Path(str(ours.locate_file(name))) for name in PACKAGES})
        lines += _changed(ours)
        found = f"{' and '.join(PACKAGES)} are intact: all files as {DISTRIBUTION} {ours.version} installed them"
        lines = lines or [found]
    return lines + _rivals()


def _home(name) -> Path | None:
    """The folder of a package, found without importing it: it may be another project's."""
    spec = util.find_spec(name)
    if spec is None:
        return None
    if spec.origin is not None:
        return Path(spec.origin).parent
    return Path(next(iter(spec.submodule_search_locations or ()), "."))  # a namespace: __init__.py is missing


def _editable(ours: metadata.Distribution) -> Path | None:
    """The checkout that an editable install refers to."""
    about = json.loads(ours.read_text("direct_url.json") or "{}")
    if not about.get("dir_info", {}).get("editable"):
        return None
    return Path(url2pathname(urlparse(about["url"]).path))


def _misplaced(homes, expected) -> list[str]:
    """Packages that are imported from another place than they were installed in."""
    return [
        f"NOT THE INSTALLED ONE: {name} is imported from {home}; {DISTRIBUTION} has it in {expected[name]}"
        if home
        else f"NOT INTACT: {name} cannot be found; {REMEDY}"
        for name, home in homes.items()
        if home is None or not _same(home, expected[name])
    ]


def _same(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:  # one of them is gone
        return False


def _changed(ours: metadata.Distribution) -> list[str]:
    """Files that differ from the installer's record."""
    files = [file for file in ours.files or () if file.parts[0] in PACKAGES and file.hash is not None]
    if not files:
        return [f"{DISTRIBUTION} was installed without hashes of its files (RECORD): they cannot be compared"]
    lines = []
    for name in PACKAGES:
        wrong = [str(file) for file in files if file.parts[0] == name and not _as_recorded(file)]
        if wrong:
            shown = ", ".join(wrong[:SHOWN]) + (f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else "")
            lines.append(f"NOT INTACT: {name}: missing or not as installed: {shown}; {REMEDY}")
    return lines


def _as_recorded(file: metadata.PackagePath) -> bool:
    assert file.hash is not None
    try:
        content = Path(str(file.locate())).read_bytes()
    except OSError:
        return False
    digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, content).digest())
    return digest.rstrip(b"=").decode() == file.hash.value


def _rivals() -> list[str]:
    """Other distributions that own a package of our names."""
    owners = metadata.packages_distributions()
    lines = []
    for name in PACKAGES:
        for other in sorted({*filter(None, owners.get(name, ()))}):
            if other.lower().replace("_", "-") != DISTRIBUTION:
                where = metadata.distribution(other).locate_file(name)
                lines.append(
                    f"ANOTHER PROJECT, {other} {metadata.version(other)}, also has a package {name} ({where}): "
                    f"pip uninstall {other}, then {REMEDY}"
                )
    return lines
