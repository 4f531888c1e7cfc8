"""The web application: the page, its parts' routes, and errors as one line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.studio.learn.routes import routes as learn_routes
from equipoise.studio.live import live
from equipoise.studio.security import Guard
from equipoise.studio.state import Studio
from equipoise.studio.training.routes import routes as training_routes
from equipoise.studio.training.runs import Runs
from equipoise.studio.use.routes import routes as use_routes

STATIC = Path(str(files("equipoise.studio") / "static"))


def create_app(studio: Studio) -> Starlette:
    """The application of one studio."""

    async def index(_: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def connect(socket: WebSocket) -> None:
        await live(socket, studio.channels)

    runs = Runs(studio.runs, studio.folder)
    routes: list[BaseRoute] = [
        Route("/", index),
        WebSocketRoute("/api/live", connect),
        Mount("/static", Unchanging(directory=STATIC)),
        *learn_routes(studio),
        *training_routes(studio, runs),
        *use_routes(runs),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, studio=studio)],
        exception_handlers={
            EquipoiseError: _as_line,
            OSError: _as_line,
            HTTPException: _as_line,
            Exception: _as_bug,
        },
    )


class Unchanging(StaticFiles):
    """Static files that the browser asks for anew each time, and gets if they have
    changed: after an update of Equipoise the page is the new one."""

    def file_response(self, *args: Any, **keywords: Any) -> Response:
        response = super().file_response(*args, **keywords)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _as_line(_: Request, error: Exception) -> Response:
    """An error that the user should know of, in one line."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, status_code=error.status_code)
    status = 400 if isinstance(error, RequestError) else 500
    if isinstance(error, OSError) and not isinstance(error, EquipoiseError):
        message = f"{error.filename or 'file'}: {error.strerror or error}"
    else:
        message = str(error)
    return JSONResponse({"error": message}, status_code=status)


def _as_bug(_: Request, error: Exception) -> Response:
    """An error that is a bug, in one line. The server prints the traceback."""
    message = f"this is a bug in Equipoise: {type(error).__name__}: {first_line(error)}"
    return JSONResponse({"error": message}, status_code=500)
