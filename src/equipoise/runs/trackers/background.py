"""A tracker that works beside the training: it can neither end nor delay it."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from equipoise.errors import first_line
from equipoise.runs.trackers.base import Status, Tracker

# Calls that wait for a tracker at most: more are left out.
MAX_WAITING = 1_000
# Seconds that the end of a training waits for a tracker to keep everything.
CLOSE_SECONDS = 60.0

Call = Callable[[Tracker], object]


class BackgroundTracker:
    """Calls the methods of a tracker from a thread of its own, in order.

    Of what goes wrong the first is a warning. Later calls are tried nevertheless, as
    the network may come back, unless the tracker could not start.

    Args:
        name: Of the tracker.
        tracker: The tracker.
        warn: Called with the warning, one line, by the thread that trains.
    """

    def __init__(self, name: str, tracker: Tracker, warn: Callable[[str], None]) -> None:
        self.name: str = name
        self.tracker: Tracker = tracker
        self.warn = warn
        self._failure, self._told, self._started = "", False, False
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=f"tracker {name}", daemon=True)
        self._thread.start()

    def __call__(self, call: Call) -> None:
        """Let the tracker do this after all that came before."""
        self._tell()
        if self._calls.qsize() < MAX_WAITING:
            self._calls.put(call)
        else:
            self._failure = self._failure or f"{MAX_WAITING:,} records wait for it already"

    def close(self, status: Status) -> None:
        """Close the tracker after all that came before, without waiting for it."""
        self._calls.put(lambda tracker: tracker.close(status))
        self._calls.put(None)

    def wait(self, deadline: float) -> None:
        """Wait until it is closed; leave it behind where that takes too long.

        Args:
            deadline: Of `time.monotonic`.
        """
        self._thread.join(max(deadline - time.monotonic(), 0.0))
        if self._thread.is_alive():
            self._failure = self._failure or f"it has not ended after {CLOSE_SECONDS:g} seconds"
        self._tell()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call(self.tracker)
                self._started = True
            except (Exception, SystemExit) as error:  # whatever a service's client raises
                self._failure = self._failure or f"{type(error).__name__}: {first_line(error)}"
                if not self._started:
                    return

    def _tell(self) -> None:
        if self._failure and not self._told:
            self._told = True
            self.warn(
                f"the tracker {self.name!r} failed ({self._failure}); training does not depend "
                "on it, and log.jsonl has all numbers"
            )
