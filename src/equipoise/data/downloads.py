"""Downloads: over HTTPS alone, from one mirror after another, resumed where they broke
off; what is not whole never has the file's name."""

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
from equipoise.utils.waiting import bar

SCHEME = "https"
TIMEOUT_SECONDS = 20
CHUNK = 1 << 16
NOTHING_MORE = 416  # the status of an answer to who asks for bytes behind the last


class NotDownloadedError(Exception):
    """No mirror gave the file; the message says what each did."""


def download(
    urls: Sequence[str], path: Path, is_whole: Callable[[bytes], bool], most: int
) -> bytes:
    """Put the first of `urls` that `is_whole` accepts at `path`, and return its bytes.

    What a mirror gave before it broke off stays beside it, and the next call goes on
    there. `most` is how many bytes are taken at most.

    Raises:
        NotDownloadedError: If no mirror has it, OSError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    lock = path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        if path.is_file() and is_whole(content := path.read_bytes()):  # another process was quicker
            return content
        for url in urls:
            part = path.with_name(f".{path.name}.{urlsplit(url).netloc}.part")
            try:
                whole = _from_mirror(url, part, is_whole, most)
            except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
                reasons.append(f"{urlsplit(url).netloc}: {getattr(error, 'reason', None) or error}")
                continue
            if whole is None:
                reasons.append(f"{urlsplit(url).netloc}: other bytes than were published")
                continue
            part.replace(path)
            sync_folder(path.parent)
            for left in path.parent.glob(f".{path.name}.*.part"):
                left.unlink(missing_ok=True)
            return whole
    with suppress(OSError):  # nothing is left where nothing came
        lock.unlink()
        path.parent.rmdir()
    raise NotDownloadedError("; ".join(reasons))


def _from_mirror(
    url: str, part: Path, is_whole: Callable[[bytes], bool], most: int
) -> bytes | None:
    """Fetch what `part` lacks; its bytes, or None, and no part, if they are not the
    file's. What was resumed and does not fit is fetched anew, once."""
    resumed = part.is_file() and part.stat().st_size > 0
    _fetch(url, part, most)
    content = part.read_bytes()
    if is_whole(content):
        return content
    part.unlink()
    return _from_mirror(url, part, is_whole, most) if resumed else None


def _fetch(url: str, part: Path, most: int) -> None:
    """Append to `part` what it lacks of `url`, behind a progress bar."""
    have = part.stat().st_size if part.is_file() else 0
    if urlsplit(url).scheme != SCHEME:
        raise URLError(f"{url} is not {SCHEME}")
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with _connection():
            answer = build_opener(_SafeRedirects).open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.code == NOTHING_MORE and have:
            return
        raise
    with answer:
        goes_on = answer.status == 206 and str(answer.headers.get("Content-Range")).startswith(
            f"bytes {have}-"
        )
        have = have if goes_on else 0
        told = str(answer.headers.get("Content-Length"))
        length = int(told) if told.isdecimal() else 0
        with (
            part.open("ab" if goes_on else "wb") as file,
            bar(f"Downloading {urlsplit(url).path.rpartition('/')[2]}", length or None) as done,
        ):
            written = 0
            while have + written <= most and (chunk := _received(answer)):
                file.write(chunk)
                written += len(chunk)
                done(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    if have + written > most:
        with suppress(OSError):
            part.unlink()
        raise URLError(f"more than {most:,} bytes")
    if written < length:
        raise URLError(f"broke off after {have + written:,} of {have + length:,} bytes")


def _received(answer: Any) -> bytes:
    """The next part of an answer."""
    with _connection():
        part: bytes = answer.read(CHUNK)
    return part


@contextmanager
def _connection() -> Iterator[None]:
    """Whatever fails in the while is the connection's, as TLS is, and not the disk's: a
    URLError."""
    try:
        yield
    except URLError:
        raise
    except OSError as error:
        raise URLError(error) from error


class _SafeRedirects(HTTPRedirectHandler):
    """Follows no redirection to another scheme."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != SCHEME:
            raise URLError(f"sends to {newurl}, which is not {SCHEME}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
