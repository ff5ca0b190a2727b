"""`python -m lms` is `lms`. What only starts others does not load the application first: that costs a start two seconds."""

import os
import sys
from importlib import import_module


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:] == ["serve"]:
        os.execv(sys.executable, [sys.executable, "-m", "lms.core.serving"])
    import_module("lms.app").main()


if __name__ == "__main__":
    main()
