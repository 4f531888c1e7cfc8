"""The addresses of the page Learn."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from equipoise.coerce import as_json
from equipoise.studio.bodies import json_of
from equipoise.studio.learn.controls import recipe_lines
from equipoise.studio.learn.distributions import CHOICES
from equipoise.studio.learn.lessons import LESSONS
from equipoise.studio.learn.session import SPEEDS, Session
from equipoise.studio.state import Studio


def routes(studio: Studio) -> list[BaseRoute]:
    """The routes of one studio's session."""
    session = Session(studio.channels)

    async def catalogue(_: Request) -> Response:
        return JSONResponse(
            {
                "distributions": [
                    {"name": name, "dimension": distribution.dimension}
                    for name, distribution in CHOICES.items()
                ],
                "recipes": recipe_lines(),
                "lessons": [lesson.to_json() for lesson in LESSONS],
                "speeds": SPEEDS,
            }
        )

    async def look(_: Request) -> Response:
        return JSONResponse(await _answer({"do": "look"}))

    async def do(request: Request) -> Response:
        return JSONResponse(await _answer(await json_of(request)))

    async def _answer(command: dict[str, Any]) -> Any:
        return as_json(await run_in_threadpool(session.ask, command))

    return [
        Route("/api/learn/catalogue", catalogue),
        Route("/api/learn", look),
        Route("/api/learn", do, methods=["POST"]),
    ]
