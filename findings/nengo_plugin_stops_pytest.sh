#!/usr/bin/env bash
# Nengo 4.1.0 brings a pytest plugin that declares an argument `startdir`, which pytest 9 has removed: where Nengo is
# installed, pytest stops before it collects anything, in any project, also in one that never imports Nengo.
# Seen with pytest 9.2.0: "PluginValidationError: Plugin 'nengo' for hook 'pytest_report_collectionfinish'".
# Here: tests beside Nengo are run with `-p no:nengo`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'nengo==4.1.0' 'pytest==9.2.0' 'numpy==2.3.5'
cd "$folder"
echo 'def test_nothing(): pass' > test_nothing.py
if venv/bin/python -m pytest -q test_nothing.py > seen.txt 2>&1; then
    echo "the behaviour has changed: pytest runs beside Nengo"
    exit 1
fi
grep "PluginValidationError" seen.txt
venv/bin/python -m pytest -q -p no:nengo test_nothing.py
