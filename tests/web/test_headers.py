"""The headers of every answer."""

from dataclasses import replace

import pytest
from flask import Flask

from tests.client import Browser


@pytest.mark.parametrize(("base", "allowed"), [("", "ws://localhost:*"), ("wss://sockets.example.org/x", "wss://sockets.example.org ")])
def test_add_headers__lets_pages_open_sockets_where_the_sockets_are(app: Flask, client: Browser, base: str, allowed: str) -> None:
    config = app.config["LMS"]
    app.config["LMS"] = replace(config, socket_url=base)
    policy = client.get("/auth/sign-in", status=200).response.headers["Content-Security-Policy"]
    app.config["LMS"] = config
    connect = next(part for part in policy.split(";") if "connect-src" in part)
    assert allowed.strip() in connect.split()
