"""Every change of content: uploads begin, go on and end; assets become playable, ready, failed, deleted; grants open and shut."""

from lms.content.operations.cooling import drop_warm, set_cooling, show_cold
from lms.content.operations.devices import clear_devices, forget_device, is_fresh, purge_devices, remember_device
from lms.content.operations.files import (
    choose_moment,
    choose_picture,
    delete_asset,
    drop_asset,
    drop_original,
    purge_files,
    remake_asset,
    restore_asset,
    retry_asset,
    show_poster,
)
from lms.content.operations.grants import renew_grant, revoke_grants
from lms.content.operations.holding import set_quota
from lms.content.operations.making import begin_run, fail_asset, make_playable, make_ready, note_progress
from lms.content.operations.pieces import Plan, end_piece, give_back, note_piece, plan_pieces, take_piece
from lms.content.operations.spending import note_spent, set_prices, weigh
from lms.content.operations.tracks import (
    Line,
    add_track,
    chapters_from_captions,
    choose_track,
    delete_track,
    edit_track,
    start_track,
)
from lms.content.operations.uploads import (
    MAX_PLAIN,
    MAX_SIZES,
    cancel_upload,
    complete_upload,
    go_on,
    kind_of_name,
    receive_file,
    receive_path,
    start_upload,
)
from lms.content.operations.watching import set_watching, take_screen

__all__ = [
    "MAX_PLAIN",
    "MAX_SIZES",
    "Line",
    "Plan",
    "add_track",
    "begin_run",
    "cancel_upload",
    "chapters_from_captions",
    "choose_moment",
    "choose_picture",
    "choose_track",
    "clear_devices",
    "complete_upload",
    "delete_asset",
    "delete_track",
    "drop_asset",
    "drop_original",
    "drop_warm",
    "edit_track",
    "end_piece",
    "fail_asset",
    "forget_device",
    "give_back",
    "go_on",
    "is_fresh",
    "kind_of_name",
    "make_playable",
    "make_ready",
    "note_piece",
    "note_progress",
    "note_spent",
    "plan_pieces",
    "purge_devices",
    "purge_files",
    "receive_file",
    "receive_path",
    "remake_asset",
    "remember_device",
    "renew_grant",
    "restore_asset",
    "retry_asset",
    "revoke_grants",
    "set_cooling",
    "set_prices",
    "set_quota",
    "set_watching",
    "show_cold",
    "show_poster",
    "start_track",
    "start_upload",
    "take_piece",
    "take_screen",
    "weigh",
]
