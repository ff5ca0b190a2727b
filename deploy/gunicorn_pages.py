"""gunicorn's settings for the page server; the address comes by --bind."""

workers = 2
worker_class = "gthread"
threads = 8
keepalive = 75
timeout = 60
graceful_timeout = 25
# gunicorn 25.1 and later would open a socket in the home folder that can stop or reload the server.
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "warning"
