"""What workers do with files: check them, make them ready piece by piece, clean up."""

from lms.content.jobs.checking import process
from lms.content.jobs.encoding import assemble, drop_folder, encode
from lms.content.jobs.tending import draw_poster, find_stuck, forget_abandoned

__all__ = ["assemble", "draw_poster", "drop_folder", "encode", "find_stuck", "forget_abandoned", "process"]
