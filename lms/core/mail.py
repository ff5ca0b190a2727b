"""Mail: written as a row in the transaction that wants it, sent by a worker, kept as a log.

Secret mails (codes, invitations) lie encrypted until they are sent and are emptied afterwards. Without a mail server the
built-in sink keeps them for `/admin/system/mail` and `lms mail`.
"""

import base64
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formataddr, parseaddr
from functools import cache
from typing import Any
from uuid import UUID

import css_inline
from cryptography.fernet import Fernet, InvalidToken
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import select, text

from lms.config import ROOT, Config, Smtp
from lms.core import db, jobs, signing
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.i18n import direction, gettext, in_locale, locale, ngettext
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import Mail
from lms.core.storage import storage

REMOVED = "[removed after sending]"
FOR_GOOD = 500  # RFC 5321 §4.2.1: from here on a server's no is its last word
NOBODY = ".example"  # RFC 2606: no such address is anybody's; the demo's people have them
BUTTON = re.compile(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)")
CODE = re.compile(r"\*\*([A-Z0-9 -]{4,40})\*\*")
_config: list[Config] = []
_rules: dict[str, Callable[[Mail], str]] = {}
_refused: list[Callable[[Mail, str], None]] = []
_words: list[Callable[[str, Mapping[str, Any]], "Own | None"]] = []


def use_config(config: Config) -> None:
    """Say where mails go."""
    _config[:] = [config]


def stop_rule(template: str) -> Callable[[Callable[[Mail], str]], Callable[[Mail], str]]:
    """Ask a function in the moment a mail of the template (every one: "") would be sent: a sentence withholds it, "" lets it go."""

    def register(rule: Callable[[Mail], str]) -> Callable[[Mail], str]:
        _rules[template] = rule
        return rule

    return register


def on_refusal(hear: Callable[[Mail, str], None]) -> Callable[[Mail, str], None]:
    """Tell a function, in the same transaction, of each mail whose address a server refuses for good, with the server's words."""
    _refused.append(hear)
    return hear


@dataclass(frozen=True, slots=True)
class Own:
    """The academy's own words for a mail: all of it, or (`is_opening`) what stands above what the mail lists."""

    subject: str
    body: str
    is_opening: bool = False


def words_come_from(source: Callable[[str, Mapping[str, Any]], Own | None]) -> Callable[[str, Mapping[str, Any]], Own | None]:
    """Ask a function for the academy's own words of a template, given what the mail knows; None where the standard ones hold."""
    _words[:] = [source]
    return source


def is_sink() -> bool:
    """Whether mails stay in the built-in sink."""
    return not _config or _config[0].smtp is None


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.globals.update({"_": gettext, "gettext": gettext, "ngettext": ngettext})
    return made


def send(
    to: str,
    template: str,
    context: Mapping[str, Any],
    *,
    to_user_id: UUID | None = None,
    language: str = "en",
    secret: bool = False,
    attachments: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    mail_id: UUID | None = None,
    held_until: datetime | None = None,
) -> Mail:
    """Write a mail and have it sent after the commit, or when `held_until` has come.

    `template` names `templates/<template>.txt`, whose first line is the subject; the HTML part is made from the same words.
    `attachments` are {filename, content_type, key} of files in storage; `headers` go beside our own (List-Unsubscribe).
    """
    subject, body, html = _worded(template, context, language)
    mail = Mail(
        id=mail_id or uuid7(),
        to_address=to,
        to_user_id=to_user_id,
        template=template,
        subject=subject,
        body_text=_hide(body) if secret else body,
        body_html=_hide(html) if secret else html,
        attachments=[dict(item) for item in attachments],
        headers=dict(headers or {}),
        is_secret=secret,
        held_until=held_until,
    )
    db.session().add(mail)
    db.session().flush()
    deliver.put({"mail_id": mail.id}, queue="codes" if secret else "mail", run_at=held_until)
    return mail


def _worded(template: str, context: Mapping[str, Any], language: str) -> tuple[str, str, str]:
    """Subject, text and HTML in a language, in the academy's own words where it has some."""
    with in_locale(language):
        own = _words[0](template, context) if _words else None
        context = {**context, "opening": own.body if own is not None and own.is_opening else ""}
        subject, body = _render(template, context)
        if own is not None:
            subject, body = _one_line(own.subject), body if own.is_opening else own.body.strip() + "\n"
        html = _html(template, subject, body, context)
    return subject, BUTTON.sub(r"\1: \2", CODE.sub(r"\1", body)), html


def _render(template: str, context: Mapping[str, Any]) -> tuple[str, str]:
    rendered = _templates().get_template(f"{template}.txt").render(**context)
    first, _, body = rendered.partition("\n")
    subject = first.removeprefix("Subject:").strip()
    return _one_line(subject), body.strip() + "\n"


def _one_line(subject: str) -> str:
    return "".join(letter for letter in " ".join(subject.splitlines()) if ord(letter) >= 32 and not 0x7F <= ord(letter) <= 0x9F)[:200]


def _html(template: str, subject: str, body: str, context: Mapping[str, Any]) -> str:
    """The HTML part: the template's own `.html`, else the words of the text part in the house's letter."""
    frame = {**context, "subject": subject, "locale_code": locale(), "locale_dir": direction()}
    names = (f"{template}.html", "layouts/plain_mail.html")
    return _templates().select_template(names).render(**frame, blocks=[_block(part) for part in body.strip().split("\n\n")])


def _block(part: str) -> dict[str, Any]:
    """One paragraph of a letter: a button `[words](address)`, a code `**123456**`, or lines of text."""
    if found := BUTTON.fullmatch(part.strip()):
        return {"kind": "button", "label": found[1], "href": found[2]}
    if found := CODE.fullmatch(part.strip()):
        return {"kind": "code", "label": found[1]}
    return {"kind": "text", "lines": part.split("\n")}


def _hide(value: str) -> str:
    return _cipher().encrypt(value.encode()).decode()


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(signing.key("mail")))


def readable(mail: Mail, value: str) -> str:
    """A body of a mail as it was written; the removed notice when it is gone."""
    if not mail.is_secret or value == REMOVED:
        return value
    try:
        return _cipher().decrypt(value.encode()).decode()
    except InvalidToken:
        return REMOVED


@jobs.job(queue="mail", tries=6, lease_seconds=120)
def deliver(mail_id: UUID | str) -> None:
    """Send one mail; the worker's retries make it arrive, its id makes it one message."""
    mail = db.session().get(Mail, UUID(str(mail_id)))
    if mail is None:
        raise NotFound(_("This mail is not there any more."))
    if mail.state != "queued":
        return
    reason = next((said for name in (mail.template, "") if name in _rules and (said := _rules[name](mail))), "")
    if reason:
        mail.state, mail.error = "withheld", reason
        return
    if mail.to_address.lower().endswith(NOBODY):
        mail.state, mail.error = "withheld", gettext("Not sent: this is a demo address, which nobody reads.")
        return
    smtp = _config[0].smtp if _config else None
    if smtp is not None:
        if refusal := _transmit(smtp, message_of(mail)):
            mail.state, mail.error = "failed", refusal
            for hear in _refused:
                hear(mail, refusal)
            return
        if mail.is_secret:
            mail.body_text = mail.body_html = REMOVED
    mail.state, mail.sent_at = "sent", now()


def message_of(mail: Mail) -> EmailMessage:
    """The mail as RFC 5322 has it: text and HTML parts, attachments, an id of its own."""
    sender = _config[0].mail_from if _config else "Lectern <no-reply@localhost>"
    message = EmailMessage()
    name, address = parseaddr(sender)
    message["From"] = formataddr((name, address))
    message["To"] = mail.to_address
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{mail.id}@{address.rpartition('@')[2] or 'localhost'}>"  # one message, however often it is handed over
    message["Auto-Submitted"] = "auto-generated"
    for header, value in mail.headers.items():
        message[header] = value
    message.set_content(readable(mail, mail.body_text))
    message.add_alternative(css_inline.inline(readable(mail, mail.body_html)), subtype="html")
    for item in mail.attachments:
        kind, _, subkind = item["content_type"].partition("/")
        with storage().open(item["key"]) as file:
            message.add_attachment(file.read(), maintype=kind, subtype=subkind, filename=item["filename"])
    return message


def try_again(mail: Mail) -> None:
    """Have a mail that was refused or withheld sent once more; its rules are asked again."""
    mail.state, mail.error, mail.held_until = "queued", None, None
    db.session().flush()
    deliver.put({"mail_id": mail.id}, queue="codes" if mail.is_secret else "mail")


def _transmit(smtp: Smtp, message: EmailMessage) -> str:
    """Hand a message to the server; "" when it took it, its words when it refuses the address for good. Anything else is tried again."""
    try:
        _hand_over(smtp, message)
    except smtplib.SMTPRecipientsRefused as refusal:
        code, words = next(iter(refusal.recipients.values()))
        if code < FOR_GOOD:
            raise
        return f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"[:500]
    return ""


def _hand_over(smtp: Smtp, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    if smtp.tls == "tls":
        made: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=20, context=context)
    else:
        made = smtplib.SMTP(smtp.host, smtp.port, timeout=20)
    with closing(made) as server:
        if smtp.tls == "starttls":
            server.starttls(context=context)
        if smtp.username:
            server.login(smtp.username, smtp.password)
        server.send_message(message)
        with suppress(smtplib.SMTPException, OSError):  # it has taken the mail; how it says goodbye changes nothing
            server.quit()


@jobs.job(queue="bulk", every=jobs.Every(at="03:10"))
def forget_secrets() -> None:
    """Empty the secret mails older than a day, sent or not."""
    db.session().execute(
        text(
            "UPDATE core.mails SET body_text = :removed, body_html = :removed"
            " WHERE is_secret AND created_at < :before AND body_text <> :removed"
        ),
        {"removed": REMOVED, "before": now() - timedelta(days=1)},
    )


def newest(limit: int = 50, to: str = "") -> list[Mail]:
    """The newest mails of the channel, newest first, to one address when it is given."""
    wanted = select(Mail).order_by(Mail.created_at.desc(), Mail.id.desc()).limit(limit)
    if to:
        wanted = wanted.where(Mail.to_address == to)
    return list(db.session().scalars(wanted))
