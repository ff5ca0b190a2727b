"""Bulk acts on people: `importing` from a list, and `standing` (suspend, let in again, take out, another role, tags)."""

from lms.channels.plans.importing import ImportPeople
from lms.channels.plans.standing import AddTag, ChangeRole, RemovePeople, RemoveTag, RestorePeople, SuspendPeople

__all__ = ["AddTag", "ChangeRole", "ImportPeople", "RemovePeople", "RemoveTag", "RestorePeople", "SuspendPeople"]
