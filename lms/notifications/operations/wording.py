"""The academy's own words for its mails: {{name}} is filled in and nothing else, so that no template can do anything."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from lms.channels.queries import this_channel
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import in_locale, locale
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.notifications import queries
from lms.notifications.errors import NoMessage
from lms.notifications.models import KINDS, Kind, Template
from lms.notifications.operations.letters import MESSAGES, Letter, Message, said_to
from lms.notifications.operations.standing import KINDS_OF_MAILS, SAMPLES, STANDING, Standing
from lms.notifications.queries import VARIABLE, Reader

NAMED = re.compile(r"%\((\w+)\)s")
ALWAYS = ("name", "academy")
OWN_WORDS = ("announcement", "course_announcement")  # these are written each time


def get_message(key: str) -> Message:
    """A message whose mail may be worded; raises NoMessage."""
    found = MESSAGES.get(key) or STANDING.get(key)
    if found is None or key in OWN_WORDS:
        raise NoMessage(_("There is no such mail."))
    return found


def wordable() -> dict[str, Message]:
    """The messages whose mails may be worded."""
    return {**STANDING, **{key: message for key, message in MESSAGES.items() if key not in OWN_WORDS}}


def kind_of(message: Message) -> Kind:
    """What kind of news, or of mail, a message is."""
    return KINDS_OF_MAILS[message.kind] if isinstance(message, Standing) else KINDS[message.kind]


def variables_of(message: Message) -> list[str]:
    """The names that can stand in a message's words: the person, the academy, and what the occasion knows."""
    if isinstance(message, Standing):
        return list(message.names)
    known = [name for words in (message.title, message.body, message.act, message.reason) for name in NAMED.findall(words.message)]
    return list(dict.fromkeys((*ALWAYS, *known)))


def standard_words(message: Message, language: str | None = None) -> tuple[str, str]:
    """Subject and text as the product has them in a language (the running one, unless said), with variables in {{name}}."""
    with in_locale(language or locale()):
        subject, body = (NAMED.sub(r"{{\1}}", str(words)) for words in (message.title, message.body))
    return subject, body


def set_template(key: str, *, subject: str, body: str, by: Actor, language: str | None = None) -> None:
    """Keep the academy's words for a message in a language (its own, unless said); raises Invalid for a variable there is not."""
    language = language or this_channel().locale
    message = get_message(key)
    known = variables_of(message)
    faults = {}
    for name, words in (("subject", subject), ("body", body)):
        unknown = sorted({found for found in VARIABLE.findall(words) if found not in known})
        if unknown or "{{" in VARIABLE.sub("", words):
            wrong = ", ".join("{{" + one + "}}" for one in unknown) or "{{"
            faults[name] = _("%(wrong)s is not known here. Use one of the names beside the form.", wrong=wrong)
    lost = [name for name in message.must if name not in VARIABLE.findall(body)] if isinstance(message, Standing) else []
    if lost and "body" not in faults:
        faults["body"] = _("Without {{%(name)s}} nobody could do anything with this mail. Put it into the text.", name=lost[0])
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    was = queries.templates_of(key).get(language)
    stood = (was.subject, was.body) if was else standard_words(message, language)
    before = {"language": language, **dict(zip(("subject", "body"), stood, strict=True))}
    values = {"subject": subject, "body": body, "changed_at": now()}
    row = {"id": uuid7(), "channel_id": current_channel(), "message": key, "language": language, **values}
    statement = insert(Template).values(row).on_conflict_do_update(constraint="uq_templates_language", set_=values)
    db.session().execute(statement)
    after = {"language": language, "subject": subject, "body": body}
    audit.record("notifications.word", "templates", by=by, before=before, after=after, name=key)


def reset_template(key: str, *, by: Actor, language: str | None = None) -> None:
    """Go back to the standard words in a language (the academy's, unless said); doing so twice changes nothing."""
    get_message(key)
    language = language or this_channel().locale
    was = queries.templates_of(key).get(language)
    if was is not None:
        before = {"language": language, "subject": was.subject, "body": was.body}
        audit.record("notifications.unword", "templates", by=by, before=before, name=key)
        gone = delete(Template).where(Template.message == key, Template.language == language)
        db.session().execute(gone.execution_options(synchronize_session=False))


def get_language(wanted: str, *, academy: str) -> str:
    """One of the languages mails can be worded in, the academy's for ""; raises NoMessage for another."""
    if (wanted or academy) not in queries.languages_to_word(academy):
        raise NoMessage(_("No mail is written in this language here."))
    return wanted or academy


def worded(letter: Letter, template: Template | None, values: Mapping[str, Any], reader: Reader) -> Letter:
    """A letter in the academy's own words, when it has some."""
    if template is None:
        return letter
    with in_locale(reader.locale):
        said = {**said_to(values, reader.zone), "name": reader.name, "academy": this_channel().name}
    title, body = (VARIABLE.sub(lambda found: str(said.get(found[1], "")), words) for words in (template.subject, template.body))
    return replace(letter, title=" ".join(title.split()), body=body.strip())


def preview(key: str, by: Actor, language: str | None = None) -> Letter:
    """The mail of a message as this person would get it in a language (theirs, unless said), with values as they might be."""
    message, reader, channel = get_message(key), _reader(by), this_channel()
    reader = replace(reader, locale=language or reader.locale)
    with in_locale(reader.locale):
        values = sample_of(message)
    own = queries.words_for(queries.templates_of(key), reader.locale, channel.locale)
    return worded(message.write(values, reader), own, values, reader)


def _reader(by: Actor) -> Reader:
    assert by.user_id is not None
    found = queries.find_reader(by.user_id)
    return found or Reader(by.user_id, by.name, by.email, by.locale, by.zone)


def sample_of(message: Message) -> dict[str, Any]:
    """Values as they might be, for a preview: of the newest course where there is one."""
    course = queries.newest_course_title() or _("Algebra for everybody")
    known: dict[str, Any] = {
        "course": course,
        "lesson": _("First lesson"),
        "lessons": _("First lesson") + " · " + _("Second lesson"),
        "count": "3",
        "session": _("Questions and answers"),
        "student": "Nia Newcomer",
        "students": "Nia Newcomer · Ada Lovelace · Tim Berner",
        "new": "3",
        "person": "Ada Lovelace",
        "email": "ada@academy.example",
        "label": _("Teachers of spring"),
        "instructor": "Ada Lovelace",
        "who": "Ada Lovelace",
        "why": _("As we agreed by phone."),
        "amount": "25.00",
        "number": "R-6180-3399",
        "receipt": " " + _("You paid %(amount)s; the receipt is %(number)s.", amount="25.00", number="O-6180-3399"),
        "worth": "1,250.00",
        "batch": _("Autumn"),
        "file": "lesson.mp4",
        "report": _("Enrolments"),
        "above": "100",
        "name": "Nia Newcomer",
        "academy": this_channel().name,
        **SAMPLES,
    }
    return {name: now() if name.endswith("_at") else known.get(name, name) for name in variables_of(message)}
