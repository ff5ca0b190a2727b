"""The floor under the pages: bare Flask that runs the same SQL through psycopg and answers the same bytes."""

import os
import pickle
import threading
from pathlib import Path

import psycopg
from flask import Flask, Response, request

pages = pickle.loads(Path(os.environ["FLOOR_PAGES"]).read_bytes())
url = os.environ["FLOOR_DATABASE"]
local = threading.local()
application = Flask("floor")


@application.route("/")
@application.route("/<path:path>")
def page(path: str = "") -> Response:
    """The statements of the page in one transaction, then its bytes."""
    statements, body = pages[request.full_path.rstrip("?")]
    connection = getattr(local, "connection", None)
    if connection is None:
        connection = local.connection = psycopg.connect(url)
    with connection.transaction(), connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values)
            if cursor.description:
                cursor.fetchall()
    return Response(body, mimetype="text/html")
