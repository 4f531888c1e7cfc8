"""Whether a critic's estimate follows the quality of its generator, which is what
Wasserstein GANs promise (Arjovsky et al. 2017, section 4.2).

While a recipe trains on MNIST, its generator is copied at MOMENTS moments. After the
training each copy is measured: the Fréchet distance of the digit classifier's features
to test digits. The estimate is the log's, through a median filter as in the paper.
Their rank correlation over the moments is 1 where one always rises with the other.

Two generators are measured. The critic compares real digits with samples of the one
that is trained. Samples that a user gets are of its EMA.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise import GAN
from equipoise.data import mnist
from equipoise.metrics.digits import read_digits
from equipoise.metrics.frechet import frechet_distance
from equipoise.report.charts import ESTIMATE, scale_metric
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler
from equipoise.training.events import Event, Report
from equipoise.training.trainer import Trainer

Array = NDArray[np.float64]
MOMENTS = 40
SAMPLES = 2_000  # generated digits that a distance is measured on
FILTER = 9  # lines of the log that the median filter takes, of a hundred in a training


@dataclass(frozen=True)
class Followed:
    """What was read and measured in one training.

    Args:
        log: Samples seen and the critic's estimate of each report, (L, 2).
        moments: Lines of the log at which the generator was measured, (M,), rising.
        trained: Fréchet distance of the generator that is trained, (M,).
        ema: The same of its EMA, (M,).
    """

    log: list[tuple[int, float]]
    moments: list[int]
    trained: list[float]
    ema: list[float]

    @property
    def samples_seen(self) -> list[int]:
        """Samples seen at the moments, (M,)."""
        return [self.log[at][0] for at in self.moments]

    @property
    def estimates(self) -> Array:
        """The estimate at the moments, through the median filter, (M,)."""
        smooth: Array = median_filter([estimate for _, estimate in self.log], FILTER)
        return smooth[self.moments]

    def correlation(self, distances: list[float], start: float = 0.0) -> float:
        """Spearman's rank correlation of the estimates with distances, (M,), from the
        fraction `start` of the training on."""
        from scipy.stats import spearmanr

        kept = np.array(self.samples_seen) >= start * self.log[-1][0]
        return float(spearmanr(self.estimates[kept], np.array(distances)[kept]).statistic)


def median_filter(values: list[float], width: int) -> Array:
    """The median of `width` values around each one, (N,); of fewer, as many on either
    side, near the ends."""
    found = np.asarray(values, np.float64)
    reach = [min(width // 2, i, len(found) - 1 - i) for i in range(len(found))]
    return np.array([np.median(found[i - r : i + r + 1]) for i, r in enumerate(reach)])


def follow(recipe: str, settings: dict[str, Any], moments: int = MOMENTS) -> Followed:
    """Train a recipe with a critic on MNIST, and measure its generator at `moments`
    moments.

    Args:
        recipe: Its name.
        settings: Keywords of `GAN`, such as minutes and seed.
        moments: How many, evenly over the training.
    """
    gan = GAN(recipe, **settings)
    fit = gan.trainer("mnist", to_disk=False, warn=print)
    log: list[tuple[int, float]] = []
    # Measured after the training, whose minutes they would take.
    copies: dict[int, tuple[torch.nn.Module, torch.nn.Module]] = {}

    def keep(event: Event) -> None:
        if isinstance(event, Report):
            if int(event.progress * moments) > len(copies):
                copies[len(log)] = copy.deepcopy((fit.state.generator, fit.state.ema))
            log.append((event.samples_seen, event.readings[ESTIMATE]))

    gan.train(fit, [keep])
    real = read_digits(torch.from_numpy(mnist.load("test")[0].copy()))[0].double().numpy()
    return Followed(
        log,
        list(copies),
        [distance(fit, trained, real) for trained, _ in copies.values()],
        [distance(fit, ema, real) for _, ema in copies.values()],
    )


def distance(fit: Trainer, generator: torch.nn.Module, real: Array) -> float:
    """The Fréchet distance of a copied generator's samples to features, (N, F)."""
    of = fit.sampler
    sampler = Sampler(generator, of.prior, of.recipe, of.schema, of.transform, of.device)
    sampler.recalibrate_batchnorm(EVALUATION_SEED)
    values = sampler.values(SAMPLES, EVALUATION_SEED).reshape(SAMPLES, 28, 28)
    features = read_digits(torch.from_numpy(values).to(torch.uint8))[0]
    return frechet_distance(features.double().numpy(), real)


def draw(path: Path, recipe: str, found: Followed) -> None:
    """Write a picture of the estimate and of the distance over samples seen."""
    from matplotlib.figure import Figure

    figure = Figure((6.4, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    logged = np.array(found.log)
    seen = np.array(found.samples_seen) / 1000
    above.plot(logged[:, 0] / 1000, logged[:, 1], color="tab:blue", alpha=0.3, label="as logged")
    above.plot(seen, found.estimates, color="tab:blue", label="through a median filter")
    above.set(ylabel="critic's estimate")
    below.plot(seen, found.trained, color="tab:orange", label="the generator that is trained")
    below.plot(seen, found.ema, color="tab:green", label="its EMA")
    below.set(xlabel="thousand samples seen", ylabel="Fréchet distance")
    scale_metric(below, [*found.trained, *found.ema])
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle(
        f"{recipe} on MNIST: rank correlation {found.correlation(found.trained):.2f} "
        f"(EMA: {found.correlation(found.ema):.2f})"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
