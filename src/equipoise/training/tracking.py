"""What trackers are told of a training, and of the report on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from equipoise.coerce import as_json
from equipoise.runs.config import RunConfig
from equipoise.runs.trackers import background
from equipoise.runs.trackers.background import BackgroundTracker, Call
from equipoise.runs.trackers.base import Status, Tracker
from equipoise.training.events import (
    Baselines,
    Drawn,
    Evaluated,
    Event,
    Finished,
    Recovered,
    Report,
    Trouble,
)


class Tracking:
    """A callback that forwards events to trackers.

    They stay open after `Finished`, for the report.

    Args:
        trackers: By name.
        step: The real samples that the training has seen.
        config: What trackers record as the configuration.
        warn: Is told of a tracker that fails, a line each.
    """

    def __init__(
        self,
        trackers: Mapping[str, Tracker],
        step: int,
        config: Mapping[str, Any],
        warn: Callable[[str], None],
    ) -> None:
        self.status: Status = "finished"
        self._trackers = [BackgroundTracker(name, one, warn) for name, one in trackers.items()]
        self._send(lambda tracker: tracker.start(step, config))

    def __call__(self, event: Event) -> None:
        match event:
            case Report():
                self._scalars(event.samples_seen, "", event.readings)
            case Evaluated():
                self._scalars(event.samples_seen, "metrics/", event.metrics)
            case Baselines():
                self._scalars(event.samples_seen, "baselines/", event.metrics)
            case Trouble():
                self._text(event.samples_seen, "trouble", event.text)
            case Recovered():
                self._text(event.samples_seen, "recovered", event.what)
            case Drawn():
                self._send(lambda tracker: tracker.image(event.samples_seen, "samples", event.path))
            case Finished(diverged=True):
                self.status = "failed"

    def report(
        self,
        step: int,
        metrics: Mapping[str, float],
        baselines: Mapping[str, float],
        verdict: str,
        text: str,
    ) -> None:
        """Record the report: metrics with their baselines, the verdict's name, and all
        of it as text."""
        self._scalars(step, "report/", metrics)
        self._scalars(step, "report_baselines/", baselines)
        self._text(step, "verdict", verdict)
        self._text(step, "report", text)

    def close(self, status: Status | None = None) -> None:
        """Close all trackers, once; by default with how the training ended."""
        closing, self._trackers = self._trackers, []
        for tracker in closing:
            tracker.close(status or self.status)
        deadline = time.monotonic() + background.CLOSE_SECONDS
        for tracker in closing:
            tracker.wait(deadline)

    @property
    def is_open(self) -> bool:
        """Whether trackers can still be told of something."""
        return bool(self._trackers)

    def _scalars(self, step: int, prefix: str, values: Mapping[str, float]) -> None:
        named = {f"{prefix}{name}": value for name, value in values.items()}
        self._send(lambda tracker: tracker.scalars(step, named))

    def _text(self, step: int, name: str, text: str) -> None:
        self._send(lambda tracker: tracker.text(step, name, text))

    def _send(self, call: Call) -> None:
        for tracker in self._trackers:
            tracker(call)


def tracked_config(config: RunConfig) -> dict[str, dict[str, Any]]:
    """What trackers record as the configuration, by section and name. Of the data no
    values, as categories of a table would be."""
    stored: dict[str, Any] = as_json(config.to_dict())
    data = stored["data"]
    return {
        "recipe": stored["recipe"],
        "run": stored["run"],
        "data": {
            **{name: data[name] for name in ("name", "fingerprint")},
            "shape": list(config.data.schema.shape),
            **data.get("distribution", {}),
        },
        "machine": stored["machine"],
        "versions": {"equipoise": stored["equipoise"], **stored["versions"]},
    }
