"""Where an address lives: its view, its template and its tests, found by spelling alone."""

import inspect
import sys
from pathlib import Path

from lms.app import create_app
from lms.config import Config

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {"DATABASE_URL": "postgresql://nobody@/none", "REDIS_URL": "redis://localhost", "SECRET_KEY": "x" * 32}


def main(path: str) -> int:
    """Print where the address lives; 1 when there is none."""
    app = create_app(Config.load(SETTINGS), testing=True)
    adapter = app.url_map.bind("localhost")
    for method in ("GET", "POST"):
        if adapter.test(path, method=method):
            endpoint, _ = adapter.match(path, method=method)
            break
    else:
        print(f"There is nothing at {path}.")
        return 1
    view = app.view_functions[endpoint]
    file = Path(inspect.getsourcefile(view) or "")
    line = inspect.getsourcelines(view)[1]
    module, door = view.__module__.split(".")[1:3]
    folder = ROOT / "templates" / module / ("admin" if door == "admin" else "")
    tests = ROOT / "tests" / module / f"test_{door}.py"
    print(f"view      {file.relative_to(ROOT)}:{line} {view.__name__}")
    for name in (f"{view.__name__}.html", f"_{view.__name__}.html"):
        if (folder / name).exists():
            print(f"template  {(folder / name).relative_to(ROOT)}")
    if tests.exists():
        found = [
            f"{tests.relative_to(ROOT)}:{n}"
            for n, text in enumerate(tests.read_text().splitlines(), 1)
            if f"def test_{view.__name__}__" in text
        ]
        print(
            "\n".join(f"test      {place}" for place in found)
            or f"tests     {tests.relative_to(ROOT)} has none that begin with test_{view.__name__}__"
        )
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "Say an address: scripts/where /admin/channels/people")
