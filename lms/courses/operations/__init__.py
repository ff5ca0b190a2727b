"""Every change of courses: `categories`, `courses`, `lifecycle` (draft to archive), its `dates`, who may enrol (`entry`),
`sections` and `lessons`.
"""

from lms.courses.operations.categories import create_category, delete_category, rename_category, restore_category
from lms.courses.operations.courses import create_course, edit_course, set_cover, set_instructor, set_price, set_sale
from lms.courses.operations.dates import dates_faults, keep_dates, set_dates
from lms.courses.operations.entry import Entry, set_entry
from lms.courses.operations.lessons import (
    add_lesson,
    delete_lesson,
    edit_lesson,
    move_lesson,
    order_lessons,
    publish_lesson,
    publish_ready_lessons,
    restore_lesson,
    set_video,
    take_over_video,
    unpublish_lesson,
)
from lms.courses.operations.lifecycle import (
    archive_course,
    delete_course,
    publish_course,
    restore_course,
    send_back,
    submit_for_approval,
    unpublish_course,
)
from lms.courses.operations.resources import add_resource, count_download, remove_resource
from lms.courses.operations.sections import add_section, delete_section, move_section, order_sections, rename_section, restore_section

__all__ = [
    "Entry",
    "add_lesson",
    "add_resource",
    "add_section",
    "archive_course",
    "count_download",
    "create_category",
    "create_course",
    "dates_faults",
    "delete_category",
    "delete_course",
    "delete_lesson",
    "delete_section",
    "edit_course",
    "edit_lesson",
    "keep_dates",
    "move_lesson",
    "move_section",
    "order_lessons",
    "order_sections",
    "publish_course",
    "publish_lesson",
    "publish_ready_lessons",
    "remove_resource",
    "rename_category",
    "rename_section",
    "restore_category",
    "restore_course",
    "restore_lesson",
    "restore_section",
    "send_back",
    "set_cover",
    "set_dates",
    "set_entry",
    "set_instructor",
    "set_price",
    "set_sale",
    "set_video",
    "submit_for_approval",
    "take_over_video",
    "unpublish_course",
    "unpublish_lesson",
]
