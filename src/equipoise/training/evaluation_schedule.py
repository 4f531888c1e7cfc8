"""How often a training is evaluated and its samples are drawn, so that both cost a
small fraction of it.

The rule uses counted arithmetic, steps and samples, not measured time: equal runs are
evaluated and drawn at equal moments.

On the CPU, training and evaluation use the same cores, so both are counted in
multiplications. Let G and D be the cost of a network's forward pass on one sample. With
k steps of D for one of G, training on one sample costs

    G + 6 D - 4 F + (3 G + 3 D - F) / k + STEP_COST / batch

(`training.workload`; F is a frozen part of D, penalties are left out, STEP_COST is a
step's overhead; 2 G instead of 3 G where G's step reuses D's samples).
Evaluating one sample costs G plus its metrics (`MetricSuite.cost`). So
EVALUATION_FRACTION of a training on H samples pays for
EVALUATION_FRACTION * H * trained / (n * evaluated) evaluations of n samples. On a GPU
the interval is a number of steps.

CPU time of evaluations and 20 saves, measured on one core: 4.5% of `train gaussian`, 3%
of a third of `train ring`; of five minutes on MNIST 1.8% with balanced, 2.5% with
classic and 4.3% with dcgan, whose BatchNorm statistics are recalibrated too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from equipoise.metrics.suites import MetricSuite
from equipoise.runtime.device_costs import DeviceCosts
from equipoise.training.workload import Workload

# Fraction of a training's arithmetic that evaluations may cost.
EVALUATION_FRACTION = 0.02
# Evaluations of any run, at least: the verdict needs four to see a trend.
MIN_EVALUATIONS = 5
# Overhead of a step in multiplications: 1 ms of small operations, at the 1e10
# multiplications a second of a small network.
STEP_COST = 1e7
# Images of a run, at most.
MAX_IMAGES = 10
# Steps between two images, at least. Drawing takes .05 to .2 s, as long as some fifty
# of the shortest steps.
STEPS_PER_IMAGE = 1_200


@dataclass(frozen=True)
class EvaluationSchedule:
    """How often a run of this workload is evaluated with `suite`."""

    workload: Workload
    suite: MetricSuite
    costs: DeviceCosts

    @property
    def evaluation_samples(self) -> float:
        """The cost of one evaluation on the CPU, in samples trained on."""
        work = self.workload
        overhead = STEP_COST / work.batch_size
        samples = work.batch_size * work.discriminator_steps
        trained = replace(work, has_penalty=False).step_flops / 2 / samples + overhead
        return self.suite.n * (work.generator_flops / 2 + self.suite.cost) / trained

    def evaluations(self, horizon: int, at_most: int) -> int:
        """Number of evaluations of a run of `horizon` samples, 5 to `at_most`."""
        if self.costs.evaluation_steps is None:
            times = int(EVALUATION_FRACTION * horizon / self.evaluation_samples)
        else:
            step = self.workload.batch_size * self.workload.discriminator_steps
            times = horizon // (step * self.costs.evaluation_steps)
        return max(min(times, at_most), MIN_EVALUATIONS)

    def due(self, progress: float, last: int, horizon: int, at_most: int) -> bool:
        """Whether to evaluate now. The end of a run is always evaluated.

        Args:
            progress: Fraction of the run that is done, 0 to 1.
            last: Samples seen at the last evaluation; 0 if there was none.
            horizon: Samples of the whole run.
            at_most: Maximum number of evaluations of the run.
        """
        times = self.evaluations(horizon, at_most)
        return int(progress * times) > int(min(last / max(horizon, 1), 1.0) * times)


def images(samples_per_step: int, horizon: int | None) -> int:
    """Number of images of a run of `horizon` samples after the one before its first
    step, 1 to 10; 0 while its length is not known."""
    if horizon is None:
        return 0
    return max(min(horizon // (samples_per_step * STEPS_PER_IMAGE), MAX_IMAGES), 1)
