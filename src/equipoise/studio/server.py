"""Serves the studio with uvicorn."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from equipoise.errors import RequestError
from equipoise.studio.app import create_app
from equipoise.studio.security import LOOPBACK
from equipoise.studio.state import Studio

DEFAULT_PORT = 8420
# Ports after the default that are tried where it is taken.
MORE_PORTS = 20
# Seconds that open connections are given at the end.
GRACE = 2
# Bytes of a message that a page may send by WebSocket.
MAX_MESSAGE = 2**12
EVERY_ADDRESS = ("0.0.0.0", "::")


def serve(
    studio: Studio,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    page: str = "",
    browser: bool = True,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve a studio until Ctrl-C or SIGTERM.

    Args:
        studio: Its token is set here where `host` is not loopback and it has none.
        host: The address to listen at.
        port: None takes the first free one from `DEFAULT_PORT` on, 0 any free one.
        page: The part of the page to show first, such as "run/gaussian-0".
        browser: Open the page in the user's browser, where there is one.
        tell: Is told the page's address.

    Raises:
        RequestError: The address or the port cannot be had.
    """
    if host not in LOOPBACK:
        studio.token = studio.token or secrets.token_urlsafe(24)
        studio.hosts = (*studio.hosts, host.lower(), socket.gethostname().lower())
    listener = listen(host, port)
    address = _address(studio, host, listener.getsockname()[1], page)
    tell(f"studio: {address}")
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(studio),
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    if browser and _has_browser():
        threading.Timer(0.5, webbrowser.open, [address]).start()
    with listener, suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        RequestError: The address or the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + MORE_PORTS)
    for number in ports:
        try:
            return socket.create_server((host, number), family=family)
        except (OSError, OverflowError) as error:
            problem = error
    where = f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"
    reason = getattr(problem, "strerror", None) or str(problem)
    raise RequestError(f"{host}, {where}: {reason}; --port 0 takes any free port") from problem


def _address(studio: Studio, host: str, port: int, page: str) -> str:
    name = socket.gethostname() if host in EVERY_ADDRESS else host
    name = f"[{name}]" if ":" in name else name
    known = "" if studio.token is None else f"?token={studio.token}"
    return f"http://{name}:{port}/{known}" + (f"#/{page}" if page else "")


def _has_browser() -> bool:
    """Whether there is a browser with a window. One in the terminal would take it
    over."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
