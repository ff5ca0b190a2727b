"""The door's blueprint."""

from flask import Blueprint

bp = Blueprint("content_admin", __name__, url_prefix="/admin/content")
