"""The run directory: its paths, config.json, log and lock.

Reading its files executes no code. One training at a time writes to it, and holds its
lock; any number of processes may read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from equipoise.coerce import checked
from equipoise.data.distributions import distribution_settings
from equipoise.data.factory import distribution_of
from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.recipes import MissingRecipeError
from equipoise.recipes._building import recipe_from
from equipoise.runs import provenance
from equipoise.runs.serialization import (
    FORMAT,
    DamagedFileError,
    checked_line,
    read_checked_line,
    read_json,
    write_json,
)
from equipoise.runs.settings import Precision, RunSettings, resumed
from equipoise.utils.atomic_io import read_file, temporary_files, write_atomic

RUNS = Path("runs")
LOCK = ".lock"
MAX_LOG_BYTES = 2**28
# Maximum absolute value of a number in the log.
MAX_NUMBER = 1e300
# Entries of a line of the log that are numbers by name, and those that are text.
NUMBER_MAPS = {"metrics", "floors"}
TEXT_KEYS = {"recovered", "trouble", "diverged"}
DATA: dict[str, Any] = {
    "name": str,
    "origin": str | None,
    "fingerprint": str,
    "limits": tuple[float, float] | None,
    "labels_in_python": bool | None,  # older runs do not say
}
MACHINE: dict[str, Any] = {"device": str, "threads": int, "precision": Precision, "compiled": bool}


class RunDirectory:
    """Paths of one run, its configuration and its log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_file = path / "config.json"
        self.log_file = path / "log.jsonl"
        self.checkpoints = path / "checkpoints"
        self.images = path / "samples"
        self.generator = path / "generator.safetensors"
        self.report = path / "report.json"
        self.page = path / "report.html"
        # The operating system releases it when the process ends.
        self._lock = FileLock(path / LOCK, timeout=0, thread_local=False)
        # Device and inode of the locked file.
        self._lock_id: tuple[int, int] | None = None

    @classmethod
    def create(cls, path: Path | None, stem: str) -> RunDirectory:
        """Create and lock a directory at `path`, or at the next free name under runs/.

        Args:
            path: The directory; None for the next free name.
            stem: The name under runs/, without its number.

        Raises:
            RequestError: `path` exists.
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
                cls.check_free(candidate)  # another training may just have written here
            except RequestError:
                run.unlock()
                raise
            return run
        raise RequestError(f"out = {str(path)!r} exists: resume it, or give another directory")

    @staticmethod
    def check_free(path: Path) -> None:
        """Check that a run can be written to `path`.

        The path may not exist, or be a directory that is empty except for the lock and
        temporary files of a killed start.

        Raises:
            RequestError: If not.
        """
        if path.exists() and (
            not path.is_dir() or {*path.iterdir()} - {path / LOCK, *temporary_files(path)}
        ):
            raise RequestError(f"out = {str(path)!r} exists: resume it, or give another directory")

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """Open the directory of a run.

        Raises:
            RequestError: `path` is not a run directory.
        """
        run = cls(path)
        if not run.config_file.is_file():
            raise RequestError(f"{path} is not a run directory: it has no config.json")
        for folder in (run.checkpoints, run.images):  # files in it are written and removed
            if folder.is_symlink():
                raise RequestError(
                    f"{folder} is a link to another folder: replace it by the folder itself, "
                    "or link to the whole run"
                )
        return run

    def reset(self, config: dict[str, Any]) -> None:
        """Write the config and an empty log, for a run without a checkpoint.

        Raises:
            EquipoiseError: There is a generator. It was saved after a checkpoint, which
                is missing, and is not overwritten.
        """
        if self.generator.is_file():
            raise EquipoiseError(
                f"{self.path} cannot be resumed: it has a generator and no checkpoint; put "
                "its checkpoints back, or start a new run in another directory"
            )
        self.write_config(config)
        self.write_log([])

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.json."""
        write_json(self.config_file, {"format": FORMAT, **config})

    def read_config(self) -> dict[str, Any]:
        """Read config.json, with defaults for missing entries.

        Raises:
            DamagedFileError: The file is damaged or invalid.
        """
        config = read_json(self.config_file)
        missing = [
            name for name in ("recipe", "run", "data") if not isinstance(config.get(name), dict)
        ]
        if missing:
            raise DamagedFileError(
                f"{self.config_file} has no {missing[0]}: it is not what was written"
            )
        try:
            recipe = recipe_from(config["recipe"])
            config["run"] = asdict(resumed(config["run"], {}))
            config["requested"] = provenance.requested(config.get("requested"), type(recipe))
            config["init_from"] = provenance.init_from(config.get("init_from"))
            for name, hint in DATA.items():
                config["data"][name] = checked(name, config["data"].get(name), hint)
            distribution = distribution_of(config["data"])
            if distribution is not None:
                config["data"]["distribution"] = distribution_settings(distribution)
            machine = {
                name: checked(name, config["machine"].get(name), hint)
                for name, hint in MACHINE.items()
            }
            RunSettings(threads=max(machine["threads"], 1))
        except MissingRecipeError:
            raise provenance.missing_recipe(self.path, config["recipe"]["name"]) from None
        except (RequestError, KeyError, AttributeError) as error:
            raise DamagedFileError(
                f"{self.config_file} is not what was written: {first_line(error)}"
            ) from None
        return config

    def lock(self) -> None:
        """Lock the directory for writing.

        Raises:
            RequestError: Another training writes to it.
            EquipoiseError: It cannot be locked.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise RequestError(
                f"another training is writing to {self.path}: wait for its end, or give "
                "another directory"
            ) from None
        except (OSError, NotImplementedError) as error:  # the latter: no locks on this system
            raise EquipoiseError(
                f"{self.path / LOCK} could not be locked: "
                f"{getattr(error, 'strerror', None) or error}"
            ) from error
        self._lock_id = self._read_lock_id()

    def renew_lock(self) -> None:
        """Lock the directory again if its lock file was removed or replaced.

        Raises:
            RequestError, EquipoiseError: As `lock`.
        """
        if self._lock_id is not None and self._read_lock_id() != self._lock_id:
            self._lock.release()
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock()

    def _read_lock_id(self) -> tuple[int, int] | None:
        try:
            status = (self.path / LOCK).stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def unlock(self) -> None:
        """Release the lock."""
        self._lock.release()

    def discard(self) -> None:
        """Unlock a run that could not start, and remove its directory if it is
        empty."""
        with suppress(OSError):
            (self.path / LOCK).unlink()
            self.path.rmdir()
        self.unlock()

    def remove_temporary_files(self) -> None:
        """Remove the temporary files of a killed process. The lock must be held."""
        for file in [*temporary_files(self.path), *temporary_files(self.images)]:
            with suppress(OSError):
                file.unlink()

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the log."""
        self._append(lambda file: file.write(checked_line(line)))

    def sync_log(self) -> None:
        """Force the log to disk, so that it is never older than the next checkpoint."""
        self._append(lambda file: os.fsync(file.fileno()))

    def _append(self, work: Callable[[IO[str]], object]) -> None:
        try:
            with self.log_file.open("a") as file:
                work(file)
        except OSError as error:
            raise EquipoiseError(
                f"{self.log_file} could not be written: {error.strerror}; earlier saves are intact"
            ) from error

    def write_log(self, lines: Sequence[dict[str, Any]]) -> None:
        """Replace the log."""
        write_atomic(self.log_file, "".join(map(checked_line, lines)).encode())

    def read_log(self, warn: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
        """Read the undamaged lines of the log. A last line without an end is ignored.

        Args:
            warn: Called with a message if lines are damaged.
        """
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
    """A line of the log, with NaN for null; None if it is damaged or invalid."""
    line = read_checked_line(text)
    if line is None or not _is_valid(line):
        return None
    for part in (line, *(line[name] for name in line.keys() & NUMBER_MAPS)):
        part.update({name: math.nan for name, value in part.items() if value is None})
    return line


def _is_valid(line: dict[str, Any]) -> bool:
    """Whether a line has samples seen and seconds, and all other entries are numbers,
    null, numbers by name or text, according to their names."""

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
        for name in line.keys() & NUMBER_MAPS
    )
    words = all(isinstance(line[name], str) for name in line.keys() & TEXT_KEYS)
    return (
        moment
        and named
        and words
        and all(reading(line[name]) for name in line.keys() - NUMBER_MAPS - TEXT_KEYS)
    )


def differences(
    recorded: dict[str, Any], given: dict[str, Any], changeable: tuple[str, ...]
) -> list[str]:
    """The given settings that differ from the recorded ones, as "name: recorded ->
    given", except the changeable ones."""
    return [
        f"{name}: {recorded.get(name)!r} -> {value!r}"
        for name, value in given.items()
        if name not in changeable and _plain(recorded.get(name)) != _plain(value)
    ]


def _plain(value: Any) -> Any:
    """A value as it is read back from JSON."""
    return list(value) if isinstance(value, tuple) else value
