"""`lms token <email>`: an access token for scripts on the server."""

import json

import click

from lms.auth import operations, queries
from lms.core.commands import connected, in_channel
from lms.core.errors import NotFound
from lms.core.tokens import LIFE_SECONDS
from lms.web.face import faces


@click.command("token")
@click.argument("email")
@click.option("--refresh", "with_refresh", is_flag=True, help="print both tokens as JSON: for scripts that run longer than 15 minutes")
@click.option("--channel", "slug", default="", help="slug, when there are several")
@connected
def token(email: str, with_refresh: bool, slug: str) -> None:
    """Print an access token for a person; it lasts 15 minutes."""

    def act() -> operations.Tokens:
        user = queries.find_user(email)
        if user is None or faces.role_of is None or not faces.role_of(user.id):
            raise NotFound(f"Nobody with the address {email} may sign in here. Make an account with: lms user create {email}")
        return operations.start_api_session(user, device="lms token")

    made: operations.Tokens = in_channel(slug, act)
    pair = {"access_token": made.access_token, "refresh_token": made.refresh_token, "expires_in": LIFE_SECONDS}
    click.echo(json.dumps(pair) if with_refresh else made.access_token)


COMMANDS: list[click.Command] = [token]
