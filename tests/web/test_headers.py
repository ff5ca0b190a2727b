"""The headers of every answer."""

from dataclasses import replace

import pytest
from flask import Flask

from tests.client import Browser


def test_add_headers__stand_on_what_is_no_door_and_demand_tls_once_it_was_used(client: Browser) -> None:
    for method, path in (("GET", "/no/such/page"), ("PUT", "/auth/sign-in"), ("GET", "/static/no-such-file"), ("GET", "/healthz")):
        headers = client.raw.open(path, method=method, base_url="https://localhost").headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"] and headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", path
    assert "Strict-Transport-Security" not in client.raw.get("/healthz", base_url="http://localhost").headers


@pytest.mark.parametrize(("base", "allowed"), [("", "ws://localhost:*"), ("wss://sockets.example.org/x", "wss://sockets.example.org ")])
def test_add_headers__lets_pages_open_sockets_where_the_sockets_are(app: Flask, client: Browser, base: str, allowed: str) -> None:
    config = app.config["LMS"]
    app.config["LMS"] = replace(config, socket_url=base)
    policy = client.get("/auth/sign-in", status=200).response.headers["Content-Security-Policy"]
    app.config["LMS"] = config
    connect = next(part for part in policy.split(";") if "connect-src" in part)
    assert allowed.strip() in connect.split()
