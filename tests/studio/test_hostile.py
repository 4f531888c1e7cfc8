"""What a stranger, or an accident, does to the studio as a whole."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.helpers import TINY
from tests.studio.conftest import SOCKET

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.runs.serialization import read_json, write_json
from equipoise.studio.state import Studio
from equipoise.studio.training.jobs import Jobs

STUDIO = [sys.executable, "-m", "equipoise", "studio", "--port=0", "--no-browser"]
MIB = 2**20
HALF = "\ud800"  # of a character: Python and JSON have it, UTF-8 does not
HTML = "<img src=x onerror=alert(1)>"
NAMES = ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%00b", ".studio", "%ff%fe", "a%5c..%5cb"]
ADDRESSES = [
    ("GET", "/api/runs/{}"),
    ("DELETE", "/api/runs/{}"),
    ("POST", "/api/runs/{}/stop"),
    ("POST", "/api/runs/{}/resume"),
    ("GET", "/api/runs/{}/files/report.json"),
    ("GET", "/api/runs/real/files/{}"),
    ("GET", "/api/runs/{}/pictures/1"),
    ("GET", "/api/compare?name={}&name=real"),
    ("GET", "/api/data/{}"),
    ("POST", "/api/data/{}/understand"),
    ("POST", "/api/data/{}/start"),
    ("DELETE", "/api/uploads/{}"),
    ("POST", "/api/folders/{}"),
    ("DELETE", "/api/folders/{}"),
    ("PUT", "/api/uploads/0123456789abcdef/{}"),
    ("GET", "/api/use/{}"),
    ("GET", "/api/use/{}/download?ending=.csv"),
]


@pytest.fixture
def run(studio: Studio) -> Path:
    """A tiny run, called "real"."""
    GAN(**TINY).fit("gaussian", out=studio.folder / "real", progress=False)
    return studio.folder / "real"


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_no_name_leads_out_of_the_folder(client: TestClient, method: str, address: str) -> None:
    for name in NAMES:
        answer = client.request(method, address.format(name))
        assert 400 <= answer.status_code < 500, name
        assert "\n" not in answer.json()["error"], name


def test_an_origin_that_is_none_is_refused(client: TestClient) -> None:
    for origin in ("http://[", "http://127.0.0.1:8420@evil.example", "127.0.0.1:8420", ""):
        assert client.post("/api/learn", headers={"Origin": origin}).status_code == 403, origin


@pytest.mark.parametrize("path", ["/api/learn", "/api/folders", "/api/data/gaussian/start"])
def test_what_no_answer_could_repeat_is_no_body(client: TestClient, path: str) -> None:
    for body in ("[" * 100_000, "NaN", '{"do": 1e400}', '{"do": NaN}', '{"do": "\\ud800"}', "[]"):
        answer = client.post(path, content=body)
        assert answer.json() == {"error": "the body of this request is no JSON object"}


def test_garbage_ends_a_websocket_and_nothing_else(client: TestClient) -> None:
    for message in ("[" * 4000, "", "null", '{"subscribe": 1}', '{"a": "b"}'):
        with client.websocket_connect(f"{SOCKET}/api/live") as live:
            live.send_text(message)
            with pytest.raises(WebSocketDisconnect) as closed:
                live.receive_text()
        assert closed.value.code == 1008, message[:20]


def test_an_upload_of_which_nothing_comes_is_broken_off(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Request) -> AsyncIterator[bytes]:
        yield b"a,b\n"
        await asyncio.Event().wait()

    monkeypatch.setattr("equipoise.studio.training.routes.SILENCE", 0.01)
    monkeypatch.setattr(Request, "stream", never)
    assert "broke off" in client.put("/api/uploads/a.csv").json()["error"]
    assert [*(studio.folder / "uploads").iterdir()] == []


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": HTML, "requested": {"recipe": 0.5, "run": [1]}},
        {"data": [], "notes": HTML, "command": HTML, "machine": [HTML]},
        {"notes": [HALF, 10**400], "data": {"name": HALF}},
    ],
)
def test_a_run_that_a_stranger_wrote_is_shown_as_far_as_it_makes_sense(
    client: TestClient, run: Path, change: dict[str, Any]
) -> None:
    strange = run.parent / "strange"
    shutil.copytree(run, strange)
    stored = read_json(strange / "config.json")
    write_json(strange / "config.json", {**stored, **change})
    assert {one["name"] for one in client.get("/api/runs").json()["runs"]} == {"real", "strange"}
    about = client.get("/api/runs/strange").json()["about"]
    assert isinstance(about["notes"], list)
    assert isinstance(about["command"], list)
    assert client.get("/api/compare?name=real&name=strange").status_code == 200


def test_names_that_are_no_text_and_files_that_never_end_hold_up_no_list(
    client: TestClient, run: Path
) -> None:
    os.mkfifo(run / "left_out.txt")
    shutil.copytree(run, run.parent / HTML, ignore=shutil.ignore_patterns("left_out.txt"))
    os.mkdir(os.fsencode(run.parent) + b"/\xff")
    shutil.copy(run / "config.json", os.fsencode(run.parent) + b"/\xff/config.json")
    names = {one["name"] for one in client.get("/api/runs").json()["runs"]}
    assert names == {"real", HTML, "?"}
    assert client.get("/api/runs/real").json()["left_out"]["count"] == 0


def test_of_two_tabs_that_go_on_with_a_run_at_once_one_does(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, answers = Jobs(run.parent), list[str]()
    begun = threading.Barrier(2)
    took: list[str] = []

    def begin(name: str, *_: object) -> None:
        took.append(name)
        monkeypatch.setattr(jobs, "is_busy", lambda _: True)

    def press() -> None:
        begun.wait()
        try:
            jobs.resume(run, {})
        except RequestError as error:
            answers.append(str(error))

    monkeypatch.setattr(jobs, "_run", begin)
    tabs = [threading.Thread(target=press) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert took == ["real"]
    assert answers == ["real is being trained: stop it first"]


# ---- a server of its own ----------------------------------------------------------


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Of a server that takes uploads of 1 MiB."""
    server = subprocess.Popen(
        [*STUDIO, f"--max-upload={MIB}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    yield int(server.stdout.readline().rstrip("/\n").rpartition(":")[2])
    server.terminate()
    server.wait(600)


def head(port: int, first: str, *more: str) -> bytes:
    lines = [f"{first} HTTP/1.1", f"Host: 127.0.0.1:{port}", "X-Equipoise: 1", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def asked(port: int, request: bytes, chunk: bytes = b"", times: int = 0) -> bytes:
    """The answer to a request whose body is a chunk, many times."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        with suppress(ConnectionError):  # the server may hang up on what is too much
            for _ in range(times):
                connection.sendall(chunk)
        return connection.recv(2**16)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["POST /api/folders", "PUT /api/uploads/big.csv"])
def test_a_gigabyte_fills_neither_memory_nor_disk(port: int, tmp_path: Path, first: str) -> None:
    told = asked(port, head(port, first, f"Content-Length: {2**30}"))
    untold = asked(
        port,
        head(port, first, "Transfer-Encoding: chunked"),
        b"10000\r\n" + bytes(2**16) + b"\r\n",
        2**14,
    )
    for answer in (told, untold):
        assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_a_hundred_tabs_and_uploads_that_never_end_hold_up_nobody(port: int) -> None:
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    requests = [head(port, "GET /api/live", *upgrade, key)] * 100 + [
        head(port, f"PUT /api/uploads/{number}.csv", "Content-Length: 1000") + b"a"
        for number in range(50)
    ]
    opened = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in requests]
    for connection, request in zip(opened, requests, strict=True):
        connection.sendall(request)
    assert all(c.recv(1000).startswith(b"HTTP/1.1 101") for c in opened[:100])
    answer = asked(port, head(port, "GET /api/runs", "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 200")
    for connection in opened:
        connection.close()
