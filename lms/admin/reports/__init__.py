"""Lists of the frame: the `trail` of what was done, the `bin` of what was deleted, and the `frame` itself (jobs, mails, bulk acts)."""

from lms.admin.reports.bin import Bin
from lms.admin.reports.frame import MAIL_STATES, MAIL_TONES, PLAN_STATES, PLAN_TONES, Jobs, Mails, PlanRows, Plans
from lms.admin.reports.trail import ACTOR_KINDS, Audit

__all__ = ["ACTOR_KINDS", "MAIL_STATES", "MAIL_TONES", "PLAN_STATES", "PLAN_TONES", "Audit", "Bin", "Jobs", "Mails", "PlanRows", "Plans"]
