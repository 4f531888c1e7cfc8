"""The runs that the page shows, by name: those in the folder of runs, and those that
were named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from equipoise.errors import RequestError, clipped
from equipoise.studio.training import progress
from equipoise.studio.training.jobs import Jobs


class Runs:
    """The runs of a studio.

    Args:
        named: Run directories that were named.
        folder: Where others are looked for.
    """

    def __init__(self, named: Sequence[Path], folder: Path) -> None:
        self.named, self.folder, self.jobs = tuple(named), folder, Jobs(folder)
        self._known: dict[Path, tuple[object, dict[str, Any]]] = {}

    def paths(self) -> dict[str, Path]:
        """Run directories by name; those of trainings that are about to begin, or could
        not, among them."""
        found: dict[str, Path] = {}
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                if not path.name.startswith(".") and (path / "config.json").is_file():
                    found[path.name] = path
        for name in self.jobs.names():
            found.setdefault(name, self.folder / name)
        for path in self.named:
            self._add(found, path)
        return found

    def path(self, name: str) -> Path:
        """The directory of a run.

        Raises:
            RequestError: There is none of this name.
        """
        path = self.paths().get(name)
        if path is None:
            raise RequestError(f"no run {clipped(repr(name))}: it may have been removed")
        return path

    def brief(self) -> list[dict[str, Any]]:
        """The runs in short, the one that was last written to first."""
        listed = [self._brief(name, path) for name, path in self.paths().items()]
        return sorted(listed, key=lambda one: -one["changed"])

    @staticmethod
    def _add(found: dict[str, Path], path: Path) -> None:
        """Add a run that was named; one of the same name has a number."""
        name, number = path.resolve().name, 1
        while name in found and found[name].resolve() != path.resolve():
            number += 1
            name = f"{path.resolve().name}~{number}"
        found.setdefault(name, path)

    def _brief(self, name: str, path: Path) -> dict[str, Any]:
        state = (progress.state_of_files(path), self.jobs.is_busy(path))
        known = self._known.get(path)
        if known is None or known[0] != state:
            self._known[path] = known = (state, self._read(name, path))
        return known[1]

    def _read(self, name: str, path: Path) -> dict[str, Any]:
        found = progress.phase_of(path, self.jobs)
        status = found["status"] or {}
        kept = ("data", "recipe", "progress", "seconds_left", "samples_seen", "verdict")
        drawn = progress.pictures(path)
        job = self.jobs.job(name)
        return {
            "name": name,
            "phase": found["phase"],
            "problem": found["problem"],
            **{key: status.get(key) for key in kept},
            "data": status.get("data") or (None if job is None else Path(job.data or "").name),
            "picture": drawn[-1] if drawn else None,
            "changed": _changed(path),
        }


def _changed(path: Path) -> float:
    """Seconds since 1970 of the last change of the log, or of what there is."""
    for file in (path / "log.jsonl", path / "config.json", path):
        if file.exists():
            return file.stat().st_mtime
    return float("1e12")  # about to begin
