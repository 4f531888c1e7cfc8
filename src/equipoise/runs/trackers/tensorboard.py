"""TensorBoard: event files in the run's folder tensorboard/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.runs.trackers.base import Status, register, require


@register("tensorboard")
class TensorBoardTracker:
    """Writes event files for TensorBoard.

    Args:
        run: The run's directory. Files go to its folder tensorboard/.

    Raises:
        RequestError: TensorBoard is not installed.
    """

    def __init__(self, run: Path) -> None:
        require("tensorboard", "TensorBoard", "tensorboard")
        self.folder: Path = run / "tensorboard"

    def start(self, step: int, config: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # What a killed training recorded after its last checkpoint comes again.
        self.writer: SummaryWriter = SummaryWriter(
            str(self.folder), purge_step=step + 1 if step else None
        )
        shown = json.dumps(config, indent=2, ensure_ascii=False)
        self.writer.add_text("config", "\n".join(f"    {line}" for line in shown.split("\n")), step)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def text(self, step: int, name: str, text: str) -> None:
        shown = text if "\n" not in text else "\n".join(f"    {line}" for line in text.split("\n"))
        self.writer.add_text(name, shown, step)

    def image(self, step: int, name: str, path: Path) -> None:
        import numpy as np
        from PIL import Image

        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        self.writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self, status: Status) -> None:
        self.writer.close()
