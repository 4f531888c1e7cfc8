"""Writes a training's files to its run directory.

A disk that is full or unavailable for a while does not end the training.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import load_into, save_generator
from equipoise.sampling.sampler import Sampler


class RunWriter:
    """Writes to a run directory, or does nothing without one.

    After a failed write the user is warned once, and the next save writes everything.

    Args:
        directory: The run directory; None for a run in memory.
        warn: Called with each warning, one line.
    """

    def __init__(self, directory: RunDirectory | None, warn: Callable[[str], None]) -> None:
        self.directory: RunDirectory | None = directory
        self.warn = warn
        self.failed: str = ""
        """The error of the last failed write; empty if everything is written."""

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to the log."""
        directory = self.directory
        # After a failure the next save writes all lines.
        if directory is not None and not self.failed:
            self.attempt(lambda: directory.log(line))

    def save(
        self,
        write_checkpoint: Callable[[Path], object],
        sampler: Sampler,
        config: RunConfig,
        log: list[dict[str, Any]],
    ) -> None:
        """Save the state and the generator, and whatever a failed write left out.

        Args:
            write_checkpoint: Writes the state to the folder that it is given.
            sampler: The generator.
            config: Returns the content of config.json.
            log: All lines of the log.
        """
        directory = self.directory
        if directory is None:
            return
        if self.attempt(lambda: self._save(directory, write_checkpoint, sampler, config, log)):
            self.failed = ""

    def _save(
        self,
        directory: RunDirectory,
        write_checkpoint: Callable[[Path], object],
        sampler: Sampler,
        config: RunConfig,
        log: list[dict[str, Any]],
    ) -> None:
        directory.renew_lock()
        # Without these files the whole directory was removed.
        if self.failed or not (directory.config_file.is_file() and directory.log_file.is_file()):
            directory.write_config(config)
            directory.write_log(log)
        else:
            directory.sync_log()
        write_checkpoint(directory.checkpoints)
        save_generator(sampler, directory.generator)
        if not directory.config_file.is_file():  # removed meanwhile: the next save writes all
            raise EquipoiseError(f"{directory.path} was removed")

    def restore(self, sampler: Sampler) -> bool:
        """Load the saved generator into a sampler.

        Returns:
            False if there is none, or it is damaged.
        """
        if self.directory is None:
            return False
        try:
            load_into(sampler, self.directory.generator)
        except EquipoiseError:
            return False
        return True

    def is_missing(self) -> bool:
        """Whether the directory was removed, perhaps recreated by an image. False if it
        cannot be read."""
        try:
            return self.directory is not None and not self.directory.config_file.is_file()
        except OSError:
            return False

    @property
    def _path(self) -> str:
        return "" if self.directory is None else str(self.directory.path)

    def attempt(self, write: Callable[[], object]) -> bool:
        """Call `write`; after an error, warn.

        Returns:
            Whether it succeeded.
        """
        try:
            write()
        except (EquipoiseError, OSError) as error:  # OSError: reading the directory failed
            message = (
                str(error)
                if isinstance(error, EquipoiseError)
                else f"{self._path} cannot be read: {error.strerror or error}"
            )
            if not self.failed:
                self.warn(f"{message}; training continues, and the next save tries again")
            self.failed = message
            return False
        return True

    def image(self, draw: Callable[[Path], object], name: str) -> Path | None:
        """Write an image of samples.

        Returns:
            Its path; None if it was not written.
        """
        if self.directory is None:
            return None
        path = self.directory.images / f"{name}.png"
        return path if self.attempt(lambda: draw(path)) else None
