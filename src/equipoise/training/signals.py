"""SIGINT and SIGTERM during training: stop after the current step, and save."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from equipoise.errors import EquipoiseError
from equipoise.training.events import Control


class InterruptedRunError(EquipoiseError):
    """A signal stopped training, after saving. `status` is the shell's, 128 +
    signal."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.signal = name
        self.status = 128 + signal.Signals[name]


@contextmanager
def signals_stop(control: Control) -> Iterator[None]:
    """A context in which SIGINT and SIGTERM stop `control` after the current step.

    A second signal has its earlier handler. A handler that was not set from Python
    cannot be restored, and is not replaced.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in handlers.items() if handler is not None}

    def handle(number: int, _: object) -> None:
        control.stop(signal.Signals(number).name)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
