"""The evaluation of samples: every metric for a source's kind of data."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.labels import same_classes
from equipoise.data.sources import Source
from equipoise.metrics.budget import FULL, Budget, quiet
from equipoise.metrics.c2st import MIN_C2ST, c2st_metric
from equipoise.metrics.conditional import conditional_metrics
from equipoise.metrics.copies import MIN_HELD_OUT, copied_metric
from equipoise.metrics.photos import PHOTO_NETWORK, are_photos
from equipoise.metrics.reference import (
    Array,
    DigitReference,
    ImageReference,
    PhotoReference,
    Reference,
    RotationReference,
    TabularReference,
    UnivariateReference,
)
from equipoise.metrics.result import MetricResult
from equipoise.metrics.rotations import learned_from
from equipoise.metrics.series.reference import SeriesReference
from equipoise.metrics.suites import QUICK_IMAGES, QUICK_SAMPLES, MetricSuite, mean_values
from equipoise.metrics.tables.evaluate import rows_needed, table_metrics
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import raw_table

Classes = NDArray[np.int64]
Sampling = Callable[[int], tuple[Array, Classes | None]]
"""n samples in the user's units, (n, *shape), and the classes that they were
conditioned on, if any."""
IMAGE_BASELINES = 1  # draws of real images: they cost more than points', and vary less
MAX_COLUMNS = 20  # that have a metric of their own


def suite_for(
    source: Source,
    seed: int,
    quick: bool = False,
    budget: Budget = FULL,
) -> MetricSuite:
    """The metric suite for a source's kind of data.

    Args:
        source: The data.
        seed: Of the choice among held-out samples.
        quick: For metrics while training: on the validation split where there is one,
            and only what is cheap.
        budget: How many samples a report takes.
    """
    return MetricSuite(reference_for(source, seed, quick, budget), quick)


def reference_for(source: Source, seed: int, quick: bool, budget: Budget) -> Reference:
    """The real samples that generated ones are compared with.

    The arguments are those of `suite_for`.
    """
    schema, distribution = source.schema, source.distribution
    most = QUICK_SAMPLES if quick else budget.samples
    if schema.is_image and not source.is_digits:
        most = QUICK_IMAGES if quick else budget.images
    part = source.validation if quick else source.held_out
    real = _values(source.measured(part(most, seed)))
    if schema.series is not None:
        return SeriesReference(real, schema.series)
    if schema.size == 1 and not schema.is_image:
        exact = distribution is not None and distribution.quantile(np.array([0.5])) is not None
        n = len(real) if not exact else QUICK_SAMPLES if quick else budget.univariate
        return UnivariateReference(real, n, distribution if exact else None)
    if source.is_digits:
        return DigitReference(real)
    if schema.is_image:
        if source.limits is None or not are_photos(schema):
            return ImageReference(real)
        return PhotoReference(real, source.limits)
    if schema.table is not None:
        training = None if quick else _values(source.seen(budget.copies_among, seed))
        return MixedReference(real, raw_table(schema.table), training, source.training_rows)
    columns = schema.columns or range(schema.size)
    return TabularReference(
        real,
        distribution.modes() if distribution is not None else None,
        [str(name) for name in columns[:MAX_COLUMNS]],
    )


def evaluate_samples(
    source: Source,
    sampling: Sampling,
    seed: int,
    classes: tuple[Hashable, ...] | None,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
    photo_features: bool = False,
) -> list[MetricResult]:
    """Every metric of generated samples.

    Args:
        source: The real data.
        sampling: Draws samples, in the user's units.
        seed: Of the choice among real samples and of the classifiers.
        classes: Those that the generator learned; metrics of labels need data with the
            same ones.
        budget: How many samples are measured.
        on_step: Called with what is measured next, of `budget.STEPS`.
        photo_features: Whether the discriminator saw the features that colour images
            are compared in. Protocols then say so, and a further metric has others.

    Returns:
        The results, the primary one first.
    """
    on_step("samples")
    suite = suite_for(source, seed, budget=budget)
    most = (budget.two_sample_images if source.schema.is_image else budget.two_sample) // 2
    train, test = (
        _values(source.measured(part(most, seed))) for part in (source.seen, source.held_out)
    )
    needed = max(suite.n, len(train) + len(test))
    if isinstance(suite.reference, MixedReference):
        needed = max(needed, rows_needed(suite.reference, budget))
    drawn, labels = sampling(needed)
    fake = _values(source.measured(torch.from_numpy(drawn)))
    draws = baseline_draws(source, suite.n, seed, budget.baselines)
    on_step("distances and coverage")
    results = suite.metrics(fake[: suite.n], draws)
    if photo_features and isinstance(suite.reference, PhotoReference):
        results = [
            *map(flattered, results),
            unseen_features_metric(
                source, seed, suite.reference.real, fake[: suite.n], draws, budget
            ),
        ]
    if isinstance(suite.reference, MixedReference):
        results += table_metrics(suite.reference, fake, seed, budget, on_step)
    else:
        results += _two_sample_metrics(
            source, suite.reference, train, test, fake, seed, budget, on_step
        )
    if labels is not None and same_classes(classes, source.schema.classes):
        on_step("labels")
        results += conditional_metrics(source, fake[: suite.n], labels[: suite.n], seed, budget)
    return results


def _two_sample_metrics(
    source: Source,
    reference: Reference,
    train: Array,
    test: Array,
    fake: Array,
    seed: int,
    budget: Budget,
    on_step: Callable[[str], None],
) -> list[MetricResult]:
    """The classifier two-sample test and the copies, of points and images, where there
    are enough held-out samples.

    Args:
        source: The real data.
        reference: Its held-out part.
        train: Training samples, (T, *shape).
        test: Held-out samples, (M, *shape).
        fake: Generated samples, at least as many as both together.
        seed: Of the classifier and of the choice among samples.
        budget: How much is measured.
        on_step: Called with what is measured next.
    """
    results = []
    if len(test) >= MIN_C2ST:
        on_step("classifier two-sample test")
        if isinstance(reference, SeriesReference):
            shown = [reference.with_changes(part) for part in (train, test, fake)]
        else:
            shown = [train, test, fake]
        seen, unseen, made = shown
        parts = (seen, made[len(test) :]), (unseen, made[: len(test)])
        results.append(c2st_metric(*parts, seed, budget.image_steps))
    if len(test) >= MIN_HELD_OUT:
        on_step("nearest training samples")
        results += copied_metric(source, fake, seed, budget)
    return results


def flattered(result: MetricResult) -> MetricResult:
    """A metric of features that the discriminator was trained on, whose protocol says
    so; others as they are."""
    if PHOTO_NETWORK not in result.protocol:
        return result
    said = f"{result.protocol}; the discriminator was trained on these features, which flatters"
    return replace(result, protocol=said)


def unseen_features_metric(
    source: Source, seed: int, real: Array, fake: Array, draws: list[Array], budget: Budget
) -> MetricResult:
    """The Fréchet distance on features that no generator was trained on.

    Args:
        source: The real data.
        seed: Of the network that has the features, and of the choice of its images.
        real: Held-out images, (M, C, H, W).
        fake: Generated images, (n, C, H, W).
        draws: Real ones, for the baseline.
        budget: How long the network is trained.
    """
    # Not the draw that baselines are of, as far as there are others.
    learned = learned_from(source.schema.shape), seed + 1
    reference = RotationReference(
        real,
        lambda: _values(source.measured(source.seen(*learned))),
        seed,
        budget.image_steps,
    )
    return MetricSuite(reference, quick=True).metrics(fake, draws)[0]


def takes_all(source: Source, labels: bool, budget: Budget) -> bool:
    """Whether an examination within a budget compares all the real samples that there
    are, so that a longer one takes no others.

    Args:
        source: The data.
        labels: Whether the generator learned labels, which are then examined too.
        budget: Its numbers of samples; draws for baselines and steps do not count.
    """
    test, train = source.test_rows, source.training_rows
    if test is None or train is None:
        return False
    images = source.schema.is_image
    evaluated = budget.images if images and not source.is_digits else budget.samples
    two_sample = (budget.two_sample_images if images else budget.two_sample) // 2
    each = min(two_sample, budget.labelled) if labels else two_sample
    return test <= min(evaluated, each) and train <= min(each, budget.copies_among)


def baseline_draws(source: Source, n: int, seed: int, most: int = FULL.baselines) -> list[Array]:
    """Real samples other than the held-out ones, for the baselines of metrics.

    Args:
        source: The data.
        n: Samples in a draw.
        seed: Of the choice.
        most: Draws, if there are samples for so many; of images there is one.

    Returns:
        The draws, (n, *shape) each. They share no sample. Where there are fewer than n,
        one draw of them all.
    """
    draws = IMAGE_BASELINES if source.schema.is_image else most
    rows = _values(source.measured(source.seen(draws * n, seed)))
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    return [rows[start : start + n] for start in range(0, max(len(rows) - n, 0) + 1, n)][:draws]


def baselines(suite: MetricSuite, source: Source, seed: int) -> dict[str, float]:
    """The baseline of each metric by its key: its mean over draws of real samples."""
    return mean_values([suite(draw) for draw in baseline_draws(source, suite.n, seed)])


def _values(rows: torch.Tensor) -> Array:
    values: Array = rows.double().numpy()
    return values
