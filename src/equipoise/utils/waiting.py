"""A bar on stderr for work that a person waits for, on a terminal, from its second
second on; nothing otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SOON = 1.0  # seconds that nobody needs to be told of


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A context that yields a function to call with how much more is done, of `total`;
    None where it is not known how much there is."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    progress = Progress(console=console, transient=True)
    task, began = progress.add_task(what, total=total), time.monotonic()

    def done(more: int) -> None:
        progress.update(task, advance=more)
        if console.is_terminal and not progress.live.is_started and time.monotonic() - began > SOON:
            progress.start()

    try:
        yield done
    finally:
        if progress.live.is_started:
            progress.stop()
