"""The files that are published of a trained GAN: weights, JSON, a picture and the model
card. They name no path, command line or host of the machine that it was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from equipoise.data.named_sources import NAMED_SOURCES
from equipoise.hub.card import model_card
from equipoise.report.report import Report
from equipoise.report.trained_run import TrainedRun
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import ENCODER, GENERATOR, save_generator
from equipoise.sampling.sampler import EVALUATION_SEED
from equipoise.utils.atomic_io import write_atomic

PICTURE = "samples.png"
READ = ("config.json", "report.json", GENERATOR, ENCODER)
"""The files that are read again: nothing else is downloaded."""


def write_run(run: TrainedRun, folder: Path, report: Report | None) -> None:
    """Write config, generator and report: a run directory without checkpoints."""
    directory = RunDirectory(folder)
    folder.mkdir(parents=True, exist_ok=True)
    directory.write_config(without_traces(run.config))
    save_generator(run.sampler, directory.generator)
    if report is not None:
        replace(report, verdict=replace(report.verdict, command="")).save(directory.report)


def write_repository(
    run: TrainedRun, folder: Path, report: Report | None, repo: str, license_id: str | None
) -> None:
    """Write all files of a repository.

    Args:
        run: What is published.
        folder: Of the files.
        report: On the generator; None where it could not be measured.
        repo: The repository, "user/name".
        license_id: The Hub's name of a licence, such as "mit"; None for none.
    """
    write_run(run, folder, report)
    write_atomic(folder / PICTURE, run.picture(seed=EVALUATION_SEED, with_real=False))
    card = model_card(repo, run.sampler, run.config, report, license_id, PICTURE)
    write_atomic(folder / "README.md", card.encode())


def without_traces(config: RunConfig) -> RunConfig:
    """A configuration without command line and paths: only a built-in source can be
    opened again by it."""
    data, init_from = config.data, config.init_from
    if data.origin not in NAMED_SOURCES:
        data = replace(data, origin=None)
    if init_from is not None:
        init_from = replace(init_from, run=None)
    return replace(config, command=(), data=data, init_from=init_from)
