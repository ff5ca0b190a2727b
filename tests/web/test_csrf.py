"""Forms come from our own pages: no door that changes something opens to a form without this browser's token, or from another site (T034)."""

from flask import Flask

from lms.web import csrf
from tests.architecture.test_matrix import doors
from tests.client import Browser

QUICK = {"Accept": "application/json"}


def test_check__lets_no_form_in_without_its_token_or_from_elsewhere(app: Flask, as_root: Browser, as_sam: Browser) -> None:
    mine, other = as_root.form_token(), as_sam.form_token()
    ways = (
        {"headers": {"X-CSRFToken": other}},
        {"query_string": {"csrf_token": mine}},
        {"data": f'{{"csrf_token": "{mine}"}}', "content_type": "text/plain"},
        {"headers": {"X-CSRFToken": mine, "Sec-Fetch-Site": "cross-site"}},
        {"headers": {"X-CSRFToken": mine, "Origin": "http://evil.example"}},
    )
    asked = 0
    for endpoint, method, path in doors(app):
        view = app.view_functions[endpoint]
        if method in csrf.SAFE or path.startswith("/api/") or f"{view.__module__}.{view.__name__}" in csrf._signed_doors:
            continue
        for way in ({}, ways[asked % len(ways)]):
            headers = QUICK | way.get("headers", {})
            answer = as_root.raw.open(path, method=method, base_url="http://localhost", **{**way, "headers": headers})
            assert answer.status_code == 403 and answer.get_json()["rule"] in ("form_token", "origin"), f"{method} {path} {way}"
        asked += 1
    assert asked > 200
    assert len(csrf._signed_doors) < 16, "each of these takes forms by another proof than a session's"
