"""SIGINT and SIGTERM during training: stop after the current step, and save."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from equipoise.errors import EquipoiseError
from equipoise.runtime.parent import ends_by_itself
from equipoise.runtime.ranks import SINGLE, Ranks
from equipoise.training.events import Control

# Seconds in which several ranks take signals for one.
SAME_SIGNAL = 3.0


class InterruptedRunError(EquipoiseError):
    """A signal stopped training, after saving. `status` is the shell's, 128 +
    signal."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.signal = name
        self.status: int = 128 + signal.Signals[name]


@contextmanager
def signals_stop(control: Control, ranks: Ranks = SINGLE) -> Iterator[None]:
    """A context in which SIGINT and SIGTERM stop `control` after the current step.

    A second signal has its earlier handler; of several ranks not in the first seconds,
    since a launcher passes on what the terminal has sent to all already. A handler that
    was not set from Python cannot be restored, and is not replaced.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in handlers.items() if handler is not None}
    first: list[float] = []

    def handle(number: int, _: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            control.stop(signal.Signals(number).name)
        if ranks.size > 1 and time.monotonic() - first[0] < SAME_SIGNAL:
            return
        earlier = before[signal.Signals(number)]
        signal.signal(number, earlier)
        if ranks.size > 1:
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        if ranks.size > 1 and control.stop_reason in {number.name for number in handlers}:
            ends_by_itself()
        for number, handler in before.items():
            signal.signal(number, handler)
