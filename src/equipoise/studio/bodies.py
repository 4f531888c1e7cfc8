"""What a request brings, checked."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from equipoise.errors import RequestError


async def json_of(request: Request) -> dict[str, Any]:
    """The object in a request's body; an empty body is an empty one.

    Raises:
        RequestError: If it is no object, or holds what could not be written as JSON in
            an answer: numbers that are not finite, and halves of characters.
    """
    content = await request.body()
    try:
        found = json.loads(content or b"{}")
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RequestError("the body of this request is no JSON object")
    return found


def text_of(given: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text in a body.

    Raises:
        RequestError: If it is not there and has no default, or is no text.
    """
    value = given.get(name, default)
    if not isinstance(value, str):
        raise RequestError(f"{name}: give a text")
    return value


def object_of(given: dict[str, Any], name: str) -> dict[str, Any]:
    """An object in a body, empty if it is not there.

    Raises:
        RequestError: If it is none.
    """
    value = given.get(name) or {}
    if not isinstance(value, dict):
        raise RequestError(f"{name}: give an object")
    return value
