"""A progress bar on stderr for work of more than a second, on terminals only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Seconds before a bar appears.
DELAY = 1.0


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A context with a progress bar.

    Args:
        what: The bar's label.
        total: The total amount of work; None if not known.

    Yields:
        A function to call with each amount of work done.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    progress = Progress(console=console, transient=True)
    task, began = progress.add_task(what, total=total), time.monotonic()

    def done(more: int) -> None:
        progress.update(task, advance=more)
        if (
            console.is_terminal
            and not progress.live.is_started
            and time.monotonic() - began > DELAY
        ):
            progress.start()

    try:
        yield done
    finally:
        if progress.live.is_started:
            progress.stop()
