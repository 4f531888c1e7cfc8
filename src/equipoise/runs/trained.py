"""Load a trained run: its directory, config and generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from equipoise.errors import EquipoiseError
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import load_generator
from equipoise.sampling.sampler import Sampler


def load_run(path: Path, device: torch.device) -> tuple[RunDirectory, dict[str, Any], Sampler]:
    """A run's directory, config and generator.

    Raises:
        RequestError: `path` is not a run directory, or its recipe is not installed.
        EquipoiseError: It has no generator yet, or its files are damaged.
    """
    directory = RunDirectory.existing(path)
    if not directory.generator.is_file():
        raise EquipoiseError(
            f"{path} has no generator yet: training stopped before its first save; resume it"
        )
    return directory, directory.read_config(), load_generator(directory.generator, device)
