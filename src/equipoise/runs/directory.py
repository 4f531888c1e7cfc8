"""The run directory: config.json, the log, and where everything else is.

What it holds can be read by anyone and runs nothing.

One training at a time writes to it, which holds its lock; anyone may read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from equipoise.errors import EquipoiseError, RequestError, printable
from equipoise.runs.holder import Holder, clear
from equipoise.runs.serialization import (
    DamagedFileError,
    checked_line,
    read_checked_line,
)
from equipoise.utils.atomic_io import read_file, temporary_files, write_atomic

if TYPE_CHECKING:
    from equipoise.data.images.listing import LeftOut
    from equipoise.runs.config import RunConfig

RUNS = Path("runs")
LOCK = ".lock"
MAX_LOG_BYTES = 2**28  # bytes
MAX_NUMBER = 1e300
NAMED, WORDS = (
    {"metrics", "baselines"},
    {"recovered", "trouble", "diverged"},
)  # of a line of the log: numbers by name, and text


class RunDirectory:
    """Paths of one run, its configuration and its log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_file: Path = path / "config.json"
        self.log_file: Path = path / "log.jsonl"
        self.checkpoints: Path = path / "checkpoints"
        self.images: Path = path / "samples"
        self.left_out_file: Path = path / "left_out.txt"
        self.generator: Path = path / "generator.safetensors"
        self.report: Path = path / "report.json"
        self.page: Path = path / "report.html"
        self._lock = FileLock(
            path / LOCK, timeout=0, thread_local=False
        )  # the system takes it from a process that has died
        self._held: tuple[int, int] | None = (
            None  # the device and the number of the file that is locked
        )

    @classmethod
    def create(cls, path: Path | None, stem: str) -> RunDirectory:
        """A new directory at `path`, or at the next free name under runs/, locked.

        Raises:
            RequestError: If `path` is taken.
        """
        candidates = (
            [path] if path is not None else (RUNS / f"{stem}-{number}" for number in count())
        )
        for candidate in candidates:
            if path is not None:
                cls.check_free(path)
            try:
                candidate.mkdir(parents=True, exist_ok=path is not None)
            except FileExistsError:  # another training took the name
                if not candidate.parent.is_dir():
                    raise RequestError(
                        f"{candidate} could not be created: its path has a broken link; "
                        "correct the link, or give another directory as out"
                    ) from None
                continue
            except OSError as error:
                raise EquipoiseError(
                    f"{candidate} could not be created: {error.strerror}"
                ) from error
            run = cls(candidate)
            run.lock()
            try:
                cls.check_free(candidate)  # by one who had the lock a moment ago
            except RequestError:
                run.unlock()
                raise
            return run
        raise RequestError(f"out = {str(path)!r} exists: resume it, or give another directory")

    @staticmethod
    def check_free(path: Path) -> None:
        """Raises:
        RequestError: If `path` is anything but nothing or a directory that is
            empty, but for what a start that was killed left."""
        if path.exists() and (
            not path.is_dir() or {*path.iterdir()} - {path / LOCK, *temporary_files(path)}
        ):
            raise RequestError(f"out = {str(path)!r} exists: resume it, or give another directory")

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """The directory of a run.

        Raises:
            RequestError: If there is none.
        """
        run = cls(path)
        if not run.config_file.is_file():
            raise RequestError(f"{path} is not a run directory: it has no config.json")
        for folder in (run.checkpoints, run.images):  # where files would be written, and removed
            if folder.is_symlink():
                raise RequestError(
                    f"{folder} is a link to another folder: replace it by the folder itself, "
                    "or link to the whole run"
                )
        return run

    def reset(self, config: RunConfig) -> None:
        """The config and an empty log, of a run without a checkpoint.

        Raises:
            EquipoiseError: If it has a generator, which was saved after a checkpoint
                and is not trained over.
        """
        if self.generator.is_file():
            raise EquipoiseError(
                f"{self.path} cannot be resumed: it has a generator and no checkpoint; put "
                "its checkpoints back, or train anew into "
                "another directory"
            )
        self.write_config(config)
        self.write_log([])

    def write_config(self, config: RunConfig) -> None:
        config.write(self.config_file)

    def write_left_out(self, left_out: Sequence[LeftOut]) -> None:
        """List the files of a folder that no image was taken from, a line each: the
        path, a tab and why."""
        lines = [f"{printable(one.name)}\t{printable(str(one))}\n" for one in left_out]
        write_atomic(self.left_out_file, "".join(lines).encode())

    def read_config(self) -> RunConfig:
        """The run's configuration. Raises as `RunConfig.read`."""
        from equipoise.runs.config import RunConfig

        return RunConfig.read(self.config_file)

    def lock(self) -> None:
        """Be the one that writes here.

        Raises RequestError while another training is.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise RequestError(
                f"another training is writing to {self.path}: wait for its end, or give "
                "another directory"
            ) from None
        except (OSError, NotImplementedError) as error:  # the latter on disks without locks
            raise EquipoiseError(
                f"{self.path / LOCK} could not be locked: "
                f"{getattr(error, 'strerror', None) or error}"
            ) from error
        self._held = self._read_lock_id()
        Holder.this_process().write(self.path / LOCK)

    def renew_lock(self) -> None:
        """Be still the one that writes here: a directory that was removed and made
        again has another lock. Raises as `lock` does."""
        if self._held is not None and self._read_lock_id() != self._held:
            self._lock.release()
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock()

    def _read_lock_id(self) -> tuple[int, int] | None:
        try:
            about = (self.path / LOCK).stat()
        except FileNotFoundError:
            return None
        return about.st_dev, about.st_ino

    def unlock(self) -> None:
        if self._lock.is_locked and self._read_lock_id() == self._held:
            clear(self.path / LOCK)
        self._lock.release()

    def discard(self) -> None:
        """Unlock a run that could not begin, and remove it if nothing is in it."""
        with suppress(OSError):
            (self.path / LOCK).unlink()
            self.path.rmdir()
        self.unlock()

    def remove_temporary_files(self) -> None:
        """Remove what a process that was killed has left half-written.

        The lock must be held.
        """
        for left in [*temporary_files(self.path), *temporary_files(self.images)]:
            with suppress(OSError):
                left.unlink()

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the log."""
        self._append(lambda file: file.write(checked_line(line)))

    def sync_log(self) -> None:
        """Force the log to disk, so that it says what came before the checkpoint that
        is written next."""
        self._append(lambda file: os.fsync(file.fileno()))

    def _append(self, work: Callable[[IO[str]], object]) -> None:
        try:
            with self.log_file.open("a") as file:
                work(file)
        except OSError as error:
            raise EquipoiseError(
                f"{self.log_file} could not be written: {error.strerror}; what was saved "
                "before is whole"
            ) from error

    def write_log(self, lines: Sequence[dict[str, Any]]) -> None:
        """Write the log anew."""
        write_atomic(self.log_file, "".join(map(checked_line, lines)).encode())

    def read_log(self, warn: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
        """Every line of the log that is as it was written; `warn` is told of damaged
        ones. A last one that is not ended yet is none."""
        try:
            text = read_file(self.log_file, MAX_LOG_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DamagedFileError(
                f"{self.log_file} could not be read: {error.strerror or error}"
            ) from error
        written = text.split("\n")[:-1]
        lines = [line for line in map(_read_line, written) if line is not None]
        if len(lines) < len(written):
            warn(
                f"{self.log_file} is damaged: {len(written) - len(lines)} of {len(written)} "
                "lines are ignored"
            )
        return lines


def _read_line(text: str) -> dict[str, Any] | None:
    """A line of the log, with NaN for numbers that are null; None where it is damaged,
    or holds what lines do not hold."""
    line = read_checked_line(text)
    if line is None or not _is_valid(line):
        return None
    for part in (line, *(line[name] for name in line.keys() & NAMED)):
        part.update({name: math.nan for name, value in part.items() if value is None})
    return line


def _is_valid(line: dict[str, Any]) -> bool:
    """Whether a line holds what lines hold: samples seen, seconds, and readings that
    are numbers or null, alone or by name, or words."""

    def number(value: Any) -> bool:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return plain and abs(value) <= MAX_NUMBER

    def reading(value: Any) -> bool:
        return value is None or number(value)

    moment = (
        number(line.get("samples_seen"))
        and isinstance(line["samples_seen"], int)
        and number(line.get("seconds"))
    )
    named = all(
        isinstance(line[name], dict) and all(map(reading, line[name].values()))
        for name in line.keys() & NAMED
    )
    words = all(isinstance(line[name], str) for name in line.keys() & WORDS)
    return (
        moment
        and named
        and words
        and all(reading(line[name]) for name in line.keys() - NAMED - WORDS)
    )
