"""Waiting for the processes of one command, and ending all after a failure."""

from __future__ import annotations

import math
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from equipoise.errors import EquipoiseError

Child = subprocess.Popen[bytes]
POLL = 0.05  # seconds
# Seconds that the others have to end by themselves after one has failed, and between a
# request to end and the end.
GRACE = 5.0


class Supervisor:
    """Waits for processes, passes signals on to them, and ends all after a failure.

    Args:
        children: The processes, by rank.
        rest_file: Where rank 0 says what is kept.
    """

    def __init__(self, children: Sequence[Child], rest_file: Path) -> None:
        self.children: Sequence[Child] = children
        self.rest_file: Path = rest_file
        self.signals: list[int] = []
        """That were passed on."""
        self.failed: tuple[int, int] | None = None
        """The first rank that failed, and its exit status."""

    def run(self) -> int:
        """Wait for all, and return the exit status."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._pass_on) for number in numbers}
        try:
            self._wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        status = self.children[0].returncode
        if self.signals:
            return status if status > 0 else 128 + self.signals[0]
        # A rank 0 that has failed by itself has said why, for all.
        if self.failed is not None and (self.failed[1] < 0 or status <= 0):
            raise EquipoiseError(self._description(*self.failed))
        return status

    def _pass_on(self, number: int, _: object) -> None:
        self.signals.append(number)
        self._send(number)

    def _send(self, number: int) -> None:
        for child in self.children:
            if child.poll() is None:
                child.send_signal(number)

    def _wait(self) -> None:
        """Until all have ended. Those that go on after a failure, or a second signal,
        are ended."""
        deadline, remaining = math.inf, [signal.SIGTERM, signal.SIGKILL]
        while None in [child.poll() for child in self.children]:  # all, at each look
            if not self.signals and self.failed is None:
                self.failed = self._first_failed()
            if deadline == math.inf and (self.failed is not None or len(self.signals) > 1):
                deadline = time.monotonic() + GRACE
            if time.monotonic() > deadline and remaining:
                self._send(remaining.pop(0))
                deadline = time.monotonic() + GRACE
            time.sleep(POLL)
        self.failed = self.failed or self._first_failed()

    def _first_failed(self) -> tuple[int, int] | None:
        """A rank that has failed, and its exit status: one that a signal has ended,
        rather than one that missed it."""
        failed = [
            (child.returncode, rank) for rank, child in enumerate(self.children) if child.returncode
        ]
        code, number = min(failed, default=(0, 0))
        return (number, code) if code else None

    def _description(self, number: int, code: int) -> str:
        """Which rank failed, and how to go on."""
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else "has failed"
        again = ""
        if self.rest_file.is_file():
            again = f"; {self.rest_file.read_text()}"
        return f"rank {number} of {len(self.children)} processes {how}{again}"
