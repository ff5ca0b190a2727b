"""What workers do with files: check them, make them ready piece by piece, clean up."""

from lms.content.jobs.checking import process
from lms.content.jobs.cooling import cool_original, drop_warm, find_originals
from lms.content.jobs.encoding import assemble, drop_folder, encode
from lms.content.jobs.tending import draw_poster, find_stuck, forget_abandoned, weigh_files

__all__ = [
    "assemble",
    "cool_original",
    "draw_poster",
    "drop_folder",
    "drop_warm",
    "encode",
    "find_originals",
    "find_stuck",
    "forget_abandoned",
    "process",
    "weigh_files",
]
