"""The settings of a run that do not depend on the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from equipoise.coerce import Ge, Gt, Interval, instance, validate
from equipoise.errors import nearest
from equipoise.runs.trackers import TRACKERS

MAX_THREADS = 1024
Precision = Literal["auto", "float32", "bfloat16"]
Compile = Literal["auto", "on", "off"]
Evaluation = Literal["auto", "full", "quick", "none"]
# Settings that may change when a run is resumed.
CHANGEABLE = ("samples", "minutes", "device", "threads", "stop_when", "evaluate", "tracker")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How long to train, where and from which seed."""

    samples: Annotated[int | None, Ge(1)] = None
    """Real samples to train on in all. Default: the recipe's usual number."""
    minutes: Annotated[float | None, Gt(0)] = None
    """Minutes to train in all, instead of `samples`. A resumed run counts those
    before."""
    seed: Annotated[int, Interval(0, 2**31 - 1)] = 0
    """Seed of everything random: one seed, one result at one thread count."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one.

    Apple's GPUs (mps) are not supported: they have no float64.
    """
    threads: Annotated[int, Interval(0, MAX_THREADS)] = 0
    """CPU threads. 0: one for tables; for images as many as the networks can use, at
    most one per core."""
    precision: Precision = "auto"
    """Of products and convolutions in training. auto: bfloat16 for images where the
    processor supports it, else float32."""
    compile: Compile = "auto"
    """Compile the training step, which takes about a minute. auto: for runs long enough
    to save more than that."""
    memory_budget: Annotated[float, Gt(0)] = 4.0
    """GiB of decoded data to hold in memory. A larger folder or Dataset is read while
    training."""
    stop_when: Literal["converged"] | None = None
    """converged: stop when the metric measured while training no longer improves, and
    keep the best generator."""
    evaluate: Evaluation = "auto"
    """The report after `equipoise train`: full, quick (about a fifth of the samples) or
    none. auto: full after two minutes of training, else quick."""
    label_column: str | None = None
    """The column of a table that holds labels."""
    tracker: str | None = None
    """tensorboard: also write curves and images to the run's folder tensorboard/."""

    def __post_init__(self) -> None:
        validate(self, self._conflicts)

    def _conflicts(self) -> list[str]:
        found = []
        if self.samples is not None and self.minutes is not None:
            both = f"samples = {self.samples} and minutes = {self.minutes}"
            found.append(f"{both}: give one of them")
        if self.tracker is not None and self.tracker not in TRACKERS:
            found.append(f"tracker = {self.tracker!r}: {nearest(self.tracker, TRACKERS)}")
        return found


def resumed(recorded: dict[str, Any], given: dict[str, Any]) -> RunSettings:
    """The recorded settings, updated with the given ones. A new length, in samples or
    minutes, replaces the old one."""
    length = {"samples": None, "minutes": None} if {"samples", "minutes"} & given.keys() else {}
    return instance(RunSettings, {**recorded, **length, **given})
