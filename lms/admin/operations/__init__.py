"""What the frame changes: `jobs` that are tried again, the `checking` of the audit log, and the `demo` that is made and taken away."""

from lms.admin.operations.checking import ask_for_check, check_audit
from lms.admin.operations.demo import Demo, begin_demo, finish_demo, remove_demo, tell_demo
from lms.admin.operations.jobs import retry_job

__all__ = ["Demo", "ask_for_check", "begin_demo", "check_audit", "finish_demo", "remove_demo", "retry_job", "tell_demo"]
