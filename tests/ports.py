"""Ports for servers that tests start."""

import os
import socket


def free_pair() -> int:
    """A port below the ephemeral range whose successor is free too."""
    for port in range(20_000 + os.getpid() % 9_000, 32_000, 2):
        with socket.socket() as one, socket.socket() as two:
            try:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
