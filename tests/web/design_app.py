"""A small Flask app that serves the design page and a few pages under the strict policy: what the browser tests drive."""

from __future__ import annotations

import gettext
import json
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request
from jinja2 import StrictUndefined

from lms.core.i18n import percent
from lms.web.design_sample import navigation, sample
from lms.web.theme import Theme, stylesheet

ROOT = Path(__file__).resolve().parents[2]
CSP = (
    "default-src 'none'; script-src 'self' 'nonce-test'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self' ws: wss:; "
    "media-src 'self' blob:; worker-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ME = {"name": "Maya Okafor", "email": "maya@acme.example", "initials": "MO", "avatar_url": None, "role": "admin", "is_staff": True}
LINKS = dict.fromkeys(("home", "catalogue", "learning", "wallet", "profile", "sign_in", "sign_out", "admin", "search"), "/") | {
    "palette": "/palette",
    "notifications": "",
}


def context() -> dict[str, Any]:
    """What the layouts read, from the address: ?theme=dark&dir=rtl&me=0&toasts=1."""
    right = request.args.get("dir") == "rtl"
    toasts = [{"text": "3 courses archived.", "tone": "success", "undo_href": "/undo"}] if request.args.get("toasts") else []
    return {
        "channel": {"name": "Acme Academy", "logo_url": None, "theme_href": "/theme.css" if request.args.get("brand") else None},
        "me": None if request.args.get("me") == "0" else ME,
        "navigation": navigation(),
        "unread": 3,
        "viewing": None,
        "links": LINKS,
        "csp_nonce": "test",
        "toasts": toasts,
        "locale_dir": "rtl" if right else "ltr",
        "locale_code": "ar" if right else "en",
        "demo_banner": "This is a demo; everything in it is invented." if request.args.get("demo") else None,
        "now_zone": "Cairo (EET)",
        "theme": request.args.get("theme", "system"),
    }


def create_design_app() -> Flask:
    """The app: /, /lesson, /focus, /palette and the built files."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    env = app.jinja_env
    env.undefined, env.trim_blocks, env.lstrip_blocks = StrictUndefined, True, True
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_translations(gettext.NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    files = json.loads((ROOT / "static/dist/manifest.json").read_text("utf-8"))["files"]
    env.globals.update(asset=lambda name: f"/static/dist/{files[name]}", csrf_token=lambda: "token")
    env.filters["percent"] = percent
    app.context_processor(context)
    app.after_request(_headers)
    app.add_url_rule("/", "design", lambda: render_template("admin/system_design.html", sample=sample()), methods=["GET", "POST"])
    pages = Path(__file__).with_name("pages")
    for name in ("lesson", "sign_in", "palette", "catalogue"):
        source = (pages / f"{name}.html").read_text("utf-8")
        app.add_url_rule(f"/{name}", name, lambda source=source: env.from_string(source).render(**_everything(app)))
    app.add_url_rule("/theme.css", "theme", lambda: Response(stylesheet(Theme(color="#0f766e")), mimetype="text/css"))
    return app


def _everything(app: Flask) -> dict[str, Any]:
    values: dict[str, Any] = {"sample": sample()}
    app.update_template_context(values)
    return values


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP
    return response


if __name__ == "__main__":
    create_design_app().run(port=5599, threaded=True)
