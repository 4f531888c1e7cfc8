"""The live display of a training: a bar with samples seen, rate, losses, D's outputs and the time left; nothing where output is not a
terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from equipoise.training.loop import Event, Report


class Display:
    """A context that turns training events into a progress bar on stderr."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.progress = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self.task = self.progress.add_task("", total=1.0, told="first steps")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def show(self, event: Event) -> None:
        """Take in one event of the loop."""
        if isinstance(event, Report):
            self.progress.update(self.task, completed=event.share, told=lines(event))


def lines(report: Report) -> str:
    """A report in two lines that fit beside a bar in 80 columns."""
    read = report.readings
    return (
        f"{report.samples_seen:,} samples, {report.rate:,.0f}/s, {duration(report.remaining)} left\n"
        f"loss D {read['discriminator_loss']:.3f} G {read['generator_loss']:.3f}, "
        f"D(real) {read['real_output']:+.2f} D(fake) {read['fake_output']:+.2f}"
    )


def duration(seconds: float) -> str:
    """Seconds as a person says them: 8 s, 3:07, 1:02:09."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
