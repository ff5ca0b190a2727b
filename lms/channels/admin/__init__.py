"""Door 2: people and the channel's own settings. `people` the list, `person` the page of one, `acts` what is done to one,
`fields` what people are asked, `segments` who is gathered by conditions, `settings` and the `logo`.
"""

from lms.channels.admin import acts, fields, logo, people, person, segments, settings
from lms.channels.admin.door import bp

__all__ = ["acts", "bp", "fields", "logo", "people", "person", "segments", "settings"]
