"""Door 2: people and the channel's own settings. `people` the list, `person` the page of one, `acts` what is done to one,
`fields` what people are asked, `settings`.
"""

from lms.channels.admin import acts, fields, people, person, settings
from lms.channels.admin.door import bp

__all__ = ["acts", "bp", "fields", "people", "person", "settings"]
