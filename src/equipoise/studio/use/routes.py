"""The addresses of samples."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from equipoise.errors import RequestError, clipped
from equipoise.studio.bodies import json_of, text_of
from equipoise.studio.kinds import kind_of
from equipoise.studio.training.progress import finite
from equipoise.studio.training.runs import Runs
from equipoise.studio.use import describing, drawing
from equipoise.studio.use.asked import Asked, limits_of, number_of, whole_of
from equipoise.studio.use.downloading import written
from equipoise.studio.use.exploring import Explorer, invert
from equipoise.studio.use.generators import Generators, Loaded

T = TypeVar("T")
CHUNK = 2**20  # bytes
# Requests that use generators at the same time; more wait, and hold up no others.
USERS = 8
EXPORTS = (".onnx", ".html")


def routes(runs: Runs) -> list[BaseRoute]:
    """The routes of this part.

    Args:
        runs: The runs of the studio.
    """
    return _Use(runs).routes()


class _Use:
    def __init__(self, runs: Runs) -> None:
        self.runs, self.generators = runs, Generators()
        self.sheets, self.explorer = drawing.Sheets(), Explorer()
        self.users = CapacityLimiter(USERS)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/use/{name}", self.about),
            Route("/api/use/{name}/samples", self.samples),
            Route("/api/use/{name}/sheet.png", self.sheet),
            Route("/api/use/{name}/images/{index:int}.png", self.image),
            Route("/api/use/{name}/images/{index:int}/nearest", self.nearest),
            Route("/api/use/{name}/plot.png", self.plot),
            Route("/api/use/{name}/classes.png", self.classes),
            Route("/api/use/{name}/codes/{code}.png", self.code),
            Route("/api/use/{name}/download", self.download),
            Route("/api/use/{name}/export", self.export),
            Route("/api/use/{name}/walk", self.walk),
            Route("/api/use/{name}/directions", self.directions),
            Route("/api/use/{name}/moved.png", self.moved),
            Route("/api/use/{name}/invert", self.invert, methods=["POST"]),
        ]

    async def about(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = await self._with(request, lambda loaded: describing.describe(loaded, name))
        return JSONResponse(finite(found))

    async def samples(self, request: Request) -> Response:
        """All but the pixels: rows of a table, where images are, and the lines that do
        the same."""

        def answer(loaded: Loaded) -> dict[str, Any]:
            schema = loaded.gan.schema
            asked, kind = self._asked(request, loaded), kind_of(schema)
            ending = {"images": ".zip", "points": ".npy"}.get(kind, ".csv")
            out = describing.name_of_file(loaded.path, asked.n, ending)
            found: dict[str, Any] = {
                "kind": kind,
                "n": asked.n,
                "seed": asked.seed,
                "python": asked.python(loaded.path, schema),
                "cli": asked.line(loaded.path, out),
            }
            if kind == "images":
                _, about = drawing.sheet(self.sheets.images(loaded, asked))
                found["sheet"] = about
            elif kind == "table":
                found["table"] = drawing.rows(loaded, asked)
            return found

        return JSONResponse(finite(await self._with(request, answer)))

    async def sheet(self, request: Request) -> Response:
        def draw(loaded: Loaded) -> bytes:
            return drawing.sheet(self.sheets.images(loaded, self._asked(request, loaded)))[0]

        return _png(await self._with(request, draw))

    async def image(self, request: Request) -> Response:
        def draw(loaded: Loaded) -> bytes:
            images = self.sheets.images(loaded, self._asked(request, loaded))
            return drawing.png_of(images[_index(request, len(images))])

        return _png(await self._with(request, draw))

    async def nearest(self, request: Request) -> Response:
        def find(loaded: Loaded) -> dict[str, Any]:
            asked = self._asked(request, loaded)
            return drawing.neighbours(loaded, _index(request, asked.n), asked)

        return JSONResponse(finite(await self._with(request, find)))

    async def plot(self, request: Request) -> Response:
        def draw(loaded: Loaded) -> bytes:
            return drawing.plot(loaded, self._asked(request, loaded))

        return _png(await self._with(request, draw))

    async def classes(self, request: Request) -> Response:
        def draw(loaded: Loaded) -> bytes:
            return drawing.class_sheet(loaded, self._asked(request, loaded).seed)

        return _png(await self._with(request, draw))

    async def code(self, request: Request) -> Response:
        def draw(loaded: Loaded) -> bytes:
            seed = self._asked(request, loaded).seed
            return drawing.code_sheet(loaded, request.path_params["code"], seed)

        return _png(await self._with(request, draw))

    async def download(self, request: Request) -> Response:
        """Samples as a file of any format that `equipoise sample` writes into one."""
        ending = request.query_params.get("ending", "")

        def write(loaded: Loaded) -> tuple[BinaryIO, str]:
            about = describing.describe(loaded, request.path_params["name"])
            if ending not in about["endings"]:
                known = ", ".join(about["endings"])
                raise RequestError(f"no format {clipped(repr(ending))}: give one of {known}")
            asked = Asked.of(request.query_params, about["default_n"], about["most_written"])
            name = describing.name_of_file(loaded.path, asked.n, ending)
            path = loaded.path
            return written(lambda out: asked.words(path, str(out)), name, self.runs.folder), name

        return _file(*await self._with(request, write))

    async def export(self, request: Request) -> Response:
        """The generator as a file for other programs, or as a page of its own."""
        ending = request.query_params.get("ending", "")
        if ending not in EXPORTS:
            known = " or ".join(EXPORTS)
            raise RequestError(f"no export {clipped(repr(ending))}: give {known}")
        path = await run_in_threadpool(self.runs.path, request.path_params["name"])
        name = path.name + ending

        def write() -> BinaryIO:
            words = ["export", str(path), "--to"]
            return written(lambda out: [*words, str(out)], name, self.runs.folder)

        return _file(await to_thread.run_sync(write, limiter=self.users), name)

    async def walk(self, request: Request) -> Response:
        query = request.query_params
        a, b, steps = (whole_of(query, *of) for of in (("a", 0), ("b", 1), ("steps", 9)))

        def answer(loaded: Loaded) -> dict[str, Any]:
            return self.explorer.walk(loaded, self._asked(request, loaded), a, b, steps)

        return JSONResponse(finite(await self._with(request, answer)))

    async def directions(self, request: Request) -> Response:
        def answer(loaded: Loaded) -> dict[str, Any]:
            return self.explorer.directions(loaded, self._asked(request, loaded))

        return JSONResponse(finite(await self._with(request, answer)))

    async def moved(self, request: Request) -> Response:
        number = whole_of(request.query_params, "number", 0)
        texts = request.query_params.getlist("alpha")
        alphas = [number_of({"alpha": text}, "alpha", 0.0) for text in texts]

        def draw(loaded: Loaded) -> bytes:
            return self.explorer.moved(loaded, self._asked(request, loaded), number, alphas)

        return _png(await self._with(request, draw))

    async def invert(self, request: Request) -> Response:
        given = await json_of(request)
        png, label = text_of(given, "png"), text_of(given, "label", "") or None
        found = await self._with(request, lambda loaded: invert(loaded, png, label))
        return JSONResponse(finite(found))

    async def _with(self, request: Request, work: Callable[[Loaded], T]) -> T:
        """Do something with a generator, in a thread, while events go on."""
        path = await run_in_threadpool(self.runs.path, request.path_params["name"])

        def run() -> T:
            with self.generators.use(path) as loaded:
                return work(loaded)

        return await to_thread.run_sync(run, limiter=self.users)

    @staticmethod
    def _asked(request: Request, loaded: Loaded) -> Asked:
        default, most = limits_of(kind_of(loaded.gan.schema))
        return Asked.of(request.query_params, default, most)


def _index(request: Request, n: int) -> int:
    index: int = request.path_params["index"]
    if index >= n:
        raise RequestError(f"there are {n} images: none has the number {index}")
    return index


def _png(content: bytes) -> Response:
    return Response(content, media_type="image/png")


def _file(file: BinaryIO, name: str) -> Response:
    """A file to take home, which is closed at the end."""
    headers = {
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="{_plain(name)}"',
    }
    return StreamingResponse(_chunks(file), media_type="application/octet-stream", headers=headers)


def _plain(name: str) -> str:
    """A name without what would end a header's quotes."""
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
