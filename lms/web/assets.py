"""Built files: `asset("app.css")` is the address of the hashed file the manifest names."""

import json
from functools import cache
from pathlib import Path

from flask import Flask, Response, request

from lms.config import ROOT

MANIFEST = ROOT / "static" / "dist" / "manifest.json"


@cache
def manifest(path: Path = MANIFEST) -> dict[str, str]:
    """Source name → hashed name, as the build wrote it."""
    content = json.loads(path.read_text())
    files: dict[str, str] = content.get("files", content)
    return files


def asset(name: str) -> str:
    """The address of a built file; raises KeyError for one the build does not make."""
    return f"/static/dist/{manifest()[name]}"


def keep_for_ever(response: Response) -> Response:
    """Hashed files never change under their name."""
    if request.path.startswith("/static/dist/") and response.status_code in (200, 206, 304):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def install(app: Flask) -> None:
    """Offer `asset` to templates."""
    app.jinja_env.globals["asset"] = asset
    app.after_request(keep_for_ever)
