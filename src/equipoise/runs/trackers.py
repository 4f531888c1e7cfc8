"""Experiment trackers, which record curves, images and messages of a training.

A tracker is a class with the methods of `Tracker`. `register` gives it a name for the
run setting `tracker`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from equipoise.errors import RequestError


class Tracker(Protocol):
    """The methods of a tracker. `step` is in real samples seen."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers by name: losses, and metrics as "metrics/coverage"."""

    def text(self, step: int, name: str, text: str) -> None:
        """Record a message, for example about a collapse."""

    def image(self, step: int, name: str, path: Path) -> None:
        """Record a PNG file."""

    def close(self) -> None:
        """Finish at the end of the training."""


T = TypeVar("T", bound=Callable[[Path], Tracker])
TRACKERS: dict[str, Callable[[Path], Tracker]] = {}


def register(name: str) -> Callable[[T], T]:
    """Class decorator: register a tracker, which is constructed with the run's
    directory."""

    def add(tracker: T) -> T:
        TRACKERS[name] = tracker
        return tracker

    return add


@register("tensorboard")
class TensorBoardTracker:
    """Writes event files for TensorBoard.

    Args:
        run: The run's directory. Files go to its folder tensorboard/.

    Raises:
        RequestError: TensorBoard is not installed.
    """

    def __init__(self, run: Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise RequestError(
                "tracker = 'tensorboard' needs TensorBoard: pip install 'equipoise[tensorboard]'"
            )
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(run / "tensorboard"))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def text(self, step: int, name: str, text: str) -> None:
        self.writer.add_text(name, text, step)

    def image(self, step: int, name: str, path: Path) -> None:
        import numpy as np
        from PIL import Image

        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        self.writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        self.writer.close()
