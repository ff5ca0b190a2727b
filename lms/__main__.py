"""`python -m lms` is `lms`. What only starts others does not load the application first: that costs a start two seconds."""

import runpy
import sys
from importlib import import_module


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:] == ["serve"]:
        runpy.run_module("lms.core.serving", run_name="__main__", alter_sys=True)
    else:
        import_module("lms.app").main()


if __name__ == "__main__":
    main()
