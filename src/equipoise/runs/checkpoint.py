"""Checkpoints: save and load a training's state, and remove old ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from equipoise.errors import EquipoiseError
from equipoise.runs.serialization import DamagedFileError, unpack, write_tensors

if TYPE_CHECKING:
    from torch import Tensor

# Number of newest checkpoints that are not removed.
NUM_RECENT = 3
SUFFIX = ".safetensors"
Moment: TypeAlias = "tuple[dict[str, Tensor], dict[str, Any]]"
"""The tensors and the scalars of a state."""


class Saved(Protocol):
    """The part of a training's state that checkpoints need."""

    samples_seen: int
    best: dict[str, Any] | None

    def tensors(self) -> dict[str, Tensor]: ...

    def scalars(self) -> dict[str, Any]: ...


def name_of(samples_seen: int) -> str:
    """The name of a checkpoint: the samples seen, padded so that names sort by time."""
    return f"{samples_seen:09d}"


def path_of(folder: Path, name: str) -> Path:
    """The file of the checkpoint of this name."""
    return folder / f"{name}{SUFFIX}"


def save(state: Saved, folder: Path) -> Path:
    """Write the state, and remove checkpoints except the newest three and the best.

    Checkpoints with more samples seen are not counted and not removed: they are
    damaged, if this training was resumed from an older one.

    Returns:
        The file.
    """
    path = path_of(folder, name_of(state.samples_seen))
    write(state.tensors(), state.scalars(), path)
    best = state.best["checkpoint"] if state.best else None
    until_now = [old for old in checkpoints(folder) if int(old.stem) <= state.samples_seen]
    for old in until_now[NUM_RECENT:]:
        if old.stem != best:
            with suppress(OSError):  # the next save tries again
                old.unlink()
    return path


def write(tensors: dict[str, Tensor], scalars: dict[str, Any], path: Path) -> None:
    """Write a checkpoint."""
    write_tensors(path, tensors, {"state": scalars}, beside=path.parent.parent)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoint files of a folder, newest first."""
    paths = [path for path in folder.glob(f"*{SUFFIX}") if re.fullmatch(r"\d{9,}", path.stem)]
    return sorted(paths, key=lambda path: int(path.stem), reverse=True)


def load(path: Path) -> Moment:
    """Read a checkpoint.

    Raises:
        DamagedFileError: The file is damaged.
    """
    tensors, metadata = unpack(path)
    if not isinstance(metadata.get("state"), dict):
        raise DamagedFileError(f"{path} holds no state of a training")
    return tensors, metadata["state"]


def load_newest(folder: Path, warn: Callable[[str], None]) -> Moment:
    """Read the newest undamaged checkpoint.

    Args:
        folder: The folder of the checkpoints.
        warn: Called with a message for each damaged checkpoint.

    Raises:
        EquipoiseError: There is none, or the newest cannot be read at the moment, for
            example since too little memory is free.
    """
    paths = checkpoints(folder)
    for path in paths:
        try:
            return load(path)
        except DamagedFileError as error:
            warn(f"{error}; using the checkpoint before it")
    what = f"all {len(paths)} checkpoints are damaged" if paths else "there is no checkpoint yet"
    raise EquipoiseError(
        f"{folder.parent} cannot be resumed: {what}; start a new run in another directory"
    )
