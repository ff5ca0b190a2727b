"""The door's blueprint, and the shapes its pages share."""

from flask import Blueprint

bp = Blueprint("wallet_api", __name__, url_prefix="/api/v1/wallet")
