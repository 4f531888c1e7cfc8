"""Ending: a training is run to its end, and that end is told."""

from __future__ import annotations

from collections.abc import Callable

import torch

from equipoise.errors import EquipoiseError
from equipoise.recipes import DEFAULT
from equipoise.training.fitting import EARLY_STOPPED, Fit
from equipoise.training.guard import DivergedError
from equipoise.training.loop import Control, Event, Finished
from equipoise.training.signals import InterruptedRunError, signals_stop

CALLBACK = "an exception in on_event"  # why a run stopped


# Whatever the caller has set; once a training, since a step would take a microsecond
# for it.
@torch.enable_grad()
def train_to_end(training: Fit, on_event: Callable[[Event], None]) -> None:
    """Train, telling `on_event` of everything. The directory is unlocked after.

    Raises:
        InterruptedRunError: After SIGINT or SIGTERM, when all is saved.
        EquipoiseError: The end could not be saved.
        Exception: Whatever `on_event` raises, when
            all is saved, with a note that says where.
    """
    control = Control()
    if over := _over(training):
        control.stop(over)
    raised: Exception | SystemExit | None = None
    try:
        with signals_stop(control), training.speed.at_work():
            for event in training.events(control):
                if raised is None:
                    try:
                        on_event(event)
                    except (
                        Exception,
                        SystemExit,
                    ) as error:  # the caller's own; it goes on to the caller
                        raised = error
                        control.stop(CALLBACK)
    finally:
        if training.directory is not None:
            training.directory.unlock()
    if raised is not None:
        raised.add_note(_kept(training))
        raise raised
    assert isinstance(event, Finished), "a training ends with its end"
    if training.writer is not None and training.writer.failed:
        raise EquipoiseError(f"{training.writer.failed}; the end of this training is not kept")
    if event.diverged:
        kept = (
            f"; what was good last is in {training.directory.path}"
            if training.directory is not None
            else ""
        )
        raise DivergedError(
            f"{event.reason}{kept}; try a lower learning rate, or the recipe {DEFAULT!r}"
        )
    if event.reason == EARLY_STOPPED:
        training.warn(
            f"the figure no longer improves: stopped after {training.state.samples_seen:,} "
            "samples, and kept the generator of "
            f"{training.sampler.samples_seen:,} samples"
        )
    elif control.stop_reason is None and event.reason != "done":
        training.warn(
            f"{event.reason}; training ended after {training.state.samples_seen:,} samples"
        )
    elif event.reason != "done":
        where = f"; saved in {training.directory.path}" if training.directory is not None else ""
        message = f"stopped by {event.reason} after {training.state.samples_seen:,} samples{where}"
        raise InterruptedRunError(message, event.reason)


def _over(training: Fit) -> str:
    """Why a run that is resumed trains no more, by early stopping; empty if it does."""
    if training.has_settled:
        return "done"
    stops = training.resumed and training.run.stop_when is not None
    return (
        EARLY_STOPPED if stops and training.watch.early_stopped else ""
    )  # it was killed at that moment


def _kept(training: Fit) -> str:
    """What is left of a training that the caller's
    exception ended, and how it goes on."""
    seen = f"training stopped after {training.state.samples_seen:,} samples"
    if training.writer is None or training.directory is None:
        return f"{seen}; the GAN can be sampled from, and trained on by fit(data, init_from=gan)"
    if training.writer.failed:
        return f"{seen}; it is not all saved: {training.writer.failed}"
    path = training.directory.path
    return f"{seen}; saved in {path}: go on with fit(data, out={str(path)!r}, resume=True)"
