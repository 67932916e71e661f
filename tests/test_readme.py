"""What the README prints is what happens."""

import doctest
import io
import linecache
import re
import textwrap
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```[ \t]*$", re.MULTILINE | re.DOTALL)
LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def fences(page):
    """Return (language, text, line of the first row) of every fenced block, in order."""
    readme = page.read_text(encoding="utf-8")
    return [
        (match[1], textwrap.dedent(match[2]), readme.count("\n", 0, match.start(2)) + 1)
        for match in FENCE.finditer(readme)
    ]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_python_blocks_run_and_print_what_the_text_blocks_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = fences(ROOT / name)
    assert any(language == "python" for language, _, _ in blocks), f"{name} shows no code"

    namespace = {"__name__": "__main__"}
    following = [*blocks[1:], ("", "", 0)]
    for (language, code, line), (next_language, expected, _) in zip(blocks, following, strict=True):
        if language != "python":
            continue
        place = f"{name}:{line}"
        linecache.cache[place] = (len(code), None, code.splitlines(keepends=True), place)
        with redirect_stdout(io.StringIO()) as stdout:
            exec(compile(code, place, "exec"), namespace)
        if next_language == "text":
            printed = stdout.getvalue()
            assert doctest.OutputChecker().check_output(expected, printed, LENIENT), (
                f"{place} printed\n{printed}\nwhere {name} says\n{expected}"
            )


def test_every_file_that_is_named_exists():
    named = set(re.findall(r"\b(?:examples|benchmarks|docs)/[\w./-]*\w", README.read_text("utf-8")))
    missing = sorted(path for path in named if not (README.parent / path).exists())
    assert not missing, f"README.md names files that do not exist: {missing}"
