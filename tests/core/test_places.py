"""Where the servers of a home live, and whether its ports are free."""

import socket
import threading

from lms.core.places import port_problem


def test_port_problem__names_what_is_wrong_and_waits_for_a_port_that_becomes_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port_problem("127.0.0.1", port, patience=0) == "Address already in use"
        threading.Timer(0.2, taken.close).start()
        assert port_problem("127.0.0.1", port, patience=10) is None
