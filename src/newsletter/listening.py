"""Taking a port."""

from __future__ import annotations

import socket

from newsletter.errors import SiteError


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; port 0 is any free one. OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def listening_at(host: str, port: int, *, setting: str) -> socket.socket:
    """The same where a setting says so: SiteError names it if the port is taken."""
    try:
        return listening(host, port)
    except OSError as error:
        because = f"{setting}: {host}:{port} cannot be had: {error.strerror}"
        raise SiteError("config.toml", because=because) from error
