"""Rights that change while somebody has a socket open: sign-out, suspension, a new role, an enrolment that ends."""

import json
from uuid import UUID

from lms.core import db, pubsub

TOPIC = "rights"


def rights_changed(user_id: UUID) -> None:
    """Have every open socket of a person checked at once, after the running unit of work has committed."""
    payload = json.dumps({"user_id": str(user_id)}).encode()
    db.after_commit(lambda: pubsub.publish(TOPIC, payload))
