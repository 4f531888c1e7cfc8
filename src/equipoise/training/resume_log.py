"""The log of a run that is resumed: which of its lines still count.

With early stopping, metrics during training are taken on the validation split; without,
on all held-out samples. A run that is resumed with the other choice measures on other
samples. Then earlier metrics are not comparable, and the best checkpoint is forgotten.
A run that is resumed with another length keeps its metrics; only patience starts again.

Both are read from the log and not from the config, so that it does not matter when an
earlier start was killed, nor which checkpoint is undamaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from equipoise.diagnosis.monitor import EARLY_STOPPING
from equipoise.training.callbacks import line_of
from equipoise.training.loop import MIN_RUN_FRACTION
from equipoise.training.trainer import Trainer


def restore_log(trainer: Trainer, lines: Sequence[dict[str, Any]]) -> None:
    """Restore the log up to the trainer's state, and replay it to the monitor.

    Where early stopping or the length is another than before, a line with the new terms
    is added.

    Args:
        trainer: At a checkpoint of its run.
        lines: The lines of the run's log.
    """
    state, terms = trainer.state, trainer.plan.terms
    trainer.run_log.lines = [line for line in lines if line["samples_seen"] <= state.samples_seen]
    before = next((line for line in reversed(trainer.log) if EARLY_STOPPING in line), terms)
    if before[EARLY_STOPPING] != terms[EARLY_STOPPING]:
        _append(trainer, line_of(trainer.evaluator.baselines()))
    elif terms[EARLY_STOPPING] and _differs(before, terms) and not has_reached_length(trainer):
        _append(trainer, terms)
    if state.best is not None and int(state.best["checkpoint"]) <= _last_change(trainer.log):
        state.best = None
    trainer.monitor.replay(trainer.log, state.horizon)


def has_reached_length(trainer: Trainer) -> bool:
    """Whether a trainer has seen all its samples, or used all its minutes."""
    state, plan = trainer.state, trainer.plan
    if plan.samples is not None:
        return state.samples_seen >= plan.samples
    limit = (plan.run.minutes or 0) * 60
    ended = (
        state.minutes == plan.run.minutes
        and state.horizon is not None
        and state.samples_seen >= state.horizon
    )
    return state.seconds >= limit or (ended and state.seconds >= MIN_RUN_FRACTION * limit)


def _append(trainer: Trainer, line: Mapping[str, Any]) -> None:
    """Append a line with the state's samples seen and seconds."""
    state = trainer.state
    trainer.log.append(
        {"samples_seen": state.samples_seen, "seconds": round(state.seconds, 3), **line}
    )


def _differs(before: Mapping[str, Any], terms: Mapping[str, float]) -> bool:
    return any(before.get(name) != value for name, value in terms.items())


def _last_change(log: Sequence[Mapping[str, Any]]) -> int:
    """The samples seen when early stopping was last switched on or off; -1 if never."""
    lines = [line for line in log if EARLY_STOPPING in line]
    pairs = [(a, b) for a, b in pairwise(lines) if a[EARLY_STOPPING] != b[EARLY_STOPPING]]
    return int(pairs[-1][1]["samples_seen"]) if pairs else -1
