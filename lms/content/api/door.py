"""The door's blueprint."""

from flask import Blueprint

bp = Blueprint("content_api", __name__, url_prefix="/api/v1/content")
