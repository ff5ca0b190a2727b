"""Bulk acts on people: `importing` from a list, and `standing` (suspend, let in again, another role, tags)."""

from lms.channels.plans.importing import ImportPeople
from lms.channels.plans.standing import AddTag, ChangeRole, RemoveTag, RestorePeople, SuspendPeople

__all__ = ["AddTag", "ChangeRole", "ImportPeople", "RemoveTag", "RestorePeople", "SuspendPeople"]
