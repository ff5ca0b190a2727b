"""Who may search, and where."""

from lms.core.decisions import Actor, Decision, anyone, staff


def can_search(actor: Actor) -> Decision:
    """The public page is for everybody; what is found depends on who asks."""
    return anyone()


def can_use_palette(actor: Actor) -> Decision:
    """The back office's palette is for those who work here."""
    return staff(actor)
