"""What every worker's try at a file shares: it fetches, it keeps what it made, it tells how far it is, and it stops when told.

No transaction is open while ffmpeg works. Each run writes into a folder of its own, shown only when a step that still holds the lease
says so, so repeating is harmless.
"""

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from lms.content import operations
from lms.content.errors import NoSuchAsset
from lms.core.i18n import gettext as _
from lms.core.jobs import report_progress, step
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

    def fetch(self, key: str, size: int, target: Path, known: str = "") -> str:
        """Copy a stored file here; its SHA-256 in hex (`known`: it need not be counted again). `size` 0 means: whatever there is."""
        if shutil.disk_usage(target.parent).free < size * 3 + DISK_RESERVE:
            raise StoreAway("not enough room for scratch files")
        store = storage()
        if known and isinstance(store, LocalStorage):
            self.copy(store.path_of(key), target)
            return known
        digest, read = hashlib.sha256(), 0
        with storage().open(key) as source, target.open("wb") as copy:
            while data := source.read(1 << 20):
                read += len(data)
                digest.update(data)
                copy.write(data)
                self.renew()
        if size and read != size:
            raise WrongFile(_("The file did not arrive whole. Upload it again."), rule="size")
        return digest.hexdigest()

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file of this machine, renewing the lease on the way."""
        with source.open("rb") as held, target.open("wb") as made:
            while data := held.read(COPY_BYTES):
                made.write(data)
                self.renew()

    def keep(self, path: Path, name: str) -> str:
        """Store one file of the run, renewing the lease on the way; its key."""
        key = f"{self.folder}/{name}"
        with path.open("rb") as source:
            self.kept += storage().put(key, cast(BinaryIO, Told(source, self.renew)), type_of(key)).size
        return key

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


class Told:
    """A file being read, that tells each time it is."""

    def __init__(self, source: BinaryIO, tell: Callable[[], None]) -> None:
        self.source = source
        self.tell = tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self.tell()
        return self.source.read(size)
