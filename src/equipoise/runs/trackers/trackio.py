"""trackio, with its own variables: TRACKIO_DIR, TRACKIO_SPACE_ID and the others.

Where they say nothing it writes to trackio's folder in the user's cache, which
`trackio show` shows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.runs.trackers.base import (
    PROJECT,
    Status,
    flat,
    keep_id,
    kept_id,
    new_id,
    register,
    require,
)


@register("trackio")
class TrackioTracker:
    """Records a run of trackio.

    Args:
        run: The run's directory, whose name its name begins with.

    Raises:
        RequestError: trackio is not installed.
    """

    def __init__(self, run: Path) -> None:
        require("trackio", "trackio", "trackio")
        self.folder = run

    def start(self, step: int, config: Mapping[str, Any]) -> None:
        import trackio

        identifier = kept_id(self.folder, "trackio") or keep_id(self.folder, "trackio", new_id())
        self.run: Any = trackio.init(
            project=os.environ.get("TRACKIO_PROJECT") or PROJECT,
            # It knows a run by its name, and there may be several folders of one name.
            name=f"{self.folder.resolve().name}-{identifier}",
            config=flat(config),
            resume="allow",
            embed=False,
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=step)

    def text(self, step: int, name: str, text: str) -> None:
        self.run.log({name: text}, step=step)

    def image(self, step: int, name: str, path: Path) -> None:
        import trackio

        self.run.log({name: trackio.Image(str(path))}, step=step)

    def close(self, status: Status) -> None:
        self.run.finish()
