"""Weights & Biases, with its own variables: WANDB_MODE, WANDB_PROJECT, WANDB_NAME,
WANDB_DIR and the others.

It is offline, unless the user is logged in or says otherwise by WANDB_MODE.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from equipoise.errors import RequestError
from equipoise.runs.trackers.background import CLOSE_SECONDS
from equipoise.runs.trackers.base import (
    PROJECT,
    Status,
    keep_id,
    kept_id,
    new_id,
    register,
    require,
    without_usage_data,
)

REPORTING = "WANDB_ERROR_REPORTING"
Mode = Literal["online", "offline", "disabled", "shared"]


@register("wandb")
class WandbTracker:
    """Records a run of Weights & Biases.

    Args:
        run: The run's directory. Files go to its folder wandb/, or to WANDB_DIR.

    Raises:
        RequestError: The package is not installed, or WANDB_MODE asks to send what
            cannot be sent without a login.
    """

    def __init__(self, run: Path) -> None:
        require("wandb", "Weights & Biases", "wandb")
        self._hooks = sys.exit, sys.excepthook  # which wandb replaces when it is loaded
        self.folder: Path = run
        self.mode = _mode()

    def start(self, step: int, config: Mapping[str, Any]) -> None:
        import wandb

        identifier = kept_id(self.folder, "wandb") or keep_id(self.folder, "wandb", new_id())
        with without_usage_data(REPORTING, "false"):
            settings = wandb.setup().settings
            self.run: Any = wandb.init(
                id=identifier,
                resume="allow" if self.mode in ("online", "shared") else None,
                mode=self.mode,
                project=settings.project or PROJECT,
                name=settings.run_name or self.folder.resolve().name,
                dir=os.environ.get("WANDB_DIR", str(self.folder)),
                reinit="create_new",  # a run that the program has of its own goes on
                settings=wandb.Settings(console="off", quiet=True, finish_timeout=CLOSE_SECONDS),
            )
        self.run.config.update(dict(config), allow_val_change=True)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=step)

    def text(self, step: int, name: str, text: str) -> None:
        self.run.log({name: text}, step=step)

    def image(self, step: int, name: str, path: Path) -> None:
        import wandb

        self.run.log({name: wandb.Image(str(path))}, step=step)

    def close(self, status: Status) -> None:
        self.run.finish(exit_code=int(status == "failed"))
        sys.exit, sys.excepthook = self._hooks


def _mode() -> Mode:
    """What the settings of wandb say; where they say nothing, online if the user is
    logged in, else offline.

    Raises:
        RequestError: They ask to send without a login.
    """
    with without_usage_data(REPORTING, "false"):
        import wandb

        settings = wandb.setup().settings
    from requests.utils import get_netrc_auth

    mode: Mode = settings.mode
    if mode in ("offline", "disabled"):
        return mode
    named = "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"
    if any(map(os.environ.get, named)) or settings.api_key or get_netrc_auth(settings.base_url):
        return mode
    if os.environ.get("WANDB_MODE"):
        raise RequestError(
            f"WANDB_MODE = {mode!r} needs a login: run wandb login, set WANDB_API_KEY, or leave "
            "it out to record offline"
        )
    return "offline"
