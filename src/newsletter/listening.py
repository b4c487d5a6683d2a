"""Taking a port, and saying where it is."""

from __future__ import annotations

import socket

import structlog

from newsletter.errors import SiteError

log = structlog.get_logger()


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; port 0 is any free one. OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def url_of(sock: socket.socket) -> str:
    """Where a listening socket is reached: `http://127.0.0.1:8080`."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listening_at(host: str, port: int, *, setting: str) -> socket.socket:
    """The same where a setting says so, and the log where that is: SiteError names it if the port is taken."""
    try:
        sock = listening(host, port)
    except OSError as error:
        because = f"{setting}: {host}:{port} cannot be had: {error.strerror}"
        raise SiteError("config.toml", because=because) from error
    log.info("pages served", at=url_of(sock), setting=setting)
    return sock
