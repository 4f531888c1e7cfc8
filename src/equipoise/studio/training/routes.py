"""The addresses of uploads, data, runs and comparisons."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import AsyncIterator
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from equipoise.errors import EquipoiseError, RequestError
from equipoise.studio.bodies import json_of, object_of, text_of
from equipoise.studio.state import Studio
from equipoise.studio.training import progress
from equipoise.studio.training.comparing import compare
from equipoise.studio.training.data import Data, in_thread
from equipoise.studio.training.lines import lines_of
from equipoise.studio.training.runs import Runs
from equipoise.studio.training.watching import Watch, snapshot

RECIPE = "balanced"
# Requests that read data at the same time; more of them wait, and hold up no others.
READERS = 4
# Seconds without a byte after which an upload counts as broken off.
SILENCE = 60.0


def routes(studio: Studio, runs: Runs) -> list[BaseRoute]:
    """The routes of this part.

    Args:
        studio: The studio.
        runs: Its runs.
    """
    data = Data(studio.folder, studio.max_upload, studio.channels)
    Watch(runs, studio.channels)
    in_thread(data.uploads.clean)
    readers = CapacityLimiter(READERS)
    return [*_uploads(data, readers), *_data(data, runs, readers), *_runs(runs), *_steering(runs)]


def _uploads(data: Data, readers: CapacityLimiter) -> list[BaseRoute]:
    uploads = data.uploads

    async def put_file(request: Request) -> Response:
        name = await uploads.receive(request.path_params["name"], _body(request), _length(request))
        return await _arrived(name)

    async def begin(request: Request) -> Response:
        given = await json_of(request)
        return JSONResponse({"token": uploads.begin(text_of(given, "name"))})

    async def put_part(request: Request) -> Response:
        token, path = request.path_params["token"], request.path_params["path"]
        await uploads.receive_into(token, path, _body(request), _length(request))
        return JSONResponse({})

    async def finish(request: Request) -> Response:
        return await _arrived(uploads.finish(request.path_params["token"]))

    async def abandon(request: Request) -> Response:
        await run_in_threadpool(uploads.abandon, request.path_params["token"])
        return JSONResponse({})

    async def remove(request: Request) -> Response:
        await run_in_threadpool(data.remove, request.path_params["name"])
        return JSONResponse({})

    async def _arrived(name: str) -> Response:
        name = await to_thread.run_sync(data.unpacked, name, limiter=readers)
        in_thread(data.show_list)
        return JSONResponse({"name": name})

    return [
        Route("/api/uploads/{name}", put_file, methods=["PUT"]),
        Route("/api/uploads/{name}", remove, methods=["DELETE"]),
        Route("/api/folders", begin, methods=["POST"]),
        Route("/api/folders/{token}", finish, methods=["POST"]),
        Route("/api/folders/{token}", abandon, methods=["DELETE"]),
        Route("/api/uploads/{token}/{path:path}", put_part, methods=["PUT"]),
    ]


def _data(data: Data, runs: Runs, readers: CapacityLimiter) -> list[BaseRoute]:
    async def state(request: Request) -> Response:
        found = await run_in_threadpool(data.state, request.path_params["name"])
        return JSONResponse(found)

    async def understand(request: Request) -> Response:
        name, given = request.path_params["name"], await json_of(request)
        said = object_of(given, "said")
        found = await to_thread.run_sync(data.understand, name, said, limiter=readers)
        return JSONResponse(found)

    async def estimate(request: Request) -> Response:
        name, given = request.path_params["name"], await json_of(request)
        recipe, choices = text_of(given, "recipe", RECIPE), object_of(given, "choices")
        found = await to_thread.run_sync(data.estimate, name, recipe, choices, limiter=readers)
        return JSONResponse(found)

    async def start(request: Request) -> Response:
        name, given = request.path_params["name"], await json_of(request)
        recipe, choices = text_of(given, "recipe", RECIPE), object_of(given, "choices")

        def begin() -> str:
            origin = data.origin(name)
            return runs.jobs.start(origin, recipe, data.choices(name, choices), Path(name).stem)

        return JSONResponse({"run": await run_in_threadpool(begin)})

    async def lines(request: Request) -> Response:
        """The training as lines of Python and as a command line."""
        name, given = request.path_params["name"], await json_of(request)
        recipe, choices = text_of(given, "recipe", RECIPE), object_of(given, "choices")

        def made() -> dict[str, str]:
            out = runs.folder / f"{Path(name).stem}-{recipe}"
            return lines_of(data.origin(name), recipe, data.choices(name, choices), out)

        return JSONResponse(await run_in_threadpool(made))

    return [
        Route("/api/data/{name}", state),
        Route("/api/data/{name}/lines", lines, methods=["POST"]),
        Route("/api/data/{name}/understand", understand, methods=["POST"]),
        Route("/api/data/{name}/estimate", estimate, methods=["POST"]),
        Route("/api/data/{name}/start", start, methods=["POST"]),
    ]


def _runs(runs: Runs) -> list[BaseRoute]:
    async def listed(_: Request) -> Response:
        return JSONResponse({"runs": progress.finite(await run_in_threadpool(runs.brief))})

    async def run(request: Request) -> Response:
        found = await run_in_threadpool(snapshot, runs, request.path_params["name"])
        return JSONResponse(found)

    async def picture(request: Request) -> Response:
        path, seen = runs.path(request.path_params["name"]), request.path_params["seen"]
        found = await run_in_threadpool(progress.picture_path, path, seen)
        return FileResponse(found, headers={"Cache-Control": "private, max-age=3600"})

    async def file(request: Request) -> Response:
        path = runs.path(request.path_params["name"]) / request.path_params["file"]
        if path.name not in ("report.html", "samples.png", "report.json", "log.jsonl"):
            raise RequestError(f"{path.name} is no file that the page shows")
        if not path.is_file() or path.is_symlink():
            raise RequestError(f"{path.parent.name} has no {path.name} yet")
        kind = "inline" if path.suffix == ".png" else "attachment"
        name = f"{path.parent.name}-{path.name}"
        return FileResponse(path, filename=name, content_disposition_type=kind)

    async def compared(request: Request) -> Response:
        names = request.query_params.getlist("name")
        return JSONResponse(await run_in_threadpool(compare, runs, names))

    return [
        Route("/api/runs", listed),
        Route("/api/compare", compared),
        Route("/api/runs/{name}", run),
        Route("/api/runs/{name}/pictures/{seen:int}", picture),
        Route("/api/runs/{name}/files/{file}", file),
    ]


def _steering(runs: Runs) -> list[BaseRoute]:
    async def stop(request: Request) -> Response:
        await run_in_threadpool(runs.jobs.stop, runs.path(request.path_params["name"]))
        return JSONResponse({})

    async def forget(request: Request) -> Response:
        await run_in_threadpool(runs.jobs.forget, runs.path(request.path_params["name"]))
        return JSONResponse({})

    async def resume(request: Request) -> Response:
        path, given = runs.path(request.path_params["name"]), await json_of(request)
        choices = object_of(given, "choices")
        await run_in_threadpool(runs.jobs.resume, path, choices)
        return JSONResponse({})

    return [
        Route("/api/runs/{name}", forget, methods=["DELETE"]),
        Route("/api/runs/{name}/stop", stop, methods=["POST"]),
        Route("/api/runs/{name}/resume", resume, methods=["POST"]),
    ]


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        EquipoiseError: It broke off, or nothing came for `SILENCE` seconds.
    """
    chunks = aiter(request.stream())
    try:
        while True:
            async with timeout(SILENCE):
                chunk = await anext(chunks)
            yield chunk
    except StopAsyncIteration:
        return
    except (ClientDisconnect, TimeoutError):
        raise EquipoiseError("the upload broke off: send it again") from None


def _length(request: Request) -> int | None:
    """The bytes that a request announces."""
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isdecimal() else None
