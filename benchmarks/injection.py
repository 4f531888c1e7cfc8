"""Faults on purpose: the n-th thing that a program does to its files fails, or is the
last that it does."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

# What goes wrong: an error of the system's, half of what is written and then an error,
# the directory gone, or the process killed.
FAULTS = ("ENOSPC", "EIO", "EROFS", "short write", "vanished", "killed", "killed half-way")


class Faults:
    """Counts what is done to files below `folder`: opening to write, writing, forcing
    to disk, renaming. From operation `at` on, `lasting` of them go wrong; nothing does
    where `at` is None."""

    def __init__(
        self, folder: Path, fault: str = "", at: int | None = None, lasting: int = 1
    ) -> None:
        self.folder, self.fault, self.at, self.lasting = folder, fault, at, lasting
        self.done = 0

    def strike(self, half: Callable[[], object] = lambda: None) -> None:
        """Count one operation, and let it go wrong if it is its turn.

        `half` does a part of it.
        """
        turn = self.done
        self.done += 1
        if self.at is None or not self.at <= turn < self.at + self.lasting:
            return
        if self.fault == "vanished":
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        if self.fault in ("short write", "killed half-way"):
            half()
        if self.fault.startswith("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        number = errno.ENOSPC if self.fault == "short write" else getattr(errno, self.fault)
        raise OSError(number, os.strerror(number))

    def concerns(self, path: Any) -> bool:
        return Path(os.path.abspath(path)).is_relative_to(self.folder)


class _File:
    """A file whose writes count."""

    def __init__(self, file: IO[Any], faults: Faults) -> None:
        self._file, self._faults = file, faults

    def write(self, content: Any) -> int:
        def half() -> None:
            self._file.write(content[: len(content) // 2])
            self._file.flush()

        self._faults.strike(half)
        return self._file.write(content)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def injected(faults: Faults) -> Iterator[Faults]:
    """Until the block ends, operations on files below the folder are counted, and fail
    in their turn."""
    opened, replace, fsync = Path.open, os.replace, os.fsync

    def open_counted(path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        if mode[0] not in "wa" or not faults.concerns(path):
            return opened(path, mode, *given, **named)
        faults.strike()
        return _File(opened(path, mode, *given, **named), faults)

    def replace_counted(source: Any, target: Any) -> None:
        if faults.concerns(target):
            faults.strike()
        replace(source, target)

    def fsync_counted(descriptor: int) -> None:
        if faults.concerns(os.readlink(f"/proc/self/fd/{descriptor}")):
            faults.strike()
        fsync(descriptor)

    with (
        patch.object(Path, "open", open_counted),
        patch.object(os, "replace", replace_counted),
        patch.object(os, "fsync", fsync_counted),
    ):
        yield faults
