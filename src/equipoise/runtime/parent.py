"""What a rank does when the process that started it is gone: it stops as after SIGTERM,
which saves.

SIGKILL leaves a launcher no time to end its processes. They would train on, and nobody
would look after them.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from equipoise.runtime.launch import LIFELINE, is_started_by_torchrun

POLL = 1.0  # seconds
_ends_by_itself = threading.Event()


def end_with_parent() -> None:
    """Send this process SIGTERM when the `processes.start` or the torchrun that started
    it is gone."""
    lifeline = os.environ.get(LIFELINE)
    if lifeline is not None:
        _when(partial(_wait_for_end_of, int(lifeline)))
    elif is_started_by_torchrun():
        _when(partial(_wait_for_other_parent, os.getppid()))


def ends_by_itself() -> None:
    """Send no SIGTERM any more: a signal has stopped this process, or another rank, and
    it is about to end. Its handler would be gone, and with it the message."""
    _ends_by_itself.set()


def _when(gone: Callable[[], None]) -> None:
    def wait() -> None:
        gone()
        if not _ends_by_itself.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _wait_for_end_of(pipe: int) -> None:
    os.read(pipe, 1)  # returns when the other end is closed


def _wait_for_other_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL)
