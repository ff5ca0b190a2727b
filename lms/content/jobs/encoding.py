"""Making a video well, piece by piece: as many workers as there are take a piece each; the last one puts them together."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from lms.content import gateways, operations, queries
from lms.content.errors import NoSuchAsset
from lms.content.gateways import Facts, ProcessingFailed, ladder
from lms.content.gateways.ladder import PHONE_RATE, PHONE_SIDE, tile_seconds
from lms.content.gateways.playlists import SOUND, Track, bits, master_playlist, media_playlist, storyboard
from lms.content.jobs.runs import Run, StoreAway, counted
from lms.content.models import Asset, Piece
from lms.core import sandbox
from lms.core.clock import now
from lms.core.errors import Unavailable
from lms.core.ids import uuid7
from lms.core.jobs import LostLease, job, step
from lms.core.sniff import MP4, Format, WrongFile
from lms.core.storage import storage, type_of


@job(queue="media", tries=4, lease_seconds=60, in_steps=True)
def encode(ticket: str) -> None:
    """Make one piece of a video, whichever is due; then let the next ticket wait its turn."""
    with step():
        piece = operations.take_piece(UUID(ticket))
        asset = queries.get_asset(piece.asset_id) if piece is not None else None
    if piece is None or asset is None:
        return
    run = PieceRun(asset, piece)
    try:
        with counted(run), sandbox.scratch() as folder:
            run.work(folder)
    except (WrongFile, ProcessingFailed) as refusal:
        with suppress(NoSuchAsset), step():
            held = queries.lock_asset(asset.id)
            if held.run == run.name and held.is_working:
                operations.fail_asset(held, refusal, refused=isinstance(refusal, WrongFile) and not held.is_playable)
    except (LostLease, NoSuchAsset):
        pass
    except Unavailable as error:
        raise StoreAway(error.sentence) from error
    with step():
        put_tickets(but=ticket)


def put_tickets(but: str = "") -> None:
    """Put as many tickets into the queue as there are pieces waiting and turns left for this channel."""
    waiting, out = queries.count_waiting(encode.name, f"encode:{but}")
    for _turn in range(min(waiting, gateways.at_once() - out)):
        ticket = uuid7()
        encode.put({"ticket": str(ticket)}, key=f"encode:{ticket}")


class PieceRun(Run):
    """One try at one piece."""

    def __init__(self, asset: Asset, piece: Piece) -> None:
        super().__init__(asset.id, piece.run, f"{asset.channel_id}/assets/{asset.id}/{piece.run}")
        self.piece = piece
        self.facts = Facts.of(asset.facts)
        self.form = Format("video", asset.facts["format"], asset.content_type, asset.facts["demuxer"])
        self.is_whole = piece.source_key == asset.original_key
        self.size = asset.size if self.is_whole else 0

    def work(self, folder: Path) -> None:
        """Fetch it, make it, keep it; the last piece has the whole put together."""
        self.take_input(self.piece.source_key, self.size, folder)
        size = self.size or (folder / "input").stat().st_size
        media = gateways.media(folder, self.form, size, self.lent)
        made = self.make_sound(media, folder) if self.piece.kind == "sound" else self.make_pictures(media, folder)
        with step():
            if operations.end_piece(self.piece, {**made, "bytes": self.kept}):
                assemble.put({"asset_id": str(self.asset_id), "run": self.name}, key=f"assemble:{self.asset_id}:{self.name}")

    def make_pictures(self, media: gateways.Ffmpeg, folder: Path) -> dict[str, Any]:
        """Every size of the piece, and its pictures for the time line."""
        seconds = 0.0 if self.is_whole else self.piece.seconds
        sizes, hear = ladder(self.facts), self.between(0.0, 1.0, "encode")
        made = media.pictures(self.facts, sizes, hear, number=self.piece.number, starts_at=self.piece.starts_at, seconds=seconds)
        for name, track in made.items():
            self.keep_track(folder, name, track)
        tiles = sorted((folder / "tiles").iterdir())
        for index, tile in enumerate(tiles):
            self.keep(tile, f"tiles/{self.piece.number:04d}_{index:05d}.jpg")
        return {"tracks": {name: track.as_dict() for name, track in made.items()}, "tiles": len(tiles)}

    def make_sound(self, media: gateways.Ffmpeg, folder: Path) -> dict[str, Any]:
        """The sound, once in segments and once in one file, with its outline."""
        track = media.sounds(self.facts, self.between(0.0, 1.0, "encode"))
        wave = media.wave("sound.m4a", self.facts.duration)
        self.keep_track(folder, SOUND, track)
        self.keep(folder / "sound.m4a", "sound.m4a")
        return {"tracks": {SOUND: track.as_dict()}, "wave": wave}

    def keep_track(self, folder: Path, name: str, track: Track) -> None:
        """Store the segments of one size."""
        for one in (track.init, *(segment.name for segment in track.segments)):
            self.keep(folder / "hls" / name / one, f"hls/{name}/{one}")

    def note(self, fraction: float, stage: str) -> bool:
        """Write down how far the piece is."""
        return operations.note_piece(self.piece, fraction * self.piece.seconds)


@job(queue="bulk", tries=5, lease_seconds=120, in_steps=True)
def assemble(asset_id: str, run: str) -> None:
    """Put the pieces of a video together: playlists, the time line's picture, one file for phones; then it is ready."""
    try:
        with step():
            asset = queries.get_asset(UUID(asset_id))
            pieces = list(queries.pieces_of(asset.id, run))
        if asset.run != run or asset.state != "processing" or not pieces:
            return
        joining = Assembly(asset, pieces)
        with counted(joining), sandbox.scratch() as folder:
            joining.work(folder)
    except (LostLease, NoSuchAsset):
        return
    except Unavailable as error:
        raise StoreAway(error.sentence) from error


@job(queue="bulk")
def drop_folder(asset_id: str, folder: str) -> None:
    """Take away what an earlier run made, once nobody plays from it any more."""
    if queries.find_deleted(UUID(asset_id)).folder != folder:
        storage().delete_all(folder)


class Assembly(Run):
    """Putting the pieces of one run together."""

    def __init__(self, asset: Asset, pieces: list[Piece]) -> None:
        super().__init__(asset.id, asset.run or "", f"{asset.channel_id}/assets/{asset.id}/{asset.run}")
        self.asset = asset
        self.pieces = pieces
        self.facts = Facts.of(asset.facts)
        self.sizes = ladder(self.facts)
        self.tracks: dict[str, list[Track]] = {}
        for piece in pieces:
            for name, kept in piece.made["tracks"].items():
                self.tracks.setdefault(name, []).append(Track.of(kept))

    def work(self, folder: Path) -> None:
        """Write what names the pieces, then show it."""
        media = gateways.media(folder, MP4, self.asset.size)
        values: dict[str, Any] = {"hls_key": self.write_playlists(), "storyboard_key": None}
        values["poster_key"] = self.asset.poster_key if self.asset.made.get("poster") else f"{self.folder}/poster.jpg"
        values["sound_key"] = f"{self.folder}/sound.m4a" if SOUND in self.tracks else None
        if any(piece.made.get("tiles") for piece in self.pieces):
            values["storyboard_key"] = self.draw_storyboard(media, folder)
        values["mp4_key"] = self.join_phone(media, folder) if self.needs_phone() else f"{self.folder}/video.mp4"
        values["made"] = self.summary()
        values["made_bytes"] = self.kept + sum(piece.made["bytes"] for piece in self.pieces)
        self.finish(values)

    def write_playlists(self) -> str:
        """hls/: the playlist of every size, and the one that names them all; its key."""
        for name, tracks in self.tracks.items():
            self.write(f"hls/{name}/index.m3u8", media_playlist(tracks))
        return self.write("hls/master.m3u8", master_playlist(self.facts, self.sizes, self.tracks))

    def draw_storyboard(self, media: gateways.Ffmpeg, folder: Path) -> str:
        """storyboard.jpg and storyboard.vtt out of the pieces' pictures; the key of the latter."""
        moments: list[float] = []
        (folder / "tiles").mkdir()
        for piece in self.pieces:
            for index in range(piece.made.get("tiles", 0)):
                moments.append(piece.starts_at + index * tile_seconds(self.facts))
                self.fetch(f"{self.folder}/tiles/{piece.number:04d}_{index:05d}.jpg", folder / "tiles" / f"{len(moments):05d}.jpg")
                sandbox.give(folder / "tiles" / f"{len(moments):05d}.jpg")
        sandbox.give(folder / "tiles")
        self.keep(media.sprite(len(moments)), "storyboard.jpg")
        return self.write("storyboard.vtt", storyboard(self.facts, moments, "storyboard.jpg"))

    def needs_phone(self) -> bool:
        """Whether the file as it is is too much for a phone, or not for every phone."""
        bits_a_second = self.asset.size * 8 / self.facts.duration
        return not self.facts.plays_everywhere or self.facts.short_side > 1080 or bits_a_second > PHONE_RATE

    def join_phone(self, media: gateways.Ffmpeg, folder: Path) -> str:
        """phone.mp4: one of the middle sizes with its sound in one file; its key."""
        phone = next((size for size in self.sizes if min(size.width, size.height) <= PHONE_SIDE), self.sizes[-1])
        places: dict[str, Path | None] = {phone.name: None, SOUND: None}
        for name in places:
            if name not in self.tracks:
                continue
            places[name] = place = folder / name
            place.mkdir()
            self.fetch(f"{self.folder}/hls/{name}/{self.tracks[name][0].init}", place / self.tracks[name][0].init)
            for one in (segment for track in self.tracks[name] for segment in track.segments):
                self.fetch(f"{self.folder}/hls/{name}/{one.name}", place / one.name)
        return self.keep(media.join("phone.mp4", places[phone.name], places[SOUND]), "phone.mp4")

    def summary(self) -> dict[str, Any]:
        """What was made, for people: sizes with their average bits a second, and the outline of the sound."""
        kept = {name: value for name, value in self.asset.made.items() if name in ("poster", "captions", "chapters")}
        shown = [{"name": name, "bits": bits(tracks)[1]} for name, tracks in self.tracks.items()]
        waves = [piece.made["wave"] for piece in self.pieces if "wave" in piece.made]
        return {**kept, "sizes": shown, "wave": waves[0] if waves else []}

    def write(self, name: str, content: str) -> str:
        """Store a small text; its key."""
        key = f"{self.folder}/{name}"
        self.kept += storage().put(key, content.encode(), type_of(key)).size
        return key

    def finish(self, values: dict[str, Any]) -> None:
        """Show it; what an earlier run made goes tomorrow, when nobody plays from it any more."""
        with step():
            asset = queries.lock_asset(self.asset_id)
            if asset.run != self.name or asset.state != "processing":
                raise LostLease
            before = asset.folder
            operations.make_ready(asset, self.folder, values)
            if before and before != self.folder:
                gone = {"asset_id": str(asset.id), "folder": before}
                drop_folder.put(gone, run_at=now() + timedelta(days=1))
        storage().delete_all(f"{self.folder}/tiles")
        storage().delete_all(f"{self.asset.channel_id}/uploads/{self.asset_id}/{self.name}")
