"""Background work of auth."""

from sqlalchemy import text

from lms.auth import operations
from lms.auth.jobs import forget_tokens
from lms.auth.queries import find_user
from lms.core import db
from tests.conftest import CHANNEL
from tests.factories import people


def test_forget_tokens__deletes_what_is_long_past_and_nothing_else(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        people.sam()
        user = find_user("sam@example.org")
        assert user is not None
        for _ in range(2):
            operations.start_api_session(user, device="test")
        session.execute(
            text(
                "UPDATE auth.refresh_tokens SET expires_at = now() - interval '31 days' WHERE id = (SELECT id FROM auth.refresh_tokens LIMIT 1)"
            )
        )
        forget_tokens()
        assert session.execute(text("SELECT count(*) FROM auth.refresh_tokens")).scalar_one() == 1
