"""Against a server on this machine that breaks off, lies and sends elsewhere."""

from __future__ import annotations

import errno
import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.data import downloads
from equipoise.data.downloads import NotDownloadedError, download

CONTENT = np.random.default_rng(0).bytes(300_000)
MOST = 1_000_000


@dataclass
class Mirror:
    """What a server does, and the ranges that it was asked for."""

    content: bytes = CONTENT
    breaks_off_after: int | None = None
    heeds_ranges: bool = True
    sends_to: str = ""
    length: str = ""
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    mirror: Mirror

    def do_GET(self) -> None:
        mirror, wanted = self.mirror, self.headers.get("Range")
        mirror.asked.append(wanted)
        if mirror.sends_to or mirror.status != 200:
            self.send_response(302 if mirror.sends_to else mirror.status)
            self.send_header("Location", mirror.sends_to)
            self.end_headers()
            return
        start = (
            int(wanted.removeprefix("bytes=").removesuffix("-"))
            if wanted and mirror.heeds_ranges
            else 0
        )
        if start >= len(mirror.content):
            self.send_response(416)
            self.end_headers()
            return
        body = mirror.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", mirror.length or str(len(body)))
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(mirror.content) - 1}/{len(mirror.content)}"
            )
        self.end_headers()
        self.wfile.write(
            body if mirror.breaks_off_after is None else body[: mirror.breaks_off_after]
        )

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Mirror]]:
    """Two servers, which speak HTTP: a test has no certificate."""
    monkeypatch.setattr(downloads, "SCHEME", "http")
    found, servers = [Mirror(), Mirror()], []
    for mirror in found:
        servers.append(
            ThreadingHTTPServer(("127.0.0.1", 0), type("Its", (Handler,), {"mirror": mirror}))
        )
        mirror.url = f"http://127.0.0.1:{servers[-1].server_port}/file.gz"
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
    yield found
    for server in servers:
        server.shutdown()
        server.server_close()


def fetched(mirrors: list[Mirror], path: Path, most: int = MOST) -> bytes:
    digest = hashlib.sha256(CONTENT).digest()
    return download(
        [mirror.url for mirror in mirrors],
        path,
        lambda raw: hashlib.sha256(raw).digest() == digest,
        most,
    )


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def test_a_file_that_is_whole_is_kept_and_nothing_else(
    mirrors: list[Mirror], tmp_path: Path
) -> None:
    assert fetched(mirrors, tmp_path / "new" / "file.gz") == CONTENT
    assert (tmp_path / "new" / "file.gz").read_bytes() == CONTENT
    assert parts(tmp_path / "new") == []
    assert mirrors[1].asked == []


def test_what_breaks_off_is_not_taken_for_whole_and_is_resumed_where_it_broke_off(
    mirrors: list[Mirror], tmp_path: Path
) -> None:
    path, first = tmp_path / "file.gz", mirrors[0]
    first.breaks_off_after = 100_000
    with pytest.raises(NotDownloadedError, match=r"stopped after 100,000 of 300,000 bytes"):
        fetched([first], path)
    assert not path.exists()
    assert [part.stat().st_size for part in parts(tmp_path)] == [100_000]
    first.breaks_off_after = None
    assert fetched([first], path) == CONTENT
    assert first.asked == [None, "bytes=100000-"]


def test_a_mirror_that_breaks_off_gives_way_to_the_next(
    mirrors: list[Mirror], tmp_path: Path
) -> None:
    mirrors[0].breaks_off_after = 1_000
    assert fetched(mirrors, tmp_path / "file.gz") == CONTENT
    assert mirrors[1].asked == [None]
    assert parts(tmp_path) == []


@pytest.mark.parametrize("length", ["abc", "-5", "1e9", "\u0665"])
def test_an_invalid_content_length_is_ignored(
    length: str, mirrors: list[Mirror], tmp_path: Path
) -> None:
    mirrors[0].length = length
    assert fetched(mirrors, tmp_path / "file.gz") == CONTENT


@pytest.mark.parametrize(
    "error", [ssl.SSLError("bad record"), OSError(errno.EHOSTUNREACH, "No route to host")]
)
def test_a_connection_that_fails_in_any_way_gives_way_to_the_next_mirror(
    error: OSError, mirrors: list[Mirror], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, times = HTTPResponse.read, iter(range(10))

    def fail_once(answer: HTTPResponse, most: int | None = None) -> bytes:
        if next(times) == 0:
            raise error
        return received(answer, most)

    monkeypatch.setattr(HTTPResponse, "read", fail_once)
    assert fetched(mirrors, tmp_path / "file.gz") == CONTENT
    assert mirrors[1].asked == [None]


def test_a_mirror_that_knows_no_ranges_sends_all_again(
    mirrors: list[Mirror], tmp_path: Path
) -> None:
    mirrors[0].breaks_off_after, mirrors[0].heeds_ranges = 1_000, False
    with pytest.raises(NotDownloadedError):
        fetched(mirrors[:1], tmp_path / "file.gz")
    mirrors[0].breaks_off_after = None
    assert fetched(mirrors[:1], tmp_path / "file.gz") == CONTENT


@pytest.mark.parametrize("length", [1_000, len(CONTENT), len(CONTENT) + 5])
def test_a_part_of_other_bytes_is_fetched_anew(
    length: int, mirrors: list[Mirror], tmp_path: Path
) -> None:
    (tmp_path / f".file.gz.{mirrors[0].url.split('/')[2]}.part").write_bytes(bytes(length))
    assert fetched(mirrors[:1], tmp_path / "file.gz") == CONTENT
    assert mirrors[0].asked == [f"bytes={length}-", None]


def test_other_bytes_are_passed_over_and_never_kept(mirrors: list[Mirror], tmp_path: Path) -> None:
    mirrors[0].content = CONTENT[:-1] + b"?"
    assert fetched(mirrors, tmp_path / "file.gz") == CONTENT
    mirrors[1].content = b"?"
    with pytest.raises(
        NotDownloadedError,
        match=r"its content is not what was published.*its content is not what was published",
    ):
        fetched(mirrors, tmp_path / "other.gz")
    assert not (tmp_path / "other.gz").exists()


def test_no_more_than_the_most_is_taken(mirrors: list[Mirror], tmp_path: Path) -> None:
    with pytest.raises(NotDownloadedError, match="more than 200,000 bytes"):
        fetched(mirrors[:1], tmp_path / "file.gz", most=200_000)
    assert parts(tmp_path) == []


@pytest.mark.parametrize(
    "place", ["ftp://127.0.0.1/file.gz", "file:///etc/passwd", "https://127.0.0.1/file.gz"]
)
def test_a_redirection_to_another_scheme_is_not_followed(
    place: str, mirrors: list[Mirror], tmp_path: Path
) -> None:
    mirrors[0].sends_to = place
    with pytest.raises(
        NotDownloadedError, match=f"redirects to {place}, which is not http|{place}' is not allowed"
    ):
        fetched(mirrors[:1], tmp_path / "file.gz")


def test_an_address_that_is_not_https_is_refused_before_anything_is_sent(
    mirrors: list[Mirror], tmp_path: Path
) -> None:
    downloads.SCHEME = "https"  # put back by the fixture's monkeypatch
    with pytest.raises(NotDownloadedError, match="is not https"):
        fetched(mirrors, tmp_path / "file.gz")
    assert mirrors[0].asked == []


def test_a_mirror_that_has_it_not_is_named(mirrors: list[Mirror], tmp_path: Path) -> None:
    mirrors[0].status = 404
    with pytest.raises(NotDownloadedError, match=r"127\.0\.0\.1:\d+: Not Found"):
        fetched(mirrors[:1], tmp_path / "file.gz")


def test_a_refused_connection_is_reported_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SCHEME", "http")
    with socket.socket() as bound:  # to a port of its own, on which it does not listen
        bound.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{bound.getsockname()[1]}/file.gz"
        with pytest.raises(NotDownloadedError, match="Connection refused"):
            download([place], tmp_path / "file.gz", lambda _: True, MOST)
    assert not (tmp_path / "file.gz").exists()
