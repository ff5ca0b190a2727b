"""The door's blueprint."""

from flask import Blueprint

bp = Blueprint("search_admin", __name__, url_prefix="/admin/search")
