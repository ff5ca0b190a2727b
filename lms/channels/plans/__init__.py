"""Bulk acts on people: `importing` from a list, and `standing` (suspend, let in again, another role)."""

from lms.channels.plans.importing import ImportPeople
from lms.channels.plans.standing import ChangeRole, RestorePeople, SuspendPeople

__all__ = ["ChangeRole", "ImportPeople", "RestorePeople", "SuspendPeople"]
