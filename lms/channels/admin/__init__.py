"""Door 2: people and the channel's own settings. `people` the list, `person` the page of one, `acts` what is done to one, `settings`."""

from lms.channels.admin import acts, people, person, settings
from lms.channels.admin.door import bp

__all__ = ["acts", "bp", "people", "person", "settings"]
