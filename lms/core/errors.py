"""Refusals: every sentence is for the person at the screen and says what to do next."""

from collections.abc import Mapping


class Refusal(Exception):
    """Something the platform will not do; the message is shown to people as it is."""

    code = "refused"

    def __init__(self, sentence: str, *, rule: str = "", fields: Mapping[str, str] | None = None) -> None:
        self.sentence = sentence
        self.rule = rule
        self.fields = dict(fields or {})
        super().__init__(sentence)


class Invalid(Refusal):
    """What was sent does not fit; `fields` names the faults one by one."""

    code = "invalid"


class NotFound(Refusal):
    """There is nothing here, or nothing this person may know of."""

    code = "not_found"


class Unauthenticated(Refusal):
    """The act needs somebody signed in."""

    code = "sign_in"


class Forbidden(Refusal):
    """A rule refuses this person; `rule` names it."""

    code = "forbidden"


class Conflict(Refusal):
    """The act does not fit the state things are in now."""

    code = "conflict"


class TooMany(Refusal):
    """A limit was reached; `retry_after` says in how many seconds to try again."""

    code = "too_many"

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence, rule="rate")
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part the platform leans on does not answer now; nothing was lost."""

    code = "unavailable"
