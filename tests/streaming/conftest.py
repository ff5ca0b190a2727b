"""The socket process and the live class of chat's tests, for the door of hosts."""

from tests.chat.conftest import house, stage

__all__ = ["house", "stage"]
