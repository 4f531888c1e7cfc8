"""Who may ask the studio for what.

The studio writes files and starts trainings with its user's rights, and every page that
the user has open can send requests to this machine. So:

- the Host header must name this machine, which stops DNS rebinding;
- a request from another site's page is refused, by Origin and Sec-Fetch-Site;
- what changes something needs a header that a form of another site cannot send;
- on another address than loopback each request needs the token;
- bodies are bounded.
"""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from equipoise.studio.state import Studio

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
READING = frozenset({"GET", "HEAD"})
# The header that the page sends with what changes something, and the token's cookie.
MARK, COOKIE = "x-equipoise", "equipoise_token"
UPLOADS = "/api/uploads/"
# Bytes of a body that is no upload.
MAX_BODY = 2**20
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware that refuses requests, and adds headers that confine the page."""

    def __init__(self, app: ASGIApp, studio: Studio) -> None:
        self.app: ASGIApp = app
        self.studio: Studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self._refusal(HTTPConnection(scope))
        if refused is not None:
            await _refuse(refused, scope, receive, send)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            most = self.studio.max_upload if scope["path"].startswith(UPLOADS) else MAX_BODY
            await self.app(scope, _bounded(receive, scope, most), _with_headers(send, scope))

    def _refusal(self, request: HTTPConnection) -> Response | None:
        """Why a request is refused; None where it is not."""
        headers, method = request.headers, request.scope.get("method", "GET")
        if not self._is_this_machine(headers.get("host", "")):
            return _error(421, "this address is not one of this studio's; see --host")
        if not self._is_of_this_page(headers):
            return _error(403, "requests of other sites' pages are refused")
        if method not in READING and headers.get(MARK) != "1":
            return _error(403, f"a request that changes something needs the header {MARK}: 1")
        if self.studio.token is not None:
            return _without_token(request, self.studio.token)
        return None

    def _is_this_machine(self, host: str) -> bool:
        """Whether a Host header is a name of this machine. With a token any IP address
        will do: an attacker's page has a domain of its own."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in LOOPBACK or name in self.studio.hosts:
            return True
        return self.studio.token is not None and _is_address(name)

    @staticmethod
    def _is_of_this_page(headers: Headers) -> bool:
        """Whether a request comes from the studio's own page, or from no page."""
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return headers.get("sec-fetch-mode") == "navigate" and headers.get("origin") is None
        own = f"//{headers.get('host')}"
        return all(
            origin.partition(":")[2] == own for origin in headers.getlist("origin")
        )  # a browser's is scheme://host:port and nothing else


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _without_token(request: HTTPConnection, token: str) -> Response | None:
    """The answer to a request that does not know the token. The first address that is
    opened has it, and is led on to one without, so that it is not left in the browser's
    history."""
    given = request.query_params.get("token")
    if given is not None and request.scope.get("method") == "GET" and request.url.path == "/":
        if not secrets.compare_digest(given.encode(), token.encode()):
            return _error(401, "the token is wrong; the terminal shows the right address")
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return response
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    known = bearer if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
    if secrets.compare_digest(known.encode(), token.encode()):
        return None
    return _error(401, "the token is missing; open the address that the terminal shows")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
    else:
        await response(scope, receive, _with_headers(send, scope))


def _bounded(receive: Receive, scope: Scope, most: int) -> Receive:
    """`receive`, which fails once a body has more than `most` bytes."""
    seen, told = 0, Headers(scope=scope).get("content-length", "0")
    too_large = HTTPException(413, f"more than {most:,} bytes; see --max-upload")

    async def receive_bounded() -> Message:
        nonlocal seen
        if told.isdecimal() and int(told) > most:
            raise too_large
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large
        return message

    return receive_bounded


def _with_headers(send: Send, scope: Scope) -> Send:
    """`send`, with the headers that confine the page."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if scope["path"].startswith("/api/"):
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_with_headers
