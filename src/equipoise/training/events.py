"""The events of a training, which callbacks receive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """Losses and other readings, as means over the last steps."""

    samples_seen: int
    """Real samples trained on so far."""
    seconds: float
    """Seconds of training, those before a run was resumed included."""
    progress: float
    """Fraction of the training that is done, 0 to 1."""
    rate: float
    """Real samples a second."""
    remaining: float
    """Estimated seconds until the end of the training."""
    readings: dict[str, float]
    """Losses, penalties, D's outputs and gradient norms, by name."""


@dataclass(frozen=True)
class ImageDue:
    """Time to draw samples of the fixed latents."""


@dataclass(frozen=True)
class SaveDue:
    """Time to save the state."""

    last: bool = False
    """Whether the training ends here."""


@dataclass(frozen=True)
class Recovered:
    """A value was not finite, and training rolled back to the last good weights, with
    half the learning rate."""

    samples_seen: int
    what: str
    """The name of the value."""


@dataclass(frozen=True)
class Finished:
    """The end of a training."""

    reason: str
    """"done", what `Control.stop` was given, or why training could not go on."""
    diverged: bool = False
    """Whether training diverged after every roll-back."""


@dataclass(frozen=True)
class Baselines:
    """The metrics of as many real samples. Comes before the first `Evaluated`."""

    samples_seen: int
    metrics: Mapping[str, float]
    """By key, the primary one first."""
    samples: int
    """Number of samples that metrics are computed on."""
    terms: Mapping[str, float]
    """Whether there is early stopping, and the length of the training."""


@dataclass(frozen=True)
class Evaluated:
    """The generator was evaluated. Comes before the state is saved."""

    samples_seen: int
    metrics: Mapping[str, float]
    """By key, the primary one first."""
    baselines: Mapping[str, float]
    """The metrics of real samples, by key."""
    progress: float = 0.0
    """Fraction of the training that is done, 0 to 1."""


@dataclass(frozen=True)
class Trouble:
    """The monitor found a problem of the training, or that one has ended."""

    samples_seen: int
    text: str
    """A description in one line."""


@dataclass(frozen=True)
class Drawn:
    """An image of samples from the fixed latents was written."""

    samples_seen: int
    path: Path


@dataclass(frozen=True)
class EarlyStopped:
    """The metric no longer improved when the training ended, and the best generator was
    restored."""

    samples_seen: int
    """Samples seen of the best generator."""


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
"""A function that is called with every event, in order."""


@dataclass
class Control:
    """Stops a running loop from outside; safe to call from a signal handler."""

    stop_reason: str | None = field(default=None, init=False)

    def stop(self, reason: str) -> None:
        """Stop after the current step. The state is saved first.

        Args:
            reason: The reason in `Finished`. Of several calls the first counts.
        """
        self.stop_reason = self.stop_reason or reason
