"""Saving a training as a run directory, and keeping its report there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, warn
from equipoise.report.report import Report
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import save_generator
from equipoise.sampling.sampler import Sampler
from equipoise.training.trainer import Trainer


def save_run(
    path: Path,
    sampler: Sampler,
    config: RunConfig,
    log: Sequence[dict[str, Any]],
    trainer: Trainer | None,
    report: Report | None,
) -> None:
    """Write a run directory.

    Args:
        path: Of the directory, which must not exist yet.
        sampler: The generator.
        config: Its configuration.
        log: The lines of the log.
        training: With the checkpoints; None for a run that was loaded.
        report: The report on the generator, if there is one.

    Raises:
        RequestError: `path` exists.
    """
    directory = RunDirectory.create(path, "run")
    try:
        directory.write_config(config)
        save_generator(sampler, directory.generator)
        if trainer is not None:
            trainer.save(directory.checkpoints)
        directory.write_log(log)
        if report is not None:
            report.save(directory.report)
    finally:
        directory.unlock()


def save_report(
    report: Report, directory: RunDirectory, write_page: Callable[[Path], object]
) -> None:
    """Write a report and its page into a run directory. Where that fails, as in a
    directory that is read-only, warn."""
    try:
        report.save(directory.report)
        write_page(directory.page)
    except EquipoiseError as error:
        warn(f"{error}; the report is not kept")


def read_report(directory: RunDirectory | None, samples_seen: int) -> Report | None:
    """The report in a run directory; None where there is none after this many samples
    seen.

    Raises:
        DamagedFileError: The file is damaged.
    """
    if directory is None or not directory.report.is_file():
        return None
    report = Report.read(directory.report)
    return report if report.samples_seen == samples_seen else None
