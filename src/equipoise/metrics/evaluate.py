"""The examination: every figure that fits a source's kind of data, of samples that a
generator makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.labels import same_classes
from equipoise.data.sources import Source
from equipoise.metrics.budget import FULL, Budget, quiet
from equipoise.metrics.c2st import MARGIN, detect
from equipoise.metrics.classifier import learn, read_across
from equipoise.metrics.digits import read_digits
from equipoise.metrics.image_suites import DigitSuite, ImageSuite, thumbnails
from equipoise.metrics.intervals import proportion_interval
from equipoise.metrics.labels import (
    agreement,
    agreement_alike,
    class_divergence,
    class_frequencies,
    readable,
)
from equipoise.metrics.neighbours import memory
from equipoise.metrics.result import (
    AGREEMENT,
    C2ST,
    CLASS_FREQUENCY,
    CLASS_KL,
    COPIED,
    READ_ALIKE,
    TRAINED_ON_FAKE,
    MetricResult,
)
from equipoise.metrics.suites import QUICK_SAMPLES, LineSuite, MetricSuite, SpaceSuite
from equipoise.metrics.wasserstein import stds

Array = NDArray[np.float64]
Classes = NDArray[np.int64]
Sampling = Callable[[int], tuple[Array, Classes | None]]
"""n samples in the user's units, (n, *shape), and the classes that were asked for, if
any."""
QUICK_IMAGES = 500  # of kinds whose features nobody knows, for figures while training
# Draws of real images that a floor is the mean of: they cost more than points', and
# vary less.
IMAGE_FLOORS = 1
MAX_COLUMNS = 20  # that are told of one by one
COMPARED = 16  # pixels a side that copies of images are looked for on
MIN_C2ST, MIN_COPIES = 10, 40  # held-out samples below which these say nothing
MIN_LABELLED = 40


def suite_for(source: Source, seed: int, quick: bool = False, budget: Budget = FULL) -> MetricSuite:
    """The judge for this source's kind of data, holding its held-out part; `quick` for
    figures taken while training, on the validation split where there is one, else of as
    many samples as the budget of a report has."""
    digits = source.is_digits
    most = QUICK_SAMPLES if quick else budget.samples
    if source.schema.is_image and not digits:
        most = QUICK_IMAGES if quick else budget.images
    real = _values(source.validation(most, seed) if quick else source.held_out(most, seed))
    distribution = source.distribution
    if source.schema.size == 1 and not source.schema.is_image:
        known = distribution is not None and distribution.quantile(np.array([0.5])) is not None
        n = len(real) if not known else QUICK_SAMPLES if quick else budget.line
        return LineSuite(real, n, distribution if known else None, quick)
    if digits:
        return DigitSuite(real, quick)
    if source.schema.is_image:
        return ImageSuite(real, quick)
    columns = source.schema.columns or range(source.schema.size)
    return SpaceSuite(
        real,
        distribution.modes() if distribution is not None else None,
        [str(name) for name in columns[:MAX_COLUMNS]],
        quick,
    )


def examine(
    source: Source,
    sampling: Sampling,
    seed: int,
    classes: tuple[Hashable, ...] | None,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
) -> list[MetricResult]:
    """All figures of what `sampling` makes, the headline first; `seed` draws the real
    samples, `classes` are those that the generator learned, which only data with the
    same ones can judge. `on_step` is told what is measured next, of `budget.STEPS`."""
    on_step("samples")
    suite = suite_for(source, seed, budget=budget)
    most = (budget.two_sample_images if source.schema.is_image else budget.two_sample) // 2
    train, test = (_values(part(most, seed)) for part in (source.seen, source.held_out))
    made, asked = sampling(max(suite.n, len(train) + len(test)))
    draws = floor_draws(source, suite.n, seed, budget.floors)
    on_step("distances and coverage")
    metrics = suite.metrics(made[: suite.n], draws)
    if len(test) >= MIN_C2ST:
        on_step("classifier two-sample test")
        metrics.append(_c2st((train, made[len(test) :]), (test, made[: len(test)]), seed, budget))
    if len(test) >= MIN_COPIES:
        on_step("nearest training samples")
        metrics += _remembered(source, made, seed, budget)
    if asked is not None and same_classes(classes, source.schema.classes):
        on_step("labels")
        metrics += _of_labels(source, made[: suite.n], asked[: suite.n], seed, budget)
    return metrics


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


def floor_draws(source: Source, n: int, seed: int, most: int = FULL.floors) -> list[Array]:
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
    draws = IMAGE_FLOORS if source.schema.is_image else most
    rows = _values(source.seen(draws * n, seed))
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    return [rows[start : start + n] for start in range(0, max(len(rows) - n, 0) + 1, n)][:draws]


def floors(suite: MetricSuite, source: Source, seed: int) -> dict[str, float]:
    """The mean of each metric over the draws of real samples that baselines are taken
    from."""
    taken = [suite(draw) for draw in floor_draws(source, suite.n, seed)]
    return {name: float(np.mean([metrics[name] for metrics in taken])) for name in taken[0]}


def _c2st(
    train: tuple[Array, Array], test: tuple[Array, Array], seed: int, budget: Budget
) -> MetricResult:
    found = detect(train, test, seed, budget.image_steps)
    kind = "MLP" if test[0].ndim == 2 else "convolutional network"
    protocol = (
        f"a new {kind} trained on {2 * min(map(len, train)):,} samples and tested on "
        f"{found.n:,} others, half of them real; "
        f"a perfect sampler shows in {found.power:.0%} of such tests that it is below "
        f"{0.5 + MARGIN}"
    )
    return MetricResult(C2ST, found.accuracy, 0.5, "lower", protocol, found.low, found.high)


def _remembered(source: Source, made: Array, seed: int, budget: Budget) -> list[MetricResult]:
    """How much was copied, unless the training data never repeats, or has too few
    samples to say: of points in columns of unit variance, of images in thumbnails."""
    if source.training_rows is None or source.for_test:
        return []
    images = source.schema.is_image
    raw = (
        source.seen(budget.copies_among, seed),
        source.held_out(budget.samples, seed),
        torch.from_numpy(made[: budget.copies]),
    )
    rows, fresh, some = (
        (thumbnails(part, COMPARED) for part in raw) if images else _in_stds(*map(_values, raw))
    )
    found = memory(some, fresh, rows, searched=len(rows) / source.training_rows)
    if not math.isfinite(found.low):
        return []
    shown = f", compared at {COMPARED} x {COMPARED} pixels at most," if images else ""
    protocol = (
        f"fraction of {len(some):,} samples{shown} that are nearer to one of {len(rows):,} "
        "training samples than to "
        f"{len(fresh):,} held-out ones, beyond what new real samples would be"
    )
    copied, low, high = (
        min(max(value, 0.0), 1.0) for value in (found.copied, found.low, found.high)
    )
    return [MetricResult(COPIED, copied, 0.0, "lower", protocol, low, high)]


def _in_stds(rows: Array, *others: Array) -> list[Array]:
    """Points, (N, D) each, about the means of the first ones' columns and in units of
    their standard deviations."""
    centre, units = rows.mean(0), stds(rows)
    return [(part - centre) / units for part in (rows, *others)]


def _of_labels(
    source: Source, made: Array, asked: Classes, seed: int, budget: Budget
) -> list[MetricResult]:
    """Whether what was asked for comes, by a reader that learned from real samples; and
    how much a reader learns from generated ones."""
    real, test = (
        source.labelled(budget.labelled, seed, held_out=held_out) for held_out in (False, True)
    )
    if real is None or test is None or len(test[0]) < MIN_LABELLED:
        return []
    number, steps = len(source.schema.classes or ()), budget.image_steps
    (x, y), (unseen, truth) = ((_values(values), labels.numpy()) for values, labels in (real, test))
    made, asked = made[: budget.labelled], asked[: budget.labelled]
    reader = None if source.is_digits else learn(x, y, number, seed, steps)

    def read(values: Array) -> Classes:
        return _digits(values) if reader is None else reader.read(values)

    by = (
        "the shipped digit classifier"
        if reader is None
        else f"a classifier trained on {len(x):,} real samples"
    )
    of_fake, of_real = (
        learn(made, asked, number, seed, steps),
        learn(x, y, number, seed, steps) if reader is None else reader,
    )
    read_made, read_unseen, taught_unseen = read(made), read(unseen), of_fake.read(unseen)
    fractions = class_frequencies(y, number)
    protocol = f"{len(made):,} samples, read by {by}; floor: {len(unseen):,} held-out samples"
    taught = (
        f"{len(unseen):,} held-out samples, read by a classifier trained on "
        f"{len(made):,} generated ones; floor: on {len(x):,} real ones"
    )
    of_made, of_unseen = (
        class_frequencies(read_made, number),
        class_frequencies(read_unseen, number),
    )
    understood, counts = agreement(read_unseen, truth), source.schema.class_counts or np.bincount(y)
    all_one = max(counts) / sum(counts)  # right in one who always says the same
    return [
        MetricResult(
            AGREEMENT,
            agreement(read_made, asked),
            understood,
            "higher",
            protocol,
            *_interval(read_made == asked),
        ),
        MetricResult(
            CLASS_KL,
            class_divergence(of_made, fractions),
            class_divergence(of_unseen, fractions),
            "lower",
            protocol,
        ),
        MetricResult(
            TRAINED_ON_FAKE,
            agreement(taught_unseen, truth),
            agreement(of_real.read(unseen), truth),
            "higher",
            taught,
            *_interval(taught_unseen == truth),
        ),
        *(
            MetricResult(
                f"{CLASS_FREQUENCY}{label}", float(fraction), float(real_fraction), "near", protocol
            )
            for label, fraction, real_fraction in zip(
                source.schema.classes or (), of_made, of_unseen, strict=True
            )
        ),
        *(
            []
            if reader is None or readable(understood, all_one)
            else [_alike(x, y, number, seed, steps)]
        ),
    ]


def _alike(x: Array, y: Classes, number: int, seed: int, image_steps: int) -> MetricResult:
    """Whether labels say anything of real samples, for when nobody reads them better
    than by always naming the commonest: of a rare class that overlaps with a common one
    nobody can."""
    right, off = agreement_alike(read_across(x, y, number, seed, image_steps), y, number)
    off *= math.sqrt(
        2
    )  # by chance both halves' readers are right together, so that it is as if there were one half
    protocol = (
        f"mean over classes of {len(x):,} real samples, each half read by a classifier "
        f"trained on the other; by chance 1 / {number}"
    )
    return MetricResult(READ_ALIKE, right, 1 / number, "higher", protocol, right - off, right + off)


def _digits(values: Array) -> Classes:
    read: Classes = (
        read_digits(
            torch.from_numpy(values.reshape(len(values), *values.shape[-2:])).to(torch.uint8)
        )[1]
        .argmax(1)
        .numpy()
    )
    return read


def _interval(right: Sequence[bool] | NDArray[np.bool_]) -> tuple[float, float]:
    return proportion_interval(int(np.sum(right)), len(right))


def _values(rows: torch.Tensor) -> Array:
    values: Array = rows.double().numpy()
    return values
