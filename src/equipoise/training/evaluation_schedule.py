"""How often a training of a given length is evaluated and drawn, so that both cost a
small fraction of it. A rule of counted arithmetic, steps and samples: equal runs are
evaluated and drawn at equal moments.

On the CPU, where training and evaluation share the cores, time is counted in
multiplications at the speed of a training's. With G and D for one forward pass of one
sample, a sample that is trained on costs

    G + 6 D + (3 G + 3 D) / k + STEP / batch

in k steps of D for one of G (`training.workload`; penalties, which only add, are left
out), and a step has costs of its own, whatever is in it. A sample that is evaluated
costs G and what its suite says (`MetricSuite.cost`). So the fraction EVALUATION of a
training of H samples pays for EVALUATION * H * trained / (n * evaluated) times of n
samples. On a GPU the interval is a number of steps.

Measured on one core, together with 20 saves, which are not thinned out, in CPU time:
4.5% of `train gaussian`, 3% of a third of `train ring`, and of five minutes on MNIST
1.8% by balanced, 2.5% by classic and 4.3% by dcgan, whose BatchNorm statistics are
recalibrated too.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.metrics.suites import MetricSuite
from equipoise.runtime.device_costs import DeviceCosts
from equipoise.training.workload import Workload

EVALUATION = 0.02
MIN_EVALUATIONS = 5  # however short the run: the verdict needs four to see a trend
# A step's own costs: a millisecond of small operations, at a small network's 10
# thousand million multiplications a second.
STEP = 1e7
# An image of points takes 0.05 to 0.2 seconds, as long as some fifty of the shortest
# steps: a fraction of 4% or so.
MAX_IMAGES, STEPS_PER_IMAGE = 10, 1_200


@dataclass(frozen=True)
class EvaluationSchedule:
    """How often a run of this workload is evaluated by `suite`."""

    workload: Workload
    suite: MetricSuite
    costs: DeviceCosts

    @property
    def evaluation_samples(self) -> float:
        """What one evaluation costs, in samples trained on; on the CPU."""
        work = self.workload
        g, d = work.generator_flops / 2, work.discriminator_flops / 2
        own = STEP / work.batch_size
        trained = g + 6 * d + 3 * (g + d) / work.discriminator_steps + own
        return self.suite.n * (g + self.suite.cost) / trained

    def evaluations(self, horizon: int, at_most: int) -> int:
        """How often a run of `horizon` samples is evaluated, 5 to `at_most`."""
        if self.costs.evaluation_steps is None:
            times = int(EVALUATION * horizon / self.evaluation_samples)
        else:
            step = self.workload.batch_size * self.workload.discriminator_steps
            times = horizon // (step * self.costs.evaluation_steps)
        return max(min(times, at_most), MIN_EVALUATIONS)

    def due(self, progress: float, last: int, horizon: int, at_most: int) -> bool:
        """Whether a run that has come this far, and was last evaluated after `last`
        samples, is evaluated now. The end always is, once."""
        times = self.evaluations(horizon, at_most)
        return int(progress * times) > int(min(last / max(horizon, 1), 1.0) * times)


def images(samples_per_step: int, horizon: int | None) -> int:
    """How many images a run of `horizon` samples draws after the one before its first
    step, 1 to 10; 0 while its length is not known."""
    if horizon is None:
        return 0
    return max(min(horizon // (samples_per_step * STEPS_PER_IMAGE), MAX_IMAGES), 1)
