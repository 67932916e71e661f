import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # scan_tasks: workers import it by name
