"""What machines send, read strictly: JSON into models, query strings into models, and nothing that was not declared."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from flask import request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from lms.core import json_text
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _

MOST_BYTES = 1024 * 1024
MOST_FAULTS = 50
MOST_MINOR = 10**15
JSON = "application/json"


class Body(BaseModel):
    """What a client sends: the declared fields, of exactly their types, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True, str_max_length=200_000, allow_inf_nan=False)


class Query(BaseModel):
    """What stands in the query string: the declared names and nothing else."""

    model_config = ConfigDict(extra="forbid", str_max_length=2_000, allow_inf_nan=False)


class Answer(BaseModel):
    """What is answered; `from_attributes` makes it of rows."""

    model_config = ConfigDict(from_attributes=True)


class Amount(BaseModel):
    """Money: whole minor units (cents) and the ISO 4217 code of the currency."""

    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True)

    minor: Annotated[int, Field(ge=-MOST_MINOR, le=MOST_MINOR)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


def _near(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("This moment lies too far away.")
    return moment


LINE = r"^[^\x00-\x1f\x7f\u2028\u2029]*$"
Line = Annotated[str, Field(min_length=1, max_length=160, pattern=LINE)]
Moment = Annotated[AwareDatetime, AfterValidator(_near), Field(description="ISO 8601 with an offset", examples=["2026-11-20T15:00:00Z"])]
Ids = Annotated[list[UUID], Field(max_length=1000)]


def check_address(asks: type[BaseModel] | None) -> None:
    """Refuse addresses with NUL characters, query strings an endpoint does not take, and (when it is read) a body past a megabyte."""
    request.max_content_length = MOST_BYTES
    values = [*(request.view_args or {}).values(), *request.args.keys(), *(value for found in request.args.listvalues() for value in found)]
    if any(isinstance(value, str) and "\x00" in value for value in values):
        raise json_text.Unreadable(_("An address may not hold NUL characters."))
    if asks is None and request.args:
        name = next(iter(request.args))[:60]
        raise Invalid(_("This address takes no query."), fields={name: _("This is not known here.")})


def read_query(model: type[BaseModel]) -> Any:
    """The query string as a model; a name given twice is refused unless it takes a list."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        field = model.model_fields.get(name)
        takes_list = field is not None and "list" in str(field.annotation)
        if len(values) > 1 and not takes_list:
            raise Invalid(_("The query does not fit."), fields={name[:60]: _("Give this once.")})
        given[name] = values if takes_list else values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise Invalid(_("The query does not fit."), fields=faults(error)) from error


def read_body(model: type[BaseModel]) -> Any:
    """The JSON sent, as a model, read strictly."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType(_("Send JSON, with Content-Type: application/json."))
    raw = request.get_data(cache=True)
    json_text.read(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise Invalid(_("What was sent does not fit."), fields=faults(error)) from error


def faults(error: ValidationError) -> dict[str, str]:
    """The faults of a model by the path of the field, at most fifty."""
    found: dict[str, str] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]:
        place = ".".join(str(part) for part in item["loc"])[:120] or "body"
        found[place] = _("This field is not known here.") if item["type"] == "extra_forbidden" else item["msg"]
    return found


def given(body: Body, *nullable: str) -> dict[str, Any]:
    """The fields that were sent: a null counts as left out, but for those that can be emptied."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    return {name: value for name, value in sent.items() if value is not None or name in nullable}
