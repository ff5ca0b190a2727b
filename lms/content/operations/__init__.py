"""Every change of content: uploads begin, go on and end; assets become playable, ready, failed, deleted; grants open and shut."""

from lms.content.operations.files import delete_asset, drop_asset, drop_original, purge_files, remake_asset, restore_asset, retry_asset
from lms.content.operations.grants import renew_grant, revoke_grants
from lms.content.operations.making import begin_run, fail_asset, make_playable, make_ready, note_progress
from lms.content.operations.pieces import Plan, end_piece, give_back, note_piece, plan_pieces, take_piece
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

__all__ = [
    "MAX_PLAIN",
    "MAX_SIZES",
    "Plan",
    "begin_run",
    "cancel_upload",
    "complete_upload",
    "delete_asset",
    "drop_asset",
    "drop_original",
    "end_piece",
    "fail_asset",
    "give_back",
    "go_on",
    "kind_of_name",
    "make_playable",
    "make_ready",
    "note_piece",
    "note_progress",
    "plan_pieces",
    "purge_files",
    "receive_file",
    "receive_path",
    "remake_asset",
    "renew_grant",
    "restore_asset",
    "retry_asset",
    "revoke_grants",
    "start_upload",
    "take_piece",
]
