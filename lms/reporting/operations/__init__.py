"""Every change of reporting: saved views, schedules and their mails, downloads, figures by day."""

from lms.reporting.operations.counting import count_today, note_people, recount, recount_courses, recount_week, unfinished_stretches
from lms.reporting.operations.downloading import (
    begin_download,
    cancel_download,
    check_wanted,
    delete_download,
    expire_files,
    finish_download,
    purge_download,
    refuse_download,
    restore_download,
)
from lms.reporting.operations.making import Made, make_file
from lms.reporting.operations.scheduling import (
    Timetable,
    add_schedule,
    delete_schedule,
    edit_schedule,
    restore_schedule,
    set_schedule_on,
    start_due_runs,
    start_run,
    stop_schedule,
)
from lms.reporting.operations.sending import drop_recipient, file_token, finish_run, make_run, run_of_token, who_stops
from lms.reporting.operations.viewing import delete_view, edit_view, restore_view, save_view

__all__ = [
    "Made",
    "Timetable",
    "add_schedule",
    "begin_download",
    "cancel_download",
    "check_wanted",
    "count_today",
    "delete_download",
    "delete_schedule",
    "delete_view",
    "drop_recipient",
    "edit_schedule",
    "edit_view",
    "expire_files",
    "file_token",
    "finish_download",
    "finish_run",
    "make_file",
    "make_run",
    "note_people",
    "purge_download",
    "recount",
    "recount_courses",
    "recount_week",
    "refuse_download",
    "restore_download",
    "restore_schedule",
    "restore_view",
    "run_of_token",
    "save_view",
    "set_schedule_on",
    "start_due_runs",
    "start_run",
    "stop_schedule",
    "unfinished_stretches",
    "who_stops",
]
