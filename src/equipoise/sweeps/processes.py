"""Starting the processes of a sweep on this machine, and waiting for them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.runtime.launch import LIFELINE
from equipoise.runtime.processes import kill, program
from equipoise.runtime.supervisor import Child
from equipoise.sweeps.worker import STORAGE
from equipoise.training.signals import InterruptedRunError

POLL = 0.2  # seconds
# Seconds that workers have to end after a signal. A step and a look at the data take
# less.
GRACE = 20.0


def run_workers(
    folder: Path, url: str, workers: int, deadline: float | None, on_poll: Callable[[], None]
) -> None:
    """Run a sweep in several processes until all have ended. SIGINT and SIGTERM are
    passed on to them.

    Args:
        folder: Of the sweep.
        url: Of its storage.
        workers: How many processes.
        deadline: The Unix time at which the sweep should be over; None for no limit.
        on_poll: Called now and then.

    Raises:
        InterruptedRunError: A signal stopped them.
        EquipoiseError: One of them failed or was killed.
    """
    signals: list[int] = []
    with ExitStack() as stack:
        lifeline, kept = os.pipe()
        stack.callback(os.close, kept)
        children = list[Child]()
        stack.callback(kill, children)
        is_main = threading.current_thread() is threading.main_thread()
        for name in (signal.SIGINT, signal.SIGTERM) if is_main else ():
            before = signal.signal(name, lambda number, _: signals.append(number))
            stack.callback(signal.signal, name, before)
        for number in range(workers):
            last = "" if deadline is None else str(deadline)
            command = [*program("equipoise.sweeps.worker"), str(folder), str(number), str(workers)]
            children.append(
                subprocess.Popen(
                    [*command, last],
                    env={**os.environ, STORAGE: url, LIFELINE: str(lifeline)},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(lifeline,),
                    start_new_session=True,  # signals of the terminal come through this process
                )
            )
        os.close(lifeline)
        _wait(children, signals, on_poll)
    if signals:
        stopped_by = signal.Signals(signals[0]).name
        raise InterruptedRunError(f"the sweep was stopped by {stopped_by}", stopped_by)
    failed = [child.returncode for child in children if child.returncode]
    if failed:
        how = f"was ended by {signal.Signals(-failed[0]).name}" if failed[0] < 0 else "has failed"
        raise EquipoiseError(f"a worker of the sweep {how}")


def _wait(children: Sequence[Child], signals: list[int], on_poll: Callable[[], None]) -> None:
    """Until all processes have ended. A signal, or the failure of one, ends all."""
    deadline = None
    while any(child.poll() is None for child in children):
        failed = any(child.returncode for child in children)
        if deadline is None and (signals or failed):
            deadline = time.monotonic() + GRACE
            for child in children:
                if child.poll() is None:
                    child.send_signal(signals[0] if signals else signal.SIGTERM)
        if deadline is not None and (time.monotonic() > deadline or len(signals) > 1):
            return  # those that are left are killed
        time.sleep(POLL)
        on_poll()
    on_poll()
