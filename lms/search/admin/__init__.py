"""Door 2: the command `palette`, and the `places` and help it knows by heart."""

from lms.search.admin import palette
from lms.search.admin.door import bp

__all__ = ["bp", "palette"]
