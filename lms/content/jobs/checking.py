"""The first look at a file that arrived: what is it, can it be played as it is, and which pieces are to be made of it."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from lms.content import gateways, operations, queries
from lms.content.errors import NoSuchAsset
from lms.content.gateways import Facts, Ffmpeg, ProcessingFailed
from lms.content.gateways.ladder import cuts
from lms.content.jobs.encoding import put_tickets
from lms.content.jobs.runs import Run, StoreAway, counted
from lms.content.models import Asset
from lms.content.operations import Plan
from lms.core import sandbox
from lms.core.errors import Unavailable
from lms.core.i18n import gettext as _
from lms.core.images import make_pictures
from lms.core.jobs import LostLease, job, step
from lms.core.sniff import Format, WrongFile, sniff
from lms.core.storage import Missing, storage

KINDS_OF = {
    "video": ("video",),
    "audio": ("audio", "video"),
    "image": ("image",),
    "document": ("document",),
    "file": ("document", "archive", "text", "image", "audio", "video"),
}
COVER_SIDE = 1600
log = structlog.get_logger(__name__)


@job(queue="files", tries=5, lease_seconds=300, in_steps=True)
def process(asset_id: str) -> None:
    """Check a file that arrived and make it ready to be shown (a video: to be played at once), or say why not."""
    run = Check.begin(UUID(asset_id))
    if run is None:
        return
    try:
        with counted(run), sandbox.scratch() as folder:
            run.work(folder)
    except (WrongFile, ProcessingFailed) as refusal:
        run.fail(refusal)
    except (LostLease, NoSuchAsset):
        storage().delete_all(run.folder)
    except Unavailable as error:
        raise StoreAway(error.sentence) from error


class Check(Run):
    """One try at taking a file."""

    def __init__(self, asset: Asset, folder: str) -> None:
        super().__init__(asset.id, asset.run or "", folder)
        self.kind = asset.kind
        self.size = asset.size
        self.channel_id = asset.channel_id
        self.original = asset.original_key
        self.plays = asset.is_playable
        self.sha256 = asset.sha256 or ""
        self.count: Callable[[], Future[str]] = Future

    @classmethod
    def begin(cls, asset_id: UUID) -> "Check | None":
        """Take the asset in hand, make one file of its parts, and clear what an earlier run left."""
        try:
            with step():
                asset = queries.lock_asset(asset_id)
                before = f"{asset.channel_id}/assets/{asset.id}/{asset.run}" if asset.run else None
                left = before if before != asset.folder else None
                folder = operations.begin_run(asset)
                upload = queries.find_upload(asset_id)
                is_new = upload is not None and upload.state == "completed" and upload.key == asset.original_key
                parts = (upload.key, upload.upload_id) if upload is not None and is_new else None
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
        self.take_input(self.original, self.size, folder)
        form = sniff(source)
        if form.kind not in KINDS_OF[self.kind]:
            raise WrongFile(_wrong_kind(self.kind, form), rule="kind")
        with step():
            asset = queries.lock_asset(self.asset_id)
            asset.state, asset.content_type = "processing", form.content_type
        makers: dict[str, Callable[[Path, Format], None]] = {"video": self.make_video, "audio": self.make_audio, "image": self.make_image}
        with ThreadPoolExecutor(1) as beside:
            self.count = cache(partial(beside.submit, _sha256, source.resolve(), self.sha256))
            makers.get(self.kind, self.make_file)(folder, form)

    def make_video(self, folder: Path, form: Format) -> None:
        """Playable at once where nothing must be encoded; then its poster, and the pieces of it that are to be made well."""
        media, facts = self.look(folder, form)
        if not facts.has_video:
            raise WrongFile(_("This file holds sound but no pictures. Upload it as audio."), rule="kind")
        values: dict[str, Any] = {"duration_seconds": facts.duration, "width": facts.width, "height": facts.height}
        values["facts"] = {**facts.as_dict(), "format": form.ending, "demuxer": form.demuxer}
        if facts.can_copy_video:
            made = media.remux(facts, self.between(0.05, 0.1, "remux"))
            values["mp4_key"] = self.keep(made, "video.mp4", settles=False)
            self.show(values)
            self.count()  # whoever waits for the video waits neither for its hash nor for the disk
            self.settle(values["mp4_key"])
        values["poster_key"] = self.keep(media.poster(facts), "poster.jpg")
        self.show(values)
        plans, sha256 = self.cut(media, facts, form), self.count().result()
        with step():
            asset = queries.lock_asset(self.asset_id)
            asset.sha256 = sha256
            operations.plan_pieces(asset, plans)
            put_tickets()

    def show(self, values: dict[str, Any]) -> None:
        """Let people play what is there, unless something better of an earlier run plays already."""
        with step():
            asset = queries.lock_asset(self.asset_id)
            if not self.plays:
                operations.make_playable(asset, self.folder, values)

    def cut(self, media: Ffmpeg, facts: Facts, form: Format) -> list[Plan]:
        """The pieces of the video, those of a long one cut out and stored so that each worker fetches its own alone."""
        found = media.moments()
        moments = cuts(found, facts.duration)
        self.tell(0.12, "cut")
        parts = media.cut(facts, moments) if moments else []
        plans = [Plan("sound", self.original, 0.0, facts.duration)] if facts.has_audio else []
        if not parts:
            return [*plans, Plan("pictures", self.original, 0.0, facts.duration)]
        place = f"{self.channel_id}/uploads/{self.asset_id}/{self.name}"
        for part, start, end in zip(parts, [found[0], *moments], [*moments, facts.duration], strict=True):
            key = f"{place}/{part.name}"
            self.store(part, key)
            plans.append(Plan("pictures", key, start, end - start))
        return plans

    def make_audio(self, folder: Path, form: Format) -> None:
        """The sound as AAC, which every browser plays, with its outline."""
        media, facts = self.look(folder, form)
        if not facts.has_audio:
            raise WrongFile(_("This file holds no sound."), rule="kind")
        made = media.sound(facts, self.between(0.1, 0.8, "encode"))
        wave = media.wave(made.name, facts.duration)
        key = self.keep(made, "audio.m4a")
        self.finish(
            {"mp4_key": key, "sound_key": key, "duration_seconds": facts.duration, "facts": facts.as_dict(), "made": {"wave": wave}}
        )

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
        media = gateways.media(folder, form, self.size, self.lent)
        self.tell(0.02, "check")
        return media, media.look()

    def finish(self, values: dict[str, Any]) -> None:
        """Show what was made; documents and pictures leave quarantine for good, sound keeps its original."""
        sha256 = self.count().result()
        with step():
            asset = queries.lock_asset(self.asset_id)
            operations.make_ready(asset, self.folder, {**values, "sha256": sha256, "made_bytes": self.kept})
            if self.kind != "audio":
                operations.drop_original(asset)

    def fail(self, refusal: WrongFile | ProcessingFailed) -> None:
        """Say why, and leave nothing behind but what plays."""
        with suppress(NoSuchAsset), step():
            asset = queries.lock_asset(self.asset_id)
            operations.fail_asset(asset, refusal, refused=isinstance(refusal, WrongFile))
            if asset.folder == self.folder:
                return
        storage().delete_all(self.folder)


def _sha256(path: Path, known: str) -> str:
    if known:
        return known
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


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
