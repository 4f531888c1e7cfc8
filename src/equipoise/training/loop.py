"""The training loop: a generator of events that trains between them.

The consumer writes, draws and evaluates. Training pauses until it asks for the next
event.

Schedules run over real samples seen. For a run given minutes, their horizon is
predicted from the rate over the first 2% and corrected later where the rate has
changed. It is part of the state.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from equipoise.data.loading import EndOfDataError
from equipoise.runtime.ranks import Ranks
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

REPORTS_PER_RUN = 100
# The first save comes within a tenth of the run.
SAVES_PER_RUN = 20
# Seconds between two saves, at most.
MAX_SAVE_INTERVAL = 600.0
# Fraction of a run's minutes over which its rate is measured. Short runs are measured
# for longer, since their first second is slower: for MIN_MEASURED_SECONDS, at most
# MAX_MEASURED_FRACTION of the minutes.
MEASURED_FRACTION = 0.02
MIN_MEASURED_SECONDS = 1.0
MAX_MEASURED_FRACTION = 0.2
# Fractions of the minutes at which the horizon is corrected.
CORRECTION_FRACTIONS = (0.1, 0.25, 0.5, 0.75)
# Fraction of the minutes before which no run ends.
MIN_RUN_FRACTION = 0.9
# Relative error of the horizon above which it is corrected. The rate may have been
# measured while another program used the machine.
HORIZON_TOLERANCE = 0.1
# Fraction of the remaining minutes that the horizon is planned for, so that the
# schedule ends before the time does.
HORIZON_MARGIN = 0.98
# Steps that a report averages over.
REPORT_STEPS = 16


class Clock:
    """Progress of a run, by samples seen or by time.

    It starts when it is constructed: earlier work, such as compiling, does not count.

    Args:
        state: Of the training. Seconds and horizon are read and set.
        samples: Real samples to train on in all; None for a run given minutes.
        minutes: Minutes to train in all; None for a run given samples.
    """

    def __init__(self, state: State, samples: int | None, minutes: float | None) -> None:
        self.state = state
        self.limit: float | None = None if minutes is None else minutes * 60
        if minutes != state.minutes:  # a new length: the old horizon does not hold
            state.horizon, state.minutes = None, minutes
        if samples is not None:
            state.horizon = samples
        limit = self.limit or 0.0
        self._measuring_seconds = max(
            MEASURED_FRACTION * limit, min(MIN_MEASURED_SECONDS, MAX_MEASURED_FRACTION * limit)
        )
        self.progress: float = 0.0
        """Fraction of the run that is done, 0 to 1, at the last tick."""
        self._began = time.monotonic() - state.seconds
        self._measured_from = self._last_correction = (state.seconds, state.samples_seen)
        self._corrections = [
            progress
            for progress in CORRECTION_FRACTIONS
            if self.limit is not None and progress * self.limit > state.seconds
        ]

    def tick(self) -> float:
        """Read the time and return the progress, 0 to 1.

        All ranks take rank 0's time, and so agree on the horizon and on when to report,
        save and stop.
        """
        self.progress = self._tick()
        return self.progress

    def _tick(self) -> float:
        state = self.state
        state.seconds = state.ranks.agree(time.monotonic() - self._began)
        if (
            self.limit is not None
            and state.horizon is None
            and state.seconds - self._measured_from[0] >= self._measuring_seconds
        ):
            state.horizon = self._predict_horizon(self._measured_from)
        if self._is_correction_due():
            self._correct()
        if state.horizon is None:
            assert self.limit is not None, "a clock without a horizon has minutes"
            return min(state.seconds / self.limit, 1.0)
        progress = state.samples_seen / max(state.horizon, 1)
        out_of_time = self.limit is not None and state.seconds >= self.limit
        return 1.0 if out_of_time else min(progress, 1.0)

    def _predict_horizon(self, since: tuple[float, int]) -> int:
        """The samples seen when the minutes are over, at the rate since a moment, given
        as (seconds, samples seen)."""
        assert self.limit is not None, "only a run given minutes predicts its horizon"
        return self.state.samples_seen + int(
            self.rate(since) * (self.limit - self.state.seconds) * HORIZON_MARGIN
        )

    def _is_correction_due(self) -> bool:
        """Whether to correct the horizon: at fixed fractions of the minutes, and when
        it is reached long before they are over."""
        if self.limit is None:
            return False
        progress = self.state.seconds / self.limit
        early = (
            self.state.horizon is not None
            and self.state.samples_seen >= self.state.horizon
            and progress < MIN_RUN_FRACTION
        )
        return early or bool(self._corrections and progress >= self._corrections[0])

    def _correct(self) -> None:
        """Replace a horizon that is far off, by the rate since the last correction."""
        assert self.limit is not None, "only a run given minutes predicts its horizon"
        expected, state = self._predict_horizon(self._last_correction), self.state
        self._corrections = [
            progress for progress in self._corrections if progress * self.limit > state.seconds
        ]
        if (
            state.horizon is not None
            and abs(expected - state.horizon) > HORIZON_TOLERANCE * state.horizon
        ):
            state.horizon = expected
        self._last_correction = (state.seconds, state.samples_seen)

    def rate(self, since: tuple[float, int] | None = None) -> float:
        """Samples a second since a moment, given as (seconds, samples seen); by default
        since this clock started."""
        seconds, samples = since or self._measured_from
        return (self.state.samples_seen - samples) / max(self.state.seconds - seconds, 1e-9)

    def remaining(self, progress: float) -> float:
        """Seconds until the end, at the mean rate so far."""
        if self.limit is not None:
            return max(self.limit - self.state.seconds, 0.0)
        left = (self.state.horizon or 0) - self.state.samples_seen
        return max(left, 0) / max(self.rate(), 1e-9) if progress < 1 else 0.0


def train(state: State, clock: Clock, control: Control) -> Iterator[Event]:
    """Train `state` until the clock or `control` ends it.

    The last steps are always reported and saved before `Finished`.

    Where a report is not finite, the guard rolls back to the last good weights. After
    its last attempt training ends.

    Several ranks train in lockstep. Only rank 0 gets the events before `Finished`: it
    writes, draws and evaluates while the others wait in their next step. A stop on one
    rank stops all.

    Args:
        state: The networks and all that changes; updated in place.
        clock: The length of the run.
        control: Stops the run from outside.

    Yields:
        The first five kinds of `events.Event`.
    """
    for event in _events(state, clock, control):
        if isinstance(event, SaveDue):
            state.collect_randomness()
        if state.ranks.is_main or isinstance(event, Finished):
            yield event


def _events(state: State, clock: Clock, control: Control) -> Iterator[Event]:
    method = state.method
    state.generator.train()
    state.discriminator.train()
    progress = clock.tick()
    reported, saved = int(progress * REPORTS_PER_RUN), int(progress * SAVES_PER_RUN)
    drawn = int(progress * images(state.samples_per_step, state.horizon))
    saved_seconds, saved_samples = state.seconds, state.samples_seen
    ended = ""
    guard = Guard(state)
    recent: deque[dict[str, Tensor]] = deque(maxlen=REPORT_STEPS)
    if state.samples_seen == 0:
        yield ImageDue()
    # At least one step, however short the run is: there must be a generator to sample.
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
        # A correction of the horizon may have reduced the progress.
        reported = min(reported, int(progress * REPORTS_PER_RUN))
        saved = min(saved, int(progress * SAVES_PER_RUN))
        save = (
            int(progress * SAVES_PER_RUN) > saved
            or state.seconds - saved_seconds > MAX_SAVE_INTERVAL
        )
        if int(progress * REPORTS_PER_RUN) > reported or save:
            # A report precedes each save, and checks that all values are finite.
            reported = int(progress * REPORTS_PER_RUN)
            event = check_report(report(state, clock, progress, recent), guard)
            state.synchronise()
            yield event
            if isinstance(event, Recovered):
                recent.clear()
                ended = _divergence_reason(event, guard)
                continue
        if (due := int(progress * images(state.samples_per_step, state.horizon))) > drawn:
            drawn = due
            yield ImageDue()
        if save:
            saved, saved_seconds, saved_samples = (
                int(progress * SAVES_PER_RUN),
                state.seconds,
                state.samples_seen,
            )
            yield SaveDue(last=progress >= 1 or control.stop_reason is not None)
    if state.samples_seen > saved_samples:  # stopped between two saves
        if recent:
            yield check_report(report(state, clock, progress, recent), guard)
        yield SaveDue(last=True)
    ended = ended or _end_reason(progress, state.ranks, control)
    yield Finished(ended, guard.exhausted)


def _divergence_reason(event: Recovered, guard: Guard) -> str:
    """Why training ends after a roll-back; empty if it continues."""
    if not guard.exhausted:
        return ""
    return (
        f"training diverged: {event.what} is not finite after {event.samples_seen:,} samples, "
        "nor after rolling back"
    )


def _end_reason(progress: float, ranks: Ranks, control: Control) -> str:
    """Why the loop ended without a failure, on all ranks alike."""
    if progress >= 1:
        return "done"
    reasons = [reason for reason in ranks.of_all(control.stop_reason) if reason is not None]
    control.stop(reasons[0])
    return reasons[0]


def report(state: State, clock: Clock, progress: float, recent: deque[dict[str, Tensor]]) -> Report:
    """The means over the recent steps that have a reading, D's outputs as the recipe
    logs them, and the gradient norms of the last step."""
    names = dict.fromkeys(name for step in recent for name in step)
    means = {
        name: torch.stack([step[name] for step in recent if name in step]).mean()
        for name in names
        if not name.endswith("_logits")
    }
    real, fake = (
        torch.cat([step[name] for step in recent]).double()
        for name in ("real_logits", "fake_logits")
    )
    means |= state.method.output.readings(real, fake)
    means["gradient_norm_g"] = gradient_norm(state.generator)
    means["gradient_norm_d"] = gradient_norm(state.discriminator)
    # One transfer, since the host waits for the device at each.
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


def check_report(report: Report, guard: Guard) -> Report | Recovered:
    """The report, if all its readings and all weights are finite; else roll back to the
    last good weights."""
    wrong = next((name for name, value in report.readings.items() if not math.isfinite(value)), "")
    if not wrong and not guard.finite:
        wrong = "a weight"
    if not guard.state.ranks.any(bool(wrong)):
        guard.keep()
        return report
    guard.roll_back()
    return Recovered(report.samples_seen, wrong or "a value of another process")


def gradient_norm(module: nn.Module) -> Tensor:
    """The norm of the last step's gradient of all weights of a module."""
    return nn.utils.get_total_norm([p.grad for p in module.parameters() if p.grad is not None])
