"""The plan of a training: how long it is to be, and
what follows from that by rule, before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.data.schema import Schema
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.training.memory import StepMemory
from equipoise.training.speed import threads_for
from equipoise.transforms.space import NetworkSpace

# Seconds of training from which the report is a full one. Of MNIST it takes half a
# minute of one core, and a quick one a fifth of that.
FULL_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """What is planned for a recipe on data of this schema.
    No stopwatch is asked: equal runs have equal plans."""

    recipe: Recipe
    run: RunSettings
    schema: Schema
    step: StepMemory

    @property
    def samples(self) -> int | None:
        """Real samples to see in all; None where minutes decide."""
        return self.run.samples or (
            None if self.run.minutes else self.recipe.default_samples(NetworkSpace.of(self.schema))
        )

    @property
    def threads(self) -> int:
        """CPU threads by rule."""
        return threads_for(self.step.flops * self.recipe.batch_size, self.schema.is_image)

    @property
    def seconds(self) -> float:
        """About how long it will take: its minutes,
        or what its steps have to compute."""
        if self.run.minutes:
            return self.run.minutes * 60
        size = self.recipe.batch_size
        samples = self.samples or self.recipe.default_samples(NetworkSpace.of(self.schema))
        return (
            samples
            / (size * self.recipe.discriminator_steps)
            * self.step.seconds(size, self.threads)
        )

    @property
    def evaluation(self) -> Literal["full", "quick", "none"]:
        """The report that `equipoise train` ends with:
        as the user says, or by the training's length."""
        if self.run.evaluate != "auto":
            return self.run.evaluate
        return "full" if self.seconds >= FULL_SECONDS else "quick"
