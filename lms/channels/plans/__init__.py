"""Bulk acts on people: `importing` from a list, and `standing` (suspend, let in again, take out, another role)."""

from lms.channels.plans.importing import ImportPeople
from lms.channels.plans.standing import ChangeRole, RemovePeople, RestorePeople, SuspendPeople

__all__ = ["ChangeRole", "ImportPeople", "RemovePeople", "RestorePeople", "SuspendPeople"]
