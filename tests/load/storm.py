"""The storms: faults at their full size, each on servers of its own. `scripts/storm [names…] [--quick] [--minutes 8 --turn 3]` prints a table; 1 on a loss."""

import argparse
import signal
import sys
import time

from tests.load.figure import Figure, Storm, Wish
from tests.load.storm_api import replay
from tests.load.storm_clock import scheduler
from tests.load.storm_films import films
from tests.load.storm_forms import fuzz
from tests.load.storm_jobs import outbox, workers
from tests.load.storm_ledger import ledger
from tests.load.storm_media import media
from tests.load.storm_neighbour import neighbour
from tests.load.storm_poison import poison
from tests.load.storm_postgres import postgres
from tests.load.storm_scripts import scripts
from tests.load.storm_sockets import sockets
from tests.load.storm_toxics import toxics
from tests.load.storm_upload import upload
from tests.load.storm_walls import bleed, purchase

ALL: dict[str, Storm] = {
    "fuzz": fuzz,
    "replay": replay,
    "outbox": outbox,
    "workers": workers,
    "poison": poison,
    "media": media,
    "films": films,
    "upload": upload,
    "scheduler": scheduler,
    "postgres": postgres,
    "sockets": sockets,
    "toxics": toxics,
    "scripts": scripts,
    "bleed": bleed,
    "purchase": purchase,
    "ledger": ledger,
    "neighbour": neighbour,
}


def main() -> int:
    """Let the storms named blow, all without a name; 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="which; all when none")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they blow")
    parser.add_argument(
        "--minutes", type=float, default=600, help="how long the fuzz, the outbox, the workers and the ledger may take, each"
    )
    parser.add_argument("--turn", type=int, default=0, help="throw other dice than the turn before: fuzz in stretches")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started ends with us
    figures: list[Figure] = []
    for name in wish.names or ALL:
        began = time.monotonic()
        found = ALL[name](Wish(wish.quick, wish.minutes, wish.turn))
        figures += found
        for one in found:
            print(f"| {one.what} | {one.value} | {one.reaches} | {'yes' if one.is_reached else 'NO'} |", flush=True)
        print(f"({name}: {time.monotonic() - began:.0f} s)", flush=True)
    return 0 if all(one.is_reached for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
