"""What every worker's try at a file shares: it fetches, it keeps what it made, it tells how far it is, and it stops when told.

No transaction is open while ffmpeg works. Each run writes into a folder of its own, shown only when a step that still holds the lease
says so, so repeating is harmless.
"""

import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from lms.content import operations
from lms.content.errors import NoSuchAsset
from lms.core import sandbox
from lms.core.i18n import gettext as _
from lms.core.jobs import LostLease, report_progress, step
from lms.core.sniff import WrongFile
from lms.core.storage import LocalStorage, storage, type_of

PACE_SECONDS = 1.5
DISK_RESERVE = 256 << 20
COPY_BYTES = 8 << 20


class StoreAway(RuntimeError):
    """The store did not answer: try the whole job again later."""


class Run:
    """One try at making something of a file; `folder` is the key all that it makes begins with, `kept` how many bytes that is."""

    def __init__(self, asset_id: UUID, name: str, folder: str) -> None:
        self.asset_id = asset_id
        self.name = name
        self.folder = folder
        self.told = 0.0
        self.kept = 0
        self.lent: tuple[Path, ...] = ()

    def fetch(self, key: str, target: Path) -> None:
        """Copy a stored file here."""
        self.need_room(target, 0)
        store = storage()
        with store.open(key) as source, target.open("wb") as copy:
            while data := source.read(COPY_BYTES):
                copy.write(data)
                self.renew()

    def take_input(self, key: str, size: int, folder: Path) -> None:
        """Have a stored file as ./input of a scratch folder, for ffmpeg to read: without a copy where the store is this machine's disk.

        `size` 0 means: whatever there is.
        """
        target, store = folder / "input", storage()
        if isinstance(store, LocalStorage):
            source = store.path_of(key)
            self.need_room(target, size or source.stat().st_size)
            self.lent = sandbox.lend(source, target)
        else:
            self.need_room(target, size)
            self.fetch(key, target)
            sandbox.give(target)
        if size and target.stat().st_size != size:
            raise WrongFile(_("The file did not arrive whole. Upload it again."), rule="size")

    def need_room(self, target: Path, size: int) -> None:
        """Raise StoreAway when there is no room for what is made of so many bytes."""
        if shutil.disk_usage(target.parent).free < size * 3 + DISK_RESERVE:
            raise StoreAway("not enough room for scratch files")

    def keep(self, path: Path, name: str, *, settles: bool = True) -> str:
        """Store one file the run made; its key. One that does not settle at once is for `settle` to wait for."""
        key = f"{self.folder}/{name}"
        self.kept += self.store(path, key, settles=settles)
        return key

    def settle(self, key: str) -> None:
        """Wait until a file that was kept outlives a power cut."""
        store = storage()
        if isinstance(store, LocalStorage):
            store.settle(key)

    def store(self, path: Path, key: str, *, settles: bool = True) -> int:
        """Put a made file into the store, where it goes as it is when the store is this machine's disk; how many bytes."""
        store = storage()
        self.renew()
        if isinstance(store, LocalStorage) and not path.is_symlink():
            return store.move_file(key, path, settles=settles).size
        with path.open("rb") as source:
            return store.put(key, cast(BinaryIO, Told(source, self.renew)), type_of(key)).size

    def renew(self) -> None:
        """Keep the lease while bytes are on their way."""
        if time.monotonic() - self.told > 5 * PACE_SECONDS:
            self.told = time.monotonic()
            with step():
                pass

    def between(self, start: float, end: float, stage: str) -> Callable[[float], None]:
        """A listener that spreads 0 to 1 between two points of the whole."""
        return lambda fraction: self.tell(start + (end - start) * fraction, stage)

    def tell(self, fraction: float, stage: str) -> None:
        """Show how far the run is, not more often than people look; stops the run when the asset is gone."""
        if time.monotonic() - self.told < PACE_SECONDS:
            return
        self.told = time.monotonic()
        report_progress(fraction, stage)
        with step():
            if not self.note(fraction, stage):
                raise NoSuchAsset(_("This file is not here. It may have been deleted."))

    def note(self, fraction: float, stage: str) -> bool:
        """Write down how far it is; false when it is no longer wanted."""
        return operations.note_progress(self.asset_id, self.name, min(99, int(fraction * 100)), stage)


@contextmanager
def counted(run: Run) -> Iterator[None]:
    """Note how much processor time a run takes, ffmpeg's among it, however it ends; that of a killed worker is not known."""
    before = _used_ms()
    try:
        yield
    finally:
        with suppress(LostLease), step():
            operations.note_spent(run.asset_id, cpu_ms=_used_ms() - before)


def _used_ms() -> int:
    """Milliseconds of processor time this process and those it has waited for have taken."""
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime) * 1000)


class Told:
    """A file being read, that tells each time it is."""

    def __init__(self, source: BinaryIO, tell: Callable[[], None]) -> None:
        self.source = source
        self.tell = tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self.tell()
        return self.source.read(size)
