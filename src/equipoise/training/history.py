"""History: the log of a run that is resumed, and what of it still counts.

With early stopping, metrics while training are taken on the validation split, without
it on all that is held out. Where a run goes on otherwise than before, those before say
nothing of those to come, and the best of them was not chosen on the same samples.
Where it goes on to another length, they count, and patience begins anew.

How a run goes on is compared with its log, not with its config: so it does not matter
when a start was killed, nor which checkpoint is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from equipoise.diagnosis.monitor import EARLY_STOPPING
from equipoise.training.loop import EARLY
from equipoise.training.trainer import Trainer


def take_up(training: Trainer, lines: Sequence[dict[str, Any]]) -> None:
    """Give a training the log up to its state's moment, with a line
    of what is other from now on, and let its watch see all of it.

    Args:
        training: At a checkpoint of its run.
        lines: The lines of the run's log.
    """
    state, terms = training.state, training.plan.terms
    training.run_log.lines = [line for line in lines if line["samples_seen"] <= state.samples_seen]
    before = next((line for line in reversed(training.log) if EARLY_STOPPING in line), terms)
    if before[EARLY_STOPPING] != terms[EARLY_STOPPING]:
        floors = {
            "floors": dict(training.monitor.floors),
            "evaluated_samples": training.evaluator.suite.n,
        }
        _add(training, {**floors, **terms})
    elif terms[EARLY_STOPPING] and _other_length(before, terms) and not has_its_length(training):
        _add(training, terms)
    if state.best is not None and int(state.best["checkpoint"]) <= _last_change(training.log):
        state.best = None
    training.monitor.replay(training.log)


def has_its_length(training: Trainer) -> bool:
    """Whether a training has seen all its samples, or used all its minutes."""
    state, plan = training.state, training.plan
    if plan.samples is not None:
        return state.samples_seen >= plan.samples
    limit = (plan.run.minutes or 0) * 60
    ended = (
        state.minutes == plan.run.minutes
        and state.horizon is not None
        and state.samples_seen >= state.horizon
    )
    return state.seconds >= limit or (ended and state.seconds >= EARLY * limit)


def _add(training: Trainer, line: Mapping[str, Any]) -> None:
    """Add a line of this moment to the log."""
    state = training.state
    training.log.append(
        {"samples_seen": state.samples_seen, "seconds": round(state.seconds, 3), **line}
    )


def _other_length(before: Mapping[str, Any], terms: Mapping[str, float]) -> bool:
    return any(before.get(name) != value for name, value in terms.items())


def _last_change(log: Sequence[Mapping[str, Any]]) -> int:
    """The samples seen when metrics were last begun anew; -1 if they never were."""
    told = [line for line in log if EARLY_STOPPING in line]
    pairs = [(a, b) for a, b in pairwise(told) if a[EARLY_STOPPING] != b[EARLY_STOPPING]]
    return int(pairs[-1][1]["samples_seen"]) if pairs else -1
