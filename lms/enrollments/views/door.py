"""The door's blueprint."""

from flask import Blueprint

bp = Blueprint("enrollments", __name__, url_prefix="/enrollments")
