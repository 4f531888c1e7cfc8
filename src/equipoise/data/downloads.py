"""Downloads over HTTPS, from one mirror after another, resumed where they stopped. A
file gets its name only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from filelock import FileLock

from equipoise.utils.atomic_io import sync_folder
from equipoise.utils.progress_bar import bar

SCHEME = "https"
TIMEOUT_SECONDS = 20
READ_BYTES = 1 << 16
RANGE_NOT_SATISFIABLE = 416  # HTTP status: the file has no more bytes than we have


class NotDownloadedError(Exception):
    """No mirror gave the file. The message says why, for each."""


def download(
    urls: Sequence[str], path: Path, is_whole: Callable[[bytes], bool], max_bytes: int
) -> bytes:
    """Download a file to `path`, and return its bytes.

    What a mirror sent before it stopped stays beside `path`, and the next call
    continues there.

    Args:
        urls: The mirrors, in the order in which they are tried.
        path: Where the file is put.
        is_whole: Whether bytes are those of the file.
        max_bytes: The most bytes to take from a mirror.

    Raises:
        NotDownloadedError: If no mirror has it.
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    lock = path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        if path.is_file() and is_whole(content := path.read_bytes()):  # another process did it
            return content
        for url in urls:
            part = path.with_name(f".{path.name}.{urlsplit(url).netloc}.part")
            try:
                whole = _from_mirror(url, part, is_whole, max_bytes)
            except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
                reasons.append(f"{urlsplit(url).netloc}: {getattr(error, 'reason', None) or error}")
                continue
            if whole is None:
                reasons.append(f"{urlsplit(url).netloc}: its content is not what was published")
                continue
            part.replace(path)
            sync_folder(path.parent)
            for left in path.parent.glob(f".{path.name}.*.part"):
                left.unlink(missing_ok=True)
            return whole
    with suppress(OSError):  # leave no empty folder
        lock.unlink()
        path.parent.rmdir()
    raise NotDownloadedError("; ".join(reasons))


def _from_mirror(
    url: str, part: Path, is_whole: Callable[[bytes], bool], max_bytes: int
) -> bytes | None:
    """Download what `part` lacks. Returns its bytes, or None, and deletes it, if they
    are not the file's. A resumed download that does not fit is repeated from the
    start."""
    resumed = part.is_file() and part.stat().st_size > 0
    _fetch(url, part, max_bytes)
    content = part.read_bytes()
    if is_whole(content):
        return content
    part.unlink()
    return _from_mirror(url, part, is_whole, max_bytes) if resumed else None


def _fetch(url: str, part: Path, max_bytes: int) -> None:
    """Append to `part` what it lacks of `url`, with a progress bar."""
    have = part.stat().st_size if part.is_file() else 0
    if urlsplit(url).scheme != SCHEME:
        raise URLError(f"{url} is not {SCHEME}")
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with _connection():
            answer = build_opener(_SafeRedirects).open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.code == RANGE_NOT_SATISFIABLE and have:
            return
        raise
    with answer:
        goes_on = answer.status == 206 and str(answer.headers.get("Content-Range")).startswith(
            f"bytes {have}-"
        )
        have = have if goes_on else 0
        stated = str(answer.headers.get("Content-Length"))
        length = int(stated) if stated.isdecimal() else 0
        with (
            part.open("ab" if goes_on else "wb") as file,
            bar(f"Downloading {urlsplit(url).path.rpartition('/')[2]}", length or None) as done,
        ):
            written = 0
            while have + written <= max_bytes and (chunk := _received(answer)):
                file.write(chunk)
                written += len(chunk)
                done(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    if have + written > max_bytes:
        with suppress(OSError):
            part.unlink()
        raise URLError(f"more than {max_bytes:,} bytes")
    if written < length:
        raise URLError(f"stopped after {have + written:,} of {have + length:,} bytes")


def _received(answer: Any) -> bytes:
    """The next bytes of a response."""
    with _connection():
        part: bytes = answer.read(READ_BYTES)
    return part


@contextmanager
def _connection() -> Iterator[None]:
    """Turns errors of the connection, TLS included, into URLError, so that they differ
    from errors of the disk."""
    try:
        yield
    except URLError:
        raise
    except OSError as error:
        raise URLError(error) from error


class _SafeRedirects(HTTPRedirectHandler):
    """Refuses redirects to another scheme."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != SCHEME:
            raise URLError(f"redirects to {newurl}, which is not {SCHEME}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
