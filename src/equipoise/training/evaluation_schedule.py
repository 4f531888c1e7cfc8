"""The pace: how often a training of a given length is judged and drawn, so that both
cost a small share of it. A rule of counted multiplications and samples: nothing is
decided by a stopwatch, and equal runs are judged and drawn at equal moments.

Time is counted in multiplications at the speed of a training's, about 30 thousand
million a second on a core with AVX-512 for images. With G and D for one forward pass of
one sample, a sample that is trained on costs

    G + 6 D + (3 G + 3 D) / k + STEP / batch

in k steps of D for one of G: D's step makes a fake (G) and passes real and fake there
(2 D) and back (4 D), G's step passes G there and back (3 G) and D (3 D); penalties,
which only add, are left out, and a step has costs of its own, whatever is in it. A
sample that is judged costs G and what its judge says (`MetricSuite.cost`). So the share
`JUDGING` of a training of H samples pays for JUDGING * H * trained / (n * judged) times
of n samples. An image is drawn for every STEPS_A_PICTURE steps, since it takes about as
long as five of the shortest.

Measured on one core, together with 20 saves, which are not thinned out, in CPU time:
4.5% of `train gaussian`, 3% of a third of `train ring`, and of five minutes on MNIST
1.8% by balanced, 2.5% by classic and 4.3% by dcgan, whose BatchNorm statistics are
taken anew too.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import nn

from equipoise.metrics.suites import MetricSuite
from equipoise.recipes.method import Method
from equipoise.runtime.op_counter import Counting

JUDGING = 0.02
LEAST = 5  # judgements, however short the run: verdict and watch take fewer than four for no trend
# a millisecond of small operations at a small network's 10 thousand million
# multiplications a second.
STEP = 1e7
IMAGES, STEPS_A_IMAGE = 10, 600


class Pace:
    """How often a run of `method` is judged by `suite`; samples are (N, *shape),
    `classes` says whether the networks see them."""

    def __init__(
        self,
        method: Method,
        suite: MetricSuite,
        shape: tuple[int, ...],
        batch_size: int,
        classes: bool,
    ) -> None:
        self.method, self.suite, self.shape, self.batch_size, self.classes = (
            method,
            suite,
            shape,
            batch_size,
            classes,
        )

    @cached_property
    def judging(self) -> float:
        """What judging once costs, in samples trained on."""
        g, d = multiplications(self.method, self.shape, self.batch_size, self.classes)
        trained = g + 6 * d + 3 * (g + d) / self.method.discriminator_steps + STEP / self.batch_size
        return self.suite.n * (g + self.suite.cost) / trained

    def evaluations(self, horizon: int, most: int) -> int:
        """How often a run of `horizon` samples is judged, 5 to `most`."""
        return max(min(int(JUDGING * horizon / self.judging), most), LEAST)

    def due(self, progress: float, last: int, horizon: int, most: int) -> bool:
        """Whether a run that has come this far, and was judged last after `last`
        samples, is judged now. The end always is, once."""
        times = self.evaluations(horizon, most)
        return int(progress * times) > int(min(last / max(horizon, 1), 1.0) * times)


def images(samples_per_step: int, horizon: int | None) -> int:
    """How many images a run of `horizon` samples draws after the one before its first
    step, 1 to 10; 0 while its length is not known."""
    if horizon is None:
        return 0
    return max(min(horizon // (samples_per_step * STEPS_A_IMAGE), IMAGES), 1)


@torch.no_grad()
def multiplications(
    method: Method, shape: tuple[int, ...], batch_size: int, classes: bool
) -> tuple[float, float]:
    """Of G and of D, for one sample and one pass. The networks are left as they were."""
    device = next(method.generator.parameters()).device
    n = batch_size  # a D that sees a batch as one vector takes no other
    y = torch.zeros(n, dtype=torch.long, device=device) if classes else None
    inputs = (
        torch.zeros(n, method.prior.width, device=device),
        torch.zeros(n, *shape, device=device),
    )
    return _counted(method.generator, inputs[0], y) / n, _counted(
        method.discriminator, inputs[1], y
    ) / n


def _counted(network: nn.Module, x: torch.Tensor, y: torch.Tensor | None) -> float:
    was_training = network.training
    network.eval()
    with Counting() as counting:
        network(x, y)
    network.train(was_training)
    return float(counting.flops.total()) / 2
