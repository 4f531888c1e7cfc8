"""Keeping: what a training writes into its directory while it runs.

That a disk is full, or gone, for a while ends no training of hours.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import load_into, save_generator
from equipoise.sampling.sampler import Sampler


class RunWriter:
    """Writes to a run directory; without one, in memory, it does nothing.

    The user is warned once of what cannot be written. The next save makes up for it.
    """

    def __init__(self, directory: RunDirectory | None, warn: Callable[[str], None]) -> None:
        self.directory, self.warn = directory, warn
        self.failed = ""
        """Why something is not in the directory that should be; empty where all is."""

    def log(self, line: dict[str, Any]) -> None:
        directory = self.directory
        if directory is not None and not self.failed:  # else the next save writes all lines
            self.attempt(lambda: directory.log(line))

    def save(
        self,
        write_checkpoint: Callable[[Path], object],
        sampler: Sampler,
        config: Callable[[], dict[str, Any]],
        log: list[dict[str, Any]],
    ) -> None:
        """The state, which is written into a folder, and the generator, with all else
        that the directory lacks."""
        directory = self.directory
        if directory is None:
            return
        if self.attempt(lambda: self._save(directory, write_checkpoint, sampler, config(), log)):
            self.failed = ""

    def _save(
        self,
        directory: RunDirectory,
        write_checkpoint: Callable[[Path], object],
        sampler: Sampler,
        config: dict[str, Any],
        log: list[dict[str, Any]],
    ) -> None:
        directory.renew_lock()
        if self.failed or not (
            directory.config_file.is_file() and directory.log_file.is_file()
        ):  # or the whole directory is gone
            directory.write_config(config)
            directory.write_log(log)
        else:
            directory.sync_log()
        write_checkpoint(directory.checkpoints)
        save_generator(sampler, directory.generator)
        if not directory.config_file.is_file():  # the next save makes it all again
            raise EquipoiseError(f"{directory.path} has vanished")

    def restore(self, sampler: Sampler) -> bool:
        """Give a sampler the generator that is kept. False where none is, or it is not
        whole."""
        if self.directory is None:
            return False
        try:
            load_into(sampler, self.directory.generator)
        except EquipoiseError:
            return False
        return True

    def is_missing(self) -> bool:
        """Whether the directory is gone, or another has its name, with images that were
        drawn since; False where that cannot be seen."""
        try:
            return self.directory is not None and not self.directory.config_file.is_file()
        except OSError:
            return False

    @property
    def _path(self) -> str:
        return "" if self.directory is None else str(self.directory.path)

    def attempt(self, write: Callable[[], object]) -> bool:
        """Write, and say whether that could be."""
        try:
            write()
        except (EquipoiseError, OSError) as error:  # the latter of a look at the disk
            told = (
                str(error)
                if isinstance(error, EquipoiseError)
                else f"{self._path} cannot be read: {error.strerror or error}"
            )
            if not self.failed:
                self.warn(f"{told}; training goes on, and the next save tries again")
            self.failed = told
            return False
        return True

    def image(self, draw: Callable[[Path], object], name: str) -> Path | None:
        """An image of this moment's samples. Returns
        its path; None where it could not be written."""
        if self.directory is None:
            return None
        path = self.directory.images / f"{name}.png"
        return path if self.attempt(lambda: draw(path)) else None
