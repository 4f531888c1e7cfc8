"""Load a trained run: its directory, config and generator."""

from __future__ import annotations

from pathlib import Path

import torch

from equipoise.errors import EquipoiseError
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import load_generator
from equipoise.sampling.sampler import Sampler


def load_run(
    path: Path, device: torch.device, config: RunConfig | None = None
) -> tuple[RunDirectory, RunConfig, Sampler]:
    """A run's directory, configuration and generator.

    Args:
        path: Of the directory.
        device: Of the generator.
        config: The configuration, where it has been read already.

    Raises:
        RequestError: `path` is not a run directory, or its recipe is not installed.
        EquipoiseError: It has no generator yet, or its files are damaged.
    """
    directory = RunDirectory.existing(path)
    if not directory.generator.is_file():
        raise EquipoiseError(
            f"{path} has no generator yet: training stopped before its first save; resume it"
        )
    config = config or directory.read_config()
    return directory, config, load_generator(directory.generator, device)
