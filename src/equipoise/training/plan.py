"""The plan of a training: its length, and the settings that are derived from it before
it starts."""

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

# Seconds of training from which the report is a full one by default. On MNIST a full
# report takes half a minute on one core, a quick one a fifth of that.
FULL_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """The derived settings of a training.

    They follow from counted work and not from measured time, so that equal runs have
    equal plans.
    """

    recipe: Recipe
    run: RunSettings
    schema: Schema
    workload: Workload
    costs: DeviceCosts
    processes: int = 1
    """That share the work of a step."""

    @property
    def samples(self) -> int | None:
        """Real samples to train on in all; None for a run given minutes."""
        return self.run.samples or (
            None if self.run.minutes else self.recipe.default_samples(NetworkSpace.of(self.schema))
        )

    @property
    def terms(self) -> dict[str, float]:
        """What makes metrics comparable, for the log: whether there is early stopping,
        which decides the split that metrics are taken on, and the length."""
        terms: dict[str, float] = {EARLY_STOPPING: int(self.run.stop_when is not None)}
        if self.samples is not None:
            return {**terms, "samples": self.samples}
        return {**terms, "minutes": self.run.minutes or 0}

    @property
    def threads(self) -> int:
        """Default number of CPU threads of each process."""
        if self.processes > 1:
            return 1
        return threads_for(self.workload.step_flops, self.schema.is_image, self.costs)

    @property
    def seconds(self) -> float:
        """Estimated duration: the given minutes, or the computation of all steps."""
        if self.run.minutes:
            return self.run.minutes * 60
        samples = self.samples or self.recipe.default_samples(NetworkSpace.of(self.schema))
        steps = samples / (self.workload.batch_size * self.workload.discriminator_steps)
        return steps * self.workload.seconds(self.threads, self.costs) / self.processes

    @property
    def evaluation(self) -> Literal["full", "quick", "none"]:
        """The report after `equipoise train`: the user's setting, or by the length."""
        if self.run.evaluate != "auto":
            return self.run.evaluate
        return "full" if self.seconds >= FULL_SECONDS else "quick"
