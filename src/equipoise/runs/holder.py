"""Who writes to a run directory: its lock file names the process while it holds the
lock, so that others can tell whether it is still there without locking anything."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from equipoise.utils.atomic_io import read_file
from equipoise.utils.system import PROC

MAX_BYTES = 1_000
STARTED = 19  # the field of /proc/PID/stat after the name: ticks from boot to start


@dataclass(frozen=True)
class Holder:
    """A process that holds, or held, a lock."""

    machine: str
    """A hash of the machine's name and, on Linux, of its last start."""
    pid: int
    started: str
    """When the process began, as Linux tells it; empty elsewhere. A number is given to
    another process later."""

    @classmethod
    def this_process(cls) -> Self:
        """The process that asks."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process of this machine that has this number now."""
        return cls(_machine(), pid, _started(pid))

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """The process that a lock file names; None where nobody has the lock, or that
        is not known."""
        try:
            stored = json.loads(read_file(file, MAX_BYTES))
            holder = cls(**stored)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return holder if type(holder.pid) is int and holder.pid > 0 else None

    def write(self, file: Path) -> None:
        """Name this process in a lock file that is there. Where that fails others
        cannot tell, and nothing else is lost."""
        _replace(file, json.dumps(asdict(self)))

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.machine == _machine()

    @property
    def is_alive(self) -> bool:
        """Whether a process of this machine is still there."""
        try:
            os.kill(self.pid, 0)  # which sends nothing
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:  # another user's
            pass
        return self.started == _started(self.pid)


def clear(file: Path) -> None:
    """Name nobody in a lock file."""
    _replace(file, "")


def _replace(file: Path, text: str) -> None:
    """Write a lock file, unless it holds what `filelock` itself needs, as it does where
    the disk has no locks."""
    with suppress(OSError):
        if file.stat().st_size == 0 or Holder.read(file) is not None:
            with file.open("r+") as opened:
                opened.truncate()
                opened.write(text)


def _machine() -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = ""
    return hashlib.sha256(f"{platform.node()} {boot}".encode()).hexdigest()[:16]


def _started(pid: int) -> str:
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[STARTED] if len(fields) > STARTED else ""
