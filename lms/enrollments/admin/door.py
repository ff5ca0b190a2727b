"""The door's blueprint."""

from flask import Blueprint

bp = Blueprint("enrollments_admin", __name__, url_prefix="/admin/enrollments")
