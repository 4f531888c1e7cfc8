"""Pushes what runs do to the pages that show them, and looks at no file while none
does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from equipoise.errors import EquipoiseError, RequestError
from equipoise.studio.channels import Channels
from equipoise.studio.training import progress
from equipoise.studio.training.runs import Runs

RUN, LIST = "run-", "runs"  # channels
LOOK_AT_RUN, LOOK_AT_LIST = 0.25, 1.0  # seconds between two looks
MOST = 200  # channels that are watched, by a thread each


class Watch:
    """Watches the runs that pages show.

    Args:
        runs: The runs.
        channels: Those of the studio.
    """

    def __init__(self, runs: Runs, channels: Channels) -> None:
        self.runs, self.channels = runs, channels
        self._lock, self._watching = threading.Lock(), set[str]()
        channels.when_watched(RUN, self._begin)
        channels.when_watched(LIST, self._begin)

    def _begin(self, channel: str) -> None:
        """Watch in a thread of its own, for as long as a page shows the channel."""
        with self._lock:
            if channel in self._watching or len(self._watching) >= MOST:
                return
            self._watching.add(channel)
        look = self.look_at_list if channel == LIST else self.look_at_run
        pause = LOOK_AT_LIST if channel == LIST else LOOK_AT_RUN
        threading.Thread(
            target=self._watch, args=(channel, look, pause), name=channel, daemon=True
        ).start()

    def _watch(self, channel: str, look: Callable[[str, Any], Any], pause: float) -> None:
        seen: Any = None
        while True:
            try:
                seen = look(channel, seen)
            except (EquipoiseError, OSError) as error:  # it was removed, or the disk is away
                self.channels.publish(channel, {"error": str(error)})
            with self._lock:
                if not self.channels.watched(channel):
                    self._watching.discard(channel)
                    self.channels.forget(channel)
                    return
            time.sleep(pause)

    def look_at_list(self, channel: str, seen: Any) -> Any:
        """Publish the list of runs if it differs from what was seen."""
        listed = self.runs.brief()
        if listed != seen:
            self.channels.publish(channel, {"runs": listed})
        return listed

    def look_at_run(self, channel: str, seen: Any) -> Any:
        """Publish all that a page shows of a run if its files, or its process, differ
        from what was seen."""
        name = channel.removeprefix(RUN)
        path = self.runs.path(name)
        output = self.runs.jobs.output(name)
        state = (progress.state_of_files(path), self.runs.jobs.is_busy(path), output)
        if state != seen:
            self.channels.publish(channel, snapshot(self.runs, name))
        return state


def snapshot(runs: Runs, name: str) -> dict[str, Any]:
    """All that a page shows of a run.

    Raises:
        RequestError: There is none of this name.
    """
    path = runs.path(name)
    job = runs.jobs.job(name)
    found = {
        "name": name,
        "path": str(path),
        **progress.phase_of(path, runs.jobs),
        "curves": progress.read_curves(path),
        "pictures": progress.pictures(path),
        "report": progress.report_of(path),
        "left_out": progress.left_out(path),
        "output": runs.jobs.output(name),
        "data": None if job is None else job.data,
        "has_generator": (path / "generator.safetensors").is_file(),
        "has_page": (path / "report.html").is_file(),
        "has_samples": (path / "samples.png").is_file(),
    }
    try:
        found["about"] = progress.about(path)
    except (EquipoiseError, RequestError, OSError):
        found["about"] = None
    finished: dict[str, Any] = progress.finite(found)
    return finished
