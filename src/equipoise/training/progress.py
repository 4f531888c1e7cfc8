"""Progress bars of training and evaluation, on a terminal or in a notebook.

`ProgressBar` is a callback of training events like those that users pass to `fit`. It
shows samples seen, rate, losses, D's outputs, the primary metric and the time left.
"""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from equipoise.errors import warn
from equipoise.metrics.budget import STEPS
from equipoise.training.events import Evaluated, Event, Finished, Report
from equipoise.utils.formatting import clock

# Lines of a whole training, where no bar can be drawn.
PLAIN_LINES = 10


class ProgressBar:
    """A callback that shows training events as a progress bar on stderr, or in a
    notebook.

    The bar appears with the first event and is removed with `Finished`. A context
    manager removes it also after an exception.

    Args:
        progress: True shows progress everywhere, as a few plain lines where no bar can
            be drawn. False shows nothing. None shows a bar on a terminal and in a
            notebook.
    """

    def __init__(self, progress: bool | None = None) -> None:
        console = Console(stderr=True)
        can_draw = console.is_terminal
        if console.is_jupyter:
            can_draw = find_spec("ipywidgets") is not None  # rich needs it there
            if progress and not can_draw:
                warn(
                    "a progress bar in a notebook needs ipywidgets: pip install ipywidgets; "
                    "plain lines instead"
                )
        self._plain = bool(progress) and not can_draw
        self._plain_lines = 0
        self._metric = ""
        self.bar: Progress = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
            disable=progress is False or not can_draw,
            transient=True,
        )
        self._task = self.bar.add_task("", total=1.0, text="first steps")

    def __call__(self, event: Event) -> None:
        """Show one event of the training."""
        if not self.bar.live.is_started:
            self.bar.start()
        if isinstance(event, Evaluated):
            self._metric = primary_metric(event)
        elif isinstance(event, Report):
            text = "\n".join(filter(None, [report_lines(event), self._metric]))
            self.bar.update(self._task, completed=event.progress, text=text)
            if self._plain and int(event.progress * PLAIN_LINES) > self._plain_lines:
                self._plain_lines = int(event.progress * PLAIN_LINES)
                line = f"{event.progress:4.0%} {text}".replace("\n", "; ")
                print(line, file=sys.stderr)  # noqa: T201  # asked for by the caller
        elif isinstance(event, Finished):
            self.close()

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class EvaluationStatus:
    """A callback and context manager that shows the current step of an evaluation on
    stderr, and removes the line at the end. It shows nothing outside a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._status = console.status("measuring") if console.is_terminal else None

    def __call__(self, step: str) -> None:
        """Show the current step, one of `metrics.budget.STEPS`."""
        if self._status is not None:
            self._status.update(step_line(step))

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


def step_line(step: str) -> str:
    """The line that shows a step of an evaluation."""
    return f"measuring: {step} ({STEPS.index(step) + 1} of {len(STEPS)})"


def primary_metric(event: Evaluated) -> str:
    """The primary metric with its real-versus-real baseline, in one line."""
    from equipoise.metrics.registry import label_of

    key, value = next(iter(event.metrics.items()))
    baseline = event.baselines.get(key, math.nan)
    beside = f" (real samples: {baseline:.4g})" if math.isfinite(baseline) else ""
    return f"{label_of(key)} {value:.4g}{beside}"


def report_lines(report: Report) -> str:
    """A report in two lines that fit next to a bar in 80 columns."""
    read = report.readings
    return (
        f"{report.samples_seen:,} samples, {report.rate:,.0f}/s, {clock(report.remaining)} left\n"
        f"loss D {read['discriminator_loss']:.3f} G {read['generator_loss']:.3f}, "
        f"D(real) {read['real_output']:+.2f} D(fake) {read['fake_output']:+.2f}"
    )
