"""What the audit log calls the acts on files, and how files come out of the bin."""

from lms.content import operations
from lms.content.models import Asset
from lms.core import bin, db
from lms.core.bin import Kind
from lms.core.decisions import Actor
from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow

STATES = {
    "uploading": _l("Uploading"),
    "checking": _l("Being checked"),
    "processing": _l("Being prepared"),
    "ready": _l("Ready"),
    "failed": _l("Failed"),
    "deleted": _l("Deleted"),
}

register(
    Deeds(
        "content",
        _l("Files"),
        {
            "content.upload": Deed(_l("uploaded the file"), "upload"),
            "content.uploaded": Deed(_l("handed the file to be checked"), "file"),
            "content.retry": Deed(_l("tried the file once more"), "refresh-cw"),
            "content.remake": Deed(_l("had every size of the file made anew"), "refresh-cw"),
            "content.add_track": Deed(_l("added captions or chapters to"), "captions"),
            "content.edit_track": Deed(_l("changed captions or chapters of"), "pencil"),
            "content.choose_track": Deed(_l("chose the captions shown first of"), "check"),
            "content.delete_track": Deed(_l("took captions or chapters away from"), "trash-2"),
            "content.set_poster": Deed(_l("chose the picture of"), "image"),
            "content.set_quota": Deed(_l("set how much the academy may hold"), "hard-drive"),
            "content.set_watching": Deed(_l("changed how videos may be watched"), "shield-check"),
            "content.set_cooling": Deed(_l("changed when originals go to the cold place"), "hard-drive"),
            "content.set_prices": Deed(_l("changed what processor time, room and bytes cost"), "coins"),
            "content.cool": Deed(_l("moved the original to the cold place of"), "hard-drive"),
            "content.add_device": Deed(_l("began to watch on the device"), "monitor"),
            "content.forget_device": Deed(_l("forgot the device"), "ban"),
            "content.ready": Deed(_l("made the file ready"), "circle-check"),
            "content.failed": Deed(_l("could not use the file"), "circle-x"),
            "content.delete": Deed(_l("deleted the file"), "trash-2"),
            "content.restore": Deed(_l("brought the file back"), "undo-2"),
        },
        {
            "assets": Thing(_l("File"), "/admin/content/assets/{id}"),
            "rules": Thing(_l("Rule for videos"), "/admin/content/watching"),
            "devices": Thing(_l("Device")),
        },
        {
            "filename": Label(_l("File name")),
            "state": Label(_l("State"), values=STATES),
            "failure": Label(_l("Why")),
            "kind": Label(_l("Kind")),
            "language": Label(_l("Language")),
            "seconds": Label(_l("Second")),
            "lines": Label(_l("Lines")),
            "most_screens": Label(_l("Screens at once")),
            "most_devices": Label(_l("Devices of one person")),
            "cold_after_days": Label(_l("Days until an original goes to the cold place")),
            "price_hour": Label(_l("Hour of processor time, in millionths")),
            "price_stored": Label(_l("GB for a month, in millionths")),
            "price_cold": Label(_l("GB for a month in the cold place, in millionths")),
            "price_given": Label(_l("GB given, in millionths")),
            "has_watermark": Label(_l("E-mail over the video")),
        },
    )
)


def _restore(row: BinRow, by: Actor) -> None:
    operations.restore_asset(db.session().get_one(Asset, row.target_id), by=by)


def _drop(row: BinRow, by: Actor) -> None:
    operations.drop_asset(db.session().get_one(Asset, row.target_id), by=by)


bin.register(Kind("file", _l("File"), "file", "content.assets", _restore, _drop))
