"""The examination: every figure that fits the data, with floors and intervals that can
be believed."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from equipoise.data.distributions.univariate import Gaussian, Ring
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource
from equipoise.metrics import classifier, evaluate
from equipoise.metrics.budget import QUICK
from equipoise.metrics.evaluate import Sampling, examine, floor_draws, floors, suite_for
from equipoise.metrics.result import (
    AGREEMENT,
    C2ST,
    CLASS_KL,
    COPIED,
    READ_ALIKE,
    TRAINED_ON_FAKE,
    WASSERSTEIN,
    MetricResult,
)

RNG = np.random.default_rng(0)


def by_name(metrics: list[MetricResult]) -> dict[str, MetricResult]:
    return {metric.name: metric for metric in metrics}


def from_distribution(distribution: Gaussian) -> Sampling:
    return lambda n: (distribution.sample(n, torch.Generator().manual_seed(9)).numpy(), None)


def test_a_perfect_sampler_is_at_its_floor_and_no_c2st_tells_it() -> None:
    found = by_name(
        examine(DistributionSource(Gaussian()), from_distribution(Gaussian()), seed=0, classes=None)
    )
    assert found[WASSERSTEIN].value < 3 * found[WASSERSTEIN].floor
    told = found[C2ST]
    assert told.low is not None
    assert told.value - 0.5 < 2 * (told.value - told.low)  # four standard errors
    assert COPIED not in found  # the distribution never repeats


def test_a_planted_difference_is_outside_the_interval_and_told() -> None:
    found = by_name(
        examine(
            DistributionSource(Gaussian()),
            from_distribution(Gaussian(std=1.6)),
            seed=0,
            classes=None,
        )
    )
    std = found["standard deviation"]
    assert std.low is not None
    assert std.high is not None
    assert std.low < 1.6 < std.high
    assert std.low > 1.25
    assert found[C2ST].low is not None
    assert found[C2ST].low > 0.5


def test_copies_of_the_training_data_are_found_and_fresh_samples_are_not() -> None:
    x = RNG.normal(size=(3000, 3))
    source = open_source(x)

    def copying(n: int) -> tuple[NDArray[np.float64], None]:
        return source.seen(n, 4).double().numpy(), None

    copied = by_name(examine(source, copying, seed=0, classes=None))[COPIED]
    assert copied.value > 0.95
    fresh = by_name(
        examine(source, lambda n: (RNG.normal(size=(n, 3)), None), seed=0, classes=None)
    )[COPIED]
    assert fresh.low is not None
    assert abs(fresh.value) < 2 * (fresh.value - fresh.low)  # four standard errors


def test_a_column_that_never_varies_hides_no_copies() -> None:
    x = RNG.normal(size=(2000, 40))
    x[:, 0] = 0.1
    source = open_source(x)
    copies = by_name(
        examine(source, lambda n: (source.seen(n, 4).double().numpy(), None), seed=0, classes=None)
    )[COPIED]
    fresh = np.column_stack([np.full(2000, 0.1), RNG.normal(size=(2000, 39))])
    honest = by_name(examine(source, lambda n: (fresh[:n], None), seed=0, classes=None))[COPIED]
    assert copies.value > 0.99
    assert abs(honest.value) < 0.5


@pytest.mark.parametrize("shuffled", [False, True])
def test_labels_are_read_back_and_shuffled_ones_come_at_chance(shuffled: bool) -> None:
    def sampling(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        x, y = Ring().labelled(n, torch.Generator().manual_seed(9))
        return x.numpy(), RNG.permutation(y.numpy()) if shuffled else y.numpy()

    found = by_name(examine(DistributionSource(Ring()), sampling, seed=0, classes=tuple(range(8))))
    expected = 1 / 8 if shuffled else 1.0
    assert found[AGREEMENT].floor > 0.99
    assert found[AGREEMENT].value == pytest.approx(expected, abs=0.04)
    assert found[TRAINED_ON_FAKE].value <= 0.4 if shuffled else found[TRAINED_ON_FAKE].value > 0.98
    assert found[CLASS_KL].value < 0.01


@pytest.mark.parametrize("said", [True, False])
def test_labels_of_a_rare_class_say_something_where_it_lies_elsewhere_and_nothing_where_they_are_drawn(
    said: bool,
) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(1500) < 0.05).astype(np.int64)
    x = rng.normal(size=1500) + y * said
    source = open_source(x, y)
    found = by_name(
        examine(source, lambda n: (x[:n, None], y[:n]), seed=0, classes=source.schema.classes)
    )
    assert found[AGREEMENT].floor < 0.97
    alike = found[READ_ALIKE]
    assert alike.floor == 0.5
    assert alike.low is not None
    off = alike.value - alike.low  # two standard errors
    assert alike.low > 0.5 if said else abs(alike.value - 0.5) < 2 * off


def test_a_handful_of_held_out_samples_is_neither_detected_nor_searched() -> None:
    source = open_source(RNG.normal(size=(60, 2)))
    found = by_name(
        examine(source, lambda n: (RNG.normal(size=(n, 2)), None), seed=0, classes=None)
    )
    assert C2ST not in found
    assert COPIED not in found
    assert all(metric.low is None for metric in found.values())


def test_baselines_are_draws_that_share_no_sample_and_as_many_as_there_are_samples_for() -> None:
    x = np.arange(2000.0)
    draws = floor_draws(open_source(x), 500, 0)
    assert [len(draw) for draw in draws] == [500, 500, 500]
    assert len(np.unique(draws)) == 1500
    assert [len(draw) for draw in floor_draws(open_source(x), 1000, 0)] == [1000]
    assert [len(draw) for draw in floor_draws(open_source(x), 5000, 0)] == [1800]


def test_the_floor_of_data_in_memory_that_is_halved_is_of_one_draw_and_says_so() -> None:
    source = open_source(RNG.normal(size=400)).as_test()
    found = examine(source, lambda n: (RNG.normal(size=(n, 1)), None), seed=0, classes=None)
    assert "200 real samples" in found[0].protocol
    assert "draws" not in found[0].protocol


def test_the_floor_while_training_is_that_of_the_report_where_both_have_the_same_samples() -> None:
    source = open_source(RNG.lognormal(size=(3000, 2)))
    found = by_name(
        examine(source, lambda n: (RNG.normal(size=(n, 2)), None), seed=0, classes=None)
    )
    quick = floors(suite_for(source, seed=0, quick=True), source, 0)
    assert quick["sliced Wasserstein"] == pytest.approx(found["sliced Wasserstein"].floor)


def test_every_classifier_of_images_trains_for_as_many_steps_as_the_budget_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[int] = []
    monkeypatch.setattr(classifier, "_train", lambda *given: steps.append(given[-1]))
    monkeypatch.setattr(evaluate, "readable", lambda *_: False)
    x, y = RNG.integers(0, 256, (800, 8, 8), np.uint8), RNG.integers(0, 2, 800)
    source = open_source(x, y)

    def sampling(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return RNG.integers(0, 256, (n, 1, 8, 8)).astype(np.float64), RNG.integers(0, 2, n)

    found = by_name(examine(source, sampling, 0, source.schema.classes, QUICK))
    assert READ_ALIKE in found
    assert set(steps) == {QUICK.image_steps}


def test_labels_that_a_file_keeps_as_text_are_judged_by_the_same_labels_in_memory() -> None:
    x, y = RNG.normal(size=(800, 2)), [Decimal(i % 2) for i in range(800)]
    source = open_source(x, y)
    asked = RNG.integers(0, 2, 5000)
    found = by_name(
        examine(source, lambda n: (RNG.normal(size=(n, 2)), asked[:n]), 0, ("0", "1"), QUICK)
    )
    assert AGREEMENT in found
