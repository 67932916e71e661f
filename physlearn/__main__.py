"""The command as ``python -m physlearn``."""

import sys

from physlearn.cli import main

if __name__ == "__main__":
    sys.exit(main())
