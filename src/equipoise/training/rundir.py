"""The run directory: config.json, the log, and where everything else is. What it holds can be read by anyone and runs nothing."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, RequestError
from equipoise.training.files import FORMAT, DamagedFileError, read_json, write_json, write_whole

RUNS = Path("runs")


class RunDirectory:
    """Paths of one run, its configuration and its log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_file = path / "config.json"
        self.log_file = path / "log.jsonl"
        self.checkpoints = path / "checkpoints"
        self.pictures = path / "samples"
        self.generator = path / "generator.safetensors"
        self.report = path / "report.json"
        self.page = path / "report.html"

    @classmethod
    def create(cls, path: Path | None, stem: str) -> RunDirectory:
        """A new directory at `path`, or at the next free name under runs/. Raises RequestError if `path` is taken."""
        candidates = [path] if path is not None else (RUNS / f"{stem}-{number}" for number in count())
        for candidate in candidates:
            if path is not None:
                cls.refuse_taken(path)
            try:
                candidate.mkdir(parents=True, exist_ok=path is not None)
            except FileExistsError:  # another training took the name
                continue
            except OSError as error:
                raise EquipoiseError(f"{candidate} could not be made: {error.strerror}") from error
            return cls(candidate)
        raise RequestError(f"out = {str(path)!r} exists: resume it, or give another directory")

    @staticmethod
    def refuse_taken(path: Path) -> None:
        """Raises RequestError if `path` is anything but an empty directory or nothing."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RequestError(f"out = {str(path)!r} exists: resume it, or give another directory")

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """The directory of a run. Raises RequestError if there is none."""
        run = cls(path)
        if not run.config_file.is_file():
            raise RequestError(f"{path} is not a run directory: it has no config.json")
        return run

    def write_config(self, config: dict[str, Any]) -> None:
        write_json(self.config_file, {"format": FORMAT, **config})

    def read_config(self) -> dict[str, Any]:
        """The configuration. Raises DamagedFileError if the file is not one."""
        config = read_json(self.config_file)
        missing = [name for name in ("recipe", "run", "data") if not isinstance(config.get(name), dict)]
        if missing:
            raise DamagedFileError(f"{self.config_file} has no {missing[0]}: it is not what was written")
        return config

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the log."""
        try:
            with self.log_file.open("a") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise EquipoiseError(f"{self.log_file} could not be written: {error.strerror}; what was saved before is whole") from error

    def read_log(self) -> list[dict[str, Any]]:
        """Every whole line of the log; a torn last one is dropped."""
        if not self.log_file.is_file():
            return []
        lines = []
        for text in self.log_file.read_text(errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                break
            if not isinstance(line, dict) or "samples_seen" not in line:
                break
            lines.append(line)
        return lines

    def cut_log(self, samples_seen: int) -> None:
        """Drop the lines past a checkpoint that the run goes back to."""
        kept = [line for line in self.read_log() if line["samples_seen"] <= samples_seen]
        write_whole(self.log_file, "".join(json.dumps(line) + "\n" for line in kept).encode())


def differences(recorded: dict[str, Any], given: dict[str, Any], changeable: tuple[str, ...]) -> list[str]:
    """The settings that were given and differ from the recorded ones, as "name: recorded -> given"."""
    return [
        f"{name}: {recorded.get(name)!r} -> {value!r}"
        for name, value in given.items()
        if name not in changeable and _plain(recorded.get(name)) != _plain(value)
    ]


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
