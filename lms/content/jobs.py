"""What workers do with files: check, make ready, clean up.

`process` runs in steps: no transaction is open while ffmpeg works. Each run writes into a folder of its own, shown only when a step
that still holds the lease says so; a run that lost its lease takes its folder with it, so repeating is harmless.
"""

import hashlib
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID

import structlog

from lms.content import gateways, operations, queries
from lms.content.errors import NoSuchAsset
from lms.content.gateways.ffmpeg import PHONE_RATE, PHONE_SIDE, Facts, Ffmpeg, ProcessingFailed, ladder
from lms.content.models import Asset
from lms.core import sandbox
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _
from lms.core.images import make_pictures
from lms.core.jobs import Every, LostLease, job, report_progress, step
from lms.core.sniff import Format, WrongFile, sniff
from lms.core.storage import LocalStorage, Missing, storage, type_of
from lms.core.tenancy import current_channel

KINDS_OF = {
    "video": ("video",),
    "audio": ("audio", "video"),
    "image": ("image",),
    "document": ("document",),
    "file": ("document", "archive", "text", "image", "audio", "video"),
}
COVER_SIDE = 1600
PACE_SECONDS = 1.5
DISK_RESERVE = 256 << 20
log = structlog.get_logger(__name__)


class StoreAway(RuntimeError):
    """The store did not answer: try the whole job again later."""


@job(queue="media", tries=5, lease_seconds=300, in_steps=True)
def process(asset_id: str) -> None:
    """Check a file that arrived and make it ready to be shown, or say why not."""
    run = Run.begin(UUID(asset_id))
    if run is None:
        return
    try:
        with sandbox.scratch() as folder:
            run.work(folder)
    except (WrongFile, ProcessingFailed) as refusal:
        run.fail(refusal)
    except (LostLease, NoSuchAsset):
        storage().delete_all(run.folder)
    except Unavailable as error:
        raise StoreAway(error.sentence) from error


class Run:
    """One try at making a file ready."""

    def __init__(self, asset: Asset, folder: str) -> None:
        self.asset_id = asset.id
        self.kind = asset.kind
        self.size = asset.size
        self.original = asset.original_key
        self.name = asset.run or ""
        self.folder = folder
        self.told = 0.0

    @classmethod
    def begin(cls, asset_id: UUID) -> "Run | None":
        """Take the asset in hand, make one file of its parts, and clear what an earlier run left."""
        try:
            with step():
                asset = queries.lock_asset(asset_id)
                left = f"{asset.channel_id}/assets/{asset.id}/{asset.run}" if asset.run else None
                folder = operations.begin_run(asset)
                upload = queries.find_upload(asset_id)
                parts = (upload.key, upload.upload_id) if upload is not None and upload.state == "completed" else None
        except NoSuchAsset:
            return None
        if folder is None:
            return None
        run = cls(asset, folder)
        try:
            if left is not None:
                storage().delete_all(left)
            if parts is not None:
                storage().complete(*parts)
        except Missing as missing:
            run.fail(WrongFile(_("The file did not arrive whole. Upload it again."), rule="missing"))
            log.warning("original_missing", asset_id=str(asset_id), error=missing.sentence)
            return None
        except Unavailable as error:
            raise StoreAway(error.sentence) from error
        return run

    def work(self, folder: Path) -> None:
        """Check the file, then make what its kind needs."""
        source = folder / "input"
        sha256 = self.fetch(source)
        form = sniff(source)
        if form.kind not in KINDS_OF[self.kind]:
            raise WrongFile(_wrong_kind(self.kind, form), rule="kind")
        sandbox.give(source)
        with step():
            asset = queries.lock_asset(self.asset_id)
            asset.state, asset.sha256, asset.content_type = "processing", sha256, form.content_type
        makers: dict[str, Callable[[Path, Format], None]] = {"video": self.make_video, "audio": self.make_audio, "image": self.make_image}
        makers.get(self.kind, self.make_file)(folder, form)

    def make_video(self, folder: Path, form: Format) -> None:
        """Playable at once where nothing must be encoded; then poster, sizes for every line, and an MP4 for phones."""
        media, facts = self.look(folder, form)
        if not facts.has_video:
            raise WrongFile(_("This file holds sound but no pictures. Upload it as audio."), rule="kind")
        values: dict[str, Any] = {
            "poster_key": self.keep(media.poster(facts), "poster.jpg"),
            "duration_seconds": facts.duration,
            "width": facts.width,
            "height": facts.height,
            "facts": facts.as_dict(),
        }
        self.tell(0.08, "remux")
        if facts.can_copy_video:
            values["mp4_key"] = self.keep(media.remux(facts, self.between(0.08, 0.15, "remux")), "video.mp4")
        with step():
            operations.make_playable(queries.lock_asset(self.asset_id), self.folder, values)
        sizes = ladder(facts)
        hls = media.hls(facts, sizes, self.between(0.15, 0.9, "encode"))
        if not facts.can_copy_video or facts.short_side > 1080 or self.size * 8 / facts.duration > PHONE_RATE:
            phone = next((size for size in sizes if min(size.width, size.height) <= PHONE_SIDE), sizes[-1])
            values["mp4_key"] = self.keep(media.whole(phone), "phone.mp4")
        values["hls_key"] = self.keep_all(hls, "hls") + "/master.m3u8"
        self.finish(values)

    def make_audio(self, folder: Path, form: Format) -> None:
        """The sound as AAC, which every browser plays."""
        media, facts = self.look(folder, form)
        if not facts.has_audio:
            raise WrongFile(_("This file holds no sound."), rule="kind")
        made = media.sound(facts, self.between(0.1, 0.9, "encode"))
        self.finish({"mp4_key": self.keep(made, "audio.m4a"), "duration_seconds": facts.duration, "facts": facts.as_dict()})

    def make_image(self, folder: Path, form: Format) -> None:
        """The picture made anew, without what was hidden in it."""
        (picture,) = make_pictures(folder / "input", [COVER_SIDE])
        place = folder / "picture.webp"
        place.write_bytes(picture.data)
        values = {"poster_key": self.keep(place, "picture.webp"), "width": picture.width, "height": picture.height}
        self.finish({**values, "content_type": "image/webp"})

    def make_file(self, folder: Path, form: Format) -> None:
        """The file as it is, to be downloaded and never opened by us."""
        self.finish({"file_key": self.keep(folder / "input", f"file.{form.ending}"), "facts": {"format": form.ending}})

    def look(self, folder: Path, form: Format) -> tuple[Ffmpeg, Facts]:
        """ffmpeg for the file, and what it found."""
        media = gateways.media(folder, form, self.size)
        self.tell(0.02, "check")
        facts = media.look()
        self.tell(0.05, "check")
        return media, facts

    def finish(self, values: dict[str, Any]) -> None:
        """Show what was made; documents and pictures leave quarantine for good, videos keep their original."""
        with step():
            asset = queries.lock_asset(self.asset_id)
            operations.make_ready(asset, self.folder, values)
            if self.kind not in ("video", "audio"):
                operations.drop_original(asset)

    def fail(self, refusal: WrongFile | ProcessingFailed) -> None:
        """Say why, and leave nothing behind."""
        storage().delete_all(self.folder)
        with suppress(NoSuchAsset), step():
            operations.fail_asset(queries.lock_asset(self.asset_id), refusal, refused=isinstance(refusal, WrongFile))

    def fetch(self, target: Path) -> str:
        """Copy the original here, renewing the lease on the way; its SHA-256 in hex."""
        if shutil.disk_usage(target.parent).free < self.size * 3 + DISK_RESERVE:
            raise StoreAway("not enough room for scratch files")
        digest, size = hashlib.sha256(), 0
        with storage().open(self.original) as source, target.open("wb") as copy:
            while data := source.read(1 << 20):
                size += len(data)
                digest.update(data)
                copy.write(data)
                self.tell(0.01, "check")
        if size != self.size:
            raise WrongFile(_("The file did not arrive whole. Upload it again."), rule="size")
        return digest.hexdigest()

    def keep(self, path: Path, name: str) -> str:
        """Store one file of the run, renewing the lease on the way; its key."""
        key = f"{self.folder}/{name}"
        with path.open("rb") as source:
            storage().put(key, cast(BinaryIO, Told(source, self.renew)), type_of(key))
        return key

    def renew(self) -> None:
        """Keep the lease while bytes are on their way."""
        if time.monotonic() - self.told > 10 * PACE_SECONDS:
            self.told = time.monotonic()
            with step():
                queries.lock_asset(self.asset_id)

    def keep_all(self, folder: Path, name: str) -> str:
        """Store a folder of the run, telling how far it is; the key of the folder."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        for count, path in enumerate(paths):
            self.keep(path, f"{name}/{path.relative_to(folder).as_posix()}")
            self.tell(0.9 + 0.1 * count / len(paths), "store")
        return f"{self.folder}/{name}"

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
            if not operations.note_progress(self.asset_id, self.name, min(99, int(fraction * 100)), stage):
                raise NoSuchAsset(_("This file is not here. It may have been deleted."))


class Told:
    """A file being read, that tells each time it is."""

    def __init__(self, source: BinaryIO, tell: Callable[[], None]) -> None:
        self.source = source
        self.tell = tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self.tell()
        return self.source.read(size)


def _wrong_kind(kind: str, form: Format) -> str:
    found = {
        "video": _("a video"),
        "audio": _("a sound file"),
        "image": _("a picture"),
        "document": _("a document"),
        "archive": _("an archive"),
        "text": _("a text file"),
    }[form.kind]
    wanted = {
        "video": _("Upload an MP4, MOV, MKV, WebM or AVI video here."),
        "audio": _("Upload an MP3, M4A, WAV, OGG or FLAC file here."),
        "image": _("Upload a JPEG, PNG, WebP or GIF picture here."),
        "document": _("Upload a PDF or an office document here."),
        "file": _("Upload another file here."),
    }[kind]
    return _("This is %(found)s. %(wanted)s", found=found, wanted=wanted)


@job(queue="bulk", every=Every(minutes=60))
def forget_abandoned() -> None:
    """Let uploads go that nobody touched for a day, originals of failed files after a week, and what killed workers left."""
    machine = the_platform(current_channel())
    for upload in queries.forgotten_uploads(now() - timedelta(hours=24)):
        operations.cancel_upload(upload, queries.get_asset(upload.asset_id), by=machine)  # a deleted asset's upload is never open
    for asset in queries.leftover_assets(now() - timedelta(days=7)):
        operations.drop_original(asset)
    store = storage()
    if isinstance(store, LocalStorage):
        store.sweep(older_than=3 * 86_400)
    sandbox.sweep_scratch()


@job(queue="default", every=Every(minutes=5))
def find_stuck() -> None:
    """Fail files whose job died without a word, so that their owner sees it and can try again."""
    sentence = _("Preparing this file stopped unexpectedly. Try again; if it fails twice, save it anew first.")
    for asset in queries.stuck_assets(now() - timedelta(minutes=10), process.name):
        operations.fail_asset(asset, ProcessingFailed(sentence, rule="stuck"), refused=False)
