import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # scan_tasks: workers import it by name


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    """Reports are quicker to draw."""
    monkeypatch.setattr("physlearn.study.reports.report.DPI", 50)
