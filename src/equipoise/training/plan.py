"""The plan of a training: how long it is to be, and what follows from that by rule,
before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.data.schema import Schema
from equipoise.diagnosis.monitor import EARLY_STOPPING
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.runtime.device_costs import DeviceCosts
from equipoise.training.speed import threads_for
from equipoise.training.workload import Workload
from equipoise.transforms.space import NetworkSpace

# Seconds of training from which the report is a full one. Of MNIST it takes half a
# minute of one core, and a quick one a fifth of that.
FULL_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """What is planned for a recipe on data of this schema. No stopwatch is read: equal
    runs have equal plans."""

    recipe: Recipe
    run: RunSettings
    schema: Schema
    workload: Workload
    costs: DeviceCosts

    @property
    def samples(self) -> int | None:
        """Real samples to see in all; None where minutes decide."""
        return self.run.samples or (
            None if self.run.minutes else self.recipe.default_samples(NetworkSpace.of(self.schema))
        )

    @property
    def terms(self) -> dict[str, float]:
        """What early stopping depends on, as the log has it: whether there is any,
        which decides on which samples metrics are taken, and the length of the
        training."""
        terms: dict[str, float] = {EARLY_STOPPING: int(self.run.stop_when is not None)}
        if self.samples is not None:
            return {**terms, "samples": self.samples}
        return {**terms, "minutes": self.run.minutes or 0}

    @property
    def threads(self) -> int:
        """CPU threads by rule."""
        return threads_for(self.workload.step_flops, self.schema.is_image, self.costs)

    @property
    def seconds(self) -> float:
        """About how long it will take: its minutes, or what its steps compute."""
        if self.run.minutes:
            return self.run.minutes * 60
        samples = self.samples or self.recipe.default_samples(NetworkSpace.of(self.schema))
        steps = samples / (self.workload.batch_size * self.workload.discriminator_steps)
        return steps * self.workload.seconds(self.threads, self.costs)

    @property
    def evaluation(self) -> Literal["full", "quick", "none"]:
        """The report that `equipoise train` ends with: as the user says, or by the
        training's length."""
        if self.run.evaluate != "auto":
            return self.run.evaluate
        return "full" if self.seconds >= FULL_SECONDS else "quick"
