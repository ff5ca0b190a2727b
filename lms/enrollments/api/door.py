"""The door's blueprint."""

from flask import Blueprint

bp = Blueprint("enrollments_api", __name__, url_prefix="/api/v1/enrollments")
