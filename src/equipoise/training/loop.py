"""The loop: steps until it is time to stop, and events on the way.

Whoever iterates writes, draws and evaluates; to pause is not to ask for the next event.

The clock is real samples seen. Given minutes, the horizon of the schedules follows from
the rate over the first 2%, is corrected a few times where the machine has become faster
or slower, and is kept in the state.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from equipoise.data.loading import EndOfDataError
from equipoise.training.evaluation_schedule import images
from equipoise.training.events import (
    Control,
    Event,
    Finished,
    ImageDue,
    Recovered,
    Report,
    SaveDue,
)
from equipoise.training.guard import Guard
from equipoise.training.state import State
from equipoise.training.step import adversarial_step

REPORTS = 100  # a run
SAVES = 20  # a run; the first comes within a tenth
SAVE_SECONDS = 600.0  # and at least this often
# Share of the minutes after which the rate is known; of short runs more, since the
# first second is not like the rest.
MEASURED = 0.02
MEASURED_SECONDS, MEASURED_MAX = 1.0, 0.2
CORRECTED = (0.1, 0.25, 0.5, 0.75)  # shares of the minutes at which the horizon is looked at again
EARLY = 0.9  # share of the minutes before which no run is over
# By more than this share it must be off: another program may have had the machine while
# the rate was measured.
OFF = 0.1
# Share of the remaining minutes that the horizon counts on, so that the schedule ends
# before the time does.
SPARE = 0.98
RECENT = 16  # steps that a report averages over


class Clock:
    """Time and samples until the end of a run.

    It goes from when it is made: what comes before, compiling for one, is no training.
    """

    def __init__(self, state: State, samples: int | None, minutes: float | None) -> None:
        self.state = state
        self.limit = None if minutes is None else minutes * 60
        if minutes != state.minutes:  # a new length: the old horizon, if any, was another's
            state.horizon, state.minutes = None, minutes
        if samples is not None:
            state.horizon = samples
        self._measuring = (
            0.0
            if self.limit is None
            else max(MEASURED * self.limit, min(MEASURED_SECONDS, MEASURED_MAX * self.limit))
        )
        self.progress = 0.0
        """As of the last tick."""
        self._began = time.monotonic() - state.seconds
        self._measured_from = self._looked = (state.seconds, state.samples_seen)
        self._corrections = [
            progress
            for progress in CORRECTED
            if self.limit is not None and progress * self.limit > state.seconds
        ]

    def tick(self) -> float:
        """Read the time; returns the progress, 0 to 1. All ranks have the main one's
        time, and so agree on the horizon and on when to report, save and end."""
        self.progress = self._tick()
        return self.progress

    def _tick(self) -> float:
        state = self.state
        state.seconds = state.ranks.agree(time.monotonic() - self._began)
        if (
            self.limit is not None
            and state.horizon is None
            and state.seconds - self._measured_from[0] >= self._measuring
        ):
            state.horizon = self._expected(self._measured_from)
        if self._to_be_corrected():
            self._correct()
        if state.horizon is None:
            assert self.limit is not None, "a clock without a horizon has minutes"
            return min(state.seconds / self.limit, 1.0)
        progress = state.samples_seen / max(state.horizon, 1)
        out_of_time = self.limit is not None and state.seconds >= self.limit
        return 1.0 if out_of_time else min(progress, 1.0)

    def _expected(self, since: tuple[float, int]) -> int:
        """The samples that will have been seen when the minutes are over, at the rate
        since a moment: its seconds, and samples seen."""
        assert self.limit is not None, "only minutes are looked ahead in"
        return self.state.samples_seen + int(
            self.rate(since) * (self.limit - self.state.seconds) * SPARE
        )

    def _to_be_corrected(self) -> bool:
        """Whether the horizon is to be looked at: at some moments, and where it is
        reached long before the time is over."""
        if self.limit is None:
            return False
        progress = self.state.seconds / self.limit
        early = (
            self.state.horizon is not None
            and self.state.samples_seen >= self.state.horizon
            and progress < EARLY
        )
        return early or bool(self._corrections and progress >= self._corrections[0])

    def _correct(self) -> None:
        """A new horizon if the old one is well off, by the rate since the last look."""
        assert self.limit is not None, "only minutes are looked ahead in"
        expected, state = self._expected(self._looked), self.state
        self._corrections = [
            progress for progress in self._corrections if progress * self.limit > state.seconds
        ]
        if state.horizon is not None and abs(expected - state.horizon) > OFF * state.horizon:
            state.horizon = expected
        self._looked = (state.seconds, state.samples_seen)

    def rate(self, since: tuple[float, int] | None = None) -> float:
        """Samples a second since a moment, by default since this process began."""
        seconds, samples = since or self._measured_from
        return (self.state.samples_seen - samples) / max(self.state.seconds - seconds, 1e-9)

    def remaining(self, progress: float) -> float:
        """Seconds until the end, by what the whole has taken so far."""
        if self.limit is not None:
            return max(self.limit - self.state.seconds, 0.0)
        left = (self.state.horizon or 0) - self.state.samples_seen
        return max(left, 0) / max(self.rate(), 1e-9) if progress < 1 else 0.0


def train(state: State, clock: Clock, control: Control) -> Iterator[Event]:
    """Train `state` until the clock or `control` ends it.

    What was trained is always reported and saved before `Finished`.

    Where a report is not finite the guard goes back to the last one that was, and after
    its last attempt training ends there.

    Of several ranks, which train in lockstep, the main one alone is given the events on
    the way: it writes, draws and evaluates, and the others wait in their next step. A
    stop that one rank is asked for stops all.
    """
    for event in _events(state, clock, control):
        if state.ranks.is_main or isinstance(event, Finished):
            yield event


def _events(state: State, clock: Clock, control: Control) -> Iterator[Event]:
    method = state.method
    state.generator.train()
    state.discriminator.train()
    progress = clock.tick()
    reported, saved = int(progress * REPORTS), int(progress * SAVES)
    drawn = int(progress * images(state.samples_per_step, state.horizon))
    saved_seconds, saved_samples = state.seconds, state.samples_seen
    ended = ""
    guard = Guard(state)
    recent: deque[dict[str, Tensor]] = deque(maxlen=RECENT)
    if state.samples_seen == 0:
        yield ImageDue()
    # However short: something must be there to sample.
    while (
        not ended
        and (progress < 1 or state.samples_seen == 0)
        and not state.ranks.any(control.stop_reason is not None)
    ):
        rates = method.schedule(progress, state.samples_seen)
        state.apply(rates)
        try:
            recent.append(adversarial_step(state, rates))
        except EndOfDataError as end:
            ended = str(end)
            break
        state.samples_seen += state.samples_per_step
        progress = clock.tick()
        reported, saved = (
            min(reported, int(progress * REPORTS)),
            min(saved, int(progress * SAVES)),
        )  # the horizon may have moved away
        save = int(progress * SAVES) > saved or state.seconds - saved_seconds > SAVE_SECONDS
        if int(progress * REPORTS) > reported or save:
            # A save follows a report, which sees that all is finite.
            reported = int(progress * REPORTS)
            event = guarded(report(state, clock, progress, recent), guard)
            yield event
            if isinstance(event, Recovered):
                recent.clear()
                ended = _given_up(event, guard)
                continue
        if (due := int(progress * images(state.samples_per_step, state.horizon))) > drawn:
            drawn = due
            yield ImageDue()
        if save:
            saved, saved_seconds, saved_samples = (
                int(progress * SAVES),
                state.seconds,
                state.samples_seen,
            )
            yield SaveDue()
    if state.samples_seen > saved_samples:  # stopped between two saves
        if recent:
            yield guarded(report(state, clock, progress, recent), guard)
        yield SaveDue()
    yield Finished(ended or _reason(progress, control), guard.exhausted)


def _given_up(event: Recovered, guard: Guard) -> str:
    """Why training ends at this roll-back; empty where it goes on."""
    if not guard.exhausted:
        return ""
    return (
        f"training diverged: {event.what} is not finite after {event.samples_seen:,} samples, "
        "nor after going back"
    )


def _reason(progress: float, control: Control) -> str:
    """Why the loop ended where nothing went wrong."""
    if progress >= 1:
        return "done"
    return control.stop_reason or "stopped by another process"


def report(state: State, clock: Clock, progress: float, recent: deque[dict[str, Tensor]]) -> Report:
    """The means over the recent steps, D's outputs as the recipe reads them, and the
    gradient norms of the last step."""
    means = {
        name: torch.stack([step[name] for step in recent]).mean()
        for name in recent[-1]
        if not name.endswith("_logits")
    }
    real, fake = (
        torch.cat([step[name] for step in recent]).double()
        for name in ("real_logits", "fake_logits")
    )
    means |= state.method.output.readings(real, fake)
    means["gradient_norm_g"] = gradient_norm(state.generator)
    means["gradient_norm_d"] = gradient_norm(state.discriminator)
    # Together, since for each transfer the host waits for the device.
    values = torch.stack([mean.double() for mean in means.values()])
    state.ranks.mean_([values])
    readings = dict(zip(means, values.tolist(), strict=True))
    return Report(
        state.samples_seen,
        state.seconds,
        progress,
        clock.rate(),
        clock.remaining(progress),
        readings,
    )


def guarded(told: Report, guard: Guard) -> Report | Recovered:
    """The report, if all its readings and all weights are finite; else training goes
    back to the last good weights."""
    wrong = next((name for name, value in told.readings.items() if not math.isfinite(value)), "")
    if not wrong and not guard.finite:
        wrong = "a weight"
    if not guard.state.ranks.any(bool(wrong)):
        guard.keep()
        return told
    guard.go_back()
    return Recovered(told.samples_seen, wrong or "a value of another process")


def gradient_norm(module: nn.Module) -> Tensor:
    """The norm of the gradient that the last step left in all of a module's weights."""
    return nn.utils.get_total_norm([p.grad for p in module.parameters() if p.grad is not None])
