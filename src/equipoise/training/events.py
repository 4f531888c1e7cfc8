"""What happens in a training, as callbacks are told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """Means over the last steps."""

    samples_seen: int
    seconds: float
    """Of training, those before a run was resumed included."""
    progress: float
    """Fraction of the training that is done, 0 to 1."""
    rate: float
    """Real samples a second."""
    remaining: float
    """Seconds that the training will still take."""
    readings: dict[str, float]
    """Losses, penalties, D's outputs and gradient norms by name."""


@dataclass(frozen=True)
class ImageDue:
    """Time to draw what the generator makes of the fixed latents."""


@dataclass(frozen=True)
class SaveDue:
    """Time to save the state."""


@dataclass(frozen=True)
class Recovered:
    """Something was no longer finite: training is back at the last good weights, with
    half the step sizes."""

    samples_seen: int
    what: str


@dataclass(frozen=True)
class Finished:
    """The end of a training."""

    reason: str
    """"done", what `Control.stop` was given, or why training could not go on."""
    diverged: bool = False
    """Whether going back to the last good weights did not help."""


@dataclass(frozen=True)
class Baselines:
    """The metrics that as many real samples get. Comes before the first `Evaluated`."""

    samples_seen: int
    metrics: Mapping[str, float]
    samples: int
    """How many samples are compared."""
    terms: Mapping[str, float]
    """Whether there is early stopping, and the length of the training."""


@dataclass(frozen=True)
class Evaluated:
    """The generator was evaluated, before the state is saved."""

    samples_seen: int
    metrics: Mapping[str, float]
    """By key, the primary one first."""
    floors: Mapping[str, float]
    """The same of real samples."""
    progress: float = 0.0
    """Fraction of the training that is done, 0 to 1."""


@dataclass(frozen=True)
class Trouble:
    """The monitor has seen that training goes wrong, or no longer does."""

    samples_seen: int
    text: str


@dataclass(frozen=True)
class Drawn:
    """An image of samples from the fixed latents was written."""

    samples_seen: int
    path: Path


@dataclass(frozen=True)
class EarlyStopped:
    """Early stopping ended the training, and the best generator is kept."""

    samples_seen: int
    """Of the best generator."""


Event = (
    Report
    | ImageDue
    | SaveDue
    | Recovered
    | Finished
    | Baselines
    | Evaluated
    | Trouble
    | Drawn
    | EarlyStopped
)
"""`loop.train` yields the first five; callbacks emit the others."""
Callback = Callable[[Event], object]
"""What is called with every event, in order."""


@dataclass
class Control:
    """How the outside speaks to a running loop; safe to call from a signal handler."""

    stop_reason: str | None = field(default=None, init=False)

    def stop(self, reason: str) -> None:
        """Stop after the step under way; the state is saved first.

        The first reason stays.
        """
        self.stop_reason = self.stop_reason or reason
