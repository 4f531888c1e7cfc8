"""One training on MNIST, in a process of its own, and what the digit classifier says of
its samples.

    python -m benchmarks.digit_run '{"recipe": "dcgan", "settings": {"width": 16},
        "seed": 0, "minutes": 1, "split": "validation"}'

The result is printed as JSON: the figures of 10,000 samples, or why the training
failed. It has one thread. Benchmarks that compare many trainings start it, each on a
core of its own, so that judging takes no time of another training.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise import GAN
from equipoise.data.factory import open_source
from equipoise.data.sources import Source
from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.metrics.digit_frequencies import RECOGNISED, SMALLEST_FREQUENCY
from equipoise.metrics.frechet import DIGIT_FRECHET
from equipoise.metrics.reference import DigitReference
from equipoise.metrics.suites import MetricSuite
from equipoise.sweeps.space import Choice

Split = Literal["validation", "test"]
Figures = dict[str, float]
SAMPLES, SAMPLES_SEED = 10_000, 1
KEYS = (DIGIT_FRECHET.key, RECOGNISED.key, SMALLEST_FREQUENCY.key)


@dataclass(frozen=True)
class DigitRun:
    """A training and what judges it.

    Args:
        recipe: Its name.
        settings: Fields of the recipe that are not left at their defaults.
        seed: Of the training.
        minutes: Of training.
        split: The half of MNIST's held-out digits that samples are compared with. A
            setting is chosen on the validation split, and confirmed on the test split.
    """

    recipe: str
    settings: Mapping[str, Choice]
    seed: int
    minutes: float
    split: Split

    def train(self) -> dict[str, Any]:
        """Train, and return the `figures`, or `failed`, the reason, if the training
        diverged or could not be completed.

        Raises:
            RequestError: The recipe refuses the settings.
        """
        gan = GAN(
            self.recipe, seed=self.seed, minutes=self.minutes, threads=1, **dict(self.settings)
        )
        try:
            gan.fit("mnist", progress=False)
        except RequestError:  # a mistake here, and no fault of the setting
            raise
        except EquipoiseError as error:
            return {"failed": first_line(error)}
        images = np.asarray(gan.sample(SAMPLES, seed=SAMPLES_SEED))
        return {"figures": judged(images, self.split)}


def judged(images: NDArray[np.uint8], split: Split) -> Figures:
    """The figures of digits, (N, 28, 28), against one half of the held-out digits."""
    source = separate_halves()
    draw = source.validation if split == "validation" else source.held_out
    suite = MetricSuite(DigitReference(draw(SAMPLES, 0).double().numpy()), quick=True)
    values = suite(images.astype(np.float64))
    return {key: values[key] for key in KEYS}


def baseline() -> Figures:
    """The figures of as many digits that are trained on, against the validation
    split."""
    images = separate_halves().seen(SAMPLES, 0).numpy()
    return judged(images.astype(np.uint8), "validation")


def separate_halves() -> Source:
    """MNIST, whose validation and test splits share no digit: the same halves whatever
    the seed of a training is."""
    source = open_source("mnist")
    source.has_validation = True
    return source


def main() -> None:
    torch.set_num_threads(1)
    print(json.dumps(DigitRun(**json.loads(sys.argv[1])).train()))


if __name__ == "__main__":
    main()
