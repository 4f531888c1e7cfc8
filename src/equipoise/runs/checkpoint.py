"""Save and restore a state, atomically and exactly; keep the last few and the best."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.runs.serialization import DamagedFileError, unpack, write_tensors

NUM_RECENT = 3  # the last few
SUFFIX = ".safetensors"
Moment = tuple[dict[str, Tensor], dict[str, Any]]
"""Tensors and scalars of a state."""


class Saved(Protocol):
    """The state of a training, as far as checkpoints know it."""

    samples_seen: int
    best: dict[str, Any] | None

    def tensors(self) -> dict[str, Tensor]: ...

    def scalars(self) -> dict[str, Any]: ...


def name_of(samples_seen: int) -> str:
    """A moment of a training in file names: the samples seen, so that names sort by
    time."""
    return f"{samples_seen:09d}"


def path_of(folder: Path, name: str) -> Path:
    """The file of the checkpoint of this name."""
    return folder / f"{name}{SUFFIX}"


def save(state: Saved, folder: Path) -> Path:
    """Write the state to `folder` and remove checkpoints that are neither among the
    last three nor the best. Returns the file.

    Newer ones, which are damaged if this training was resumed behind them, stand for
    none of the three.
    """
    path = path_of(folder, name_of(state.samples_seen))
    write(state.tensors(), state.scalars(), path)
    best = state.best["checkpoint"] if state.best else None
    until_now = [old for old in checkpoints(folder) if int(old.stem) <= state.samples_seen]
    for old in until_now[NUM_RECENT:]:
        if old.stem != best:
            with suppress(OSError):  # what cannot be removed now is with the next save
                old.unlink()
    return path


def write(tensors: dict[str, Tensor], scalars: dict[str, Any], path: Path) -> None:
    """Write one moment, in the folder of the checkpoints of a run."""
    write_tensors(path, tensors, {"state": scalars}, beside=path.parent.parent)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the newest first."""
    found = [path for path in folder.glob(f"*{SUFFIX}") if re.fullmatch(r"\d{9,}", path.stem)]
    return sorted(found, key=lambda path: int(path.stem), reverse=True)


def load(path: Path) -> Moment:
    """The checkpoint in a file.

    Raises:
        DamagedFileError: If it is not whole.
    """
    tensors, metadata = unpack(path)
    if not isinstance(metadata.get("state"), dict):
        raise DamagedFileError(f"{path} holds no state of a training")
    return tensors, metadata["state"]


def load_newest(folder: Path, warn: Callable[[str], None]) -> Moment:
    """Tensors and scalars of the newest checkpoint that is whole; `warn` is told of
    each damaged one that was passed over.

    Raises:
        EquipoiseError: When none is left, and where the newest may be whole but cannot
            be read now, as with too little free memory.
    """
    found = checkpoints(folder)
    for path in found:
        try:
            return load(path)
        except DamagedFileError as error:
            warn(f"{error}; going back to the checkpoint before")
    what = (
        f"none of the {len(found)} checkpoints is whole" if found else "there is no checkpoint yet"
    )
    raise EquipoiseError(
        f"{folder.parent} cannot be resumed: {what}; train anew into another directory"
    )
