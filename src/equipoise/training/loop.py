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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from equipoise.data.loading import EndOfDataError
from equipoise.recipes.method import Logits, Method
from equipoise.training.evaluation_schedule import images
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


@dataclass(frozen=True)
class Report:
    """Figures of the last steps.

    `progress` is how much of the training is done, `remaining` the seconds it will
    still take.
    """

    samples_seen: int
    seconds: float
    progress: float
    rate: float
    remaining: float
    readings: dict[str, float]


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
    """The end: `reason` is "done", what `Control.stop` was given, or why training could
    not go on; `diverged` says that it is that roll-backs did not help."""

    reason: str
    diverged: bool = False


@dataclass(frozen=True)
class Evaluated:
    """The generator was measured: its quick metrics by key, the primary one first, and
    their floors, which are those of real samples. It follows the `SaveDue` at which it
    was."""

    samples_seen: int
    metrics: Mapping[str, float]
    floors: Mapping[str, float]


@dataclass(frozen=True)
class Drawn:
    """An image of the fixed latents was written
    to `path`. It follows its `ImageDue`."""

    samples_seen: int
    path: Path


Event = Report | ImageDue | SaveDue | Recovered | Finished | Evaluated | Drawn
"""`train` yields the first five; `fitting.Fit.events` adds the last two."""


@dataclass
class Control:
    """How the outside speaks to a running loop; safe to call from a signal handler."""

    stop_reason: str | None = field(default=None, init=False)

    def stop(self, reason: str) -> None:
        """Stop after the step under way; the state is saved first.

        The first reason stays.
        """
        self.stop_reason = self.stop_reason or reason


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
        self._began = time.monotonic() - state.seconds
        self._measured_from = self._looked = (state.seconds, state.samples_seen)
        self._corrections = [
            progress
            for progress in CORRECTED
            if self.limit is not None and progress * self.limit > state.seconds
        ]

    def tick(self) -> float:
        """Read the time; returns the share of the training done, 0 to 1."""
        state = self.state
        state.seconds = time.monotonic() - self._began
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
        """Samples a second since a moment; since this process began, if none is given."""
        seconds, samples = since or self._measured_from
        return (self.state.samples_seen - samples) / max(self.state.seconds - seconds, 1e-9)

    def remaining(self, progress: float) -> float:
        """Seconds until the end, by what the whole has taken so far."""
        if self.limit is not None:
            return max(self.limit - self.state.seconds, 0.0)
        left = (self.state.horizon or 0) - self.state.samples_seen
        return max(left, 0) / max(self.rate(), 1e-9) if progress < 1 else 0.0


def train(method: Method, state: State, clock: Clock, control: Control) -> Iterator[Event]:
    """Train `state` until the clock or `control` ends it.

    What was trained is always reported and saved before `Finished`.

    Where a report is not finite the guard goes back to the last one that was, and after
    its last attempt training ends there.
    """
    state.generator.train()
    state.discriminator.train()
    progress = clock.tick()
    reported, saved, drawn = (
        int(progress * times)
        for times in (REPORTS, SAVES, images(method, state.loader.batch_size, state.horizon))
    )
    saved_seconds, saved_samples = state.seconds, state.samples_seen
    ended = ""
    guard = Guard(state)
    recent: deque[dict[str, Tensor]] = deque(maxlen=RECENT)
    if state.samples_seen == 0:
        yield ImageDue()
    while (
        progress < 1 or state.samples_seen == 0
    ) and control.stop_reason is None:  # however short: something must be there to sample
        rates = method.schedule(progress, state.samples_seen)
        state.apply(rates)
        try:
            recent.append(adversarial_step(method, state, rates))
        except EndOfDataError as end:
            ended = str(end)
            break
        state.samples_seen += method.discriminator_steps * state.loader.batch_size
        progress = clock.tick()
        reported, saved = (
            min(reported, int(progress * REPORTS)),
            min(saved, int(progress * SAVES)),
        )  # the horizon may have moved away
        save = int(progress * SAVES) > saved or state.seconds - saved_seconds > SAVE_SECONDS
        if (
            int(progress * REPORTS) > reported or save
        ):  # a save follows a report, which sees that all is finite
            reported = int(progress * REPORTS)
            event = guarded(report(method, state, clock, progress, recent), guard)
            yield event
            if isinstance(event, Recovered):
                recent.clear()
                if guard.exhausted:
                    ended = (
                        f"training diverged: {event.what} is not finite after "
                        f"{state.samples_seen:,} samples, nor after going back"
                    )
                    break
                continue
        if (due := int(progress * images(method, state.loader.batch_size, state.horizon))) > drawn:
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
            yield guarded(report(method, state, clock, progress, recent), guard)
        yield SaveDue()
    yield Finished(
        ended or ("done" if progress >= 1 else control.stop_reason or "done"), guard.exhausted
    )


def report(
    method: Method, state: State, clock: Clock, progress: float, recent: deque[dict[str, Tensor]]
) -> Report:
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
    means |= discriminator_outputs(real, fake, method.logits)
    means["gradient_norm_g"] = gradient_norm(state.generator)
    means["gradient_norm_d"] = gradient_norm(state.discriminator)
    # Together, since for each transfer the host waits for the device.
    values = torch.stack([mean.double() for mean in means.values()]).tolist()
    readings = dict(zip(means, values, strict=True))
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
    if not wrong:
        guard.keep()
        return told
    guard.go_back()
    return Recovered(told.samples_seen, wrong)


def discriminator_outputs(real: Tensor, fake: Tensor, meaning: Logits) -> dict[str, Tensor]:
    """D's mean output on real and on generated samples, and `balance`, which goes to
    1/2 as the networks reach equilibrium.

    "probability": the means of sigma(D(x)) and sigma(D(x')), and the mean probability
    of the right answer, (sigma(D(x)) + 1 - sigma(D(x'))) / 2. "relativistic": D has no
    zero, so the mean logits about their common mean, and the mean of sigma(D(x) -
    D(x')) over pairs. "score" and "critic": the mean logits, and no balance; a critic's
    difference between them is an estimate of the Wasserstein distance, of scaled
    samples, times an unknown factor.
    """
    if meaning in ("score", "critic"):
        means = {"real_output": real.mean(), "fake_output": fake.mean()}
        return means | (
            {"w1_times_unknown_factor": means["real_output"] - means["fake_output"]}
            if meaning == "critic"
            else {}
        )
    if meaning == "relativistic":
        middle = (real.mean() + fake.mean()) / 2
        outputs = real.mean() - middle, fake.mean() - middle, (real - fake).sigmoid().mean()
    else:
        outputs = (
            real.sigmoid().mean(),
            fake.sigmoid().mean(),
            (real.sigmoid().mean() + (1 - fake.sigmoid()).mean()) / 2,
        )
    return dict(zip(("real_output", "fake_output", "balance"), outputs, strict=True))


def gradient_norm(module: nn.Module) -> Tensor:
    """The norm of the gradient that the last step left in all of a module's weights."""
    norms = torch._foreach_norm([p.grad for p in module.parameters() if p.grad is not None])
    norm: Tensor = torch.stack(list(norms)).norm()
    return norm
