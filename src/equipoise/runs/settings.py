"""The settings of a run, whatever the recipe: how long, where, from which seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from equipoise.coerce import instance
from equipoise.errors import RequestError

MAX_THREADS = 1024
Precision = Literal["auto", "float32", "bfloat16"]
Compile = Literal["auto", "on", "off"]
Evaluation = Literal["auto", "full", "quick", "none"]
# What a resumed run may set anew.
CHANGEABLE = ("samples", "minutes", "device", "threads", "stop_when", "evaluate")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How long to train, where and from which seed."""

    samples: int | None = None
    """Real samples to see in all; left out with minutes left out too, as many as the
    recipe thinks right."""
    minutes: float | None = None
    """Minutes to train instead: in all, those before a run was resumed included."""
    seed: int = 0
    """Decides everything that is random: one seed, one result at one thread count."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one.

    Apple's GPUs (mps) are not supported: they have no float64.
    """
    threads: int = 0
    """CPU threads; 0: one for points, and for images as many as their networks have
    work for, at most one a core."""
    precision: Precision = "auto"
    """Of products and convolutions while training; auto takes bfloat16 for images where
    the processor multiplies it."""
    compile: Compile = "auto"
    """Compile the step, which takes about a minute; auto does so for runs long enough
    to gain more by it."""
    tune_speed: bool = False
    """Measure on this machine, for some seconds, which threads and precision are the
    fastest, where otherwise rules say."""
    memory_budget: float = 4.0
    """GiB of decoded data to hold in memory; a larger folder or Dataset is read as it
    is needed."""
    stop_when: Literal["converged"] | None = None
    """balanced: stop when the figure taken while training no longer improves, and keep
    the best generator (on the command line --until balanced)."""
    evaluate: Evaluation = "auto"
    """The report after `equipoise train`: full; quick, on a fifth of the samples or so;
    none; auto: full after two minutes of training."""
    label_column: str | None = None
    """The column of a table that holds labels."""

    def __post_init__(self) -> None:
        if self.samples is not None and self.minutes is not None:
            raise RequestError(
                f"samples = {self.samples} and minutes = {self.minutes}: give one of them"
            )
        if self.samples is not None and self.samples < 1:
            raise RequestError(f"samples = {self.samples}: must be at least 1")
        for field in ("minutes", "memory_budget"):
            value = getattr(self, field)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise RequestError(f"{field} = {value}: must be a positive number")
        if not 0 <= self.threads <= MAX_THREADS:
            raise RequestError(f"threads = {self.threads}: must be 0 (by rule) to {MAX_THREADS}")
        for field, choices in (
            ("precision", Precision),
            ("compile", Compile),
            ("evaluate", Evaluation),
        ):
            known = get_args(choices)
            if getattr(self, field) not in known:
                raise RequestError(
                    f"{field} = {getattr(self, field)!r}: must be {', '.join(known[:-1])} or "
                    f"{known[-1]}"
                )
        if self.stop_when not in (None, "converged"):
            raise RequestError(
                f"stop_when = {self.stop_when!r}: must be 'converged', or be left out"
            )
        if not 0 <= self.seed < 2**31:
            raise RequestError(f"seed = {self.seed}: must be a whole number from 0 to {2**31 - 1}")


def resumed(recorded: dict[str, Any], given: dict[str, Any]) -> RunSettings:
    """The recorded settings with those given now; a new length, in samples or in
    minutes, replaces the old one."""
    length = {"samples": None, "minutes": None} if {"samples", "minutes"} & given.keys() else {}
    return instance(RunSettings, {**recorded, **length, **given})
