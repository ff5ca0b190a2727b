"""The WSGI application of the page and socket servers."""

from lms.app import create_app

application = create_app()
