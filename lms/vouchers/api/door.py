"""The door's blueprint, and the shapes its pages share."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field

bp = Blueprint("vouchers_api", __name__, url_prefix="/api/v1/vouchers")

Seal = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{40,64}$")]
