"""What the frame changes: `jobs` tried again, `checking` the audit log, `emptying` the bin, and the `demo` made and taken away."""

from lms.admin.operations.checking import ask_for_check, check_audit
from lms.admin.operations.demo import Demo, begin_demo, finish_demo, remove_demo, tell_demo
from lms.admin.operations.emptying import purge_bin
from lms.admin.operations.jobs import retry_job, retry_mail

__all__ = [
    "Demo",
    "ask_for_check",
    "begin_demo",
    "check_audit",
    "finish_demo",
    "purge_bin",
    "remove_demo",
    "retry_job",
    "retry_mail",
    "tell_demo",
]
