"""Print the one command of the README's ``sh`` blocks that contains the given text."""

import re
import sys
from pathlib import Path

readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
found = [line for block in blocks for line in block.splitlines() if sys.argv[1] in line]
if len(found) != 1:
    sys.exit(f"README.md: want one command with {sys.argv[1]!r} in a ```sh block, found {found}")
print(found[0])
