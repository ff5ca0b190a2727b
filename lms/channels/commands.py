"""`lms channel …` and `lms user …`: set an install up without a browser."""

from uuid import UUID

import click

from lms.auth import operations as accounts
from lms.channels import operations, queries
from lms.core import db
from lms.core.clock import now
from lms.core.commands import connected, in_channel
from lms.core.decisions import ROLES, the_platform
from lms.core.doctor import examines_each_channel
from lms.core.tenancy import current_channel

examines_each_channel("People here", queries.sighting_faults)


@click.group()
def channel() -> None:
    """Academies of this install."""


@channel.command("create")
@click.argument("name")
@click.option("--slug", required=True, help="short name, for example my-academy")
@click.option("--currency", default="EUR", help="ISO 4217 code")
@click.option("--zone", default="UTC", help="IANA time zone")
@click.option("--host", "hosts", multiple=True, help="host name that leads here; may be repeated")
@connected
def channel_create(name: str, slug: str, currency: str, zone: str, hosts: tuple[str, ...]) -> None:
    """Open a channel."""
    with db.unit_of_work(platform=True):
        made = operations.open_channel(name, slug, currency=currency, zone=zone)
        for host in hosts:
            operations.add_host(made.id, host, verified=True)
    click.echo(f"{name} is open ({slug}).")


@channel.command("host")
@click.argument("host")
@click.option("--channel", "slug", default="", help="slug, when there are several")
@connected
def channel_host(host: str, slug: str) -> None:
    """Let a host name lead to a channel."""
    channel_id: UUID = in_channel(slug, current_channel)
    with db.unit_of_work(platform=True):
        operations.add_host(channel_id, host, verified=True)
    click.echo(f"{host} leads there now.")


@channel.command("sightings")
@click.option("--channel", "slug", default="", help="slug, when there are several")
@connected
def channel_sightings(slug: str) -> None:
    """Make the notes of who was last here when anew from the people."""
    in_channel(slug, lambda: operations.recount_sightings(by=the_platform(current_channel())))
    click.echo("Made anew. lms doctor says whether all agrees.")


@click.group()
def user() -> None:
    """People of this install."""


@user.command("create")
@click.argument("email")
@click.option("--name", default="")
@click.option("--role", type=click.Choice(ROLES), default="student")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
@click.option("--channel", "slug", default="", help="slug, when there are several")
@connected
def user_create(email: str, name: str, role: str, password: str, slug: str) -> None:
    """Make an account with a password and a role; an existing one gets the role and the password."""

    def act() -> str:
        accounts.check_new_password(password, name=name, email=email)
        account = accounts.add_user(name or email.partition("@")[0], email)
        account.password_hash = accounts.hash_password(password)
        account.email_verified_at = account.email_verified_at or now()
        by = the_platform(current_channel(), kind="command")
        member = operations.join(account.id, account.name, account.email, role=role, by=by)
        operations.change_role(member, role, by=by)
        return member.email

    made: str = in_channel(slug, act)
    click.echo(f"{made} is {role} now.")


COMMANDS: list[click.Command] = [channel, user]
