"""The live display of a training and of its report: a bar with samples seen, rate,
losses, D's outputs, the primary metric and the time left; what is measured after it.
Nothing where output is neither a terminal nor a notebook."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from equipoise.errors import warn
from equipoise.metrics.budget import STEPS
from equipoise.training.events import Evaluated, Event, Report
from equipoise.utils.formatting import clock

PLAIN_LINES = 10  # of a training whose progress is asked for where no bar can be drawn


class Display:
    """A context that turns training events into
    a progress bar on stderr, or in a notebook.

    Args:
        progress: True shows it everywhere, as a few plain lines where a bar
            cannot be drawn; False nowhere; None on a terminal and in a notebook.
    """

    def __init__(self, progress: bool | None = None) -> None:
        console = Console(stderr=True)
        draws = console.is_terminal
        if console.is_jupyter:
            draws = find_spec("ipywidgets") is not None  # which rich draws with there
            if progress and not draws:
                warn(
                    "a progress bar in a notebook needs ipywidgets: pip install ipywidgets; "
                    "plain lines instead"
                )
        self._plain = bool(progress) and not draws
        self._lines = 0
        self.metric = ""
        self.progress = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
            disable=progress is False or not draws,
            transient=True,
        )
        self.task = self.progress.add_task("", total=1.0, told="first steps")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def show(self, event: Event) -> None:
        """Take in one event of the loop."""
        if isinstance(event, Evaluated):
            self.metric = primary(event)
        elif isinstance(event, Report):
            told = "\n".join(filter(None, [lines(event), self.metric]))
            self.progress.update(self.task, completed=event.progress, told=told)
            if self._plain and int(event.progress * PLAIN_LINES) > self._lines:
                self._lines = int(event.progress * PLAIN_LINES)
                print(f"{event.progress:4.0%} {told}".replace("\n", "; "), file=sys.stderr)  # noqa: T201  # it was asked for


class Measuring:
    """A context that shows what is measured, on a line of
    stderr that goes away; nothing where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._status = console.status("measuring") if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, step: str) -> None:
        """Say which of `metrics.budget.STEPS` comes now."""
        if self._status is not None:
            self._status.update(measured(step))


def measured(step: str) -> str:
    """A step of measuring in a line."""
    return f"measuring: {step} ({STEPS.index(step) + 1} of {len(STEPS)})"


def both(
    first: Callable[[Event], None], second: Callable[[Event], None] | None
) -> Callable[[Event], None]:
    """Tell both of every event, where there is a second."""

    def tell(event: Event) -> None:
        first(event)
        if second is not None:
            second(event)

    return tell


def primary(event: Evaluated) -> str:
    """The primary metric beside its floor, in a line."""
    from equipoise.metrics.registry import label_of

    key, value = next(iter(event.metrics.items()))
    floor, label = event.floors.get(key, math.nan), label_of(key)
    return f"{label} {value:.4g}" + (
        f" (real samples: {floor:.4g})" if math.isfinite(floor) else ""
    )


def lines(report: Report) -> str:
    """A report in two lines that fit beside a bar in 80 columns."""
    read = report.readings
    return (
        f"{report.samples_seen:,} samples, {report.rate:,.0f}/s, {clock(report.remaining)} left\n"
        f"loss D {read['discriminator_loss']:.3f} G {read['generator_loss']:.3f}, "
        f"D(real) {read['real_output']:+.2f} D(fake) {read['fake_output']:+.2f}"
    )
